"""What the leaves of a query look for in the full-text index: words as typed, other forms, words they are part of.

One leaf is one concept to whoever asks: compiling takes all of it, ranking puts the words as typed first, highlighting
marks whatever of it occurs. Knows the vocabulary by what it is asked, and the syntax of FTS5; knows no catalogue.

A phrase whose words may stand apart (`"a b"~3`) is FTS5's NEAR: its words in any order, with at most
(n - 1) * 3 - 1 tokens between the end of the first of n words and the beginning of the last. For two words and ~3 that
is two words between. ~1, and no ~ at all, is the phrase as it was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from archiver.errors import QueryError
from archiver.model.fields import FieldKind, field_named
from archiver.search.query.language import ANYWHERE
from archiver.search.query.language import tree_of as query

MOST_FORMS = 400
"""Forms and compounds that all words of a query together are looked for in: later words only as typed. Five at least
have all of theirs."""

MOST_FITTING = 600
"""Words that all patterns of a query together may stand for; a short beginning counts as BEGINNINGS says."""

BEGINNINGS = {1: 150, 2: 50}
"""What a beginning of so many letters counts as, for FTS5 puts together what all its words have; longer ones: 5."""


class Words(Protocol):
    """What is asked of the words that the archive has; all folded. Raises QueryError when too many fit."""

    def variants(self, word: str) -> tuple[str, ...]:
        """Return other forms of the word."""
        ...

    def compounds(self, word: str) -> tuple[str, ...]:
        """Return words that have it as a part."""
        ...

    def beginning(self, start: str, most: int) -> tuple[str, ...] | None:
        """Return the words that begin so; None when they are more than `most`, or not all known."""
        ...

    def groupings(self, words: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Return other runs of words that are the same number or code."""
        ...

    def fitting(self, leaf: query.MultiTerm) -> tuple[str, ...]:
        """Return words that a wildcard fits, or that are near enough to a near word."""
        ...


class Concept(Struct, frozen=True):
    """What one leaf looks for, in the columns of its field. All is empty for a pattern that fits nothing.

    `exact` is an FTS5 expression of what was typed, None for a pattern; `forms` and `parts` are tokens: its other
    forms, and longer words that it is part of; a number in groups is a form of several tokens, with spaces between.
    `marks` are what to highlight of `exact`; `*` ends a beginning.
    """

    fieldname: str
    exact: str | None
    forms: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()

    def expression(self) -> str | None:
        """Return the FTS5 expression of all of it; None when nothing in the archive fits."""
        either = [*([] if self.exact is None else [self.exact]), *(quoted([word]) for word in self.all_forms)]
        return self.within(either) if either else None

    def as_typed(self) -> Concept:
        """Return the same without other forms; a pattern has nothing else."""
        return self if self.exact is None else replace(self, forms=(), parts=())

    def within(self, either: Sequence[str]) -> str:
        """Return the expression for any of these, in the columns of the field."""
        return in_columns(self.fieldname, either[0] if len(either) == 1 else f"({' OR '.join(either)})")

    @property
    def all_forms(self) -> tuple[str, ...]:
        """Words that were not typed, each once."""
        return tuple(dict.fromkeys((*self.forms, *self.parts)))


class Expansion:
    """Works leaves out, each once; for one query. Without a vocabulary every word is only itself."""

    def __init__(self, vocabulary: Callable[[], Words] | None) -> None:
        self._vocabulary = vocabulary
        self._known: dict[tuple[object, ...], tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self._forms_left, self._fitting_left = MOST_FORMS, MOST_FITTING
        self.beginnings = False
        """Whether one of the leaves so far was the beginning of a word."""

    def concept(self, leaf: query.Query, spelled: int = 0) -> Concept | None:
        """Return what a leaf of words looks for; None for one that the catalogue answers, and for a group.

        The beginning of a word looks for the words that begin so when they are `spelled` at most.
        """
        match leaf:
            case query.Phrase():
                forms = self._groupings(leaf.words) if getattr(leaf, "bare", False) else ()
                return Concept(leaf.fieldname, _phrase(leaf), forms, marks=tuple(leaf.words))
            case query.Sequence():
                return _sequence(leaf)
            case query.Variations() | query.Term() | query.Prefix() | query.Wildcard() | query.FuzzyTerm():
                return self._single(leaf, spelled) if _is_of_words(leaf.fieldname) else None
        return None

    def _single(self, leaf: query.Query, spelled: int) -> Concept:
        name, text = leaf.fieldname, leaf.text
        if isinstance(leaf, query.Term):
            return Concept(name, quoted([text]), marks=(text,))
        if isinstance(leaf, query.Prefix):
            self.beginnings = True
            self._expanded(leaf)
            if spelled > 0 and self._vocabulary is not None:
                words = self._vocabulary().beginning(text, spelled)
                if words is not None:
                    return Concept(name, None, words)
            return Concept(name, quoted([text]) + " *", marks=(text + "*",))
        forms, parts = self._expanded(leaf)
        if isinstance(leaf, query.Wildcard):
            return Concept(name, None, forms)
        return Concept(name, quoted([text]), forms, parts, marks=(text,))

    def _expanded(self, leaf: query.Query) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return other forms, and words that have it as a part; without the word itself."""
        key = type(leaf).__name__, leaf.text, getattr(leaf, "maxdist", 0)
        if (known := self._known.get(key)) is None:
            try:
                known = self._ask(leaf)
            except QueryError as error:
                error.position = getattr(leaf, "startchar", None) or 0
                raise
            self._known[key] = known
        return known

    def _groupings(self, words: Sequence[str]) -> tuple[str, ...]:
        """Return other ways to write a number; words without a digit are none, and nothing is asked."""
        if self._vocabulary is None or not any(c.isdigit() for word in words for c in word):
            return ()
        key = ("groupings", *words)
        if key not in self._known:
            ways = tuple(" ".join(way) for way in self._vocabulary().groupings(words))[: self._forms_left]
            self._forms_left -= len(ways)
            self._known[key] = ways, ()
        return self._known[key][0]

    def _ask(self, leaf: query.Query) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if isinstance(leaf, query.Prefix):
            self._count(BEGINNINGS.get(len(leaf.text), 5))
            return (), ()
        if self._vocabulary is None:
            return (), ()
        words = self._vocabulary()
        if isinstance(leaf, (query.Wildcard, query.FuzzyTerm)):
            return self._fitting(word for word in words.fitting(leaf) if word != leaf.text), ()
        if not self._forms_left:
            return (), ()
        forms = tuple(word for word in words.variants(leaf.text) if word != leaf.text)[: self._forms_left]
        compounds = (word for word in words.compounds(leaf.text) if word != leaf.text and word not in forms)
        parts = tuple(islice(compounds, self._forms_left - len(forms)))
        self._forms_left -= len(forms) + len(parts)
        return forms + self._groupings([leaf.text]), parts

    def _fitting(self, words: Iterable[str]) -> tuple[str, ...]:
        found = tuple(words)
        self._count(len(found))
        return found

    def _count(self, words: int) -> None:
        self._fitting_left -= words
        if self._fitting_left < 0:
            raise QueryError(
                "too many words of the archive fit what is looked for",
                position=0,
                expected="more letters",
                hint="write more letters, or fewer of such words",
            )


def leaves(tree: query.Query, boost: float = 1.0) -> Iterator[tuple[query.Query, float]]:
    """Yield the leaves that a message may have, each with its boost and those of the groups around it multiplied.

    What is excluded is not among them.
    """
    if isinstance(tree, query.Not):
        return
    boost *= getattr(tree, "boost", 1.0)
    if isinstance(tree, (query.And, query.Or)):
        for part in tree.subqueries:
            yield from leaves(part, boost)
    else:
        yield tree, boost


def quoted(words: Iterable[str]) -> str:
    """Quote words as one FTS5 string, a phrase when there are several: nothing in it is syntax any more."""
    return '"' + " ".join(words).replace('"', '""').replace("\0", "") + '"'


def in_columns(fieldname: str, expression: str) -> str:
    """Restrict an FTS5 expression to the columns of a field."""
    field = None if fieldname == ANYWHERE else field_named(fieldname)
    return expression if field is None else f"{{{' '.join(field.columns)}}} : {expression}"


def _is_of_words(fieldname: str) -> bool:
    field = field_named(fieldname)
    return field is None or field.kind in {FieldKind.TEXT, FieldKind.DOMAIN}


def _phrase(leaf: query.Phrase) -> str:
    slop = getattr(leaf, "slop", 1)
    if slop <= 1 or len(leaf.words) == 1:
        return quoted(leaf.words)
    return f"NEAR({' '.join(quoted([word]) for word in leaf.words)}, {(len(leaf.words) - 1) * slop - 1})"


def _sequence(leaf: query.Sequence) -> Concept:
    """Work out a phrase that ends in the beginning of a word."""
    words = [part.text for part in leaf.subqueries]
    return Concept(leaf.subqueries[0].fieldname, quoted(words) + " *", marks=(*words[:-1], words[-1] + "*"))
