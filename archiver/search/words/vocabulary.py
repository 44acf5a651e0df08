"""The archive's own words as queries need them: other forms of a word, compounds, wildcards, near words, frequency.

The rules are plain functions of words, which tests apply to whole vocabularies one word after the other:

- `variants`: the words that `stems.same_word` says are the same word;
- `compounds`: the words of which `compounds.is_compound` says that the word, or one of its variants, is a part;
- `groupings`: what `groupings.other_ways` says of a number or a code;
- `fitting`: what Whoosh expands its own Wildcard and FuzzyTerm to: `*` for any characters and `?` for one; words
  within Levenshtein's distance (letters put in, taken out or replaced).

Here is how they are found without asking every word. Tokens for whole addresses are no words. Everything is bounded:
forms and compounds are cut, wildcards and near words that are too many are a mistake of the query.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from archiver.errors import QueryError
from archiver.search.words.compounds import LONGEST_COMPOUND, SHORTEST_PART, ends_of, rests_by_parts
from archiver.search.words.families import WITH_COMPOUNDS
from archiver.search.words.lexicon import Lexicon
from archiver.search.words.stems import stems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from whoosh.query import MultiTerm

    from archiver.core.ports import Connection
    from archiver.search.words.reader import VocabularyReader

MAX_EXPANSION = 500
"""Words that a wildcard or a near word may stand for."""

MAX_VARIANTS = 40
"""Other forms of a word that are looked for: those nearest in length first, then in the order of the alphabet."""

MAX_COMPOUNDS = 60
"""Compounds that are looked for: the shortest first, then in the order of the alphabet."""

_AT_ONCE = 100
"""Words that are looked at together for being compounds."""

_REMEMBERED = 500
"""Words whose expansion is remembered."""

_MATCHING = "SELECT count(*) FROM mail WHERE mail MATCH ?"

_ANY = "anywhere"
"""The name of the field where it does not matter."""


class Vocabulary:
    """The words of the index behind this connection, for some languages (ISO 639-1).

    It follows the index: what it remembers holds until the words change. Ask within the transaction of the search.
    """

    def __init__(self, connection: Connection, languages: Iterable[str]) -> None:
        self.languages = tuple(languages)
        self._connection = connection
        self._lexicon = Lexicon(connection)
        self._stems = stems(self.languages)
        self._seen = -1
        self._remembered: dict[tuple[str, str], tuple[str, ...]] = {}

    @property
    def lexicon(self) -> Lexicon:
        """The words themselves."""
        return self._lexicon

    def steady(self) -> AbstractContextManager[None]:
        """Look at the first question within whether the words have changed, and not at every one."""
        return self._lexicon.steady()

    def variants(self, word: str) -> tuple[str, ...]:
        """Return other words of the archive that are forms of this one (at most MAX_VARIANTS), nearest first."""
        return self._once("variants", word, self._variants)

    def compounds(self, word: str) -> tuple[str, ...]:
        """Return words of the archive that this one, or a form of it, is a part of (at most MAX_COMPOUNDS)."""
        return self._once("compounds", word, self._compounds)

    def beginning(self, start: str, most: int) -> tuple[str, ...] | None:
        """Return the words of the archive that begin so; None when they are more than `most`, or not all known."""
        if self._lexicon.is_behind():
            return None
        found = self._lexicon.few_starting(start, most)
        return None if found is None else tuple(found)

    def groupings(self, words: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Return other ways in which the archive may write these words, when they are a number or a code."""
        from archiver.search.words.groupings import other_ways

        with self._lexicon.steady():
            return other_ways(words, self._lexicon.has)

    def fitting(self, leaf: MultiTerm) -> tuple[str, ...]:
        """Return the words that a wildcard or a near word of a query stands for, in order: as Whoosh expands it.

        Raises QueryError (position 0, for the caller to move) when there are more than MAX_EXPANSION.
        """
        with self._lexicon.steady():
            found = self.reader(leaf.fieldname).fitting(leaf, MAX_EXPANSION + 1)
        if len(found) > MAX_EXPANSION:
            raise QueryError(
                "too many words of the archive fit here", position=0, expected="more letters", hint="write more letters"
            )
        return tuple(sorted(found))

    def suggestions(self, word: str, limit: int = 5) -> tuple[str, ...]:
        """Return words of the archive that may have been meant, likeliest first; never the word or a form of it."""
        forms = set(self.variants(word))
        found = self.reader().corrector(_ANY).suggest(word, limit=limit + len(forms))
        return tuple(islice((other for other in found if other not in forms), limit))

    def frequency(self, token: str, columns: Iterable[str] = ()) -> int:
        """Return how many messages have exactly this token, in these columns if any; walks over its postings."""
        within = tuple(columns)
        if not within:
            return self._lexicon.messages_with(token)
        match = f'{{{" ".join(within)}}} : "{token}"'
        return next((n for (n,) in self._connection.execute(_MATCHING, (match,)) if isinstance(n, int)), 0)

    def reader(self, fieldname: str = _ANY) -> VocabularyReader:
        """Return the words as Whoosh sees them, in a field of this name."""
        from archiver.search.words.reader import VocabularyReader

        return VocabularyReader(self._lexicon, fieldname)

    def has(self, token: str) -> bool:
        """Say whether this is a word of the archive."""
        return self._lexicon.has(token)

    def _once(self, what: str, word: str, work: Callable[[str], Sequence[str]]) -> tuple[str, ...]:
        with self._lexicon.steady():
            version = self._lexicon.version()
            if version != self._seen or len(self._remembered) > _REMEMBERED:
                self._remembered.clear()
                self._seen = version
            if (what, word) not in self._remembered:
                self._remembered[what, word] = tuple(work(word))
            return self._remembered[what, word]

    # --- other forms -------------------------------------------------------------------------------------------------

    def _variants(self, word: str) -> Sequence[str]:
        if not self._stems.has_forms(word):
            return ()
        found = set(self._forms(word))
        return sorted(found, key=lambda other: (abs(len(other) - len(word)), other))[:MAX_VARIANTS]

    def _forms(self, word: str) -> Sequence[str]:
        stems, lexicon = self._stems, self._lexicon
        sought = stems.sought(word)
        family = lexicon.family(word, [stem for stem, *_ in sought], stems.languages)
        if family is None:
            return stems.forms_among(word, lexicon.letters_starting(*stems.beginnings(word)))
        fresh = lexicon.fresh_letters_starting(lambda: stems.beginnings(word))
        return stems.forms_of(word, sought, family) + (stems.forms_among(word, fresh) if fresh else [])

    # --- compounds ---------------------------------------------------------------------------------------------------

    def _compounds(self, word: str) -> Sequence[str]:
        if WITH_COMPOUNDS.isdisjoint(self.languages) or not (word.isascii() and word.isalpha()):
            return ()
        if not SHORTEST_PART <= len(word) < LONGEST_COMPOUND:
            return ()
        forms = self.variants(word)
        parts = [part for part in (word, *forms) if len(part) >= SHORTEST_PART]
        found, others = self._lexicon.compounds(parts, self._stems.languages)
        if others:
            found.update(self._compounds_among(self._lexicon.letters_around(others, _ends_of(others)), others))
        if self._lexicon.has_fresh():
            fresh = self._lexicon.letters_around(parts, _ends_of(parts), fresh=True)
            found.update(self._compounds_among(fresh, parts))
        return sorted(sorted(found.difference(forms, (word,))), key=len)[:MAX_COMPOUNDS]

    def _compounds_among(self, words: Iterable[str], parts: Sequence[str]) -> list[str]:
        """Return those of some words that have one of these parts, MAX_COMPOUNDS besides the parts at least."""
        found: list[str] = []
        # The shortest are tried first: of a common part there are thousands, and most need not be looked at.
        wholes = sorted(sorted(words), key=len)
        rests_of = rests_by_parts(parts)
        for start in range(0, len(wholes), _AT_ONCE):
            rests = {whole: rests_of(whole) for whole in wholes[start : start + _AT_ONCE]}
            # One rest mostly tells; the others are looked for where it does not.
            known = self._lexicon.known_letters({some[0] for some in rests.values() if some})
            others = {rest for some in rests.values() if some and known.isdisjoint(some) for rest in some[1:]}
            known |= self._lexicon.known_letters(others)
            found += [whole for whole, some in rests.items() if some is None or not known.isdisjoint(some)]
            if len(found) >= MAX_COMPOUNDS + MAX_VARIANTS + 1:
                break
        return found


def _ends_of(parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(end for part in parts for end in ends_of(part))
