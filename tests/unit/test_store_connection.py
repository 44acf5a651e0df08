"""The encrypted databases: keys, damage, transactions, readers beside a writer."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from archiver.errors import (
    ArchiverError,
    FormatError,
    IntegrityError,
    LockedError,
    NoArchiveError,
    UsageError,
    WrongKeyError,
)
from archiver.store import ciphers, schema
from archiver.store.ciphers import Cipher
from archiver.store.connection import StoreConnection, open_database
from archiver.store.index_db import open_index
from tests.twins.archive import Archive

KEY, OTHER = b"k" * 32, b"o" * 32


CIPHERS: tuple[Cipher, ...] = ("chacha20", "aegis")


@pytest.fixture(params=CIPHERS)
def path(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "some.db"
    with open_database(path, KEY, create=True, cipher=request.param) as database, database.transaction():
        database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")
        database.execute_many("INSERT INTO t VALUES (?, ?)", [(n, f"canary {n} " * 20) for n in range(400)])
    return path


def read(path: Path) -> list[tuple[object, ...]]:
    with open_database(path, KEY, readonly=True) as database:
        problems = database.check()
        if problems:
            raise IntegrityError(problems[0], what=path.name)
        return list(database.execute("SELECT id, text FROM t"))


def test_a_missing_file_is_no_archive_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NoArchiveError):
        open_database(tmp_path / "none.db", KEY)
    assert list(tmp_path.iterdir()) == []


def test_the_last_reader_to_close_leaves_the_log_to_writers(path: Path) -> None:
    log = path.with_name(path.name + "-wal")
    with open_database(path, KEY) as writer:
        writer.execute("INSERT INTO t VALUES (1000, 'new')")
        reader = open_database(path, KEY, readonly=True)
        assert reader.integer("SELECT count(*) FROM t") == 401
        kept = log.read_bytes()
    assert kept, "the reader keeps the writer from ending the log"
    reader.close()
    assert log.read_bytes() == kept
    with open_database(path, KEY) as writer:
        assert writer.integer("SELECT count(*) FROM t") == 401
    assert not log.exists()


def test_a_wrong_key_is_said_so_and_touches_nothing(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(WrongKeyError):
        open_database(path, OTHER)
    assert path.read_bytes() == before


def test_a_plain_database_is_not_taken_for_one_of_ours(tmp_path: Path) -> None:
    import sqlite3

    plain = tmp_path / "some.db"
    with sqlite3.connect(plain) as database:
        database.execute("CREATE TABLE t (x)")
    database.close()
    with pytest.raises(WrongKeyError):
        open_database(plain, KEY)


def test_the_file_shows_nothing(path: Path) -> None:
    octets = path.read_bytes()
    assert b"canary" not in octets
    assert b"CREATE TABLE" not in octets
    assert b"SQLite format" not in octets


def test_every_flipped_bit_of_the_first_hundred_octets_is_seen(path: Path) -> None:
    whole = path.read_bytes()
    for position, bit in [(position, bit) for position in range(100) for bit in range(8)]:
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1 << bit]) + whole[position + 1 :])
        with pytest.raises((IntegrityError, WrongKeyError)) as caught:
            read(path)
        assert "some.db" in caught.value.message
        if position >= 16:
            assert isinstance(caught.value, IntegrityError)


def test_flips_cuts_and_swapped_pages_are_never_read_as_good(path: Path) -> None:
    whole, choose = path.read_bytes(), random.Random(7)
    pages = len(whole) // 4096
    for _ in range(150):
        damaged = bytearray(whole)
        match choose.randrange(3):
            case 0:
                damaged[choose.randrange(len(whole))] ^= 1 << choose.randrange(8)
            case 1:
                del damaged[choose.randrange(4096, len(whole)) :]
            case _:
                a, b = choose.sample(range(pages), 2)
                damaged[a * 4096 : (a + 1) * 4096] = whole[b * 4096 : (b + 1) * 4096]
        path.write_bytes(damaged)
        with pytest.raises(ArchiverError):
            read(path)


def test_a_number_that_no_database_holds_is_a_mistake_of_the_caller(path: Path) -> None:
    with open_database(path, KEY) as connection:
        with pytest.raises(UsageError, match="larger than any"):
            connection.one("SELECT ?", (10**19,))
        with pytest.raises(UsageError, match="larger than any"):
            list(connection.execute("SELECT ?", (10**19,)))


def test_errors_carry_no_values(path: Path) -> None:
    with open_database(path, KEY) as database, pytest.raises(ArchiverError) as caught:
        database.execute("INSERT INTO t VALUES (1, ?)", ("canary-value",))
    assert "canary" not in caught.value.message + str(caught.value.hint)


def test_a_transaction_is_whole_or_nothing(path: Path) -> None:
    with open_database(path, KEY) as database:

        def fail() -> None:
            with database.transaction():
                database.execute("DELETE FROM t")
                with database.transaction():
                    database.execute("INSERT INTO t VALUES (1, 'x')")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fail()
        assert database.integer("SELECT count(*) FROM t") == 400


def test_a_reader_works_beside_a_writer_and_cannot_write(path: Path) -> None:
    with open_database(path, KEY) as writer, open_database(path, KEY, readonly=True) as reader, writer.transaction():
        writer.execute("DELETE FROM t")
        assert reader.integer("SELECT count(*) FROM t") == 400
        with pytest.raises(ArchiverError):
            reader.execute("DELETE FROM t")


def test_a_second_writer_is_refused_in_words(path: Path) -> None:
    with open_database(path, KEY) as one, open_database(path, KEY) as two, one.transaction():
        two._database.set_busy_timeout(1)
        with pytest.raises(LockedError), two.transaction():
            pytest.fail("two writers")


def test_a_deleted_key_is_gone_from_the_file_after_a_checkpoint(path: Path) -> None:
    with open_database(path, KEY) as database:
        with database.transaction():
            database.execute("DELETE FROM t")
        database.checkpoint()
        assert database.integer("PRAGMA secure_delete") == 1
        assert path.with_name("some.db-wal").stat().st_size == 0


def test_a_newer_format_is_refused_and_an_older_one_migrated_with_its_record(path: Path) -> None:
    def add_column(connection: StoreConnection) -> None:
        connection.execute("ALTER TABLE t ADD COLUMN more TEXT")

    def fail(connection: StoreConnection) -> None:
        connection.execute("DROP TABLE t")
        raise KeyboardInterrupt

    with open_database(path, KEY) as database:
        assert schema.migrate(database, 77, [add_column])
        assert not schema.migrate(database, 77, [add_column])
        with pytest.raises(KeyboardInterrupt):
            schema.migrate(database, 77, [add_column, fail])
        assert database.integer("SELECT count(*) FROM t") == 400
        assert schema.check_format(database, 77, 1) == 1
        with pytest.raises(FormatError):
            schema.check_format(database, 77, 0)
        with pytest.raises(IntegrityError):
            schema.check_format(database, 78, 1)


@pytest.mark.parametrize("damage", ["missing", "damaged", "another key"])
def test_a_writer_gets_a_new_index_for_an_unusable_one_and_a_reader_is_told(tmp_path: Path, damage: str) -> None:
    archive = Archive(tmp_path / "archive").create()
    paths, keys = archive.paths, (archive.secret.index_key, archive.secret.database_key)
    with open_index(paths, *keys) as index:
        index.execute("CREATE TABLE f (x)")
    if damage == "damaged":
        paths.index.write_bytes(b"\x00" * 100 + paths.index.read_bytes()[100:])
    elif damage == "missing":
        paths.index.unlink()
    else:
        keys = (OTHER, keys[1])
    with pytest.raises((IntegrityError, NoArchiveError)) as caught:
        open_index(paths, *keys, readonly=True)
    assert "reindex" in str(caught.value.hint)
    with open_index(paths, *keys) as index:
        assert index.integer("SELECT count(*) FROM sqlite_schema") == 0
        assert index.integer("SELECT count(*) FROM cat.messages") == 0
        with pytest.raises(ArchiverError):
            index.execute("DELETE FROM cat.messages")


def test_a_file_keeps_its_cipher_and_each_may_be_beside_the_other(tmp_path: Path) -> None:
    for name in CIPHERS:
        with open_database(tmp_path / f"{name}.db", KEY, create=True, cipher=name) as database:
            database.execute(f"CREATE TABLE t AS SELECT '{name}' AS n")
            database.copy_into(tmp_path / f"{name}.copy", OTHER)
        assert (tmp_path / f"{name}.db").read_bytes()[20] == (tmp_path / f"{name}.copy").read_bytes()[20]
    for ours, other in (CIPHERS, CIPHERS[::-1]):
        with open_database(tmp_path / f"{ours}.db", KEY, cipher=other) as database:
            database.attach(tmp_path / f"{other}.copy", OTHER, "other")
            assert database.one("SELECT a.n, b.n FROM main.t AS a, other.t AS b") == (ours, other)
            assert database.check() == ()


@pytest.mark.parametrize(
    ("told", "cipher"),
    [
        ("processor\t: 0\nflags\t\t: fpu sse2 aes avx\n", "aegis"),
        ("processor\t: 0\nFeatures\t: fp asimd aes pmull\n", "aegis"),
        ("processor\t: 0\nmodel name\t: aes\nflags\t\t: fpu sse2 vaes_not\n", "chacha20"),
        ("Features\t: fp asimd evtstrm crc32 cpuid\n", "chacha20"),
        ("", "chacha20"),
        (None, "chacha20"),
    ],
)
def test_a_new_index_has_aegis_where_the_processor_has_aes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str | None, cipher: str
) -> None:
    monkeypatch.setattr(ciphers, "_PROCESSORS", tmp_path / "cpuinfo")
    if told is not None:
        (tmp_path / "cpuinfo").write_text(told)
    assert ciphers.fastest_cipher() == cipher
    archive = Archive(tmp_path / "archive").create()
    open_index(archive.paths, archive.secret.index_key, archive.secret.database_key).close()
    assert ciphers.cipher_of(ciphers.beginning_of(archive.paths.index)) == cipher
    assert ciphers.cipher_of(ciphers.beginning_of(archive.paths.database)) == "chacha20"


def test_a_path_may_have_what_means_something_in_a_uri(tmp_path: Path) -> None:
    folder = tmp_path / "a %41?mode=memory#b & é"
    folder.mkdir()
    other = folder / "other.db"
    with open_database(other, OTHER, create=True) as database:
        database.execute("CREATE TABLE t AS SELECT 7 AS n")
        database.copy_into(folder / "copy.db", KEY)
    with open_database(folder / "main.db", KEY, create=True) as database:
        database.attach(other, OTHER, "other")
        assert database.integer("SELECT n FROM other.t") == 7
    with open_database(folder / "copy.db", KEY, readonly=True) as database:
        assert database.integer("SELECT n FROM t") == 7
    assert {each.name for each in folder.iterdir()} >= {"main.db", "copy.db", "other.db"}
