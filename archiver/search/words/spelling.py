"""What was meant: Whoosh's corrector, with how people of four languages mistype and misspell instead of mere distance.

Letters put in, taken out or replaced are slips. Two that changed places are two of these in Levenshtein's distance, but
one slip of a typist: here they count so, and as half a slip counts what people who write Dutch, French, German and
English mix up (ei and ij, d and t at the end, ph and f, s and ss, …).

A suggestion must occur, and much more often than what it stands for. Knows no query.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from archiver.search.light import light_imports

with light_imports():
    from whoosh import spelling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from whoosh.reading import IndexReader

SHORTEST = 3
"""Characters of the shortest word that gets suggestions."""

_MUCH = 8
"""How many times as often a suggestion occurs as what it stands for."""

_SHORT = 5
"""Characters of the shortest word in which there may be more than one slip."""

_RANKED = 60
"""Near words whose frequency is asked for, those with the smallest slips first."""

# What sounds alike in one of the four languages, and one way to write it.
_ALIKE = (
    (r"ij|ei|ey|y", "i"), (r"ou|au", "au"), (r"dt$|d$|t$", "t"), (r"ph|v", "f"), (r"th", "t"),
    (r"ck|q|c(?![eihy])", "k"), (r"z|c(?=[eiy])", "s"), (r"ae", "a"), (r"oe", "o"), (r"ue", "u"),
    (r"eau|ault?$|aux?$", "o"), (r"gh", "g"), (r"(.)\1", r"\1"), (r"ie", "i"), (r"(?<=.)h", ""), (r"x", "ks"),
)  # fmt: skip

_KEYS = (
    ("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    ("azertyuiop", "qsdfghjklm", "wxcvbn"),
    ("qwertzuiop", "asdfghjkl", "yxcvbnm"),
)


class SlipCorrector(spelling.Corrector):  # type: ignore[misc]
    """`whoosh.spelling.Corrector` over a reader: small slips, same beginning and frequent words first."""

    def __init__(self, reader: IndexReader, fieldname: str) -> None:
        self._reader, self._fieldname = reader, fieldname

    def _suggestions(self, text: str, maxdist: int, prefix: int) -> Iterator[tuple[float, str]]:
        """Yield scores, higher ones better, and words; never the word itself."""
        if len(text) < SHORTEST or any(c.isdigit() for c in text):
            return
        worst = 1.0 if len(text) < _SHORT else 4.0
        sounds = sound(text)
        near = sorted(
            (slip, other)
            for other in self._reader.terms_within(self._fieldname, text, maxdist, prefix)
            if other != text and not any(c.isdigit() for c in other) and len(other) >= SHORTEST
            if (slip := slips(text, other, sounds)) <= worst
        )
        mine = self._reader.doc_frequency(self._fieldname, text)
        for slip, other in near[:_RANKED]:
            often = self._reader.doc_frequency(self._fieldname, other)
            if often > mine * _MUCH and often > 0:
                # A slip more must be made up for by being sixteen times as frequent.
                yield often.bit_length() - slip * 4, other


def slips(word: str, other: str, sounds: str | None = None) -> float:
    """Return how unlikely it is that somebody wrote `word` and meant `other`; 1 is one ordinary slip."""
    apart = _with_swaps(word, other)
    if (sound(word) if sounds is None else sounds) == sound(other):
        apart = min(apart, 1.0) * 0.5
    elif len(word) == len(other) and apart == 1:
        here, there = (
            next((a, b) for a, b in zip(word, other, strict=True) if a != b)
            if sorted(word) != sorted(other)
            else ("", "")
        )
        if here and not _are_neighbours(here, there):
            apart += 0.25
    return apart + (0.75 if word[:1] != other[:1] else 0.0)


def sound(word: str) -> str:
    """Return a word as it may sound: equal for what is mixed up in Dutch, French, German and English."""
    for pattern, written in _alike():
        word = pattern.sub(written, word)
    return word


@cache
def _alike() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), written) for pattern, written in _ALIKE)


def _are_neighbours(here: str, there: str) -> bool:
    """Say whether two keys lie side by side in one row of a QWERTY, AZERTY or QWERTZ keyboard."""
    return any(here + there in row or there + here in row for keyboard in _KEYS for row in keyboard)


def _with_swaps(one: str, other: str) -> float:
    """Return the distance when two neighbours that changed places count as one slip (optimal string alignment).

    As half of one: nothing else leaves all letters of a word in it, and fingers do it more than anything else.
    """
    before: list[float] = []
    row: list[float] = list(range(len(other) + 1))
    for down, here in enumerate(one, 1):
        above, before, row = before, row, [down]
        for across, there in enumerate(other, 1):
            least = min(before[across - 1] + (here != there), before[across] + 1, row[across - 1] + 1)
            if down > 1 and across > 1 and here == other[across - 2] and one[down - 2] == there:
                least = min(least, above[across - 2] + 0.5)
            row.append(least)
    return row[-1]
