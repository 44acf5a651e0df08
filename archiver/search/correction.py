"""What was meant by a query: the same one with words that the archive hardly has replaced by near ones.

What a word may be a slip for, the reader's corrector says. Knows of the language where its words stand, and nothing of
what is found.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from archiver.model.fields import field_named
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

_TRIED = 8
"""Near words of a name that are looked for among the names."""


def corrected(text: str, tree: query.Query, vocabulary: Vocabulary) -> str | None:
    """Return the query with those of its words replaced that look like mistakes; None when none does.

    Only bare words are looked at, not what is excluded, in quotation marks, or to be found exactly. Two words that the
    archive writes in one are joined, one that it writes in two is parted. A name in a field of addresses is replaced by
    one that stands there. What is nowhere at all, and like nothing, is left out beside a word that was replaced: with
    it nothing would be found.
    """
    changes = list(_changes(text, tree, vocabulary))
    if not changes:
        return None
    for start, end, instead in sorted([*changes, *_hopeless(text, tree, vocabulary, changes)], reverse=True):
        text = text[:start] + instead + text[end:]
    return text.strip()


def _hopeless(
    text: str, tree: query.Query, vocabulary: Vocabulary, changes: list[tuple[int, int, str]]
) -> Iterator[tuple[int, int, str]]:
    """Yield the places of words that must all be found and that no message has, nor anything like them."""
    if not isinstance(tree, (query.And, query.Or)):
        return
    dropped = []
    for leaf in tree.subqueries:
        yield from _hopeless(text, leaf, vocabulary, changes)
        if not (isinstance(tree, query.And) and isinstance(leaf, query.Variations) and leaf.fieldname == ANYWHERE):
            continue
        place = _written(text, leaf)
        if place is None or any(start < place[1] and place[0] < end for start, end, _ in changes):
            continue
        if not any(map(vocabulary.has, (leaf.text, *vocabulary.variants(leaf.text), *vocabulary.compounds(leaf.text)))):
            dropped.append(leaf)
    if len(dropped) < len(tree.subqueries):
        for leaf in dropped:
            behind = text[leaf.endchar :]
            yield leaf.startchar, leaf.endchar + len(behind) - len(behind.lstrip()), ""


def _changes(text: str, tree: query.Query, vocabulary: Vocabulary) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, what to put there), none of them overlapping."""
    if isinstance(tree, query.Variations):
        yield from _change(text, tree, vocabulary, may_part=False)
    if isinstance(tree, query.Term) and getattr(tree, "bare", False):
        yield from _change_of_name(text, tree, vocabulary)
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
    place = _written(text, leaf)
    if place is None:
        return
    start, end = place
    near = vocabulary.suggestions(word, 1)
    if near and slips(word, near[0]) <= 1:
        yield start, end, near[0]
    elif may_part and (two := parted(word, vocabulary)) is not None:
        yield start, end, " ".join(two)
    elif near:
        yield start, end, near[0]


def _change_of_name(text: str, leaf: query.Query, vocabulary: Vocabulary) -> Iterator[tuple[int, int, str]]:
    """Yield the nearest word that stands in these columns; names have no other forms, so a form may have been meant."""
    word, field = leaf.text, field_named(leaf.fieldname)
    columns = () if field is None else field.columns
    if len(word) < SHORTEST or any(c.isdigit() for c in word) or (often := vocabulary.frequency(word, columns)) > TINY:
        return
    place = _written(text, leaf)
    near = dict.fromkeys([*vocabulary.suggestions(word, _TRIED), *vocabulary.variants(word)])
    for other in sorted(near, key=lambda other: slips(word, other)):
        if place is not None and vocabulary.frequency(other, columns) > often:
            yield *place, other
            return


def _written(text: str, leaf: query.Query) -> tuple[int, int] | None:
    """Return where in the query the leaf's word stands, without what is around it; None when that is not clear."""
    pieces = re.finditer(r"[^\W_]+", text[leaf.startchar : leaf.endchar])
    places = [piece.span() for piece in pieces if tokens(piece.group()) == [leaf.text]]
    if len(places) != 1:
        return None
    start, end = places[0]
    return leaf.startchar + start, leaf.startchar + end


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
