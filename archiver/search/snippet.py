"""The passage of a text that shows a hit, and where in it the words are.

Knows the folding of `archiver.search.analysis`: a mark covers the characters as the message wrote them, however they
were folded. Works on one text at a time, for the hits that are shown; the index keeps no text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from archiver.search.analysis import tokens

WIDTH = 160
"""Characters of a snippet, about two lines of a terminal."""

_LOOKED_AT = 200_000
"""Characters of a text that are searched for the words."""

_WORD = re.compile(r"[^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*")


@dataclass(frozen=True, slots=True)
class Snippet:
    """`text` on one line, white space collapsed; `marks` are (start, end) in it, ascending, not overlapping."""

    text: str
    marks: tuple[tuple[int, int], ...]


def snippet(text: str, terms: Sequence[str], *, width: int = WIDTH) -> Snippet:
    """Return the window of at most `width` characters with the most different terms, the earliest of the best.

    `terms` are folded, as `Searcher.terms` gives them; one that ends in `*` is the beginning of a word. Without any of
    them in the text it is the text's beginning. An ellipsis stands where text was left out.
    """
    flat = " ".join(text[:_LOOKED_AT].split())
    found = _marks(flat, terms)
    start = _best_start(flat, found, width)
    end = _back_to_space(flat, start, min(len(flat), start + width))
    before, after = ("…" if start else ""), ("…" if end < len(flat) else "")
    marks = ((s, e) for s, e, _ in found if s >= start and e <= end)
    moved = len(before) - start
    return Snippet(before + flat[start:end] + after, tuple((s + moved, e + moved) for s, e in marks))


def _back_to_space(flat: str, start: int, end: int) -> int:
    """End a window between words where there is a gap not far back."""
    if end >= len(flat) or flat[end] == " ":
        return end
    gap = flat.rfind(" ", start, end)
    return gap if gap > start + (end - start) * 3 // 4 else end


def _marks(flat: str, terms: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return (start, end, term) of every word that a term means; a word of several tokens is marked as a whole."""
    whole = {term for term in terms if not term.endswith("*")}
    beginnings = tuple(term[:-1] for term in terms if term.endswith("*") and len(term) > 1)
    if not whole and not beginnings:
        return []
    found = []
    for match in _WORD.finditer(flat):
        cut = tokens(match.group())
        one_each = len(cut) == len(
            match.group()
        )  # a run of characters that are a token each: mark those that are meant
        for at, token in enumerate(cut):
            term = token if token in whole else next((b for b in beginnings if token.startswith(b)), None)
            if term is None:
                continue
            if one_each:
                found.append((match.start() + at, match.start() + at + 1, term))
            else:
                found.append((match.start(), match.end(), term))
                break
    return _merged(found)


def _merged(found: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Join marks of neighbouring single-character tokens only where they touch and mean the same."""
    return [mark for at, mark in enumerate(found) if at == 0 or mark[:2] != found[at - 1][:2]]


def _best_start(flat: str, found: list[tuple[int, int, str]], width: int) -> int:
    if not found or len(flat) <= width:
        return 0
    best, best_count, last = 0, 0, 0
    inside: dict[str, int] = {}
    for first, (start, _, term) in enumerate(found):
        while last < len(found) and found[last][1] <= start + width * 3 // 4:
            inside[found[last][2]] = inside.get(found[last][2], 0) + 1
            last += 1
        count = sum(1 for n in inside.values() if n)
        if count > best_count:
            best, best_count = first, count
        if last > first:
            inside[term] -= 1
        else:
            last = first + 1
    # A quarter of the window stands in front of the first word, from the beginning of a word.
    start = max(0, min(found[best][0] - width // 4, len(flat) - width))
    gap = flat.find(" ", start, found[best][0])
    return 0 if start == 0 else (gap + 1 if gap != -1 else start)
