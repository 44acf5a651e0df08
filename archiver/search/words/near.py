"""Near words: those of a lexicon within a distance (Levenshtein's: letters put in, taken out or replaced).

Whoosh has automata for this, and its readers count letters word by word: both look at every word of the archive. Here
only those are looked at that have a piece of the word unharmed. Knows no queries.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from archiver.search.light import light_imports

with light_imports():
    from whoosh.support.levenshtein import levenshtein

if TYPE_CHECKING:
    from collections.abc import Iterator

    from archiver.search.words.lexicon import Lexicon


def near_words(word: str, most: int, lexicon: Lexicon) -> set[str]:
    """Return every word of a lexicon within this distance (0, 1 or 2).

    When a word is cut into one piece more than there are slips, one of the pieces stands in the other word unharmed:
    the first in front, the last at the end, one between at most that many places from where it was.
    """
    if most == 0:
        return {word} if lexicon.has(word) else set()
    fits = _within_one if most == 1 else _within_two
    letters = set(word)
    return {
        other
        for other in set(_candidates(word, most, lexicon))
        if abs(len(other) - len(word)) <= most
        # A slip changes which letters there are by two at most: cheaper to see than how far apart the words are.
        and len(letters.symmetric_difference(other)) <= 2 * most
        and fits(word, other)
    }


def _candidates(word: str, most: int, lexicon: Lexicon) -> Iterator[str]:
    cuts = [len(word) * n // (most + 1) for n in range(most + 2)]
    pieces = [word[start:end] for start, end in pairwise(cuts)]
    if not all(pieces):  # so short that nothing of it may be left
        yield from (other for other in lexicon if len(other) <= len(word) + most)
        return
    yield from lexicon.starting(pieces[0])
    others = lexicon.others()
    yield from lines_with(others, pieces[-1] + "\n", 0, len(word) + most)
    if pieces[-1].isalpha() and pieces[-1].isascii():
        yield from lexicon.letters_ending(pieces[-1])
    if most > 1:
        for lines in (lexicon.letters(), others):
            yield from lines_with(lines, pieces[1], cuts[1] + most, len(word) + most)


def lines_with(lines: str, piece: str, furthest: int = 0, longest: int = 0) -> Iterator[str]:
    """Give the lines that have a piece within, no further from their start than so, and no longer (0: anything goes).

    A line comes once for each time that it has the piece. Lines have a line feed before and after each.
    """
    at = lines.find(piece)
    while at >= 0:
        start = lines.rindex("\n", 0, at + 1) + 1 if lines[at] != "\n" else at
        end = lines.index("\n", at)
        if (not longest or end - start <= longest) and (not furthest or at - start <= furthest):
            yield lines[start:end]
        at = lines.find(piece, at + 1)


def _within_one(one: str, other: str) -> bool:
    if one == other:
        return True
    at, shorter = 0, min(len(one), len(other))
    while at < shorter and one[at] == other[at]:
        at += 1
    if len(one) == len(other):
        return one[at + 1 :] == other[at + 1 :]
    if len(one) > len(other):
        one, other = other, one
    return len(other) == len(one) + 1 and one[at:] == other[at + 1 :]


def _within_two(one: str, other: str) -> bool:
    at, shorter = 0, min(len(one), len(other))
    while at < shorter and one[at] == other[at]:
        at += 1
    one, other = one[at:], other[at:]
    end, shorter = 0, shorter - at
    while end < shorter and one[-1 - end] == other[-1 - end]:
        end += 1
    if end:
        one, other = one[:-end], other[:-end]
    if max(len(one), len(other)) <= 2:
        return True
    within: bool = levenshtein(one, other, limit=2) <= 2
    return within
