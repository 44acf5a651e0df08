"""The index and the searcher, on real encrypted databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from archiver.errors import ArchiverError, NoArchiveError, QueryError
from archiver.search.analysis import MAX_TOKEN, fold, tokens
from archiver.search.index import (
    LATEST_SLOT,
    SCHEMA_VERSION,
    FullTextIndex,
    first_row_above,
    index_version,
    slot_of,
)
from archiver.search.rows import ROW_BITS
from archiver.search.searcher import FullTextSearcher
from archiver.store.connection import open_database
from tests.twins.awkward import awkward
from tests.twins.whoosh_oracle import NOW, Mail, world

DAY = 86_400
MARCH = 1_740_787_200  # 2025-03-01
IN_2110 = 4_418_064_000


def test_an_empty_query_lists_everything_newest_first(tmp_path: Path) -> None:
    with world(tmp_path, [Mail(at=MARCH), Mail(at=MARCH + DAY), Mail(at=0)]) as w:
        assert w.found("  ") == w.found("*") == [1, 0, 2]
        assert w.searcher.count("") == 3


def test_pages_follow_one_another(tmp_path: Path) -> None:
    mails = [Mail(at=MARCH + n, body="word") for n in range(50)]
    with world(tmp_path, mails) as w:
        pages = [w.found("word", limit=7, offset=at) for at in range(0, 56, 7)]
        assert [n for page in pages for n in page] == list(range(49, -1, -1))


def test_mail_that_came_at_one_moment_keeps_its_order_and_its_dates(tmp_path: Path) -> None:
    """Hundreds in a second push each other into later slots, across the end of the month."""
    burst = [Mail(at=MARCH - 1, body="word") for _ in range(300)]
    with world(tmp_path, [*burst, Mail(at=MARCH, body="word"), Mail(at=MARCH + 1, body="word")]) as w:
        assert w.found("word", limit=4) == [301, 300, 299, 298]
        assert w.found("word until:2025-02", limit=2) == [299, 298]
        assert w.searcher.count("word until:2025-02") == 300
        assert w.found("word since:2025-03") == [301, 300]


def test_of_two_within_moments_the_newer_comes_first_though_it_was_indexed_first(tmp_path: Path) -> None:
    with world(tmp_path, [Mail(at=MARCH + 1, body="word")]) as w:
        w.index.add([Mail(at=MARCH, body="word").document(MARCH << ROW_BITS)], 2)
        assert [hit.row for hit in w.searcher.search("word", limit=1).hits] == w.rows
        assert [hit.row for hit in w.searcher.search("word", limit=1, offset=1).hits] == [MARCH << ROW_BITS]


def test_older_mail_that_arrives_later_takes_its_place_in_time(tmp_path: Path) -> None:
    with world(tmp_path, [Mail(at=MARCH, body="word"), Mail(at=MARCH - 9 * DAY, body="word")]) as w:
        assert w.found("word") == [0, 1]


def test_words_that_came_since_the_last_query_are_looked_for_by_the_next(tmp_path: Path) -> None:
    """Within one query the words are looked at once; what is asked between two must not make that last."""
    with world(tmp_path, [Mail(at=MARCH, body="factuur")]) as w:
        for number, text in enumerate(("facturen", "factuurtje", "nummer factuurnummer"), 1):
            assert w.searcher.count("factuur") == number
            assert w.searcher.suggestion("factuur") is None
            w.searcher.facets("factuur")
            w.searcher.terms("factuur")
            w.index.add([Mail(at=MARCH + number, body=text).document((MARCH + number) << ROW_BITS)], number + 1)
            w.searcher.count("another")
        assert w.searcher.count("factuur") == 4


def test_adding_a_row_again_replaces_it(tmp_path: Path) -> None:
    with world(tmp_path, [Mail(at=MARCH, body="before")]) as w:
        w.index.add([Mail(at=MARCH, body="after").document(w.rows[0])], 1)
        assert w.found("after") == [0]
        assert w.found("before") == []
        assert w.index.count() == 1


def test_a_failed_batch_leaves_no_trace(tmp_path: Path) -> None:
    with world(tmp_path, [Mail(at=MARCH, body="one")]) as w:
        row = (MARCH + DAY) << ROW_BITS
        good, bad = Mail(at=0, body="two").document(row), Mail(at=0, body="\ud800\x00").document(row + 1)
        bad = replace(bad, subject=None)
        with pytest.raises((ArchiverError, TypeError, AttributeError)):
            w.index.add([good, bad], 9)
        assert w.searcher.count("two") == 0
        assert (w.index.watermark(), w.index.count()) == (1, 1)
        w.index.add([good], 2)
        assert (w.index.watermark(), w.index.count()) == (2, 2)


def test_words_of_a_batch_that_failed_are_learnt_when_it_comes_again(tmp_path: Path) -> None:
    with world(tmp_path, [Mail(at=MARCH, body="one")]) as w:
        words = " ".join(f"w{chr(97 + n // 676)}{chr(97 + n // 26 % 26)}{chr(97 + n % 26)}" for n in range(2500))
        document = Mail(at=0, body=f"licentie {words}").document((MARCH + DAY) << ROW_BITS)
        with pytest.raises((ArchiverError, TypeError)):
            w.index.add([document], object())  # type: ignore[arg-type]
        w.index.add([document], 2)
        assert w.searcher.count("li?entie") == w.searcher.count("licentei~2") == 1


def test_a_batch_that_failed_has_taken_no_place_in_time(tmp_path: Path) -> None:
    """A message that is given a later slot than it needs makes every search for its day walk further."""
    with world(tmp_path, []) as w:
        document = Mail(at=MARCH, body="word").document(MARCH << ROW_BITS)
        for _ in range(3):
            with pytest.raises((ArchiverError, TypeError)):
                w.index.add([document], object())  # type: ignore[arg-type]
        w.index.add([document], 1)
        assert list(w.connection.execute("SELECT slot FROM slots")) == [(slot_of(document.row),)]
        assert list(w.connection.execute("SELECT displaced FROM progress")) == [(0,)]


def test_either_of_two_exclusions_is_enough(tmp_path: Path) -> None:
    with world(tmp_path, [Mail(at=MARCH + n, body=body) for n, body in enumerate(("a1 b1", "a1", "b1", "c1"))]) as w:
        assert w.found("(-a1) OR (-b1)") == [3, 2, 1]
        assert w.found("(-a1) OR (-b1) OR c1") == [3, 2, 1]


@pytest.mark.parametrize(
    "missing",
    [
        "DROP TABLE lexicon_state",
        "DROP TABLE lexicon",
        "DROP TABLE facts",
        "DROP TABLE mail_words",
        "DROP TABLE progress",
        "DROP INDEX lexicon_order",
        "ALTER TABLE slots DROP COLUMN facts",
    ],
)
def test_an_index_that_lacks_a_table_or_a_column_is_none_and_is_made_anew(tmp_path: Path, missing: str) -> None:
    with world(tmp_path, [Mail(at=MARCH, body="one")]) as w:
        assert index_version(w.connection) == SCHEMA_VERSION
        w.connection.execute(missing)
        assert index_version(w.connection) == 0
        with pytest.raises(NoArchiveError):
            FullTextSearcher(w.connection, lambda: NOW)
        index = FullTextIndex(w.connection)
        assert (index_version(w.connection), index.watermark()) == (SCHEMA_VERSION, 0)
        index.add([Mail(at=MARCH, body="one").document(w.rows[0])], 1)
        assert FullTextSearcher(w.connection, lambda: NOW).count("one") == 1


def test_the_watermark_never_goes_back_but_by_clearing(tmp_path: Path) -> None:
    with world(tmp_path, [Mail(at=MARCH)]) as w:
        w.index.add([], 7)
        w.index.add([], 3)
        assert w.index.watermark() == 7
        w.index.clear()
        assert (w.index.watermark(), w.index.count()) == (0, 0)


def test_what_is_removed_is_found_no_more(tmp_path: Path) -> None:
    with world(tmp_path, [Mail(at=MARCH, body="canary"), Mail(at=MARCH, body="bird")]) as w:
        w.index.remove([w.rows[0], 12345])
        w.index.optimize()
        assert w.searcher.count("canary") == 0
        assert list(w.connection.execute("SELECT term FROM mail_words WHERE term = 'canary'")) == []
        assert w.index.count() == 1


def test_an_index_of_another_version_is_built_anew_and_refused_for_reading(tmp_path: Path) -> None:
    with world(tmp_path, [Mail(at=MARCH, body="word")]) as w:
        w.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        with pytest.raises(NoArchiveError):
            FullTextSearcher(w.connection, lambda: NOW)
        assert FullTextIndex(w.connection).count() == 0


def test_a_reader_of_an_empty_file_is_told_to_reindex(tmp_path: Path) -> None:
    with open_database(tmp_path / "index.db", bytes(32), create=True) as connection:
        with pytest.raises(NoArchiveError) as caught:
            FullTextSearcher(connection, lambda: NOW)
        assert "reindex" in (caught.value.hint or "")


def test_an_address_is_found_exactly_and_by_its_parts(tmp_path: Path) -> None:
    others = ["piet-jan@example.be", "jan@example.be.evil.test", "jan@my-example.be", "jan@sub.example.be"]
    with world(tmp_path, [Mail(at=MARCH, sender=a) for a in ["Jan P. Jan@Example.be", *others]]) as w:
        assert w.found("from:jan@example.be") == [0]
        assert set(w.found("domain:example.be")) == {0, 1, 4}
        assert set(w.found("from:@sub.example.be")) == {4}
        assert set(w.found("from:jan")) == {0, 1, 2, 3, 4}
        assert w.found('participants:"jan p"') == [0]


def test_mailboxes_are_named_as_people_name_them(tmp_path: Path) -> None:
    names = ["INBOX", "INBOX.Klanten.Acme", "Sent Items", "Archief/2024"]
    with world(tmp_path, [Mail(at=MARCH + n, mailbox=name) for n, name in enumerate(names)]) as w:
        assert w.found("mailbox:inbox") == [0]
        assert w.found("in:klanten") == w.found("mailbox:Klanten.Acme") == [1]
        assert w.found('mailbox:"sent items"') == w.found("mailbox:sent*") == [2]
        assert w.found("folder:archief account:INFO") == [3]
        with pytest.raises(QueryError) as caught:
            w.found("x mailbox:nowhere")
        assert caught.value.position == 10


def test_messages_are_found_by_their_identifiers(tmp_path: Path) -> None:
    mails = [Mail(at=MARCH, message_id="a@x"), Mail(at=MARCH + 1, message_id="b@x", thread_of=0), Mail(at=MARCH + 2)]
    with world(tmp_path, mails) as w:
        identifier = w.blob_id(1).hex()
        assert w.found(f"id:{identifier[:6]}") == w.found(f"id:{identifier.upper()}") == [1]
        assert w.found(f"thread:{identifier[:20]}") == [1, 0]
        assert w.found("message-id:<a@x>") == [0]
        assert w.found(f"-id:{identifier}") == [2, 0]


def test_mail_of_a_customer_is_found_and_what_might_be_theirs_only_when_that_is_asked_for(tmp_path: Path) -> None:
    links = [((1, 0),), ((1, 1), (2, 1)), ((1, 0), (2, 2)), (), ((2, 0),)]
    with world(tmp_path, [Mail(at=MARCH + n, body="word", links=each) for n, each in enumerate(links)]) as w:
        assert w.found("customer:K1") == w.found("klant:k1 word") == [2, 0]
        assert w.found("customer:peeters") == w.found("customer:k1 OR customer:k2") == [4, 2, 0]
        assert w.found("candidate:K2") == [2, 1]
        assert w.found("customer:K1 candidate:K2") == [2]
        assert w.found("-customer:K1") == w.found("word -customer:K1") == [4, 3, 1]
        assert w.found("customer:K1", limit=1, offset=1) == [0]
        assert w.found("customer:K3") == w.found("customer:K3 word") == []
        assert [w.searcher.count(q) for q in ("customer:K1", "customer:peeters", "candidate:K1")] == [2, 3, 1]


def test_what_two_customers_of_a_name_share_is_found_once(tmp_path: Path) -> None:
    with world(tmp_path, [Mail(at=MARCH, body="word", links=((1, 0), (2, 0))), Mail(at=MARCH + 1, body="word")]) as w:
        for query in ("customer:peeters", "customer:peeters word", "word customer:k*"):
            assert w.found(query) == w.found(query, sort="relevance") == [0]
            assert w.searcher.count(query) == 1


def test_a_customer_with_much_mail_and_one_with_little_are_found_alike(tmp_path: Path) -> None:
    """Few are looked up one by one, many are walked over; the words are looked for in both."""
    mails = [
        Mail(at=MARCH + n, body="word" if n % 3 else "other", links=((1 if n % 50 else 2, 0),)) for n in range(450)
    ]
    with world(tmp_path, mails) as w:
        for customer, rest in ((1, range(1, 50)), (2, range(1))):
            expected = [n for n in range(449, -1, -1) if n % 3 and n % 50 in rest]
            assert w.found(f"customer:K{customer} word") == expected
            assert w.searcher.count(f"customer:K{customer} word") == len(expected)
            assert w.found(f"customer:K{customer} word", limit=3, offset=2) == expected[2:5]
            assert set(w.found(f"customer:K{customer} word", sort="relevance")) == set(expected)
        assert w.found("customer:K2 word since:2025-03-02") == []


def test_mail_is_found_by_how_it_stands_towards_customers(tmp_path: Path) -> None:
    mails = [
        Mail(at=MARCH, links=((1, 0),)),
        Mail(at=MARCH + 1, links=((1, 1), (2, 1))),
        Mail(at=MARCH + 2, links=((1, 2),)),
        Mail(at=MARCH + 3, automatic=True),
        Mail(at=MARCH + 4, direction="internal"),
    ]
    with world(tmp_path, mails) as w:
        assert w.found("is:linked") == [0]
        assert w.found("is:ambiguous") == [1]
        assert w.found("is:unlinked") == [3, 2]
        assert w.found("is:automatic") == [3]


def test_an_unknown_customer_is_a_mistake_with_its_position_and_those_that_are_near(tmp_path: Path) -> None:
    with world(tmp_path, [Mail(at=MARCH)]) as w:
        for text, near in {"word customer:k9": "K1, K2", "word candidate:nobody": "customer find"}.items():
            with pytest.raises(QueryError) as caught:
                w.found(text)
            assert caught.value.position == text.index(":") + 1
            assert near in (caught.value.hint or "")
            assert "k9" not in f"{caught.value} {caught.value.hint}"
        with pytest.raises(QueryError, match="no such customer"):
            FullTextSearcher(w.connection, lambda: NOW).search("customer:k1", limit=1)


def test_relevance_prefers_own_words_in_the_subject_to_quoted_ones(tmp_path: Path) -> None:
    mails = [
        Mail(at=MARCH, subject="licence", body="hello there you all"),
        Mail(at=MARCH + 1, body="licence then and now"),
        Mail(at=MARCH + 2, quoted="licence then and now"),
        *(Mail(at=MARCH + 3 + n, body="something else here now") for n in range(5)),
    ]
    with world(tmp_path, mails) as w:
        hits = w.searcher.search("licence", limit=9, sort="relevance").hits
        assert [w.rows.index(hit.row) for hit in hits] == [0, 1, 2]
        assert hits[0].score > hits[1].score > hits[2].score > 0


def test_terms_to_highlight_leave_out_what_is_excluded(tmp_path: Path) -> None:
    with world(tmp_path, []) as w:
        assert list(w.searcher.terms('Élan "b c" dé* -weg from:jan@x.be has:attachment since:2025')) == [
            "elan", "b", "c", "de*", "jan", "x", "be",
        ]  # fmt: skip


@given(st.text(max_size=60) | awkward(60))
@example("Ꭰ ꭰb ÉA")
def test_fts5_cuts_text_as_analysis_does(text: str) -> None:
    """Every token of a text is a phrase of FTS5 that finds it, and the vocabulary holds nothing else."""
    import apsw

    database = apsw.Connection(":memory:")
    database.execute("CREATE VIRTUAL TABLE t USING fts5(x, tokenize='ascii')")
    database.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, 'row')")
    database.execute("INSERT INTO t VALUES (?)", (fold(text).replace("\0", " ").encode("utf-8", "replace").decode(),))
    cut = tokens(text.encode("utf-8", "replace").decode())
    assert {str(term) for (term,) in database.execute("SELECT term FROM v")} == set(cut)
    assert all(len(token) <= MAX_TOKEN for token in cut)


@given(st.text(max_size=40) | awkward(60))
def test_folding_what_is_folded_changes_nothing(text: str) -> None:
    assert tokens(" ".join(tokens(text))) == tokens(text)


@given(st.text(alphabet="a\"'*(){}:^-+é\0 ANDORT\\;--%_", max_size=30))
def test_no_query_reaches_the_syntax_of_fts5_or_sql(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder, world(Path(folder), [Mail(at=MARCH, body="a b")]) as w:
        try:
            w.found(text)
            w.searcher.count(text)
        except QueryError:
            pass


def test_slots_are_in_the_order_of_rows() -> None:
    assert slot_of(0) == 1
    assert slot_of((MARCH + 16) << ROW_BITS) == slot_of(MARCH << ROW_BITS) + 1
    assert slot_of(IN_2110 << ROW_BITS) == LATEST_SLOT
    assert first_row_above(slot_of(MARCH << ROW_BITS)) == (MARCH - MARCH % 16) << ROW_BITS
    assert first_row_above(LATEST_SLOT + 1) is None


@pytest.mark.parametrize("page", [1, 2, 5, 20])
def test_messages_dated_beyond_what_slots_tell_apart_are_in_their_order(tmp_path: Path, page: int) -> None:
    """They share the last slot, and got their own in the order in which they came."""
    far = [Mail(at=IN_2110 + n * 7 % 30 * 30 * DAY, body="toekomst") for n in range(31)]
    with world(tmp_path, [*far, *(Mail(at=MARCH + n, body="toekomst") for n in range(40))]) as w:
        w.index.clear()
        for number, (mail, row) in enumerate(zip(w.mails, w.rows, strict=True)):
            w.index.add([mail.document(row)], number)
        pages = [w.searcher.search("toekomst", limit=page, offset=at).hits for at in range(0, 40, page)]
        assert [hit.row for hits in pages for hit in hits] == sorted(w.rows, reverse=True)[:40]
        assert w.searcher.count("toekomst date:2110..2120") == len(far)
        assert w.searcher.count("toekomst until:2100") == 40


def test_dates_hold_where_many_messages_share_a_slot(tmp_path: Path) -> None:
    """Eight a second: most stand in slots of the minutes after them."""
    with world(tmp_path, [Mail(at=MARCH - 1 - n // 8, body="druk") for n in range(800)]) as w:
        assert w.connection.integer("SELECT displaced FROM progress") > 600
        assert w.searcher.count("druk date:2025-03-01") == 0
        assert w.searcher.count("druk date:2025-02-28") == 800
        for offset in range(0, 100, 20):
            page = w.searcher.search("druk", limit=20, offset=offset).hits
            assert [hit.row for hit in page] == sorted(w.rows, reverse=True)[offset : offset + 20]
