"""What every Catalogue promises; run by the twin in memory and by archive.db."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from archiver.core.ports import Catalogue
from archiver.model.address import EmailAddress
from archiver.model.catalogue import Ingested
from archiver.model.delivery import Arrival, Delivery, SealedRecord
from archiver.model.message import BlobId, Defect, Direction, Message, Part, PartKind
from archiver.store.catalogue import SqliteCatalogue
from archiver.store.mending import Mending
from tests.twins.archive import START, Archive, message_of
from tests.twins.stores import MemoryCatalogue

PACK = "ab" * 32


@pytest.fixture(params=["memory", "sqlite"])
def catalogue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalogue]:
    if request.param == "memory":
        yield MemoryCatalogue()
        return
    opened = Archive(tmp_path / "archive").create().catalogue()
    yield opened
    opened.close()


def blob(number: int) -> BlobId:
    return BlobId(sha256(str(number).encode()).digest())


def record(number: int) -> SealedRecord:
    return SealedRecord(blob(number), number * 100, 90, 1000 + number, bytes([number % 256]) * 32)


def arrival(number: int, uid: int | None = None, **changes: object) -> Arrival:
    values: dict[str, object] = {
        "blob_id": blob(number), "account": "info", "mailbox": b"INBOX", "mailbox_display": "INBOX",
        "special_use": None, "uid_validity": 7, "uid": number if uid is None else uid, "received_at": None,
        "keywords": (), "archived_at": int(START.timestamp()),
    }  # fmt: skip
    return Arrival(**{**values, **changes})  # type: ignore[arg-type]


def delivery(*numbers: int, arrivals: Sequence[Arrival] | None = None) -> Delivery:
    places = tuple(map(arrival, numbers)) if arrivals is None else tuple(arrivals)
    return Delivery(PACK, tuple(map(record, numbers)), places)


def take(catalogue: Catalogue, *messages: tuple[int, Ingested]) -> dict[int, int]:
    rows = catalogue.take_in(delivery(*(n for n, _ in messages)), [message for _, message in messages])
    return {n: rows[blob(n)] for n, _ in messages if blob(n) in rows}


def test_a_message_comes_back_whole(catalogue: Catalogue) -> None:
    brussels = timezone(timedelta(hours=1))
    anna, bert = EmailAddress("Anna É", "Anna@Example.test"), EmailAddress("", "bert@example.test")
    parts = (
        Part("1", "text/plain", PartKind.TEXT, 12, charset="utf-8"),
        Part("2", "application/pdf", PartKind.ATTACHMENT, 3456, filename="factuur é.pdf", content_id="x@y"),
    )
    sent = datetime(2025, 3, 1, 9, 30, 5, tzinfo=brussels)
    message = message_of(
        blob(1), at=sent, subject="Vraag", message_id="m1@example.test", from_=(anna,), to=(bert, anna), cc=(bert,),
        bcc=(anna,), reply_to=(bert,), parts=parts, defects=(Defect("charset", "unknown"),), text="Dag  Bert,\n\nja.",
    )  # fmt: skip
    (row,) = take(catalogue, (1, message)).values()
    found = catalogue.details(row)
    assert found is not None
    summary = found.summary
    assert (summary.subject, summary.message_id, summary.blob_id) == ("Vraag", "m1@example.test", blob(1))
    assert (summary.from_, summary.to, summary.cc, found.bcc, found.reply_to) == (
        (anna,), (bert, anna), (bert,), (anna,), (bert,),
    )  # fmt: skip
    assert summary.sent_at == sent
    assert summary.sent_at is not None
    assert summary.sent_at.utcoffset() == timedelta(hours=1)
    assert summary.at == sent
    assert summary.attachments == ("factuur é.pdf",)
    assert summary.mailboxes == ("info/INBOX",)
    assert summary.preview == "Dag Bert, ja."
    assert found.parts == parts
    assert found.defects == (Defect("charset", "unknown"),)
    assert (found.octets, found.received_at, found.archived_at) == (1001, sent, START)
    assert catalogue.sealed(row) == (PACK, record(1))
    assert catalogue.row(blob(1)) == row


def test_rows_carry_the_instant_and_spill_within_a_second(catalogue: Catalogue) -> None:
    old = START - timedelta(days=400)
    rows = take(
        catalogue,
        (1, message_of(blob(1))),
        (2, message_of(blob(2), at=old)),
        (3, message_of(blob(3))),
        (4, message_of(blob(4), at=datetime(1950, 1, 1, tzinfo=UTC))),
    )
    assert rows[1] == int(START.timestamp()) << 20
    assert rows[3] == rows[1] + 1
    assert rows[2] == int(old.timestamp()) << 20
    assert rows[4] == 0
    (found,) = catalogue.summaries([rows[4]])
    assert found.sent_at == datetime(1950, 1, 1, tzinfo=UTC)


def test_taking_in_twice_changes_nothing(catalogue: Catalogue) -> None:
    take(catalogue, (1, message_of(blob(1))), (2, message_of(blob(2))))
    before = (catalogue.counts(), list(catalogue.sealed_records()), catalogue.unindexed(0, 10))
    assert take(catalogue, (1, message_of(blob(1))), (2, message_of(blob(2)))) == {}
    assert catalogue.take_in(delivery(1, 2), []) == {}
    assert (catalogue.counts(), list(catalogue.sealed_records()), catalogue.unindexed(0, 10)) == before


def test_a_known_message_gains_locations(catalogue: Catalogue) -> None:
    (row,) = take(catalogue, (1, message_of(blob(1)))).values()
    places = [arrival(1, 9, mailbox=b"Klant&AOk-n", mailbox_display="Klantén", keywords=("\\Seen", "$Label1"))]
    catalogue.take_in(Delivery(None, (), tuple(places)), [])
    found = catalogue.details(row)
    assert found is not None
    assert [(s.mailbox, s.uid, s.keywords) for s in found.seen] == [
        ("INBOX", 1, ()), ("Klantén", 9, ("\\Seen", "$Label1")),
    ]  # fmt: skip


def test_a_location_may_come_before_its_message(catalogue: Catalogue) -> None:
    catalogue.take_in(Delivery(None, (), (arrival(1, 5),)), [])
    rows = catalogue.take_in(delivery(1, arrivals=[]), [message_of(blob(1))])
    found = catalogue.details(rows[blob(1)])
    assert found is not None
    assert [s.uid for s in found.seen] == [5]


def test_a_uid_given_to_another_message_follows_it(catalogue: Catalogue) -> None:
    rows = take(catalogue, (1, message_of(blob(1))), (2, message_of(blob(2))))
    catalogue.take_in(Delivery(None, (), (arrival(2, 1),)), [])
    seen = {n: catalogue.details(row) for n, row in rows.items()}
    assert [s.uid for s in seen[1].seen] == [] if seen[1] else False
    assert [s.uid for s in seen[2].seen] == [1, 2] if seen[2] else False


def test_a_record_without_its_message_is_refused_and_nothing_is_written(catalogue: Catalogue) -> None:
    with pytest.raises(ValueError, match="record"):
        catalogue.take_in(delivery(1, 2), [message_of(blob(1))])
    assert catalogue.counts().messages == 0
    assert catalogue.row(blob(1)) is None


def test_an_unreadable_message_is_kept_and_mended_by_a_better_copy(catalogue: Catalogue) -> None:
    bad = message_of(blob(1), defects=(Defect("unreadable", "damaged"),))
    take(catalogue, (1, bad))
    assert catalogue.known([blob(1)]) == frozenset()
    assert take(catalogue, (1, bad)) == {}
    (row,) = take(catalogue, (1, message_of(blob(1), subject="whole"))).values()
    assert catalogue.known([blob(1)]) == {blob(1)}
    assert catalogue.counts().messages == 1
    (found,) = catalogue.summaries([row])
    assert (found.subject, found.mailboxes) == ("whole", ("info/INBOX",))
    assert [row for _, row in catalogue.unindexed(0, 10)] == [row]


def test_a_damaged_message_is_mended_in_its_place_and_read_by_the_index_once_more(catalogue: Catalogue) -> None:
    (row,) = take(catalogue, (1, message_of(blob(1), subject="as it was"))).values()
    take(catalogue, (2, message_of(blob(2))))
    assert catalogue.damaged() == {}
    mark(catalogue, blob(1))
    assert catalogue.damaged() == {blob(1): row}
    assert catalogue.known([blob(1), blob(2)]) == {blob(2)}
    unreadable = message_of(blob(1), defects=(Defect("unreadable", "damaged"),))
    assert take(catalogue, (1, unreadable)) == {}
    again = SealedRecord(blob(1), 7, 90, 1001, b"new" + bytes(29))
    other = Delivery("cd" * 32, (again,), (arrival(1, 9),))
    assert catalogue.take_in(other, [message_of(blob(1), subject="as it came")]) == {blob(1): row}
    assert catalogue.damaged() == {}
    assert catalogue.sealed(row) == ("cd" * 32, again)
    (found,) = catalogue.summaries([row])
    assert found.subject == "as it was"
    assert catalogue.unindexed(2, 10) == [(3, row)]
    details = catalogue.details(row)
    assert details is not None
    assert [seen.uid for seen in details.seen] == [1, 9]


def mark(catalogue: Catalogue, blob_id: BlobId) -> None:
    """Have it known that a message does not open any more."""
    if isinstance(catalogue, MemoryCatalogue):
        row = catalogue.row(blob_id)
        assert row is not None
        catalogue.marked.add(row)
        return
    assert isinstance(catalogue, SqliteCatalogue)
    for _ in range(2):  # the second time changes nothing
        Mending(catalogue.connection).settle(moved={}, lost=[blob_id], found=())


def test_ids_resolve_by_prefix(catalogue: Catalogue) -> None:
    take(catalogue, *((n, message_of(blob(n))) for n in range(1, 40)))
    for n in (1, 7, 39):
        for length in (12, 13, 20, 64):
            assert catalogue.resolve(blob(n).hex()[:length]) == [blob(n)]
            assert catalogue.resolve(blob(n).hex()[:length].upper()) == [blob(n)]
        assert blob(n) in catalogue.resolve(blob(n).hex()[:5])
    assert catalogue.resolve("abc") == []
    assert catalogue.resolve("zzzz") == []
    assert catalogue.resolve("%_%_") == []


def test_the_watermark_follows_the_order_of_ingest(catalogue: Catalogue) -> None:
    first = take(catalogue, (1, message_of(blob(1))))
    second = take(catalogue, (2, message_of(blob(2), at=START - timedelta(days=9))))
    (sequence, row), (later, row2) = catalogue.unindexed(0, 10)
    assert (row, row2) == (first[1], second[2])
    assert later > sequence > 0
    assert catalogue.unindexed(sequence, 10) == [(later, row2)]
    assert catalogue.unindexed(0, 1) == [(sequence, row)]


def test_totals_and_defects(catalogue: Catalogue) -> None:
    assert catalogue.counts().newest is None
    flawed = message_of(blob(2), at=START + timedelta(days=1), defects=(Defect("a"), Defect("b", "why")))
    take(catalogue, (1, message_of(blob(1))), (2, flawed))
    counts = catalogue.counts()
    assert (counts.messages, counts.octets, counts.defects) == (2, 1001 + 1002, 1)
    assert (counts.oldest, counts.newest) == (START, START + timedelta(days=1))
    assert catalogue.defects(10) == [(blob(2), Defect("a")), (blob(2), Defect("b", "why"))]
    assert catalogue.defects(1) == [(blob(2), Defect("a"))]


def test_what_is_not_there_is_none(catalogue: Catalogue) -> None:
    assert catalogue.details(123) is None
    assert catalogue.sealed(123) is None
    assert catalogue.row(blob(1)) is None
    assert catalogue.summaries([1, 2]) == []
    assert catalogue.thread(5) == []


def test_a_thread_is_held_together_by_an_answer_to_a_message_never_seen(catalogue: Catalogue) -> None:
    rows = take(
        catalogue,
        (1, message_of(blob(1), message_id="b", references=("a",), at=START + timedelta(days=2))),
        (2, message_of(blob(2), message_id="c", in_reply_to=("a",), at=START)),
        (3, message_of(blob(3), message_id="z")),
        (4, message_of(blob(4))),
        (5, message_of(blob(5))),
    )
    assert [s.row for s in catalogue.thread(rows[1])] == [rows[2], rows[1]]
    assert {s.thread for s in catalogue.summaries([rows[1], rows[2]])} == {rows[2]}
    assert [s.row for s in catalogue.thread(rows[4])] == [rows[4]]


def test_the_same_message_id_with_other_octets_is_another_message_of_the_thread(catalogue: Catalogue) -> None:
    rows = take(catalogue, (1, message_of(blob(1), message_id="a")), (2, message_of(blob(2), message_id="a")))
    assert len(catalogue.thread(rows[1])) == 2


_ID = st.sampled_from("abcdefghij")
_MESSAGES = st.lists(
    st.tuples(st.none() | _ID, st.lists(_ID, max_size=3), st.lists(_ID, max_size=1)), min_size=1, max_size=12
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data(), drawn=_MESSAGES)
def test_threads_do_not_depend_on_the_order_of_arrival(
    data: st.DataObject, drawn: list[tuple[str | None, list[str], list[str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    messages = [
        message_of(
            blob(n), message_id=own, references=tuple(refs), in_reply_to=tuple(reply), at=START + timedelta(days=n)
        )
        for n, (own, refs, reply) in enumerate(drawn)
    ]
    order = data.draw(st.permutations(range(len(messages))))
    sqlite = Archive(tmp_path_factory.mktemp("threads") / "archive").create().catalogue()
    twin = MemoryCatalogue()
    try:
        for n in order:
            take(sqlite, (n, messages[n]))
        for n in range(len(messages)):
            take(twin, (n, messages[n]))
        assert _threads(sqlite, len(messages)) == _threads(twin, len(messages))
    finally:
        sqlite.close()


def _threads(catalogue: Catalogue, count: int) -> set[frozenset[BlobId]]:
    rows = [catalogue.row(blob(n)) for n in range(count)]
    return {frozenset(s.blob_id for s in catalogue.thread(row)) for row in rows if row is not None}


def test_size_and_language_are_told_with_a_message(catalogue: Catalogue) -> None:
    rows = take(catalogue, (1, message_of(blob(1), language="nl")), (2, message_of(blob(2))))
    assert [(s.octets, s.language) for s in catalogue.summaries([rows[1], rows[2]])] == [(1001, "nl"), (1002, None)]


def test_directions_are_told_for_many_messages_and_not_for_those_that_are_gone(catalogue: Catalogue) -> None:
    went = [Direction.INCOMING, Direction.OUTGOING, Direction.INTERNAL, Direction.OTHER]
    messages = [(n, replace(message_of(blob(n)), direction=direction)) for n, direction in enumerate(went)]
    rows = take(catalogue, *messages)
    assert catalogue.directions([*rows.values(), 12345]) == {rows[n]: direction for n, direction in enumerate(went)}
    assert catalogue.directions([]) == {}


def defects_of(catalogue: Catalogue, row: int) -> tuple[Defect, ...]:
    found = catalogue.details(row)
    assert found is not None
    return found.defects


def test_what_a_second_reading_finds_replaces_language_and_defects(catalogue: Catalogue) -> None:
    old, new = Defect("charset", "unknown"), Defect("attachment-encrypted", "2")
    rows = take(
        catalogue,
        (1, message_of(blob(1), defects=(old,))),
        (2, message_of(blob(2), language="nl", defects=(old, new))),
        (3, message_of(blob(3), language="fr", defects=(old,))),
    )
    readings = {
        rows[1]: Message(language="de", defects=(new, old)),
        rows[2]: Message(),
        12345: Message(language="en"),
    }
    for _ in range(2):
        catalogue.note_readings(readings)
        assert [s.language for s in catalogue.summaries(list(rows.values()))] == ["de", None, "fr"]
        assert [defects_of(catalogue, row) for row in rows.values()] == [(new, old), (), (old,)]
        assert catalogue.counts().defects == 2
        assert catalogue.row(blob(1)) == rows[1]


def test_a_message_that_nobody_could_open_keeps_its_defect_whatever_a_reading_says(catalogue: Catalogue) -> None:
    closed = Defect("unreadable", "the sealed record is damaged")
    (row,) = take(catalogue, (1, message_of(blob(1), defects=(closed,)))).values()
    catalogue.note_readings({row: Message(language="nl", defects=(Defect("empty"),))})
    assert defects_of(catalogue, row) == (closed,)
    assert catalogue.known([blob(1)]) == frozenset()
    assert [s.language for s in catalogue.summaries([row])] == [None]
