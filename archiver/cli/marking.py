"""Which words of a subject or a name to highlight beside the marks that a snippet brings.

Goes by the words as they were typed and by those that were marked elsewhere on the page (other forms of them, say).
Deliberately no second parser of queries: what is highlighted here is a help for the eye and decides nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from archiver.cli.layout import Span, Style

if TYPE_CHECKING:
    from archiver.cli.answers import SearchItem

# Compiled where they are used, and kept by `re`: `--json` needs neither.
_TERM = r'(?P<no>-|NOT\s+)?(?:(?P<field>[\w-]+):)?(?P<value>"[^"]*"|[^\s()"]+)'
_WORD = r"\w+"
_OPERATORS = frozenset({"AND", "OR", "NOT"})
_UNSEEN = frozenset(
    {
        "since", "until", "date", "size", "type", "has", "is", "direction", "language", "account", "mailbox", "id",
        "thread", "message-id", "customer", "candidate", "saved",
    }
)  # fmt: skip
"""Fields whose values are not words of the message."""


class Wanted(Struct, frozen=True):
    """Folded words to highlight: these, and those that begin like this."""

    words: frozenset[str]
    beginnings: tuple[str, ...] = ()


def wanted(typed: str, items: Iterable[SearchItem], ignored: Sequence[str] = ()) -> Wanted:
    """Return what to highlight on a page of hits for what was typed."""
    from archiver.model.fields import field_named

    words: set[str] = set()
    beginnings: set[str] = set()
    for term in re.finditer(_TERM, typed):
        field = field_named(term["field"]) if term["field"] else None
        if term["no"] or term["value"] in _OPERATORS or (field is not None and field.name in _UNSEEN):
            continue
        pieces = [folded(word) for word in re.findall(_WORD, term["value"])]
        if pieces and term["value"].endswith("*"):
            beginnings.add(pieces.pop())
        words.update(pieces)
    for item in items:
        words.update(folded(word) for start, end in item.marks for word in re.findall(_WORD, item.snippet[start:end]))
    return Wanted(frozenset(words - {folded(word) for word in ignored}), tuple(beginnings))


def folded(word: str) -> str:
    """Return a word without case and accents."""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c))


def marked(text: str, wanted: Wanted, style: Style = "") -> list[Span]:
    """Return visible text with the wanted words as hits, the rest in a style."""
    spans: list[Span] = []
    at = 0
    for match in re.finditer(_WORD, text):
        word = folded(match[0])
        if word in wanted.words or (wanted.beginnings and word.startswith(wanted.beginnings)):
            spans += [Span(text[at : match.start()], style), Span(match[0], "hit")]
            at = match.end()
    return [span for span in [*spans, Span(text[at:], style)] if span.text]
