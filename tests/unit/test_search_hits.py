"""Which rows are one hit: copies of a message, and the messages of a conversation; and pages of such hits."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.model.search import Hit
from tests.twins.whoosh_oracle import Mail, World, world

MARCH = 1_740_787_200  # 2025-03-01
JAN, EVIL = "Jan jan@example.be", "Eve eve@elsewhere.test"
SORTS = ("date", "relevance")


def copy(**changes: object) -> Mail:
    """One message as some mailbox got it."""
    given_ = {"at": MARCH, "message_id": "a@x", "sender": JAN, "body": "licentie", **changes}
    return Mail(**given_)  # type: ignore[arg-type]


@pytest.mark.parametrize("sort", SORTS)
def test_copies_of_a_message_are_one_hit_with_the_others_named(tmp_path: Path, sort: str) -> None:
    mails = [copy(mailbox="INBOX"), Mail(at=MARCH + 60, body="licentie"), copy(mailbox="Sent")]
    with world(tmp_path, mails) as w:
        hits = w.searcher.search("licentie", limit=9, sort=sort).hits
        found = {w.rows.index(hit.row): [w.rows.index(row) for row in hit.copies] for hit in hits}
        assert found == {1: [], 2: [0]}
        assert w.searcher.count("licentie") == 3


def test_the_copy_with_most_to_show_stands_for_all(tmp_path: Path) -> None:
    mails = [copy(octets=900), copy(files=1, octets=10), copy(octets=5_000)]
    with world(tmp_path, mails) as w:
        assert w.found("licentie") == w.found("licentie", sort="relevance") == [1]
        assert w.found("-has:attachment licentie") == [2]
    with tempfile.TemporaryDirectory() as other, world(Path(other), [copy(octets=7), copy(octets=7)]) as w:
        assert w.found("licentie") == [1]


def test_a_copy_that_does_not_match_is_named_all_the_same(tmp_path: Path) -> None:
    with world(tmp_path, [copy(mailbox="INBOX"), copy(mailbox="Sent", octets=50)]) as w:
        (hit,) = w.searcher.search("licentie mailbox:INBOX", limit=9).hits
        assert (hit.row, hit.copies) == (w.rows[0], (w.rows[1],))


@pytest.mark.parametrize(
    "other",
    [
        copy(sender=EVIL),
        copy(at=MARCH + 1),
        copy(sent=-3600),
        copy(message_id="b@x"),
        copy(message_id=None),
        copy(message_id=""),
    ],
)
def test_what_differs_in_sender_date_or_message_id_is_no_copy(tmp_path: Path, other: Mail) -> None:
    """A Message-ID can be forged: another sender's message is never hidden behind the one it pretends to be."""
    with world(tmp_path, [copy(), other]) as w:
        assert sorted(w.found("licentie")) == sorted(w.found("licentie", sort="relevance")) == [0, 1]


def test_messages_without_a_message_id_are_no_copies(tmp_path: Path) -> None:
    with world(tmp_path, [copy(message_id=None), copy(message_id=None)]) as w:
        assert w.found("licentie") == [1, 0]


def test_a_conversation_is_one_hit_with_its_newest_message_and_how_many_more(tmp_path: Path) -> None:
    mails = [
        Mail(at=MARCH, body="licentie"),
        Mail(at=MARCH + 60, body="licentie", thread_of=0),
        Mail(at=MARCH + 120, body="licentie"),
        Mail(at=MARCH + 180, body="iets anders", thread_of=0),
        copy(at=MARCH + 240, thread_of=0),
        copy(at=MARCH + 240, thread_of=0),
    ]
    with world(tmp_path, mails) as w:
        hits = w.searcher.search("licentie", limit=9, threads=True).hits
        assert [(w.rows.index(hit.row), hit.others, len(hit.copies)) for hit in hits] == [(5, 2, 1), (2, 0, 0)]
        assert w.searcher.search("licentie", limit=1, threads=True).more
        assert w.found("licentie", limit=1, offset=1, threads=True) == [2]
        assert w.searcher.count("licentie") == 5


def test_by_relevance_a_conversation_is_shown_by_its_best_message(tmp_path: Path) -> None:
    mails = [
        Mail(at=MARCH, subject="licentie", body="licentie"),
        Mail(at=MARCH + 60, quoted="licentie", body="ja", thread_of=0),
        Mail(at=MARCH + 120, body="licentie en nog veel meer woorden daarbij"),
        *(Mail(at=MARCH + 180 + n, body="niets") for n in range(5)),
    ]
    with world(tmp_path, mails) as w:
        hits = w.searcher.search("licentie", limit=9, threads=True, sort="relevance").hits
        assert [(w.rows.index(hit.row), hit.others) for hit in hits] == [(0, 1), (2, 0)]


def test_all_mail_can_be_folded_into_conversations(tmp_path: Path) -> None:
    mails = [Mail(at=MARCH + n * 60, thread_of=0 if n % 2 else -1) for n in range(7)]
    with world(tmp_path, mails) as w:
        hits = w.searcher.search("", limit=9, threads=True).hits
        assert [(w.rows.index(hit.row), hit.others) for hit in hits] == [(6, 0), (5, 3), (4, 0), (2, 0)]


def test_a_large_conversation_is_counted_as_a_small_one_is(tmp_path: Path) -> None:
    mails = [Mail(at=MARCH + n, body="woord" if n % 3 else "niets", thread_of=0 if n else -1) for n in range(620)]
    with world(tmp_path, mails) as w:
        (hit,) = w.searcher.search("woord", limit=2, threads=True).hits
        assert hit.others == w.searcher.count("woord") - 1


def _of_one_conversation(mails: list[Mail]) -> list[Mail]:
    """Give messages with the same Message-ID the conversation of the first: the catalogue goes by that field."""
    root: dict[str, int] = {}
    placed = []
    for number, mail in enumerate(mails):
        own = mail.thread_of if 0 <= mail.thread_of < number else number
        thread = own if mail.message_id is None else root.setdefault(mail.message_id, own)
        placed.append(replace(mail, thread_of=thread))
    return placed


messages = st.lists(
    st.builds(
        lambda second, sender, number, words, thread, files: Mail(
            at=MARCH + second,
            sender=sender,
            message_id=f"{number}@x" if number else None,
            body=words,
            thread_of=thread,
            files=files,
        ),
        st.integers(0, 20),
        st.sampled_from([JAN, EVIL]),
        st.integers(0, 3),
        st.sampled_from(["licentie", "licenties sleutel", "sleutel", "licentie sleutel licentie"]),
        st.integers(-1, 4),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=24,
).map(_of_one_conversation)


@given(
    mails=messages,
    query=st.sampled_from(["licentie", "sleutel OR licentie", "", "has:attachment", "licentie -sleutel"]),
    sort=st.sampled_from(SORTS),
    threads=st.booleans(),
    size=st.integers(1, 7),
)
def test_pages_put_together_are_the_whole_list(
    mails: list[Mail], query: str, sort: str, threads: bool, size: int
) -> None:
    """Nothing twice, nothing lost, whatever is folded; and the whole list is what the definition says."""
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), mails) as w:
        whole = w.searcher.search(query, limit=1000, sort=sort, threads=threads)
        assert not whole.more
        pages: list[Hit] = []
        more, offset = True, 0
        while more:
            page = w.searcher.search(query, limit=size, offset=offset, sort=sort, threads=threads)
            pages += page.hits
            more, offset = page.more, offset + size
            assert len(page.hits) == size or not more
        assert tuple(pages) == whole.hits
        expected = _by_definition(w, query, threads=threads)
        assert sorted(sorted((hit.row, *_matching(w, query, hit.copies))) for hit in whole.hits) == (
            expected if not threads else sorted(g for g in expected if any(hit.row in g for hit in whole.hits))
        )
        if threads:
            assert len(whole.hits) == len({_thread(w, group[0]) for group in expected})
            assert sum(hit.others + 1 for hit in whole.hits) == len(expected)


def _matching(w: World, query: str, rows: tuple[int, ...]) -> set[int]:
    return set(rows) & _rows(w, query)


def _rows(w: World, query: str) -> set[int]:
    """Every row that matches, asked one by one."""
    return {row for n, row in enumerate(w.rows) if w.searcher.count(f"({query or '*'}) id:{w.blob_id(n).hex()}")}


def _thread(w: World, row: int) -> int:
    mail = w.mails[w.rows.index(row)]
    return w.rows[mail.thread_of] if 0 <= mail.thread_of < w.rows.index(row) else row


def _by_definition(w: World, query: str, *, threads: bool) -> list[list[int]]:
    """Group the rows that match by sender, second and Message-ID; where threads count, all must be of one."""
    del threads

    def identity(row: int) -> tuple[object, ...]:
        mail = w.mails[w.rows.index(row)]
        return (mail.at, mail.sender, mail.message_id or f"row {row}")

    rows = sorted(_rows(w, query), key=lambda row: (identity(row)[0], identity(row)[1], str(identity(row)[2])))
    return sorted(sorted(group) for _, group in groupby(rows, key=identity))
