"""Text fitted into terminal columns.

Knows how many columns a character takes, cutting, padding, wrapping and plain tables of styled text. Knows nothing of
escape sequences or of where the text goes. Everything here expects text that is visible already (see
`archiver.cli.escape`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

Style = Literal["", "strong", "faint", "good", "warn", "bad", "hit", "accent"]


# Latin, Greek and Cyrillic letters, quotation marks and dashes, currencies, arrows: a column each. For these, which is
# nearly all mail, the tables of rich need not be loaded.
_NARROW = "[ -~\xa0-\u02ff\u0370-\u0482\u2010-\u2027\u20a0-\u20bf\u2190-\u21ff]*"
_JOINER = "\u200d"


class Span(NamedTuple):
    """A piece of a line and how it is meant; what a style looks like is the terminal's business."""

    text: str
    style: Style = ""


def cells(text: str) -> int:
    """Return the columns that `text` takes: East Asian wide characters and emoji take two, combining marks none."""
    if text.isascii() or re.fullmatch(_NARROW, text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, width: int) -> str:
    """Return `text` in at most `width` columns, ending in "…" when something was cut."""
    if cells(text) <= width:
        return text
    if width <= 0:
        return ""
    kept, used = [], 0
    for cluster in _clusters(text):
        taken = cells(cluster)
        if used + taken > width - 1:
            break
        kept.append(cluster)
        used += taken
    return "".join(kept).rstrip() + "…"


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Return `text` filled with spaces to `width` columns; `right` puts the text at the right."""
    space = " " * max(0, width - cells(text))
    return space + text if right else text + space


def wrap(text: str, width: int) -> list[str]:
    """Return one line of text as lines of at most `width` columns, broken at spaces where there are any."""
    if cells(text) <= width:
        return [text]
    return ["".join(span.text for span in line) for line in wrap_spans([Span(text)], width)]


def wrap_spans(spans: Iterable[Span], width: int) -> list[list[Span]]:
    """Wrap styled text; the spaces at which a line is broken are dropped, other spacing is kept where it fits."""
    characters = _styled(spans)
    width = max(width, 2)
    lines: list[list[Span]] = []
    start = 0
    while start < len(characters):
        end = _line_end(characters, start, width)
        lines.append(_joined(characters[start:end]))
        start = end
        # Only a break that wrapping made swallows the space it replaces.
        while start < len(characters) and characters[start][0] == " ":
            start += 1
    return lines or [[]]


def table(
    header: Sequence[str], rows: Iterable[Sequence[Span]], *, width: int, numbers: Sequence[int] = ()
) -> list[list[Span]]:
    """Lay out rows in columns two spaces apart; columns in `numbers` are aligned right.

    When the whole is wider than `width`, the widest text column is cut.
    """
    body = [list(row) for row in rows]
    lines = [[Span(title, "faint") for title in header], *body] if any(header) else body
    if not lines:
        return []
    widths = [max(cells(line[i].text) for line in lines) for i in range(len(lines[0]))]
    excess = sum(widths) + 2 * (len(widths) - 1) - width
    while excess > 0:
        widest = max((i for i in range(len(widths)) if i not in numbers), key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= 8:
            break
        taken = min(excess, max(1, widths[widest] - 8))
        widths[widest] -= taken
        excess -= taken
    return [_row(line, widths, frozenset(numbers)) for line in lines]


def _row(line: Sequence[Span], widths: Sequence[int], numbers: frozenset[int]) -> list[Span]:
    out: list[Span] = []
    last = len(line) - 1
    for i, (text, style) in enumerate(line):
        fitted = cut(text, widths[i])
        if i in numbers:
            fitted = pad(fitted, widths[i], right=True)
        elif i < last:
            fitted = pad(fitted, widths[i])
        out.append(Span(fitted, style))
        if i < last:
            out.append(Span("  "))
    return out


def _clusters(text: str) -> Iterator[str]:
    """Cut text into what takes its columns together: a character with the marks on it and all that is joined to it.

    A variation selector (U+FE0F) behind a character that is narrow alone makes it wide, and what follows a joiner
    (U+200D) takes no columns of its own.
    """
    if text.isascii() or re.fullmatch(_NARROW, text):
        yield from text
        return
    start = 0
    while start < len(text):
        end = start + (2 if text[start] == _JOINER else 1)
        while end < len(text) and (text[end] == _JOINER or not cells(text[end])):
            end += 2 if text[end] == _JOINER else 1
        yield text[start:end]
        start = end


def _styled(spans: Iterable[Span]) -> list[tuple[str, Style]]:
    """Cut styled text into clusters; one that begins in a span and ends in the next has the style of its beginning."""
    styles = [(c, span.style) for span in spans for c in span.text]
    out, at = [], 0
    for cluster in _clusters("".join(c for c, _ in styles)):
        out.append((cluster, styles[at][1]))
        at += len(cluster)
    return out


def _line_end(characters: Sequence[tuple[str, Style]], start: int, width: int) -> int:
    used, space, in_word, seen_word = 0, start, False, False
    for i in range(start, len(characters)):
        character = characters[i][0]
        used += cells(character)
        if character == " ":
            # Leading blanks are indentation, not a place to break.
            if in_word:
                space = i
            in_word = False
            continue
        if used > width and not seen_word:
            return max(min(i, start + width), start + 1)
        if used > width:
            return space if space > start else i
        in_word = seen_word = True
    # Blanks at the very end that stick out would be a line of their own on a terminal.
    return len(characters) if used <= width else space if seen_word else start


def _joined(characters: Sequence[tuple[str, Style]]) -> list[Span]:
    out: list[Span] = []
    for character, style in characters:
        if out and out[-1].style == style:
            out[-1] = Span(out[-1].text + character, style)
        else:
            out.append(Span(character, style))
    return out
