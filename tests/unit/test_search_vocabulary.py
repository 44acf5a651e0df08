"""The lexicon in real encrypted index files, and what is found in it: as much as asking every word finds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from whoosh import query

from archiver.errors import QueryError
from archiver.model.catalogue import IndexDocument
from archiver.search.analysis import tokens
from archiver.search.index import FullTextIndex
from archiver.search.rows import ROW_BITS
from archiver.search.words import lexicon as lexicon_module
from archiver.search.words.compounds import is_compound, parts_of
from archiver.search.words.lexicon import Lexicon
from archiver.search.words.near import near_words
from archiver.search.words.stems import same_word
from archiver.search.words.vocabulary import MAX_COMPOUNDS, MAX_EXPANSION, MAX_VARIANTS, Vocabulary
from archiver.store.connection import StoreConnection, open_database
from tests.twins.whoosh_oracle import Mail, world
from tests.unit.test_search_stems import PAIRS

ALL = ("nl", "fr", "en", "de")
KEY = bytes(range(32))


def document(number: int, text: str, sender: str = "") -> IndexDocument:
    row = (1_700_000_000 + number * 60) << ROW_BITS
    return IndexDocument(
        row=row, subject="", from_=sender, to="", cc="", bcc="", text=text, quoted="", filenames=""
    )  # fmt: skip


@contextmanager
def indexed(*texts: str, languages: Sequence[str] = ALL) -> Iterator[tuple[FullTextIndex, StoreConnection]]:
    """Make an index of messages with these texts, one batch each."""
    with TemporaryDirectory() as folder:
        connection = open_database(Path(folder) / "index.db", KEY, create=True, synchronous="NORMAL")
        with connection:
            index = FullTextIndex(connection, languages)
            for number, text in enumerate(texts):
                index.add([document(number, text)], number + 1)
            yield index, connection


def words_of(connection: StoreConnection) -> list[str]:
    return list(Lexicon(connection))


# --- the lexicon -----------------------------------------------------------------------------------------------------


def test_every_token_of_a_text_is_a_word_and_no_exact_address_is() -> None:
    text = "Één factuur FACTUUR voor müller, 2024-17 x 日本語 Ꭰ ﬁ"
    with indexed() as (index, connection):
        index.add([document(1, text, "Jan jan@example.be")], 1)
        assert words_of(connection) == sorted({*tokens(text), "jan", "example", "be"})
        index.optimize()
        assert words_of(connection) == sorted({*tokens(text), "jan", "example", "be"})


_TEXTS = st.lists(st.text("aAbé1_ -日\n", max_size=30), max_size=6)


@settings(max_examples=30, deadline=None)
@given(_TEXTS)
def test_the_words_are_those_that_fts5_cut(texts: list[str]) -> None:
    with indexed(*texts) as (index, connection):
        cut = sorted(str(term) for (term,) in connection.execute("SELECT term FROM mail_words"))
        assert words_of(connection) == cut
        index.optimize()
        assert words_of(connection) == cut


def test_a_batch_that_fails_leaves_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with indexed("before") as (index, connection):
        monkeypatch.setattr(Lexicon, "compact", lambda _self: 1 / 0)
        monkeypatch.setattr(lexicon_module, "_FRESH_AT_LEAST", 0)
        monkeypatch.setattr(lexicon_module, "_FRESH_SHARE", 1)
        with pytest.raises(ZeroDivisionError):
            index.add([document(7, "lost words")], 7)
        assert words_of(connection) == ["before"]
        monkeypatch.undo()
        index.add([document(7, "lost words")], 7)
        assert words_of(connection) == ["before", "lost", "words"]


def test_words_of_removed_messages_go_with_the_next_optimize() -> None:
    with indexed("secret stays", "stays") as (index, connection):
        index.remove([document(0, "").row])
        assert "secret" in words_of(connection)
        index.optimize()
        assert words_of(connection) == ["stays"]


def test_a_large_run_leaves_its_words_to_the_end_and_whoever_writes_next_completes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lexicon_module, "_MANY", 3)
    with indexed("before") as (index, connection):
        index.add([document(n, f"word{n}") for n in range(1, 5)], 5)
        assert index.lacks_words()
        index.add([document(9, "later")], 9)
        assert words_of(connection) == ["before"]
        index.complete_words()
        assert not index.lacks_words()
        assert words_of(connection) == ["before", "later", "word1", "word2", "word3", "word4"]


def test_fresh_words_are_sorted_in_when_they_are_many_and_found_before_and_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lexicon_module, "_FRESH_AT_LEAST", 3)
    with indexed("factuur eins", "facturen") as (index, connection):
        vocabulary = Vocabulary(connection, ALL)
        assert vocabulary.variants("factuur") == ("facturen",)
        index.add([document(5, "zwei drei factuurtje")], 5)
        assert vocabulary.variants("factuur") == ("facturen", "factuurtje")
        assert list(connection.execute("SELECT fresh FROM lexicon_state")) == [(0,)]
        assert words_of(connection) == ["drei", "eins", "facturen", "factuur", "factuurtje", "zwei"]


def test_words_fill_many_blocks_and_each_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexicon_module, "_BLOCK", 100)
    words = sorted({f"{a}{b}{c}" for a in ("be", "ver", "ge") for b in ("tal", "lever", "zend") for c in "abcdefghij"})
    with indexed(" ".join(words)) as (index, connection):
        index.optimize()
        assert len(list(connection.execute("SELECT 1 FROM lexicon"))) > 6
        lexicon = Lexicon(connection)
        assert list(lexicon) == words
        assert all(map(lexicon.has, words))
        assert not any(lexicon.has(word) for word in ("", "a", "betal", "zzz", "betalaa", "1"))
        for prefix in ("", "b", "be", "bet", "vertal", "verz", "gezendj", "zz"):
            assert lexicon.starting(prefix) == [word for word in words if word.startswith(prefix)]
            assert sorted(lexicon.letters_starting(prefix)) == lexicon.starting(prefix)
        for suffix in ("a", "la", "enda", "betala", "x"):
            assert sorted(lexicon.letters_ending(suffix)) == [word for word in words if word.endswith(suffix)]


def test_the_words_of_a_beginning_are_given_when_they_are_few_and_all_known(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = "abcdefghijklmnopqrst"
    words = sorted(f"woord{a}{b}" for a in letters for b in letters)
    with indexed(" ".join((*words, "woord1", "wörd"))) as (index, connection):
        vocabulary = Vocabulary(connection, ALL)
        for _ in range(2):  # fresh, and sorted in
            assert vocabulary.beginning("woordb", 20) == tuple(words[20:40])
            assert vocabulary.beginning("woordb", 19) is None
            assert vocabulary.beginning("woord", 401) == ("woord1", *words)
            assert vocabulary.beginning("wo", 402) == ("woord1", *words, "word")
            assert vocabulary.beginning("wo", 401) is None
            assert vocabulary.beginning("niets", 1) == ()
            index.optimize()
        assert vocabulary.beginning("w", 3) is None
        monkeypatch.setattr(lexicon_module, "_MANY", 1)
        monkeypatch.setattr(lexicon_module, "_SHARE", 1_000)
        index.add([document(9, "woordbz")], 9)
        assert index.lacks_words()
        assert vocabulary.beginning("woordb", 20) is None


_endings = st.text("ens", max_size=4)
_ending = st.builds(str.__add__, st.text("abens", max_size=5), _endings).filter(bool)


@settings(deadline=None, max_examples=60)
@given(st.sets(_ending, min_size=1, max_size=60), st.lists(_ending, min_size=1, max_size=5))
def test_words_are_found_by_any_end_also_one_that_is_an_ending_of_a_plural(
    words: set[str], suffixes: list[str]
) -> None:
    with indexed(" ".join(sorted(words))) as (index, connection):
        for _ in range(2):  # fresh, and sorted in
            lexicon = Lexicon(connection)
            for some in (*([each] for each in suffixes), ["s"], ["n"], ["en"], suffixes):
                found = lexicon.letters_ending(*some)
                assert sorted(found) == sorted(word for word in words if word.endswith(tuple(some)))
            index.optimize()


# --- the quick way finds what asking every word finds ----------------------------------------------------------------

_ROOTS = (
    "factuur", "factur", "licentie", "sleutel", "rechnung", "nummer", "lever", "betaal", "betal", "vertrag",
    "vertraeg", "kundig", "kuendig", "vraag", "vrag", "zend", "facture", "resili", "invoice", "jaar", "jar", "uber",
    "ueber", "loesch",
)  # fmt: skip
_FRONTS = (
    "", "", "", "ge", "ver", "aan", "aange", "op", "opge", "an", "ange", "zuruck", "zurueckge", "licentie", "web",
)  # fmt: skip
_ENDINGS = (
    "", "", "s", "en", "n", "e", "t", "d", "ung", "ungen", "ing", "ee", "ees", "er", "tje", "sleutel", "nummer", "1",
)  # fmt: skip
_word = st.builds(
    lambda front, root, end: front + root + end,
    st.sampled_from(_FRONTS), st.sampled_from(_ROOTS), st.sampled_from(_ENDINGS),
)  # fmt: skip


_PARTS = ("sleutel", "licentie", "web", "auto", "contract", "rekening", "tion", "kunde", "onderhoud", "deur", "haus")


@st.composite
def _of_few_parts(draw: st.DrawFn) -> tuple[set[str], set[str], set[str]]:
    """Draw words made of two or three parts, so that most are parts of others: written, written later, and asked."""
    parts = draw(st.lists(st.sampled_from(_PARTS), min_size=2, max_size=3, unique=True))
    word = st.builds(
        lambda *pieces: "".join(pieces),
        st.sampled_from(parts), st.sampled_from(("", "", "s", "en", "er")), st.sampled_from(("", *parts)),
        st.sampled_from(("", "", "s", "en", "n", "e")),
    )  # fmt: skip
    return (
        draw(st.sets(word, min_size=5, max_size=20)),
        draw(st.sets(word, max_size=6)),
        draw(st.sets(word, max_size=2)),
    )


_languages = st.sampled_from([ALL, ("nl",), ("de",), ("fr", "en"), ("de", "fr")])


@settings(max_examples=60, deadline=None)
@given(
    st.sets(_word, min_size=1, max_size=60), st.sets(_word, max_size=10), st.sets(_word, max_size=4), _languages,
    _languages,
)  # fmt: skip
@example({"anleverung", "aangeleverungen"}, set(), set(), ALL, ALL)  # aan, cut off with its ge, begins as an does
@example({"jaar", "jaren"}, set(), set(), ("nl",), ("fr", "en"))  # an index that was made for other languages
@example({"leveren", "leveringsdatum", "datum"}, {"levering"}, set(), ALL, ALL)  # a form that is not sorted in
@example({"question"}, {"licht"}, {"questions", "lichten"}, ALL, ALL)  # asked for words that nobody wrote
def test_forms_and_compounds_are_those_that_the_rules_say(
    written: set[str], later: set[str], asked: set[str], languages: tuple[str, ...], made: tuple[str, ...]
) -> None:
    _see_that_they_are_found(written, later, asked, languages, made)


@settings(max_examples=120, deadline=None)
@given(_of_few_parts(), _languages, st.none() | _languages)
def test_parts_of_many_words_are_found_in_them_sorted_fresh_and_never_written(
    words: tuple[set[str], set[str], set[str]], languages: tuple[str, ...], made: tuple[str, ...] | None
) -> None:
    _see_that_they_are_found(*words, languages, made or languages)


def _see_that_they_are_found(
    written: set[str], later: set[str], asked: set[str], languages: tuple[str, ...], made: tuple[str, ...]
) -> None:
    words = written | later
    # Of sorted words, those that were made for these languages, is kept what is a part of which.
    in_order = written if set(made) == set(languages) else set[str]()
    with indexed(" ".join(written), languages=made) as (index, connection):
        index.optimize()
        index.add([document(99, " ".join(later))], 99)
        vocabulary = Vocabulary(connection, languages)
        for word in (*sorted(words)[:8], *sorted(words)[-4:], *sorted(later), *sorted(asked)):
            forms = sorted(
                (other for other in words if other != word and same_word(word, other, languages)),
                key=lambda other: (abs(len(other) - len(word)), other),
            )[:MAX_VARIANTS]
            assert vocabulary.variants(word) == tuple(forms)
            compounds = {
                whole
                for part in (word, *forms)
                for whole in words
                if part.isalpha()
                and whole.isalpha()
                and is_compound(part, whole, (written if {part, whole} <= in_order else words).__contains__)
            }.difference(forms, {word})
            if not {"nl", "de"}.intersection(languages) or not word.isalpha():
                compounds = set()
            wanted = sorted(compounds, key=lambda whole: (len(whole), whole))[:MAX_COMPOUNDS]
            assert vocabulary.compounds(word) == tuple(wanted)


def test_every_form_of_every_word_of_four_languages_is_found() -> None:
    words = {word for _, *pair in PAIRS for word in pair}
    with indexed(" ".join(words)) as (index, connection):
        index.optimize()
        vocabulary = Vocabulary(connection, ALL)
        for word in words:
            assert set(vocabulary.variants(word)) == {w for w in words if w != word and same_word(word, w, ALL)}


@settings(max_examples=200, deadline=None)
@given(_of_few_parts())
def test_the_parts_of_a_compound_are_the_words_that_it_is_a_compound_of(
    words: tuple[set[str], set[str], set[str]],
) -> None:
    known = words[0] | words[1]
    for whole in known:
        assert parts_of(whole, known) == {part for part in known if is_compound(part, whole, known.__contains__)}


_SHORT = st.text("ab1日", min_size=1, max_size=6)


@settings(max_examples=80, deadline=None)
@given(st.sets(_SHORT, min_size=1, max_size=50), _SHORT, st.text("ab1*?", min_size=1, max_size=5))
def test_near_words_and_patterns_are_those_that_the_rules_say(words: set[str], word: str, pattern: str) -> None:
    every = {token for each in words for token in tokens(each)}
    with indexed(" ".join(sorted(words))) as (_, connection):
        vocabulary = Vocabulary(connection, ALL)
        for most in (0, 1, 2):
            near = {other for other in every if _distance(word, other) <= most}
            assert near_words(word, most, vocabulary.lexicon) == near
            assert vocabulary.fitting(near_to(word, most)) == tuple(sorted(near))
        fits = re.compile(pattern.replace("*", ".*").replace("?", ".")).fullmatch
        assert vocabulary.fitting(wildcard(pattern)) == tuple(sorted(other for other in every if fits(other)))


@cache
def _distance(a: str, b: str) -> int:
    """Count as Levenshtein does, by his definition."""
    if not a or not b:
        return len(a) + len(b)
    return min(_distance(a[1:], b[1:]) + (a[0] != b[0]), _distance(a[1:], b) + 1, _distance(a, b[1:]) + 1)


def near_to(word: str, most: int) -> query.FuzzyTerm:
    return query.FuzzyTerm("subject", word, maxdist=most, prefixlength=0)


def wildcard(pattern: str) -> query.Wildcard:
    return query.Wildcard("subject", pattern)


@pytest.mark.parametrize("asked", [wildcard("??"), wildcard("*"), near_to("zz", 2)])
def test_more_words_than_can_be_looked_for_are_a_mistake_of_the_query(
    asked: query.MultiTerm,
) -> None:
    words = [a + b for a in "abcdefghijklmnopqrstuvwxyz" for b in "0123456789abcdefghij"]
    with indexed(" ".join(words[:MAX_EXPANSION])) as (index, connection):
        assert len(Vocabulary(connection, ALL).fitting(asked)) == MAX_EXPANSION
        index.add([document(2, words[MAX_EXPANSION])], 2)
        with pytest.raises(QueryError) as caught:
            Vocabulary(connection, ALL).fitting(asked)
    assert caught.value.expected == "more letters"


def test_signs_of_chinese_and_japanese_are_words() -> None:
    with indexed("契約の更新") as (_, connection):
        vocabulary = Vocabulary(connection, ALL)
        assert vocabulary.has("契")
        assert vocabulary.variants("契") == ()
        assert vocabulary.compounds("契") == ()
        assert vocabulary.fitting(wildcard("?")) == tuple(sorted("契約の更新"))


def test_a_search_within_a_snapshot_reads_the_words_of_its_state_while_they_are_sorted_anew(tmp_path: Path) -> None:
    mails = [Mail(at=1_740_787_200 + n, body=f"licentie licentiesleutel{n} facturen woord{n}") for n in range(20)]
    with world(tmp_path, mails) as w, open_database(tmp_path / "index.db", KEY) as other:
        writer = FullTextIndex(other)
        with w.connection.snapshot():
            before = w.found("licentie"), w.found("factuur")
            writer.add([Mail(at=1_740_800_000, body="factuurnummer licenties").document(1_740_800_000 << ROW_BITS)], 99)
            writer.optimize()  # every block of words is another one now
            for query in ("licenties", "facturen", "sleutel", "*woord*", "licentei~"):
                w.searcher.search(query, limit=5)
            assert (w.found("licentie"), w.found("factuur")) == before
        assert w.searcher.count("licentie") == len(mails) + 1
