"""Earlier formats of archive.db: they open, are converted by the first writer, and keep everything."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from archiver.errors import FormatError
from archiver.model.address import EmailAddress
from archiver.model.customer import Customer
from archiver.model.delivery import Delivery, SealedRecord
from archiver.model.link import Evidence, Standing
from archiver.model.message import BlobId, Direction, Message
from archiver.store import linked, schema
from archiver.store.catalogue import open_catalogue
from archiver.store.connection import open_database
from archiver.store.correspondence import SqliteCorrespondence
from archiver.store.customers import SqliteCustomers, pack_customer, unpack_customer
from archiver.store.layout import create_layout
from archiver.store.links import SqliteLinks
from archiver.store.saved import SqliteSavedSearches
from tests.twins.archive import START, Archive, message_of

ROWS = [(int(START.timestamp()) + 60 * n) << 20 for n in range(3)]


def blob(number: int) -> BlobId:
    return BlobId(sha256(str(number).encode()).digest())


@pytest.fixture
def first_format(tmp_path: Path) -> Archive:
    """Three messages of a thread as release 1 wrote them: From, To and Delivered-To, nothing more."""
    archive = Archive(tmp_path / "archive")
    create_layout(archive.paths, archive.disk)
    with open_database(archive.paths.database, archive.secret.database_key, create=True) as database:
        schema.migrate(database, schema.APPLICATION_ID, schema.MIGRATIONS[:1])
        database.execute("INSERT INTO addresses VALUES (1, 'an@x.test', 'An', 'An@x.test'), (2, 'us@y.test', '', NULL)")
        database.execute("INSERT INTO packs VALUES (1, ?)", (bytes(32),))
        database.execute("INSERT INTO meta VALUES ('sequence', 3), ('archive_id', ?)", (archive.archive_id,))
        for n, row in enumerate(ROWS):
            people = msgspec.msgpack.encode([[1], [], [], [2], [], [], [1]] if n % 2 == 0 else [[2], [], [], [1]])
            database.execute(
                "INSERT INTO messages VALUES (?,?,?,1,?,1000,0,0,60,0,0,?,'subject','preview',?,x'90')",
                (row, n + 1, blob(n), n % 2, f"m{n}@x.test", people),
            )
            database.execute("INSERT INTO records VALUES (?,?,1,?,90,?)", (n + 1, row, n * 100, bytes(32)))
    return archive


def test_a_reader_says_that_an_older_archive_waits_to_be_converted(first_format: Archive) -> None:
    with pytest.raises(FormatError, match="older release") as caught:
        first_format.catalogue(readonly=True)
    assert "archiver sync" in (caught.value.hint or "")


def test_an_archive_of_format_1_is_converted_and_keeps_everything(first_format: Archive) -> None:
    catalogue = first_format.catalogue()
    try:
        assert catalogue.connection.integer("PRAGMA user_version") == len(schema.MIGRATIONS)
        assert catalogue.connection.check() == ()
        counts = catalogue.counts()
        assert (counts.messages, counts.octets, counts.unlinked, counts.customers) == (3, 3000, 3, 0)
        first, second, third = catalogue.thread(ROWS[1])
        assert (first.from_, first.to) == ((EmailAddress("An", "An@x.test"),), (EmailAddress("", "us@y.test"),))
        assert (second.direction, third.blob_id, third.message_id) == (Direction.OUTGOING, blob(2), "m2@x.test")
        assert [row for _, row in catalogue.unindexed(0, 9)] == ROWS
        assert catalogue.sealed(ROWS[2]) == ("00" * 32, SealedRecord(blob(2), 200, 90, 1000, bytes(32)))
    finally:
        catalogue.close()
    first_format.catalogue(readonly=True).close()


def test_an_archive_of_format_2_is_converted_and_keeps_everything(first_format: Archive) -> None:
    key = first_format.secret.database_key
    with open_database(first_format.paths.database, key) as database:
        schema.migrate(database, schema.APPLICATION_ID, schema.MIGRATIONS[:2])
        customer = SqliteCustomers(database).add(Customer("A", "Peeters"), now=START)
        database.execute("INSERT INTO links VALUES (?,?,1,0,0)", (customer, ROWS[0]))
    catalogue = first_format.catalogue()
    try:
        assert catalogue.connection.integer("PRAGMA user_version") == len(schema.MIGRATIONS)
        assert catalogue.connection.check() == ()
        found = catalogue.summaries(ROWS)
        assert [(each.customers, each.language, each.octets) for each in found] == [
            (("A",), None, 1000), ((), None, 1000), ((), None, 1000)
        ]  # fmt: skip
        assert SqliteSavedSearches(catalogue.connection).all() == []
        catalogue.note_readings({ROWS[1]: Message(language="fr")})
        assert [each.language for each in catalogue.summaries(ROWS)] == [None, "fr", None]
    finally:
        catalogue.close()


def test_messages_of_format_1_count_as_unexamined_until_they_are_completed(first_format: Archive) -> None:
    catalogue = first_format.catalogue()
    try:
        links, correspondence = SqliteLinks(catalogue.connection), SqliteCorrespondence(catalogue.connection)
        assert links.unexamined(9) == ROWS[::-1]
        assert dict(links.evidence())[ROWS[0]] == Evidence(
            Direction.INCOMING, from_=(EmailAddress("An", "An@x.test"),), to=(EmailAddress("", "us@y.test"),)
        )
        assert links.rows_with_addresses(["an@x.test"], []) == set(ROWS)
        assert [row for _, row in correspondence.unanswered()] == [ROWS[2]]
        record = SealedRecord(blob(9), 900, 90, 1000, bytes(32))
        fresh = catalogue.take_in(Delivery("00" * 32, (record,), ()), [message_of(blob(9))])[blob(9)]
        assert links.unexamined(9) == ROWS[::-1]
        boss = EmailAddress("Boss", "boss@x.test")
        links.add_evidence(ROWS[2], Evidence(Direction.INCOMING, forwarded=(boss,)), automatic=True)
        assert links.unexamined(9) == ROWS[1::-1]
        assert dict(links.evidence([ROWS[2]]))[ROWS[2]].forwarded == (boss,)
        assert [row for _, row in correspondence.unanswered()] == [fresh]
        assert catalogue.summaries([ROWS[2]])[0].to == (EmailAddress("", "us@y.test"),)
    finally:
        catalogue.close()


def test_a_conversion_that_is_broken_off_leaves_format_1(
    first_format: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(connection: object) -> None:
        schema.MIGRATIONS[1](connection)  # type: ignore[arg-type]
        raise OSError

    with open_database(first_format.paths.database, first_format.secret.database_key) as database:
        with pytest.raises(OSError):  # noqa: PT011 it is the one raised above
            schema.migrate(database, schema.APPLICATION_ID, (schema.MIGRATIONS[0], broken))
        assert schema.check_format(database, schema.APPLICATION_ID, 2) == 1
        assert database.one("SELECT 1 FROM sqlite_schema WHERE name = 'links'") is None
    first_format.catalogue().close()


def test_a_newer_archive_is_refused(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive").create()
    with open_database(archive.paths.database, archive.secret.database_key) as database:
        database.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    for readonly in (False, True):
        with pytest.raises(FormatError, match="this release reads up to"):
            open_catalogue(archive.paths, archive.secret.database_key, readonly=readonly)


def test_a_customer_of_a_newer_release_is_refused_and_not_cut(tmp_path: Path) -> None:
    catalogue = Archive(tmp_path / "archive").create().catalogue()
    try:
        customers = SqliteCustomers(catalogue.connection)
        number = customers.add(Customer("A", "Peeters"), now=START)
        newer = msgspec.msgpack.encode({"reference": "A", "name": "Peeters", "colour": "green"})
        catalogue.connection.execute("UPDATE customers SET record = ?", (newer,))
        with pytest.raises(FormatError, match="newer release") as caught:
            customers.get(number)
        assert "Peeters" not in caught.value.message
    finally:
        catalogue.close()


def test_a_customers_record_is_written_as_the_format_says() -> None:
    assert msgspec.msgpack.decode(pack_customer(Customer("A", "Peeters", vat="BE0428759497"))) == {
        "reference": "A",
        "name": "Peeters",
        "vat": "BE0428759497",
    }
    assert unpack_customer(msgspec.msgpack.encode({"reference": "A", "name": "x"})) == Customer("A", "x")


def test_standings_are_kept_as_the_model_counts_them() -> None:
    assert (linked.LINKED, linked.SUGGESTED) == (Standing.LINKED, Standing.SUGGESTED)
