"""Layout, locks and durable files."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import stat
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from archiver.errors import NOT_OURS, READ_ONLY, DiskError, LockedError, NoArchiveError, UsageError
from archiver.store.connection import open_database
from archiver.store.durable import Disk, translated, write_durably
from archiver.store.layout import ArchivePaths, create_layout, sweep_temporary
from archiver.store.lock import is_wanted, writer_lock
from tests.twins.archive import START, Archive, mail


def test_everything_is_for_the_owner_only(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        archive = Archive(tmp_path / "a" / "b").create()
        archive.collect().close()
    finally:
        os.umask(previous)
    for path in [archive.root, *archive.root.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path.name


def test_what_root_makes_belongs_to_the_owner_of_the_archive(tmp_path: Path) -> None:
    """One command run as root must not keep the archive's own user out; whoever is not root owns what he makes."""
    archive = Archive(tmp_path / "archive").create()
    owner = (54_321, 54_322) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    for path in [archive.root, *archive.root.rglob("*")]:
        os.chown(path, *owner)
    archive.paths.lock("archive").unlink(missing_ok=True)
    disk = Disk()
    disk.make_directory(archive.paths.packs / "ab")
    disk.append(archive.paths.packs / "ab" / "log", b"octets", at=0)
    write_durably(disk, archive.paths.packs / "ab" / "pack", b"octets")
    with disk.writing(archive.root / "streamed") as file:
        file.write(b"octets")
    archive.paths.index.unlink(missing_ok=True)
    with writer_lock(archive.paths.lock("archive"), command="sync", now=START):
        open_database(archive.paths.index, bytes(32), create=True).close()
    for path in archive.root.rglob("*"):
        assert (path.stat().st_uid, path.stat().st_gid) == owner, path.name


def test_a_file_with_a_second_name_is_never_given_away(tmp_path: Path) -> None:
    """Who owns the archive could give a file of root's a name in it."""
    (tmp_path / "theirs").mkdir()
    if os.geteuid() == 0:
        os.chown(tmp_path / "theirs", 54_321, 54_322)
    (tmp_path / "mine").write_bytes(b"root's")
    os.link(tmp_path / "mine", tmp_path / "theirs" / "log")
    Disk().append(tmp_path / "theirs" / "log", b"more", at=6)
    assert (tmp_path / "mine").stat().st_uid == os.geteuid()


def test_the_folders_that_a_copy_lacks_are_made_anew_and_lost_packs_are_told(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive").create()
    for directory in (archive.paths.spool, archive.paths.pending):
        shutil.rmtree(directory)
    archive.collect().close()
    assert sorted(path.name for path in archive.paths.spool.iterdir()) == ["CACHEDIR.TAG"]
    assert archive.paths.pending.is_dir()
    shutil.rmtree(archive.paths.packs)
    with pytest.raises(DiskError, match="the folder of the packs is missing"):
        archive.collect()
    assert not archive.paths.packs.exists()


def test_what_belongs_to_somebody_else_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DiskError) as caught, translated(tmp_path / "pack"):
        raise PermissionError(errno.EACCES, "not yours")
    assert caught.value.hint == NOT_OURS
    with pytest.raises(DiskError) as caught, translated(tmp_path / "pack"):
        raise OSError(errno.EROFS, "read-only")
    assert caught.value.hint == READ_ONLY
    with pytest.raises(DiskError) as caught, translated(tmp_path / "pack"):
        raise OSError(errno.ENOSPC, "full")
    assert "free space" in (caught.value.hint or "")


def test_a_database_on_a_disk_that_is_read_only_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own words would be about a file that cannot be opened."""
    path = tmp_path / "archive.db"
    path.write_bytes(b"x")
    (tmp_path / "archive.db-wal").mkdir()  # as good a reason as any for SQLite to be refused
    with pytest.raises(DiskError, match="the disk refused a write"):
        open_database(path, bytes(32))

    class ReadOnly:
        f_flag = os.ST_RDONLY

    monkeypatch.setattr(os, "statvfs", lambda _: ReadOnly())
    with pytest.raises(DiskError, match="the disk is read-only") as caught:
        open_database(path, bytes(32))
    assert caught.value.hint == READ_ONLY


def test_a_path_that_sqlite_cannot_open_is_told_as_that(tmp_path: Path) -> None:
    place = tmp_path / os.fsdecode(b"archief-\xff")
    place.mkdir()
    with pytest.raises(UsageError, match="no UTF-8"):
        open_database(place / "archive.db", bytes(32), create=True)
    assert list(place.iterdir()) == []


def test_an_archive_never_moves_in_with_other_files(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(UsageError):
        create_layout(ArchivePaths(tmp_path), Disk())
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]


def test_no_archive_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NoArchiveError):
        ArchivePaths(tmp_path).require()


def test_no_cachedir_tag_stands_where_the_archive_itself_would_be_left_out(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive").create()
    assert [p.parent.name for p in archive.root.rglob("CACHEDIR.TAG")] == ["spool"]


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "ab" * 31, "ab" * 32 + "\n"])
def test_a_pack_name_is_checked_before_it_becomes_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="64 hex"):
        ArchivePaths(tmp_path).pack(name)


def test_sweeping_takes_temporary_files_and_nothing_else(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive").create()
    (archive.paths.packs / "ab").mkdir()
    for path in (
        archive.paths.packs / "ab" / "x.pack.tmp",
        archive.paths.packs / "y.tmp",
        archive.paths.pending / "z.tmp",
    ):
        path.write_bytes(b"half")
    keep = archive.paths.pending / "z.pending"
    keep.write_bytes(b"whole")
    assert sweep_temporary(archive.paths, Disk()) == 3
    assert keep.exists()
    assert not list(archive.root.rglob("*.tmp"))


def test_a_durable_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    for octets in (b"old", b"new, and longer"):
        write_durably(Disk(), path, octets)
        assert path.read_bytes() == octets
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["keyring.json"]


def test_a_full_disk_is_told_as_such_and_leaves_the_old_file(tmp_path: Path) -> None:
    class Full(Disk):
        def sync_file(self, path: Path) -> None:
            super().sync_file(Path("/dev/full/none"))

    path = tmp_path / "keyring.json"
    path.write_bytes(b"old")
    with pytest.raises(DiskError) as caught:
        write_durably(Full(), path, b"new")
    assert caught.value.hint
    assert path.read_bytes() == b"old"


def _hold(path: Path, held: Event, release: Event) -> None:
    with writer_lock(path, command="sync", now=START):
        held.set()
        release.wait(20)


def test_the_lock_names_its_holder_and_ends_with_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    path = tmp_path / "collect.lock"
    process = context.Process(target=_hold, args=(path, held, release))
    process.start()
    try:
        assert held.wait(20)
        waits: list[float] = []
        with (
            pytest.raises(LockedError) as caught,
            writer_lock(path, command="import", now=START, wait_seconds=0.2, sleep=waits.append),
        ):
            pytest.fail("two holders")
        assert "`archiver sync`" in caught.value.message
        assert str(process.pid) in caught.value.message
        assert "2025-03-01T09:00" in caught.value.message
        assert sum(waits) == pytest.approx(0.2)
    finally:
        process.kill()
        process.join()
    with writer_lock(path, command="import", now=START):
        assert b"import" in path.read_bytes()


@pytest.mark.parametrize("stale", [b"", b"not json", b"[]", b'{"pid": "x"}', b"\xff\xfe"])
def test_stale_text_in_a_lock_file_is_harmless(tmp_path: Path, stale: bytes) -> None:
    path = tmp_path / "archive.lock"
    path.write_bytes(stale)
    with writer_lock(path, command="sync", now=START):
        path.write_bytes(stale)
        with pytest.raises(LockedError, match="another process"), writer_lock(path, command="sync", now=START):
            pytest.fail("two holders")


def test_nothing_readable_of_a_message_is_on_disk(tmp_path: Path) -> None:
    from archiver.model.octets import BytesOctets
    from tests.twins.archive import INBOX, entry

    archive = Archive(tmp_path / "archive").create()
    store = archive.collect()
    epoch = store.open_epoch("canary-account", INBOX, 7)
    octets = mail(1) + b"canary-in-the-mail"
    store.add(epoch, entry(1, octets, keywords=["canary-keyword"]), BytesOctets(octets))
    store.note_failed(epoch, 2, "canary-reason")
    store.flush()
    archive.ingest()
    for path in archive.root.rglob("*"):
        if path.is_file():
            assert b"canary-" not in path.read_bytes(), path.name
    store.close()


def test_a_holder_sees_that_somebody_waits_and_only_as_long_as_he_does(tmp_path: Path) -> None:
    path = tmp_path / "archive.lock"
    seen: list[bool] = []
    with writer_lock(path, command="sync", now=START):
        assert not is_wanted(path)
        with pytest.raises(LockedError), writer_lock(path, command="edit", now=START):
            pass
        assert not is_wanted(path), "who does not wait does not ask anybody to step aside"
        with (
            pytest.raises(LockedError),
            writer_lock(
                path, command="edit", now=START, wait_seconds=0.1, sleep=lambda _: seen.append(is_wanted(path))
            ),
        ):
            pass
        assert seen
        assert all(seen)
        assert not is_wanted(path)
    with writer_lock(path, command="edit", now=START):
        assert not is_wanted(path)
