"""The text of a message laid out for reading: wrapped, with quotes and signatures dimmed, and long quotes folded.

Knows lists, quote marks, addresses of the web and signatures as people write them. Knows nothing of where a message is
kept; what is folded is told by how many lines it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from archiver.cli.escape import visible_lines
from archiver.cli.layout import Span, Style, cells, wrap
from archiver.cli.wording import count

if TYPE_CHECKING:
    from archiver.cli.terminal import Terminal
    from archiver.model.shown import Passage

FOLDED_FROM = 4
"""Fewer quoted lines than this take no more room than the words that say they were left out."""

_MAX_SIGNATURE = 20
_BEGINNING = re.compile(
    r"(?P<marks>\s*(?:>\s?)*)(?P<item>\s*(?:[-*+\u2022\u00b7\u2013]|[0-9]{1,3}[.)]|[a-zA-Z][.)])\s+)?\s*"
)
_ADDRESS = re.compile(r"(?:https?|ftp)://|www\.", re.IGNORECASE)
_WORD = re.compile(r"\S+ *| +")


def text_lines(passages: Iterable[Passage], *, quoted: bool, width: int | None, more: str = "") -> Iterator[list[Span]]:
    """Yield the lines of a message, those of others dimmed, and unless `quoted` left out where they are many.

    Lines are wrapped to `width` columns, None for as they are. `more` is said behind the first count of lines left
    out. A message that only repeats others is shown whole.
    """
    every = list(passages)
    fold = not quoted and any(not passage.quoted for passage in every)
    number = 0
    for is_quoted, group in groupby(every, key=lambda passage: passage.quoted):
        texts = [visible_lines(passage.text.strip("\r\n")) for passage in group]
        written = sum(1 for lines in texts for line in lines if line.strip())
        if is_quoted and fold and written >= FOLDED_FROM:
            if number:
                yield []
            number += 1
            yield [Span(f"[{count(written, 'quoted line')}{more}]", "faint")]
            more = ""
            continue
        for lines in texts:
            if number:
                yield []
            number += 1
            own_end = 0 if is_quoted else _signature(lines)
            for at, line in enumerate(lines):
                style: Style = "faint" if at >= own_end else ""
                for piece in wrapped(line.rstrip(), width) if width else [line.rstrip()]:
                    yield [Span(piece, style)] if piece else []


def print_text(terminal: Terminal, lines: Iterable[Sequence[Span]], *, indent: int = 0) -> None:
    """Print lines, indented."""
    margin = Span(" " * indent)
    for line in lines:
        terminal.line(*([margin, *line] if line and indent else line))


def wrapped(line: str, width: int) -> list[str]:
    """Break a line at words; what follows stands below the words of a list's item, and behind the marks of a quote.

    An address of the web is never broken, for it could not be followed: it may be wider than `width`.
    """
    if cells(line) <= width:
        return [line]
    beginning = _BEGINNING.match(line)
    head = beginning[0] if beginning is not None else ""
    marks = beginning["marks"] if beginning is not None else ""
    if cells(head) > width // 2:
        # No room is left behind it: a line set far to the right begins at the left.
        head = marks = ""
        line = line.lstrip(" ")
    hanging = marks + " " * (cells(head) - cells(marks))
    pieces = _broken(line[len(head) :], width - cells(head))
    return [(hanging if number else head) + piece for number, piece in enumerate(pieces)]


def _broken(text: str, width: int) -> list[str]:
    if _ADDRESS.search(text) is None:
        return wrap(text, width)
    lines = [""]
    for word in _WORD.findall(text):
        bare = word.rstrip(" ")
        if cells(lines[-1]) + cells(bare) > width and lines[-1].strip():
            lines[-1] = lines[-1].rstrip(" ")
            lines.append("")
        if cells(bare) > width and _ADDRESS.search(bare) is None:
            *whole, bare = wrap(bare, width)
            lines[-1:] = [*whole, ""]
        lines[-1] += bare + " " * (len(word) - len(word.rstrip(" ")))
    lines[-1] = lines[-1].rstrip(" ")
    return lines if lines[-1] or len(lines) == 1 else lines[:-1]


def _signature(lines: Sequence[str]) -> int:
    """Return at which line the signature begins (RFC 3676, section 4.3), how many there are when there is none."""
    for at in range(len(lines) - 1, max(-1, len(lines) - _MAX_SIGNATURE - 1), -1):
        if lines[at].rstrip() == "--":
            return at
    return len(lines)
