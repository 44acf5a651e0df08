"""The archive's own words as queries need them: other forms of a word, compounds, wildcards, near words, frequency.

The rules are plain functions of words, which tests apply to whole vocabularies one word after the other:

- `variants`: the words that `stems.same_word` says are the same word;
- `compounds`: the words of which `compounds.is_compound` says that the word, or one of its variants, is a part;
- `groupings`: what `groupings.other_ways` says of a number or a code;
- `matching`: the words that `pattern_of` matches as a whole, `*` for any characters and `?` for one;
- `near`: the words within a distance as `spelling.distance` counts it: letters put in, taken out or replaced.

Here is how they are found without asking every word. Tokens for whole addresses are no words. Everything is bounded:
forms and compounds are cut, wildcards and near words that are too many are a mistake of the query.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from archiver.errors import QueryError
from archiver.search.words.compounds import LONGEST_COMPOUND, SHORTEST_PART, SHORTEST_REST, ends_of, is_compound
from archiver.search.words.lexicon import Lexicon
from archiver.search.words.stems import stems

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from archiver.core.ports import Connection
    from archiver.search.words.reader import VocabularyReader

MAX_EXPANSION = 500
"""Words that a wildcard or a near word may stand for."""

MAX_VARIANTS = 40
"""Other forms of a word that are looked for: those nearest in length first, then in the order of the alphabet."""

MAX_COMPOUNDS = 60
"""Compounds that are looked for: the shortest first, then in the order of the alphabet."""

MAX_DISTANCE = 2

_REMEMBERED = 500
"""Words whose expansion is remembered."""

_LETTERS = re.compile(r"[a-z]+")
_PIECES = re.compile(r"[^*?]+")


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

    def variants(self, word: str) -> tuple[str, ...]:
        """Return other words of the archive that are forms of this one (at most MAX_VARIANTS), nearest first."""
        return self._once("variants", word, self._variants)

    def compounds(self, word: str) -> tuple[str, ...]:
        """Return words of the archive that this one, or a form of it, is a part of (at most MAX_COMPOUNDS)."""
        return self._once("compounds", word, self._compounds)

    def groupings(self, words: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Return other ways in which the archive may write these words, when they are a number or a code."""
        from archiver.search.words.groupings import other_ways

        with self._lexicon.steady():
            return other_ways(words, self._lexicon.has)

    def matching(self, pattern: str) -> tuple[str, ...]:
        """Return the words that a folded pattern with * and ? matches as a whole, in order.

        Raises QueryError (position 0, for the caller to move) when there are more than MAX_EXPANSION.
        """
        return self._bounded(self._matching(pattern))

    def near(self, word: str, distance: int) -> tuple[str, ...]:
        """Return the words within a distance of 1 or 2, itself included, nearest first; raises QueryError likewise."""
        from archiver.search.words.spelling import distance as between
        from archiver.search.words.spelling import near_words

        distance = min(max(distance, 0), MAX_DISTANCE)
        found = near_words(word, distance, self._lexicon)
        return self._bounded(sorted(found, key=lambda other: (between(word, other), other)))

    def suggestions(self, word: str, limit: int = 5) -> tuple[str, ...]:
        """Return words of the archive that may have been meant, likeliest first; never the word itself."""
        from archiver.search.words.spelling import suggestions

        return suggestions(word, self, limit)

    def frequency(self, token: str) -> int:
        """Return how many messages have exactly this token; walks over its postings."""
        found = list(self._connection.execute("SELECT doc FROM mail_words WHERE term = ?", (token,)))
        return next((doc for (doc,) in found if isinstance(doc, int)), 0)

    def occurrences(self, token: str) -> int:
        """Return how often this token stands in all messages together; walks over its postings."""
        found = list(self._connection.execute("SELECT cnt FROM mail_words WHERE term = ?", (token,)))
        return next((times for (times,) in found if isinstance(times, int)), 0)

    def reader(self) -> VocabularyReader:
        """Return the words as Whoosh sees them; importing that takes some 50 ms."""
        from archiver.search.words.reader import VocabularyReader

        counted = list(self._connection.execute("SELECT count(*) FROM slots"))
        return VocabularyReader(self, next((n for (n,) in counted if isinstance(n, int)), 0))

    def has(self, token: str) -> bool:
        """Say whether this is a word of the archive."""
        return self._lexicon.has(token)

    def _once(self, what: str, word: str, work: Callable[[str], Sequence[str]]) -> tuple[str, ...]:
        with self._lexicon.steady() as version:
            if version != self._seen or len(self._remembered) > _REMEMBERED:
                self._remembered.clear()
                self._seen = version
            if (what, word) not in self._remembered:
                self._remembered[what, word] = tuple(work(word))
            return self._remembered[what, word]

    @staticmethod
    def _bounded(found: Collection[str]) -> tuple[str, ...]:
        if len(found) > MAX_EXPANSION:
            raise QueryError(
                "too many words of the archive fit here", position=0, expected="more letters", hint="write more letters"
            )
        return tuple(found)

    # --- other forms -------------------------------------------------------------------------------------------------

    def _variants(self, word: str) -> Sequence[str]:
        if not self._stems.has_forms(word):
            return ()
        begin = {other for start in self._stems.beginnings(word) for other in self._lexicon.letters_starting(start)}
        found = self._stems.forms_among(word, begin)
        return sorted(found, key=lambda other: (abs(len(other) - len(word)), other))[:MAX_VARIANTS]

    # --- compounds ---------------------------------------------------------------------------------------------------

    def _compounds(self, word: str) -> Sequence[str]:
        if not {"nl", "de"}.intersection(self.languages) or not _LETTERS.fullmatch(word):
            return ()
        if not SHORTEST_PART <= len(word) < LONGEST_COMPOUND:
            return ()
        forms = self.variants(word)
        parts = [part for part in (word, *forms) if len(part) >= SHORTEST_PART]
        whole_of: dict[str, list[str]] = {}
        for part in parts:
            least = len(part) + SHORTEST_REST
            ending = (whole for end in ends_of(part) for whole in self._lexicon.letters_ending(end))
            for whole in (*self._lexicon.letters_starting(part), *ending):
                if least <= len(whole) <= LONGEST_COMPOUND:
                    whole_of.setdefault(whole, []).append(part)
        known = self._known_rests()
        found: list[str] = []
        # The shortest are tried first: of a common part there are thousands, and most need not be looked at.
        for whole in sorted(set(whole_of).difference(forms, (word,)), key=lambda whole: (len(whole), whole)):
            if any(is_compound(part, whole, known) for part in whole_of[whole]):
                found.append(whole)
                if len(found) == MAX_COMPOUNDS:
                    break
        return found

    def _known_rests(self) -> Callable[[str], bool]:
        """Return whether a rest is a word, each asked once."""
        answers: dict[str, bool] = {}
        has = self._lexicon.has_letters

        def known(rest: str) -> bool:
            if (answer := answers.get(rest)) is None:
                answer = answers[rest] = has(rest)
            return answer

        return known

    # --- wildcards ---------------------------------------------------------------------------------------------------

    def _matching(self, pattern: str) -> list[str]:
        fits = re.compile(pattern_of(pattern)).fullmatch
        start = re.match(r"[^*?]*", pattern)
        if start is not None and start[0]:
            return [word for word in self._lexicon.starting(start[0]) if fits(word)]
        end = pattern[max(pattern.rfind("*"), pattern.rfind("?")) + 1 :]
        if _LETTERS.fullmatch(end):
            letters: Iterable[str] = self._lexicon.letters_ending(end)
        else:
            letters = _lines_with(self._lexicon.letters(), pattern)
        others = _lines_with(self._lexicon.others(), pattern)
        return sorted({word for words in (letters, others) for word in words if fits(word)})


def pattern_of(pattern: str) -> str:
    """Return the regular expression that says the same as a pattern with * and ?."""
    return "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in re.sub(r"\*[*]+", "*", pattern))


def _lines_with(lines: str, pattern: str) -> list[str]:
    """Return the lines that have the longest piece of a pattern in them, once for each time that they have it."""
    piece = max(_PIECES.findall(pattern), key=len, default="")
    if not piece:
        return lines.split("\n")[1:-1]
    found, at = [], lines.find(piece)
    while at >= 0:
        end = lines.index("\n", at)
        found.append(lines[lines.rindex("\n", 0, at) + 1 : end])
        at = lines.find(piece, end)
    return found
