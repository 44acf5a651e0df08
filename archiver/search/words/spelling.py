"""Near words, and what was meant: words of this archive that differ from a word by little.

`distance` is Levenshtein's: letters put in, taken out or replaced, and what fuzzy words of a query mean. Two letters
that changed places are two of these, but one slip of a typist: suggestions count them so, and count as half a slip what
people who write Dutch, French, German and English mix up (ei and ij, d and t at the end, ph and f, s and ss, …).

A suggestion must occur, and much more often than what it stands for. Knows no query syntax but where words stand.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from archiver.search.words.compounds import LINKS, SHORTEST_PART

if TYPE_CHECKING:
    from collections.abc import Iterator

    from whoosh.query import Query

    from archiver.search.words.lexicon import Lexicon
    from archiver.search.words.vocabulary import Vocabulary

TINY = 2
"""Messages up to which a word is looked at as a possible mistake."""

_MUCH = 8
"""How many times as often a suggestion occurs as what it stands for."""

_SHORTEST = 3
"""Characters of the shortest word that gets suggestions."""

_SHORT = 5
"""Characters of the shortest word in which there may be more than one slip."""

_RANKED = 60
"""Near words whose frequency is asked for, those with the smallest slips first."""

_LETTERS = re.compile(r"[a-z]+")

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


def distance(one: str, other: str) -> int:
    """Return how many letters must be put in, taken out or replaced (Levenshtein)."""
    if len(one) > len(other):
        one, other = other, one
    row = list(range(len(one) + 1))
    for down, there in enumerate(other, 1):
        above, row[0] = row[0], down
        for across, here in enumerate(one, 1):
            above, row[across] = row[across], min(above + (here != there), row[across] + 1, row[across - 1] + 1)
    return row[-1]


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
    yield from _lines_with(others, pieces[-1] + "\n", 0, len(word) + most)
    if _LETTERS.fullmatch(pieces[-1]):
        yield from lexicon.letters_ending(pieces[-1])
    if most > 1:
        for lines in (lexicon.letters(), others):
            yield from _lines_with(lines, pieces[1], cuts[1] + most, len(word) + most)


def _lines_with(lines: str, piece: str, furthest: int, longest: int) -> Iterator[str]:
    """Give the lines that have a piece within, no further from their start than so (0: anywhere), and no longer."""
    at = lines.find(piece)
    while at >= 0:
        start = lines.rindex("\n", 0, at + 1) + 1 if lines[at] != "\n" else at
        end = lines.index("\n", at)
        if end - start <= longest and (not furthest or at - start <= furthest):
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
    return distance(one, other) <= 2


# --- what was meant --------------------------------------------------------------------------------------------------


def suggestions(word: str, vocabulary: Vocabulary, limit: int) -> tuple[str, ...]:
    """Return words that may have been meant, likeliest first: small slips, same beginning, and frequent ones."""
    if len(word) < _SHORTEST or any(c.isdigit() for c in word):
        return ()
    worst = 1.0 if len(word) < _SHORT else 4.0
    forms = {word, *vocabulary.variants(word)}
    sounds = sound(word)
    near = sorted(
        (slip, other)
        for other in near_words(word, 2, vocabulary.lexicon)  # letters that changed places are two apart
        if other not in forms and not any(c.isdigit() for c in other) and len(other) >= _SHORTEST
        if (slip := slips(word, other, sounds)) <= worst
    )
    mine = vocabulary.frequency(word)
    rated = []
    for slip, other in near[:_RANKED]:
        often = vocabulary.frequency(other)
        if often > mine * _MUCH and often > 0:
            # A slip more must be made up for by being sixteen times as frequent.
            rated.append((slip * 4 - often.bit_length(), other))
    return tuple(other for _, other in sorted(rated)[:limit])


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
    for pattern, written in _ALIKE:
        word = re.sub(pattern, written, word)
    return word


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


def parted(word: str, vocabulary: Vocabulary) -> tuple[str, str] | None:
    """Return two words of the archive that stand side by side in this one, a link between them left out."""
    best: tuple[int, tuple[str, str]] | None = None
    for at in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1):
        behind = word[at:]
        for link in LINKS:
            front = word[: at - len(link)] if word[:at].endswith(link) else ""
            if len(front) >= SHORTEST_PART and vocabulary.has(front) and vocabulary.has(behind):
                rate = min(vocabulary.frequency(front), vocabulary.frequency(behind))
                if rate > TINY and (best is None or rate > best[0]):
                    best = rate, (front, behind)
    return None if best is None else best[1]


def joined(first: str, second: str, vocabulary: Vocabulary) -> str | None:
    """Return the one word that two words are together in the archive, with a link if need be."""
    found = [whole for link in LINKS if vocabulary.has(whole := first + link + second)]
    return max(found, key=vocabulary.frequency, default=None)


def corrected(text: str, tree: Query, vocabulary: Vocabulary) -> str | None:
    """Return the query with those of its words replaced that look like mistakes; None when none does.

    Only bare words are looked at, not what is excluded, in quotation marks, or to be found exactly. Two words that the
    archive writes in one are joined, one that it writes in two is parted.
    """
    changes = list(_changes(text, tree, vocabulary))
    for start, end, instead in sorted(changes, reverse=True):
        text = text[:start] + instead + text[end:]
    return text if changes else None


def _changes(text: str, tree: Query, vocabulary: Vocabulary) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, what to put there), none of them overlapping."""
    from archiver.search.query.language import ANYWHERE
    from archiver.search.query.language import tree_of as query

    if isinstance(tree, query.Variations):
        yield from _change(text, tree, vocabulary, may_part=False)
    if not isinstance(tree, (query.And, query.Or)):
        return
    parts, at = list(tree.subqueries), 0
    in_all = isinstance(tree, query.And)
    while at < len(parts):
        one, other = parts[at], parts[at + 1] if at + 1 < len(parts) else None
        at += 1
        if not isinstance(one, query.Variations):
            yield from _changes(text, one, vocabulary)
            continue
        if in_all and isinstance(other, query.Variations) and one.fieldname == other.fieldname:
            between = text[one.endchar : other.startchar]
            if between.isspace() and (whole := joined(one.text, other.text, vocabulary)) is not None:
                yield one.startchar, other.endchar, whole
                at += 1
                continue
        yield from _change(text, one, vocabulary, may_part=in_all and one.fieldname == ANYWHERE)


def _change(text: str, leaf: Query, vocabulary: Vocabulary, *, may_part: bool) -> Iterator[tuple[int, int, str]]:
    from archiver.search.analysis import tokens

    word = leaf.text
    if len(word) < _SHORTEST or any(c.isdigit() for c in word):
        return
    of_it = (word, *vocabulary.variants(word), *vocabulary.compounds(word))
    often = 0
    for each in of_it:
        often += vocabulary.frequency(each)
        if often > TINY:
            return
    written = [m for m in re.finditer(r"[^\W_]+", text[leaf.startchar : leaf.endchar]) if tokens(m.group()) == [word]]
    if len(written) != 1:
        return
    start, end = (leaf.startchar + n for n in written[0].span())
    near = suggestions(word, vocabulary, 1)
    if near and slips(word, near[0]) <= 1:
        yield start, end, near[0]
    elif may_part and (two := parted(word, vocabulary)) is not None:
        yield start, end, " ".join(two)
    elif near:
        yield start, end, near[0]
