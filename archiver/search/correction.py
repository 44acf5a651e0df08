"""What was meant by a query: the same one with words that the archive hardly has replaced by near ones.

What a word may be a slip for, the reader's corrector says. Knows of the language where its words stand, and nothing of
what is found.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from archiver.search.analysis import tokens
from archiver.search.query.language import ANYWHERE
from archiver.search.query.language import tree_of as query
from archiver.search.words.compounds import LINKS, SHORTEST_PART
from archiver.search.words.spelling import SHORTEST, slips

if TYPE_CHECKING:
    from collections.abc import Iterator

    from archiver.search.words.vocabulary import Vocabulary

TINY = 2
"""Messages up to which a word is looked at as a possible mistake."""


def corrected(text: str, tree: query.Query, vocabulary: Vocabulary) -> str | None:
    """Return the query with those of its words replaced that look like mistakes; None when none does.

    Only bare words are looked at, not what is excluded, in quotation marks, or to be found exactly. Two words that the
    archive writes in one are joined, one that it writes in two is parted.
    """
    changes = list(_changes(text, tree, vocabulary))
    for start, end, instead in sorted(changes, reverse=True):
        text = text[:start] + instead + text[end:]
    return text if changes else None


def _changes(text: str, tree: query.Query, vocabulary: Vocabulary) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, what to put there), none of them overlapping."""
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


def _change(text: str, leaf: query.Query, vocabulary: Vocabulary, *, may_part: bool) -> Iterator[tuple[int, int, str]]:
    word = leaf.text
    if len(word) < SHORTEST or any(c.isdigit() for c in word):
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
    near = vocabulary.suggestions(word, 1)
    if near and slips(word, near[0]) <= 1:
        yield start, end, near[0]
    elif may_part and (two := parted(word, vocabulary)) is not None:
        yield start, end, " ".join(two)
    elif near:
        yield start, end, near[0]


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
