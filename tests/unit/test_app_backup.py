"""A backup is complete or not there, is found out when it was changed, and becomes the archive again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import archiver
from archiver import app
from archiver.app import backing_up, restoring
from archiver.app.backing_up import BackupReport, backup, verify_backup
from archiver.app.erasing import erase
from archiver.app.restoring import RestoreReport, restore
from archiver.app.revived_keys import RevivedKeys
from archiver.app.unlocking import Keys, find_keys
from archiver.config import ArchiveSettings, BackupSettings, Settings, SyncSettings
from archiver.crypto.kdf import KdfBounds
from archiver.errors import ArchiverError, DiskError, IntegrityError, LockedError, UsageError, WrongKeyError
from archiver.model.customer import Customer
from archiver.model.identity import Identity
from archiver.store import backups, state_files
from archiver.store.durable import Disk
from archiver.store.erasure_log import erasure_log_of
from archiver.store.layout import ArchivePaths
from archiver.store.lock import writer_lock
from tests.twins.archive import CHEAP, Clock
from tests.twins.linked_archive import letter

PASSPHRASE = "only for tests, long enough"
BOUNDS = KdfBounds.exactly(CHEAP)


def ask() -> str:
    return PASSPHRASE


def bring(settings: Settings, *numbers: int, unlocked: bool = True) -> None:
    folder = settings.archive.path.parent / "mail"
    folder.mkdir()
    for number in numbers:
        (folder / f"{number}.eml").write_bytes(
            letter("jan@acme.example", subject=f"nr{number}", text=f"word{number}", number=number)
        )
    app.import_paths(settings, [folder], ask=ask if unlocked else (lambda: None), bounds=BOUNDS)
    shutil.rmtree(folder)


def at_home(home: Path) -> Settings:
    return Settings(
        ArchiveSettings(home / "archive", home / "collector-key"),
        Identity(("ours.test",)),
        sync=SyncSettings(workers=1),
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with four messages in two packs, and a customer; made once, for it takes a second."""
    home = tmp_path_factory.mktemp("made") / "home"
    home.mkdir()
    settings = at_home(home)
    app.prepare_archive(settings, PASSPHRASE, kdf=CHEAP, bounds=BOUNDS).commit()
    bring(settings, 1, 2)
    bring(settings, 3, 4)
    with app.change_customers(settings, ask=ask, command="customer add", bounds=BOUNDS) as editor:
        editor.add(Customer("K1", "Firm", domains=("acme.example",)))
    return home


@pytest.fixture
def settings(made: Path, tmp_path: Path) -> Settings:
    """A copy of it for this test alone."""
    shutil.copytree(made, tmp_path / "home")
    return at_home(tmp_path / "home")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def back_up(settings: Settings, place: Path, **options: object) -> BackupReport:
    return backup(settings, place, ask=lambda: None, bounds=BOUNDS, **options)  # type: ignore[arg-type]


def bring_back(settings: Settings, place: Path, **options: object) -> RestoreReport:
    return restore(settings, place, ask=ask, bounds=BOUNDS, **options)  # type: ignore[arg-type]


def check(settings: Settings, place: Path) -> list[str]:
    return list(verify_backup(settings, place, full=True, ask=ask, bounds=BOUNDS).problems)


def elsewhere(settings: Settings) -> Settings:
    """The same configuration on another machine, without archive and credential."""
    home = settings.archive.path.parent.with_name("other")
    home.mkdir(exist_ok=True)
    return replace(settings, archive=ArchiveSettings(home / "archive", home / "collector-key"))


def contents(settings: Settings) -> Counter[bytes]:
    with app.open_archive(settings, ask=ask, bounds=BOUNDS) as archive:
        return Counter(archive.octets(item.summary.row) for item in archive.search("", limit=100).items)


def found(settings: Settings, query: str) -> int:
    with app.open_archive(settings, ask=ask, bounds=BOUNDS) as archive:
        return archive.search(query).total


def verified(settings: Settings) -> list[str]:
    return [problem.message for problem in app.verify(settings, full=True, ask=ask, bounds=BOUNDS).problems]


def keys_of(settings: Settings) -> Keys:
    keys = find_keys(settings, ask=ask, bounds=BOUNDS)
    assert keys is not None
    return keys


def id_of(settings: Settings, query: str) -> str:
    with app.open_archive(settings, ask=ask, bounds=BOUNDS) as archive:
        (item,) = archive.search(query).items
        return item.summary.blob_id.hex()


def tree(root: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None
        for path in sorted(root.rglob("*"))
        if path.suffix not in (".lock", ".wanted") and path.name != "archive.db-shm"
    }


# --- making one -------------------------------------------------------------------------------------------------------


def test_a_backup_is_made_without_a_key_checked_without_one_and_restored_with_one(
    settings: Settings, place: Path
) -> None:
    report = back_up(settings, place)
    assert (report.packs, report.copied, report.exit_code) == (2, 2, 0)
    assert verify_backup(settings, place, ask=lambda: None).problems == ()
    assert check(settings, place) == []
    other = elsewhere(settings)
    restored = bring_back(other, place, write_collector_key=True)
    assert (restored.messages, restored.indexed, restored.packs, restored.credential) == (4, 4, 2, "written")
    assert contents(other) == contents(settings)
    assert found(other, "customer:K1") == 4
    assert verified(other) == []
    assert other.archive.collector_key_file.read_bytes() == settings.archive.collector_key_file.read_bytes()
    assert other.archive.collector_key_file.stat().st_mode & 0o777 == 0o600
    bring(other, 4, 5)  # the collector works, and knows what is kept
    assert found(other, "") == 5
    assert len(list(ArchivePaths(other.archive.path).pack_names())) == 3


def test_the_second_backup_copies_only_what_is_new(settings: Settings, place: Path) -> None:
    back_up(settings, place)
    bring(settings, 5)
    report = back_up(settings, place)
    assert (report.packs, report.copied, len(report.generations)) == (3, 1, 2)
    assert back_up(settings, place).copied == 0


def test_what_is_rebuilt_or_of_this_machine_is_left_out(settings: Settings, place: Path) -> None:
    report = back_up(settings, place)
    generation = place / f"state-{report.generation}"
    names = {path.relative_to(generation).as_posix() for path in generation.rglob("*") if path.is_file()}
    assert names >= {"archive.json", "keyring.json", "archive.db", "backup.json"}
    assert not [name for name in names if name.startswith(("index", "collect", "spool")) or name.endswith("lock")]
    assert all(path.stat().st_mode & 0o077 == 0 for path in place.rglob("*"))


def test_mail_that_waits_sealed_is_in_the_backup(settings: Settings, place: Path) -> None:
    bring(settings, 7, unlocked=False)
    back_up(settings, place)
    other = elsewhere(settings)
    assert bring_back(other, place).messages == 5
    assert found(other, "word7") == 1


_ELSEWHERE = """
import os, sys
from pathlib import Path
from archiver.store.connection import open_database
path, key, how = Path(sys.argv[1]), bytes.fromhex(sys.stdin.read()), sys.argv[2]
connection = open_database(path, key)
if how == "write":
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('test', randomblob(9000))")
    os._exit(0)
assert connection.integer("SELECT count(*) FROM meta")
connection.close()
"""


def elsewhere_in_a_process(keys: Keys, how: str) -> None:
    """Write and die, which leaves the log, or look and close, which moves it into the database when nobody reads."""
    command = [sys.executable, "-c", _ELSEWHERE, str(keys.paths.database), how]
    environ = {**os.environ, "PYTHONPATH": str(Path(archiver.__file__).parent.parent)}
    subprocess.run(command, input=keys.secret.database_key.hex(), text=True, check=True, env=environ)


def test_a_program_that_knows_no_locks_of_ours_and_closes_in_the_middle_of_the_copy_moves_nothing(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = keys_of(settings)
    log = keys.paths.database.with_name("archive.db-wal")
    elsewhere_in_a_process(keys, "write")
    left = log.stat().st_size
    assert left > 9000
    real, readers = state_files.copy_file, 0

    def disturbed(source: Path, *arguments: Any, **options: Any) -> tuple[int, str]:
        nonlocal readers
        if source == keys.paths.database:
            elsewhere_in_a_process(keys, "look")
            readers += 1
        return real(source, *arguments, **options)

    monkeypatch.setattr(state_files, "copy_file", disturbed)
    back_up(settings, place)
    assert (readers, log.stat().st_size) == (1, left)
    assert check(settings, place) == []
    elsewhere_in_a_process(keys, "look")
    assert not log.exists(), "without the copy's lock it would have gone"


@pytest.mark.parametrize("what", ["inside", "around", "foreign", "unmounted", "file", "plain", "dangling"])
def test_a_place_that_is_for_something_else_is_refused(settings: Settings, tmp_path: Path, what: str) -> None:
    other = tmp_path / "foreign"
    other.mkdir()
    (other / "photo.jpg").write_bytes(b"x")
    places = {
        "inside": settings.archive.path / "backup",
        "around": settings.archive.path.parent.parent,
        "foreign": other,
        "unmounted": tmp_path / "no" / "such",
        "file": other / "photo.jpg",
        "plain": tmp_path / "plain",
        "dangling": tmp_path / "dangling",
    }
    places["dangling"].symlink_to(tmp_path / "not-mounted")
    shutil.copytree(settings.archive.path, places["plain"])
    before = tree(tmp_path)
    with pytest.raises(UsageError):
        back_up(settings, places[what])
    assert tree(tmp_path) == before


def test_backups_of_two_archives_never_mix(settings: Settings, place: Path, tmp_path: Path) -> None:
    back_up(settings, place)
    home = tmp_path / "second"
    home.mkdir()
    second = replace(settings, archive=ArchiveSettings(home / "archive", home / "collector-key"))
    app.prepare_archive(second, PASSPHRASE, kdf=CHEAP, bounds=BOUNDS).commit()
    with pytest.raises(UsageError, match="another archive"):
        back_up(second, place)
    with pytest.raises(UsageError, match="not empty"):
        bring_back(second, place)
    with pytest.raises(WrongKeyError, match="another archive"):
        bring_back(second, place, replace=True)
    assert found(second, "") == 0


def test_older_generations_go_by_number_and_by_age(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(backing_up, "clock", clock)
    settings = replace(settings, backup=BackupSettings(keep=3, keep_days=10))
    made = []
    for _ in range(4):
        made.append(back_up(settings, place).generation)
        clock.advance(86_400)
    report = back_up(settings, place)
    assert list(report.generations) == [report.generation, made[3], made[2]]
    assert report.removed == (made[1],)
    assert report.erased_before == clock.now - timedelta(days=2)
    assert report.erased_gone_by == clock.now + timedelta(days=10)
    clock.advance(30 * 86_400)
    assert len(back_up(settings, place).generations) == 1
    assert back_up(settings, place, keep=1).generations != ()
    assert check(settings, place) == []


def test_a_full_disk_is_told_before_anything_is_copied_and_when_it_comes_later(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(settings, place)
    bring(settings, 5)
    before = check(settings, place), [each.generation for each in verify_backup(settings, place, ask=ask).generations]
    real = os.statvfs

    class Full:
        f_bavail, f_frsize = 0, 4096

    with monkeypatch.context() as patched:
        patched.setattr(os, "statvfs", lambda _: Full())
        with pytest.raises(DiskError, match="free"):
            back_up(settings, place)
    assert os.statvfs is real
    with monkeypatch.context() as patched:

        def full(*_: object) -> None:
            raise DiskError("no space left on device")

        patched.setattr(backups.BackupPlace, "add_pack", full)
        with pytest.raises(DiskError):
            back_up(settings, place)
    assert (check(settings, place), [
        each.generation for each in verify_backup(settings, place, ask=ask).generations
    ]) == before  # fmt: skip
    assert back_up(settings, place).copied == 1
    assert not list(place.glob("*.partial"))


def test_a_disk_that_is_taken_away_in_the_middle_is_told_and_the_next_backup_is_whole(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(settings, place)
    sweep = backups.BackupPlace.sweep

    def unplugged(each: backups.BackupPlace) -> None:
        shutil.rmtree(place)
        sweep(each)

    with monkeypatch.context() as patched:
        patched.setattr(backups.BackupPlace, "sweep", unplugged)
        with pytest.raises(DiskError, match="the directory of backups cannot be used") as caught:
            back_up(settings, place)
    assert "mounted" in (caught.value.hint or "")
    assert back_up(settings, place).copied == len(list(ArchivePaths(settings.archive.path).pack_names()))
    assert check(settings, place) == []


def test_a_pack_that_is_damaged_in_the_archive_never_replaces_a_good_one(settings: Settings, place: Path) -> None:
    back_up(settings, place)
    paths = ArchivePaths(settings.archive.path)
    name = next(iter(paths.pack_names()))
    octets = paths.pack(name).read_bytes()
    paths.pack(name).write_bytes(octets[:-1])
    report = back_up(settings, place)
    assert (report.rescued, report.damaged, report.exit_code) == ((name,), (), 30)
    assert ArchivePaths(place).pack(name).read_bytes() == octets
    assert check(settings, place) == []
    paths.pack(name).unlink()
    report = back_up(settings, place)
    assert (report.vanished, report.exit_code) == ((name,), 4)
    assert back_up(settings, place).exit_code == 0, "it is told once, and the backup keeps it"


def test_a_pack_that_was_never_good_is_named_and_the_rest_can_be_restored(settings: Settings, place: Path) -> None:
    paths = ArchivePaths(settings.archive.path)
    name = next(iter(paths.pack_names()))
    paths.pack(name).write_bytes(b"nothing")
    report = back_up(settings, place)
    assert (report.damaged, report.exit_code) == ((name,), 30)
    other = elsewhere(settings)
    with pytest.raises(IntegrityError, match="1 packs"):
        bring_back(other, place)
    assert not other.archive.path.exists()
    restored = bring_back(other, place, incomplete=True)
    assert (restored.missing, restored.lost, restored.exit_code) == (1, 2, 30)
    assert len([line for line in verified(other) if "pack" in line]) >= 1


def test_check_packs_finds_what_went_bad_in_the_backup_and_mends_it(settings: Settings, place: Path) -> None:
    back_up(settings, place)
    name = next(iter(ArchivePaths(place).pack_names()))
    path = ArchivePaths(place).pack(name)
    octets = bytearray(path.read_bytes())
    octets[100] ^= 1
    path.write_bytes(octets)
    assert len(check(settings, place)) >= 2
    assert back_up(settings, place).mended == ()
    assert back_up(settings, place, check_packs=True).mended == (name,)
    assert check(settings, place) == []


def test_while_somebody_writes_the_backup_waits_and_then_says_who(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backing_up, "_LOCK_WAIT", 0.1)
    paths = ArchivePaths(settings.archive.path)
    with (
        writer_lock(paths.lock("archive"), command="reindex", now=Clock()()),
        pytest.raises(LockedError, match="archiver reindex"),
    ):
        back_up(settings, place)
    assert back_up(settings, place).exit_code == 0


# --- changed by somebody ----------------------------------------------------------------------------------------------


def test_any_changed_byte_any_missing_file_is_found_and_nothing_is_restored(settings: Settings, place: Path) -> None:
    bring(settings, 8, unlocked=False)
    back_up(settings, place)
    other = elsewhere(settings)
    tried = 0
    for path in sorted(each for each in place.rglob("*") if each.is_file() and each.suffix != ".lock"):
        octets = path.read_bytes()
        for at in {0, len(octets) // 2, len(octets) - 1}:
            path.write_bytes(octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :])
            assert _refused(settings, other, place), f"{path.name}, byte {at}"
            path.write_bytes(octets)
            tried += 1
        path.write_bytes(octets[:-1])
        assert _refused(settings, other, place), f"{path.name}, cut"
        path.unlink()
        assert _refused(settings, other, place), f"{path.name}, gone"
        path.write_bytes(octets)
    assert tried >= 24
    assert check(settings, place) == []


def _refused(settings: Settings, other: Settings, place: Path) -> bool:
    try:
        told = bool(verify_backup(settings, place, ask=ask, bounds=BOUNDS).problems)
    except ArchiverError:
        told = True
    with pytest.raises(ArchiverError):
        bring_back(other, place)
    return told and not other.archive.path.exists() and not list(other.archive.path.parent.iterdir())


def test_an_older_genuine_file_in_a_newer_generation_is_found(settings: Settings, place: Path) -> None:
    first = back_up(settings, place).generation
    bring(settings, 5)
    second = back_up(settings, place).generation
    shutil.copy(place / f"state-{first}" / "archive.db", place / f"state-{second}" / "archive.db")
    assert any("archive.db" in line for line in check(settings, place))
    with pytest.raises(IntegrityError, match="archive"):
        bring_back(elsewhere(settings), place)


def test_a_manifest_made_by_somebody_without_the_keys_is_refused(settings: Settings, place: Path) -> None:
    from archiver.crypto.backup_file import create_manifest, read_manifest
    from archiver.crypto.collector import create_credential

    report = back_up(settings, place)
    path = place / f"state-{report.generation}" / "backup.json"
    manifest = read_manifest(path.read_bytes())
    forged = create_credential(archive_id=manifest.archive_id, random=os.urandom)
    octets = create_manifest(forged, created=manifest.created, state=manifest.state, packs=manifest.packs).to_bytes()
    path.write_bytes(octets)
    assert verify_backup(settings, place, ask=ask).problems == (), "nobody can tell without a key"
    assert any("owner" in line for line in check(settings, place))
    with pytest.raises(IntegrityError, match="owner"):
        bring_back(elsewhere(settings), place)


def test_a_generation_without_its_manifest_does_not_count(settings: Settings, place: Path) -> None:
    first = back_up(settings, place).generation
    second = back_up(settings, place).generation
    (place / f"state-{second}" / "backup.json").rename(place / "kept")
    (place / f"state-{second}").rename(place / f"state-{second}.partial")
    assert [each.generation for each in verify_backup(settings, place, ask=ask).generations] == [first]
    assert bring_back(elsewhere(settings), place).origin == first


# --- bringing it back -------------------------------------------------------------------------------------------------


def test_nothing_is_overwritten_and_what_is_replaced_is_moved_aside(settings: Settings, place: Path) -> None:
    back_up(settings, place)
    bring(settings, 5)
    before = contents(settings)
    with pytest.raises(UsageError, match="not empty"):
        bring_back(settings, place)
    assert contents(settings) == before
    report = bring_back(settings, place, replace=True)
    assert (report.messages, report.credential) == (4, "kept")
    assert found(settings, "") == 4
    assert report.set_aside is not None
    old = replace(settings, archive=replace(settings.archive, path=report.set_aside))
    assert contents(old) == before
    bring(settings, 5)
    assert contents(settings) == before
    assert verified(settings) == []


def test_an_archive_behind_a_link_is_replaced_where_it_is(settings: Settings, place: Path) -> None:
    """The link stands for a disk that was chosen: the new archive belongs there, and not beside the link."""
    back_up(settings, place)
    link = settings.archive.path.with_name("link")
    link.symlink_to(settings.archive.path)
    linked = replace(settings, archive=replace(settings.archive, path=link))
    before = settings.archive.path.stat().st_ino
    assert bring_back(linked, place, replace=True).messages == 4
    assert link.is_symlink()
    assert settings.archive.path.stat().st_ino != before
    assert found(linked, "") == 4


def test_the_wrong_passphrase_touches_nothing(settings: Settings, place: Path) -> None:
    back_up(settings, place)
    other = elsewhere(settings)
    with pytest.raises(WrongKeyError):
        restore(other, place, ask=lambda: "another passphrase", bounds=BOUNDS)
    with pytest.raises(LockedError):
        restore(other, place, ask=lambda: None, bounds=BOUNDS)
    assert list(other.archive.path.parent.iterdir()) == []


def test_what_was_erased_after_the_backup_is_erased_again(settings: Settings, place: Path) -> None:
    generation = back_up(settings, place).generation
    erase(settings, [id_of(settings, "word2")], ask=ask, bounds=BOUNDS)
    report = bring_back(settings, place, replace=True)
    assert (report.messages, report.erased, report.erasures_known) == (3, 1, True)
    assert found(settings, "word2") == 0
    assert verified(settings) == []
    bring(settings, 2)
    assert found(settings, "word2") == 0
    log = erasure_log_of(ArchivePaths(settings.archive.path))
    assert len(log.read_bytes().splitlines()) == 1
    # From another machine, where only a later generation or a copy of the log knows of it.
    other = elsewhere(settings)
    assert (lost := bring_back(other, place, generation=generation)).erasures_known is False
    assert lost.messages == 4
    shutil.rmtree(other.archive.path)
    assert bring_back(other, place, generation=generation, erasures=log).messages == 3
    shutil.rmtree(other.archive.path)
    back_up(settings, place)
    assert bring_back(other, place, generation=generation).messages == 3


@pytest.mark.parametrize("gone", ["erasures.log", "archive.db"])
def test_either_of_two_records_of_an_erasure_is_enough(settings: Settings, place: Path, gone: str) -> None:
    back_up(settings, place)
    erase(settings, [id_of(settings, "word2")], ask=ask, bounds=BOUNDS)
    (settings.archive.path / gone).unlink()
    assert bring_back(settings, place, replace=True).messages == 3


def test_a_waiting_delivery_of_an_erased_message_does_not_bring_it_back(settings: Settings, place: Path) -> None:
    bring(settings, 7, unlocked=False)
    back_up(settings, place)
    erase(settings, [id_of(settings, "word7")], ask=ask, bounds=BOUNDS)
    report = bring_back(settings, place, replace=True)
    assert report.messages == 4
    assert found(settings, "word7") == 0
    assert not list(keys_of(settings).paths.pending.iterdir())


def test_a_plain_copy_of_the_directory_is_restored_too_with_packs_that_nobody_knows(
    settings: Settings, tmp_path: Path
) -> None:
    """As rsync makes it in its own order: an older state, newer packs, and files that are rebuilt."""
    copy = tmp_path / "copy"
    shutil.copytree(settings.archive.path, copy)
    bring(settings, 5)
    shutil.copytree(settings.archive.path / "packs", copy / "packs", dirs_exist_ok=True)
    other = elsewhere(settings)
    report = bring_back(other, copy, write_collector_key=True)
    assert (report.origin, report.messages, report.packs) == ("copy", 4, 2)
    assert verified(other) == []
    bring(other, 5)
    assert contents(other) == contents(settings)


def test_a_plain_copy_from_the_middle_of_a_rotation_is_restored_whole_or_told_for_what_it_is(
    settings: Settings, tmp_path: Path
) -> None:
    class CutError(Exception):
        pass

    class Copying(Disk):
        """Copies the archive's directory at each renaming."""

        def rename(self, source: Path, target: Path) -> None:
            super().rename(source, target)
            shutil.copytree(settings.archive.path, tmp_path / f"after-{source.name}")
            if source.name == "archive.json.next":
                raise CutError

    with pytest.raises(CutError):
        app.key_rotate(settings, ask=ask, disk=Copying(), bounds=BOUNDS)
    for moment in ("keyring.json.next", "archive.db.next"):
        other = elsewhere(settings)
        report = bring_back(other, tmp_path / f"after-{moment}", write_collector_key=True, replace=True)
        assert report.messages == 4, moment
        assert verified(other) == []
        assert contents(other) == contents(settings)
        assert not list(other.archive.path.glob("*.next"))
    for moment in ("keyring.json.next", "archive.db.next"):
        (tmp_path / f"after-{moment}" / "archive.json.next").unlink()
        with pytest.raises(IntegrityError, match="while the keys were being rotated") as refused:
            bring_back(elsewhere(settings), tmp_path / f"after-{moment}", replace=True)
        assert "archiver backup" in str(refused.value.hint)


def test_a_restore_that_was_killed_is_begun_again(settings: Settings, place: Path) -> None:
    back_up(settings, place)
    other = elsewhere(settings)
    left = other.archive.path.with_name("archive.restoring")
    left.mkdir()
    (left / "restoring.tmp").write_bytes(b"")
    (left / "archive").mkdir()
    assert bring_back(other, place).messages == 4
    assert not left.exists()
    left.mkdir()
    (left / "mine").write_bytes(b"")
    with pytest.raises(UsageError, match="in the way"):
        bring_back(other, place, replace=True)
    assert restoring._BUILDING == ".restoring"


@pytest.mark.parametrize("exchanges", [True, False])
def test_an_archive_that_is_replaced_is_there_at_any_moment(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch, *, exchanges: bool
) -> None:
    back_up(settings, place)
    target = settings.archive.path
    gaps: list[str] = []

    class Looking(Disk):
        def rename(self, source: Path, target_: Path) -> None:
            super().rename(source, target_)
            if not (target / "archive.json").exists():
                gaps.append("no archive")

        def exchange(self, one: Path, other: Path) -> bool:
            return exchanges and super().exchange(one, other)

    monkeypatch.setattr(restoring, "Disk", Looking)
    before = (target / "archive.db").stat().st_ino
    report = bring_back(settings, place, replace=True)
    assert report.set_aside is not None
    assert (report.set_aside / "archive.db").stat().st_ino == before
    assert verified(settings) == []
    # Only a file system that cannot exchange two names leaves a moment between two steps.
    assert gaps == ([] if exchanges else ["no archive"])
    assert not target.with_name("archive.restoring").exists()


def test_a_record_of_erasures_of_another_archive_is_refused_and_damaged_lines_are_told(
    settings: Settings, place: Path, tmp_path: Path
) -> None:
    back_up(settings, place)
    erase(settings, [id_of(settings, "word2"), id_of(settings, "word3")], ask=ask, bounds=BOUNDS)
    log = erasure_log_of(ArchivePaths(settings.archive.path))
    first, second = log.read_bytes().splitlines(keepends=True)
    other = elsewhere(settings)
    foreign = tmp_path / "foreign.log"
    foreign.write_bytes(first[:-5] + b"0000\n")
    with pytest.raises(UsageError, match="no record of erasures of this archive"):
        bring_back(other, place, erasures=foreign)
    assert not other.archive.path.exists()
    foreign.write_bytes(first[:-5] + b"0000\n" + second + first[:40])
    report = bring_back(other, place, erasures=foreign)
    assert (report.messages, report.erased, report.erasures_unread) == (3, 1, 2)


def test_nothing_of_the_mail_is_readable_in_a_backup_or_beside_it(settings: Settings, place: Path) -> None:
    bring(settings, 9, unlocked=False)
    back_up(settings, place)
    check(settings, place)
    other = elsewhere(settings)
    bring_back(other, place)
    kept = [*tree(place).items(), *tree(other.archive.path.parent).items()]
    assert not [name for name, octets in kept if octets is not None for word in (b"word1", b"word9", b"acme.example")
                if word in octets]  # fmt: skip


def test_a_backup_of_the_epoch_before_a_rotation_is_restored_with_the_passphrase_of_then(
    settings: Settings, place: Path
) -> None:
    back_up(settings, place)
    app.key_rotate(settings, ask=ask, bounds=BOUNDS)
    (settings.archive.path / "archive.db.next").write_bytes(b"left by a killed rotation")
    back_up(settings, place)
    names = {path.name for path in place.rglob("*")}
    assert not [name for name in names if ".next" in name]
    generations = [each.generation for each in verify_backup(settings, place, ask=ask).generations]
    other = elsewhere(settings)
    for generation in generations:
        assert bring_back(other, place, generation=generation, write_collector_key=True).messages == 4
        assert verified(other) == []
        shutil.rmtree(other.archive.path.parent)
        other.archive.path.parent.mkdir()
    assert bring_back(settings, place, generation=generations[1], replace=True).messages == 4
    assert verified(settings) == []


def test_a_restore_tells_whose_keys_open_the_archive_again(settings: Settings, place: Path) -> None:
    app.key_add(settings, name="anna", kind="recovery", ask=ask, bounds=BOUNDS)
    back_up(settings, place)
    assert bring_back(settings, place, replace=True).revived == RevivedKeys()
    app.key_remove(settings, name="anna", ask=ask, bounds=BOUNDS)
    assert bring_back(settings, place, replace=True).revived == RevivedKeys(("anna",))
    app.key_remove(settings, name="anna", ask=ask, bounds=BOUNDS)
    app.key_rotate(settings, ask=ask, bounds=BOUNDS)
    back_up(settings, place)
    first = verify_backup(settings, place, ask=ask).generations[-1].generation
    told = bring_back(settings, place, generation=first, replace=True).revived
    assert told == RevivedKeys(("anna",), rotated=True)
    # On another machine, the later state of the backup tells.
    other = elsewhere(settings)
    assert bring_back(other, place, generation=first).revived == RevivedKeys(("anna",), rotated=True)


def test_while_a_sync_runs_its_archive_is_not_moved_aside(settings: Settings, place: Path) -> None:
    back_up(settings, place)
    with (
        writer_lock(ArchivePaths(settings.archive.path).lock("collect"), command="sync", now=Clock()()),
        pytest.raises(LockedError, match="archiver sync"),
    ):
        bring_back(settings, place, replace=True)
    assert found(settings, "") == 4


def test_whoever_waited_for_the_lock_of_an_archive_that_was_moved_aside_gets_the_new_ones(tmp_path: Path) -> None:
    old, aside = tmp_path / "old", tmp_path / "aside"
    old.mkdir()
    waited = 0

    def sleep(_: float) -> None:
        nonlocal waited
        waited += 1
        if waited == 1:
            old.rename(aside)
            old.mkdir()
            holding.close()

    holding = ExitStack()
    holding.enter_context(writer_lock(old / "archive.lock", command="restore", now=Clock()()))
    with writer_lock(old / "archive.lock", command="sync", now=Clock()(), wait_seconds=5, sleep=sleep):
        assert waited == 1
        with pytest.raises(LockedError, match="sync"), writer_lock(old / "archive.lock", command="x", now=Clock()()):
            pass


@pytest.mark.parametrize("seed", range(3))
def test_a_database_copied_at_another_moment_than_its_log_is_refused_or_whole(
    settings: Settings, tmp_path: Path, seed: int
) -> None:
    """As a tool makes it that copies file by file beside a sync: the worst order."""
    copy = tmp_path / "copy"
    shutil.copytree(settings.archive.path, copy)
    bring(settings, *range(10, 13 + seed))
    elsewhere_in_a_process(keys_of(settings), "write")
    shutil.copytree(settings.archive.path / "packs", copy / "packs", dirs_exist_ok=True)
    shutil.copy(settings.archive.path / "archive.db-wal", copy / "archive.db-wal")
    other = elsewhere(settings)
    try:
        bring_back(other, copy, write_collector_key=True)
    except ArchiverError:
        assert not other.archive.path.exists()
    else:
        assert verified(other) == []
