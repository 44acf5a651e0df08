"""Whoosh's own machinery over the words of the index, and that it finds what the vocabulary finds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whoosh import fields, query, reading
from whoosh.analysis import SpaceSeparatedTokenizer
from whoosh.filedb.filestore import RamStorage

from archiver.search.analysis import tokens
from archiver.search.query.language import ANYWHERE
from archiver.search.words.vocabulary import Vocabulary
from tests.unit.test_search_vocabulary import ALL, indexed


def test_the_words_are_listed_counted_and_looked_up() -> None:
    with indexed("factuur factuur offerte", "factuur 日") as (_, connection):
        reader = Vocabulary(connection, ALL).reader()
        assert isinstance(reader, reading.IndexReader)
        assert list(reader.all_terms()) == [(ANYWHERE, w.encode()) for w in ("factuur", "offerte", "日")]
        assert list(reader.lexicon(ANYWHERE)) == [b"factuur", b"offerte", "日".encode()]
        assert list(reader.field_terms(ANYWHERE)) == ["factuur", "offerte", "日"]
        assert list(reader.expand_prefix(ANYWHERE, "fac")) == [b"factuur"]
        assert list(reader.expand_prefix("subject", "fac")) == []
        assert (ANYWHERE, "offerte") in reader
        assert (ANYWHERE, "offer") not in reader
        assert (reader.doc_count(), reader.doc_count_all()) == (2, 2)
        assert (reader.doc_frequency(ANYWHERE, "factuur"), reader.frequency(ANYWHERE, b"factuur")) == (2, 3)
        info = reader.term_info(ANYWHERE, "factuur")
        assert (info.doc_frequency(), info.weight()) == (2, 3)
        with pytest.raises(reading.TermNotFound):
            reader.term_info(ANYWHERE, "fact")
        assert reader.most_frequent_terms(ANYWHERE, 1) == [(3, b"factuur")]


def test_whooshs_corrector_suggests_words_of_the_archive() -> None:
    with indexed("licentie licentie sleutel", "licentie") as (_, connection):
        reader = Vocabulary(connection, ALL).reader()
        assert reader.corrector(ANYWHERE).suggest("licenti", limit=1) == ["licentie"]
        assert Vocabulary(connection, ALL).suggestions("licenti") == (), "a form of it is no mistake"
        assert list(reader.terms_within(ANYWHERE, "licensies", 3)) == ["licentie"]


_WORDS = st.sets(st.text("abc1日", min_size=1, max_size=5), min_size=1, max_size=40)


@settings(max_examples=40, deadline=None)
@given(_WORDS, st.text("abc1日*?", min_size=1, max_size=4), st.text("abc日", min_size=1, max_size=4))
def test_whoosh_and_the_vocabulary_expand_a_query_alike(words: set[str], pattern: str, word: str) -> None:
    with indexed(" ".join(words)) as (_, connection), _own_index_of_whoosh(words) as whoosh:
        vocabulary = Vocabulary(connection, ALL)
        reader = vocabulary.reader()

        def words_of(leaf: query.MultiTerm, of: reading.IndexReader) -> list[str]:
            expanded = {text if isinstance(text, bytes) else text.encode() for text in leaf._btexts(of)}
            return sorted(text.decode() for text in expanded)

        wildcard, prefix = query.Wildcard(ANYWHERE, pattern), query.Prefix(ANYWHERE, word)
        assert words_of(wildcard, reader) == words_of(wildcard, whoosh) == list(vocabulary.fitting(wildcard))
        assert vocabulary.lexicon.starting(word) == words_of(prefix, reader) == words_of(prefix, whoosh)
        for most in (1, 2):
            fuzzy = query.FuzzyTerm(ANYWHERE, word, maxdist=most, prefixlength=0)
            assert words_of(fuzzy, reader) == words_of(fuzzy, whoosh) == list(vocabulary.fitting(fuzzy))


@contextmanager
def _own_index_of_whoosh(words: set[str]) -> Iterator[reading.IndexReader]:
    """Index the words with Whoosh itself, whose reader has automata for near words."""
    analyzer = SpaceSeparatedTokenizer()
    index = RamStorage().create_index(fields.Schema(**{ANYWHERE: fields.TEXT(analyzer=analyzer, phrase=False)}))
    writer = index.writer()
    writer.add_document(**{ANYWHERE: " ".join(token for word in words for token in tokens(word))})
    writer.commit()
    with index.reader() as reader:
        yield reader
