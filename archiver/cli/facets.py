"""What a search finds, counted: by customer, year, direction, kind of file and language.

Bars on a terminal, one line a count into a pipe. The longest bar is the largest count of its group: groups overlap, so
bars of two groups say nothing about each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from archiver.cli.escape import visible
from archiver.cli.layout import Span, cells, cut, pad

if TYPE_CHECKING:
    from archiver.cli.answers import FacetCounts
    from archiver.cli.shapes import Json
    from archiver.cli.terminal import Terminal

Group = tuple[str, Sequence[tuple[str, int]]]

_EIGHTHS = "▏▎▍▌▋▊▉█"
_LONGEST_BAR = 40
_SHORTEST_BAR = 6
_LABEL_COLUMNS = 32
_LANGUAGES = {
    "nl": "Dutch", "fr": "French", "en": "English", "de": "German", "es": "Spanish", "it": "Italian",
    "pt": "Portuguese",
}  # fmt: skip


def show(terminal: Terminal, counts: FacetCounts) -> None:
    """Print the groups that have anything in them."""
    groups = [(title, rows) for title, rows in _groups(counts) if rows]
    numbers = max((len(f"{number:,}") for _title, rows in groups for _label, number in rows), default=0)
    room = max(8, min(_LABEL_COLUMNS, terminal.width - 2 - 2 - numbers - 2 - _SHORTEST_BAR))
    if not terminal.out_is_terminal:
        room = 1 << 16
    columns = max((min(cells(label), room) for _title, rows in groups for label, _number in rows), default=0)
    bar = min(_LONGEST_BAR, terminal.width - columns - numbers - 6)
    for title, rows in groups:
        terminal.line(Span(title, "faint"))
        most = max(number for _label, number in rows)
        for label, number in rows:
            spans = [Span("  " + pad(cut(label, room), columns)), Span(f"  {number:>{numbers},}")]
            if terminal.out_is_terminal and bar >= _SHORTEST_BAR:
                spans.append(Span("  " + _bar(terminal, number, most, bar), "accent"))
            terminal.line(*spans)
        terminal.line()


def _groups(counts: FacetCounts) -> Iterator[Group]:
    facets = counts.facets
    yield (
        "customers",
        [(visible(f"{one.customer.reference} {one.customer.name}"), number) for one, number in counts.customers],
    )
    yield "years", [(str(year), number) for year, number in facets.years]
    yield "directions", [(way.value, number) for way, number in facets.directions]
    yield "files", [(kind.value, number) for kind, number in facets.types]
    yield "languages", [(_LANGUAGES.get(code, visible(code)), number) for code, number in facets.languages]


def _bar(terminal: Terminal, number: int, most: int, columns: int) -> str:
    """Return a bar to scale, never none at all for something that was counted."""
    if not terminal.can_show(_EIGHTHS):
        return "#" * max(1, round(columns * number / most))
    eighths = max(1, round(8 * columns * number / most))
    whole, rest = divmod(eighths, 8)
    return _EIGHTHS[-1] * whole + (_EIGHTHS[rest - 1] if rest else "")


def shape(counts: FacetCounts) -> Json:
    """Return the counts as `--json` has them; `customers` are the largest only."""
    facets = counts.facets
    return {
        "customers": [
            {"reference": one.customer.reference, "name": one.customer.name, "count": number}
            for one, number in counts.customers
        ],
        "years": [{"year": year, "count": number} for year, number in facets.years],
        "directions": [{"direction": way.value, "count": number} for way, number in facets.directions],
        "types": [{"type": kind.value, "count": number} for kind, number in facets.types],
        "languages": [{"language": code, "count": number} for code, number in facets.languages],
    }
