"""The words of the index as a Whoosh IndexReader: Whoosh's own queries, correctors and lists of terms work on them.

It has one field, ANYWHERE, because the lexicon knows words and not in which columns they stand. There are no documents
in it: FTS5 has the postings, and queries are compiled for it. `Vocabulary` answers the same questions faster, for it
need not look at every word; tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from whoosh import fields, reading

from archiver.search.query.language import ANYWHERE
from archiver.search.words.spelling import near_words
from archiver.search.words.vocabulary import Vocabulary


class VocabularyReader(reading.IndexReader):  # type: ignore[misc]
    """`whoosh.reading.IndexReader` over a vocabulary; terms are octets (UTF-8), as Whoosh has them."""

    def __init__(self, vocabulary: Vocabulary, messages: int) -> None:
        self._vocabulary = vocabulary
        self._messages = messages
        self.schema = fields.Schema(**{ANYWHERE: fields.TEXT(phrase=False)})

    def __contains__(self, term: tuple[str, str | bytes]) -> bool:
        fieldname, text = term
        return fieldname == ANYWHERE and self._vocabulary.has(_word(text))

    def indexed_field_names(self) -> list[str]:
        """Return the one field."""
        return [ANYWHERE]

    def all_terms(self) -> Iterator[tuple[str, bytes]]:
        """Give all words in order."""
        return ((ANYWHERE, text) for text in self.expand_prefix(ANYWHERE, ""))

    def terms_from(self, fieldname: str, prefix: str | bytes) -> Iterator[tuple[str, bytes]]:
        """Give words in order, from this one on."""
        start = _word(prefix).encode()
        return ((fieldname, text) for text in self.expand_prefix(fieldname, "") if text >= start)

    def expand_prefix(self, fieldname: str, prefix: str | bytes) -> Iterator[bytes]:
        """Give words in order that begin so."""
        if fieldname == ANYWHERE:
            yield from (word.encode() for word in self._vocabulary.lexicon.starting(_word(prefix)))

    def terms_within(self, fieldname: str, text: str | bytes, maxdist: int, prefix: int = 0) -> Iterator[str]:
        """Give words within a distance (Levenshtein, as Whoosh's automata have it) that share the first letters."""
        word = _word(text)
        if fieldname != ANYWHERE:
            return
        if maxdist > 2:
            yield from super().terms_within(fieldname, word, maxdist, prefix)
            return
        near = near_words(word, maxdist, self._vocabulary.lexicon)
        yield from sorted(other for other in near if other.startswith(word[:prefix]))

    def term_info(self, fieldname: str, text: str | bytes) -> reading.TermInfo:
        """Return in how many messages a word is and how often; raises Whoosh's TermNotFound."""
        if (fieldname, text) not in self:
            raise reading.TermNotFound(f"no such term in {fieldname}")
        return reading.TermInfo(weight=self.frequency(fieldname, text), df=self.doc_frequency(fieldname, text))

    def frequency(self, fieldname: str, text: str | bytes) -> int:
        """Return how often a word stands in all messages together."""
        return self._vocabulary.occurrences(_word(text)) if fieldname == ANYWHERE else 0

    def doc_frequency(self, fieldname: str, text: str | bytes) -> int:
        """Return how many messages have a word."""
        return self._vocabulary.frequency(_word(text)) if fieldname == ANYWHERE else 0

    def doc_count_all(self) -> int:
        """Return how many messages there are."""
        return self._messages

    def doc_count(self) -> int:
        """Return how many messages there are."""
        return self._messages

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


def _word(text: str | bytes) -> str:
    return text.decode() if isinstance(text, bytes) else text
