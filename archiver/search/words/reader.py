"""The words of the index as a Whoosh IndexReader: wildcards, near words and corrections are worked out by Whoosh on it.

It has one field, of whatever name it is told, because the lexicon knows words and not in which columns they stand.
There are no documents in it: FTS5 has the postings, and queries are compiled for it.

For a wildcard that does not begin with a letter, and for near words, Whoosh would look at every word of the archive. So
this reader offers for such a wildcard the words that have its longest run of letters, what fits being Whoosh's to say,
and finds near words as `near` does.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from archiver.search.light import light_imports
from archiver.search.words.near import lines_with, near_words

with light_imports():
    from whoosh import query, reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from whoosh.spelling import Corrector

    from archiver.search.words.lexicon import Lexicon

_RUNS = r"[^*?]+"


class _Words:
    """What Whoosh asks of the type of a field: terms are octets (UTF-8). Its own types cost 16 ms of imports."""

    @staticmethod
    def from_bytes(octets: bytes) -> str:
        return octets.decode()

    @staticmethod
    def to_bytes(word: str | bytes) -> bytes:
        return word.encode() if isinstance(word, str) else word


class VocabularyReader(reading.IndexReader):  # type: ignore[misc]
    """`whoosh.reading.IndexReader` over a lexicon."""

    def __init__(self, lexicon: Lexicon, fieldname: str) -> None:
        self._lexicon = lexicon
        self._fieldname = fieldname
        self._narrowed: str | None = None
        self.schema = {fieldname: _Words()}

    def fitting(self, leaf: query.MultiTerm, most: int) -> list[str]:
        """Return words (so many at most) that a wildcard or a near word stands for, as Whoosh expands it."""
        if isinstance(leaf, query.Wildcard) and leaf.text.startswith(("*", "?")):
            self._narrowed = leaf.text
        try:
            return [_word(text) for _, text in islice(leaf.expanded_terms(self), most)]
        finally:
            self._narrowed = None

    def __contains__(self, term: tuple[str, str | bytes]) -> bool:
        fieldname, text = term
        return fieldname == self._fieldname and self._lexicon.has(_word(text))

    def indexed_field_names(self) -> list[str]:
        """Return the one field."""
        return [self._fieldname]

    def all_terms(self) -> Iterator[tuple[str, bytes]]:
        """Give all words in order."""
        return ((self._fieldname, text) for text in self.expand_prefix(self._fieldname, ""))

    def lexicon(self, fieldname: str) -> Iterator[bytes]:
        """Give all words in order; while a wildcard is expanded, only those that it may fit, in any order."""
        if self._narrowed is None or fieldname != self._fieldname:
            yield from self.expand_prefix(fieldname, "")
        else:
            yield from (word.encode() for word in self._candidates(self._narrowed))

    def terms_from(self, fieldname: str, prefix: str | bytes) -> Iterator[tuple[str, bytes]]:
        """Give words in order, from this one on."""
        start = _word(prefix).encode()
        return ((fieldname, text) for text in self.expand_prefix(fieldname, "") if text >= start)

    def expand_prefix(self, fieldname: str, prefix: str | bytes) -> Iterator[bytes]:
        """Give words in order that begin so."""
        if fieldname == self._fieldname:
            yield from (word.encode() for word in self._lexicon.starting(_word(prefix)))

    def terms_within(self, fieldname: str, text: str | bytes, maxdist: int, prefix: int = 0) -> Iterator[str]:
        """Give words within a distance that share the first letters: up to 2 Levenshtein's, as Whoosh's automata."""
        word = _word(text)
        if fieldname != self._fieldname:
            return
        if maxdist > 2:
            yield from super().terms_within(fieldname, word, maxdist, prefix)
            return
        near = near_words(word, maxdist, self._lexicon)
        yield from sorted(other for other in near if other.startswith(word[:prefix]))

    def corrector(self, fieldname: str) -> Corrector:
        """Return what proposes words of the archive for one that may be misspelt."""
        from archiver.search.words.spelling import SlipCorrector

        return SlipCorrector(self, fieldname)

    def term_info(self, fieldname: str, text: str | bytes) -> reading.TermInfo:
        """Return in how many messages a word is and how often; raises Whoosh's TermNotFound."""
        if (fieldname, text) not in self:
            raise reading.TermNotFound(f"no such term in {fieldname}")
        return reading.TermInfo(weight=self.frequency(fieldname, text), df=self.doc_frequency(fieldname, text))

    def frequency(self, fieldname: str, text: str | bytes) -> int:
        """Return how often a word stands in all messages together."""
        return self._lexicon.occurrences(_word(text)) if fieldname == self._fieldname else 0

    def doc_frequency(self, fieldname: str, text: str | bytes) -> int:
        """Return how many messages have a word."""
        return self._lexicon.messages_with(_word(text)) if fieldname == self._fieldname else 0

    def doc_count_all(self) -> int:
        """Return how many messages there are."""
        return self._lexicon.messages()

    def doc_count(self) -> int:
        """Return how many messages there are."""
        return self._lexicon.messages()

    def has_deletions(self) -> bool:
        """Say no: FTS5 knows what was deleted."""
        return False

    def is_deleted(self, docnum: int) -> bool:  # noqa: ARG002 - Whoosh's signature
        """Say no: FTS5 knows what was deleted."""
        return False

    def stored_fields(self, docnum: int) -> NoReturn:
        """Refuse: messages are in the catalogue."""
        raise NotImplementedError("the catalogue has the messages")

    def postings(self, fieldname: str, text: str | bytes, *_: Any) -> NoReturn:
        """Refuse: FTS5 has the postings."""
        raise NotImplementedError("FTS5 has the postings")

    def field_length(self, fieldname: str) -> int:  # noqa: ARG002 - Whoosh's signature
        """Return 0: FTS5 has the lengths."""
        return 0

    min_field_length = max_field_length = field_length

    def doc_field_length(self, docnum: int, fieldname: str, default: int = 0) -> int:  # noqa: ARG002 - Whoosh's signature
        """Return the default: FTS5 has the lengths."""
        return default

    def has_vector(self, docnum: int, fieldname: str) -> bool:  # noqa: ARG002 - Whoosh's signature
        """Say no."""
        return False

    def vector(self, docnum: int, fieldname: str, *_: Any) -> NoReturn:
        """Refuse: there are none."""
        raise NotImplementedError("there are no vectors")

    def _candidates(self, pattern: str) -> Iterable[str]:
        """Return the words that may fit a wildcard: those that end as it does, or have its longest run of letters."""
        run = max(re.findall(_RUNS, pattern), key=len, default="")
        if not run:
            return filter(None, (self._lexicon.letters() + self._lexicon.others()).split("\n"))
        end = pattern[max(pattern.rfind("*"), pattern.rfind("?")) + 1 :]
        if end.isalpha() and end.isascii():
            letters: Iterable[str] = self._lexicon.letters_ending(end)
        else:
            letters = lines_with(self._lexicon.letters(), run)
        return {*letters, *lines_with(self._lexicon.others(), run)}


def _word(text: str | bytes) -> str:
    return text.decode() if isinstance(text, bytes) else text
