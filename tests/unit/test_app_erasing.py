"""An erased message leaves nothing but a keyed digest, stays away for ever, and an erasure survives any kill."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archiver import app
from archiver.app.erasing import ErasureReport, erase
from archiver.app.opening import open_unlocked
from archiver.app.unlocking import Keys, find_keys
from archiver.config import ArchiveSettings, Settings, SyncSettings
from archiver.core.erasing import Stage
from archiver.crypto.kdf import KdfBounds
from archiver.errors import UsageError
from archiver.model.customer import Customer
from archiver.model.delivery import Delivery
from archiver.model.identity import Identity
from archiver.search.index import FullTextIndex
from archiver.store.connection import StoreConnection, open_database
from archiver.store.durable import Disk
from archiver.store.erasure_log import erasure_log_of, read_erasures
from tests.twins.archive import CHEAP

PASSPHRASE = "only for tests, long enough"
BOUNDS = KdfBounds.exactly(CHEAP)
WORDS = ("kanariesubject", "kanariebody", "kanariewho", "kanariefile", "kanariereference")


def letter(number: int, *, secret: bool = False) -> bytes:
    who = "kanariewho@one.example" if secret else "an@two.example"
    subject, body, name = ("kanariesubject", "kanariebody", "kanariefile") if secret else ("a question", "text", "plan")
    references = "References: <kanariereference@one.example>\r\n" if secret else ""
    return (
        f"From: Jan <{who}>\r\nTo: info@ours.example\r\nSubject: {subject} {number}\r\n{references}"
        f"Date: Sat, 1 Mar 2025 09:00:{number:02} +0000\r\nMessage-ID: <{number}.{name}@one.example>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"
        f"{body} of all letters\r\n--b\r\nContent-Type: application/x-{name}\r\n"
        f"Content-Disposition: attachment; filename={name}.bin\r\n\r\n\x00\x01\r\n--b--\r\n"
    ).encode()


def ask() -> str:
    return PASSPHRASE


def bring(settings: Settings, *letters: bytes, unlocked: bool = True) -> None:
    folder = settings.archive.path.parent / "mail"
    folder.mkdir()
    for number, octets in enumerate(letters):
        (folder / f"{number}.eml").write_bytes(octets)
    app.import_paths(settings, [folder], ask=ask if unlocked else (lambda: None), bounds=BOUNDS)
    shutil.rmtree(folder)


def at_home(home: Path) -> Settings:
    return Settings(
        ArchiveSettings(home / "archive", home / "collector-key"),
        Identity(("ours.example",)),
        sync=SyncSettings(workers=1),
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five letters, one of them secret, and a customer whose it is, by a decision; made once."""
    home = tmp_path_factory.mktemp("made") / "home"
    home.mkdir()
    settings = at_home(home)
    app.prepare_archive(settings, PASSPHRASE, kdf=CHEAP, bounds=BOUNDS).commit()
    bring(settings, *(letter(number) for number in range(4)), letter(4, secret=True))
    with app.change_customers(settings, ask=ask, command="customer add", bounds=BOUNDS) as editor:
        editor.add(Customer("K1", "Firm", domains=("one.example",)))
        page = editor.archive.search("kanariesubject")
        editor.link(page.items[0].summary.row, editor.archive.customer("K1"), why="they said so")
    return home


@pytest.fixture
def settings(made: Path, tmp_path: Path) -> Settings:
    shutil.copytree(made, tmp_path / "home")
    return at_home(tmp_path / "home")


def keys_of(settings: Settings) -> Keys:
    keys = find_keys(settings, ask=ask, bounds=BOUNDS)
    assert keys is not None
    return keys


def secret_id(settings: Settings) -> str:
    with app.open_archive(settings, ask=ask, bounds=BOUNDS) as archive:
        (item,) = archive.search("kanariesubject").items
        return item.summary.blob_id.hex()


def dek_of(settings: Settings, identifier: str) -> bytes:
    with open_unlocked(settings, keys_of(settings), write=False) as opened:
        row = opened.catalogue.row(opened.catalogue.resolve(identifier)[0])
        assert row is not None
        sealed = opened.catalogue.sealed(row)
        assert sealed is not None
        return sealed[1].dek


def everything(settings: Settings) -> dict[str, bytes]:
    """The pages of the databases, decrypted, free ones too, and all other files as they are."""
    keys = keys_of(settings)
    with open_unlocked(settings, keys, write=False) as opened:
        collect_key = opened.credential.collect_key
    found = {str(path): path.read_bytes() for path in settings.archive.path.rglob("*") if path.is_file()}
    for path, key in (
        (keys.paths.database, keys.secret.database_key),
        (keys.paths.index, keys.secret.index_key),
        (keys.paths.collect_database, collect_key),
    ):
        assert not path.with_name(path.name + "-wal").exists() or path.with_name(path.name + "-wal").stat().st_size == 0
        with open_database(path, key, readonly=True) as connection:
            pages = connection._database.serialize("main")
            assert b"SQLite format 3" in pages[:16]
            found[f"{path.name}, decrypted"] = pages
    return found


def traces(settings: Settings, dek: bytes) -> list[str]:
    """Where anything of the secret letter is found."""
    needles = [word.encode() for word in WORDS] + [dek]
    return [f"{name}: {needle[:20]!r}" for name, octets in everything(settings).items() for needle in needles
            if needle in octets]  # fmt: skip


def found(settings: Settings, query: str) -> int:
    with app.open_archive(settings, ask=ask, bounds=BOUNDS) as archive:
        return archive.search(query).total


def verified(settings: Settings) -> list[str]:
    return [problem.message for problem in app.verify(settings, full=True, ask=ask, bounds=BOUNDS).problems]


def test_before_the_erasure_the_search_for_traces_finds_them_all(settings: Settings) -> None:
    """Without this, nothing found would mean nothing."""
    dek = dek_of(settings, secret_id(settings))
    places = traces(settings, dek)
    for word in ("kanariesubject", "kanariewho", "kanariefile"):
        assert f"archive.db, decrypted: {word.encode()!r}" in places
    assert "index.db, decrypted: b'kanariebody'" in places
    assert any(place.startswith("archive.db") and "kanarie" not in place for place in places), "the key"


def test_nothing_of_an_erased_message_is_left_but_a_digest_and_a_time(settings: Settings) -> None:
    identifier = secret_id(settings)
    dek = dek_of(settings, identifier)
    assert erase(settings, [identifier[:12]], ask=ask, bounds=BOUNDS) == ErasureReport(1, complete=True)
    assert traces(settings, dek) == []
    assert (found(settings, "kanariebody"), found(settings, "")) == (0, 4)
    assert verified(settings) == []
    with open_unlocked(settings, keys_of(settings), write=False) as opened:
        (tombstone,) = opened.erasures.erased()
        assert tombstone[0].hex() == identifier
        assert opened.erasures.under_way() == {}
        assert dict(read_erasures(erasure_log_of(opened.keys.paths), opened.credential.mac_key).erased) == dict(
            [tombstone]
        )
        assert opened.links.decisions(tombstone[0]) == []


def test_what_others_have_too_stays(settings: Settings) -> None:
    with app.open_archive(settings, ask=ask, bounds=BOUNDS) as archive:
        one = archive.search("question", limit=1).items[0].summary.blob_id.hex()
    erase(settings, [one], ask=ask, bounds=BOUNDS)
    with app.open_archive(settings, ask=ask, bounds=BOUNDS) as archive:
        items = archive.search("question from:an").items
        assert len(items) == 3
        assert {item.summary.from_[0].addr_spec for item in items} == {"an@two.example"}
        assert {part.content_type for part in archive.details(items[0].summary.row).parts} > {"application/x-plan"}
    assert verified(settings) == []


def test_a_record_of_erasures_that_was_deleted_or_put_back_is_named_and_written_again(settings: Settings) -> None:
    erase(settings, [secret_id(settings)], ask=ask, bounds=BOUNDS)
    log = erasure_log_of(keys_of(settings).paths)
    before = log.read_bytes()
    assert verified(settings) == []
    for older in (b"", before[:-10]):
        log.write_bytes(older)
        assert [line for line in verified(settings) if "1 erasure is not in erasures.log" in line]
        assert app.repair(settings, ask=ask, confirm=lambda _: True, bounds=BOUNDS).steps
        assert log.read_bytes().endswith(before)
        assert verified(settings) == []


def test_an_unknown_id_erases_nothing(settings: Settings) -> None:
    with pytest.raises(UsageError, match="no message"):
        erase(settings, [secret_id(settings), "00000000"], ask=ask, bounds=BOUNDS)
    assert found(settings, "") == 5


@pytest.mark.parametrize("lost", [False, True])
def test_an_erased_message_that_is_brought_again_stays_away(settings: Settings, lost: bool) -> None:
    identifier = secret_id(settings)
    erase(settings, [identifier], ask=ask, bounds=BOUNDS)
    if lost:  # the collector knows of nothing any more, and seals it once again
        for path in settings.archive.path.glob("collect.db*"):
            path.unlink()
    bring(settings, letter(4, secret=True), letter(5))
    assert (found(settings, "kanariebody"), found(settings, "")) == (0, 5)
    assert verified(settings) == []
    keys = keys_of(settings)
    assert not list(keys.paths.pending.iterdir()), "its new key is gone as well"
    with open_database(keys.paths.database, keys.secret.database_key, readonly=True) as connection:
        assert not any(word.encode() in connection._database.serialize("main") for word in WORDS)


def test_a_message_that_waits_sealed_is_erased_with_the_others(settings: Settings) -> None:
    identifier = secret_id(settings)
    bring(settings, letter(6), unlocked=False)
    erase(settings, [identifier], ask=ask, bounds=BOUNDS)
    assert found(settings, "") == 5
    assert not list(keys_of(settings).paths.pending.iterdir())


def test_the_collector_counts_it_as_erased(settings: Settings) -> None:
    erase(settings, [secret_id(settings)], ask=ask, bounds=BOUNDS)
    status = app.status(settings, ask=ask, bounds=BOUNDS)
    assert sum(mailbox.erased for mailbox in status.accounts) == 1


def test_while_somebody_reads_the_erasure_is_begun_and_the_next_writer_completes_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archiver.app.erasing._READERS", 0.1)
    identifier = secret_id(settings)
    dek = dek_of(settings, identifier)
    keys = keys_of(settings)
    with (
        open_database(keys.paths.database, keys.secret.database_key, readonly=True) as reader,
        reader.snapshot(),
    ):
        assert reader.integer("SELECT count(*) FROM messages") == 5
        assert erase(settings, [identifier], ask=ask, bounds=BOUNDS) == ErasureReport(1, complete=False)
    bring(settings, letter(5))
    with open_unlocked(settings, keys, write=False) as opened:
        assert set(opened.erasures.under_way()) == set(opened.erasures.under_way(Stage.SETTLED))
    assert traces(settings, dek) == []
    assert found(settings, "") == 5


def test_beside_a_program_that_stays_open_no_log_keeps_an_older_page(settings: Settings) -> None:
    """The last to close cuts the logs by itself: here it is not the one who erases."""
    identifier = secret_id(settings)
    keys = keys_of(settings)
    with (
        open_database(keys.paths.database, keys.secret.database_key, readonly=True) as one,
        open_database(keys.paths.index, keys.secret.index_key, readonly=True) as other,
    ):
        assert one.integer("SELECT count(*) FROM messages") == 5
        assert other.integer("SELECT count(*) FROM slots") == 5
        assert erase(settings, [identifier], ask=ask, bounds=BOUNDS).complete
        logs = [path.with_name(path.name + "-wal") for path in (keys.paths.database, keys.paths.index)]
        # What is in a log by now came behind the cut: that the erasure has reached its end.
        assert sum(log.stat().st_size for log in logs) < 40_000
    assert found(settings, "") == 4


def test_the_words_are_durably_gone_before_the_catalogue_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a log that the disk loses, or a power cut, brings them back, and nobody takes them out again."""
    told: list[int] = []
    really = FullTextIndex.optimize

    def optimize(index: FullTextIndex) -> None:
        really(index)
        told.append(index._connection.integer("PRAGMA main.synchronous"))  # type: ignore[attr-defined]

    monkeypatch.setattr(FullTextIndex, "optimize", optimize)
    erase(settings, [secret_id(settings)], ask=ask, bounds=BOUNDS)
    assert told == [2], "FULL: a commit returns when the log is on the disk"


def test_the_catalogue_itself_refuses_what_was_erased(settings: Settings) -> None:
    from tests.twins.archive import message_of

    identifier = secret_id(settings)
    with open_unlocked(settings, keys_of(settings), write=True) as opened:
        row = opened.catalogue.row(opened.catalogue.resolve(identifier)[0])
        assert row is not None
        sealed = opened.catalogue.sealed(row)
        assert sealed is not None
    erase(settings, [identifier], ask=ask, bounds=BOUNDS)
    pack, record = sealed
    with open_unlocked(settings, keys_of(settings), write=True) as opened:
        assert opened.catalogue.known([record.blob_id]) == {record.blob_id}
        delivery = Delivery(pack, (record,), ())
        assert opened.catalogue.take_in(delivery, [message_of(record.blob_id)]) == {}
        assert opened.catalogue.take_in(delivery, []) == {}
        assert opened.catalogue.counts().messages == 4


class CutError(BaseException):
    """The run ends here."""


@contextmanager
def cut_at(stop: int, counted: list[int], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """End a run before the transaction or the step on disk of this number is done, or behind it (negative)."""
    transaction, sync_file, checkpoint = StoreConnection.transaction, Disk.sync_file, StoreConnection.checkpoint

    def step(do: Callable[[], object]) -> object:
        counted[0] += 1
        number = counted[0]
        if number == stop:
            raise CutError
        done = do()
        if number == -stop:
            raise CutError
        return done

    @contextmanager
    def cut_transaction(connection: StoreConnection) -> Iterator[None]:
        if connection._depth:
            yield
            return
        counted[0] += 1
        number = counted[0]
        with transaction(connection):
            yield
            if number == stop:
                raise CutError
        if number == -stop:
            raise CutError

    with monkeypatch.context() as patched:
        patched.setattr(StoreConnection, "transaction", cut_transaction)
        patched.setattr(StoreConnection, "checkpoint", lambda *a, **k: step(lambda: checkpoint(*a, **k)))
        patched.setattr(Disk, "sync_file", lambda *a: step(lambda: sync_file(*a)))
        yield


@pytest.mark.slow
def test_killed_at_any_step_the_next_writer_completes_the_erasure(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(made, tmp_path / "whole")
    settings = at_home(tmp_path / "whole")
    identifier = secret_id(settings)
    dek = dek_of(settings, identifier)
    shutil.copytree(tmp_path / "whole", tmp_path / "kept")
    counted = [0]
    with cut_at(0, counted, monkeypatch):
        erase(settings, [identifier], ask=ask, bounds=BOUNDS)
    total = counted[0]
    assert total >= 8
    completed = 0
    for number in range(1, total + 1):
        for stop in (number, -number):
            shutil.rmtree(tmp_path / "whole")
            shutil.copytree(tmp_path / "kept", tmp_path / "whole")
            counted = [0]
            with cut_at(stop, counted, monkeypatch), pytest.raises(CutError):
                erase(settings, [identifier], ask=ask, bounds=BOUNDS)
            with open_unlocked(settings, keys_of(settings), write=True) as opened:
                kept, words = opened.catalogue.counts().messages, opened.index.rows_with({"kanariebody"})
                under_way = opened.erasures.under_way()
                tombstones = dict(opened.erasures.erased())
                log = read_erasures(erasure_log_of(opened.keys.paths), opened.credential.mac_key)
            assert set(under_way.values()) <= set(tombstones.values())
            if kept == 5:
                assert (len(words), tombstones) == (1, {}), f"step {stop}: all of it or nothing"
                continue
            completed += 1
            assert (kept, words, len(tombstones)) == (4, set(), 1), f"step {stop}"
            assert traces(settings, dek) == [], f"step {stop}"
            assert (dict(log.erased), log.damaged) == (tombstones, 0), f"step {stop}"
    assert verified(settings) == []
    assert completed > total
