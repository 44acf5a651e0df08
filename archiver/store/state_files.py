"""Which files of an archive's directory are STATE, and a consistent copy of them while others read.

Knows what is left out (what is rebuilt, locks, what a kill left) and copies everything else: a later release's file is
taken along too. Needs no key: archive.db is copied with its log as they stand, under the "archive" lock, so nobody
writes them, and under SQLite's own shared lock, so that no other program that closes it moves the one into the other.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from archiver.crypto.backup_file import StateFile
from archiver.errors import DiskError, IntegrityError, LockedError, hint_for, shortage
from archiver.store.durable import Disk, opened
from archiver.store.layout import ArchivePaths

_LEFT_OUT = re.compile(
    r"(packs|spool|quarantine|lost\+found|\..*|index\.db.*|collect\.db.*|archive\.db-(shm|journal)"
    r"|.*\.(lock|wanted|tmp|partial)|.*\.next(-.*)?|backup\.json|archiver-backup\.json)"
)
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_PIECE = 1 << 20

# sqlite3.c, os.h: a reader's lock is on these bytes of the database file.
_SHARED_FIRST, _SHARED_SIZE = 0x40000002, 510
_CLOSING_SECONDS = 10.0


def state_files(paths: ArchivePaths) -> list[str]:
    """Return the files of STATE, relative to the archive's root, in order; links and odd names are passed over."""
    found: list[str] = []
    for entry in sorted(paths.root.iterdir()):
        if _LEFT_OUT.fullmatch(entry.name) or not _NAME.fullmatch(entry.name) or entry.is_symlink():
            continue
        if entry.is_dir():
            found += [
                f"{entry.name}/{inner.name}"
                for inner in sorted(entry.iterdir())
                if inner.is_file() and not inner.is_symlink()
                if _NAME.fullmatch(inner.name) and not _LEFT_OUT.fullmatch(inner.name)
            ]
        elif entry.is_file():
            found.append(entry.name)
    return found


def state_size(paths: ArchivePaths) -> int:
    """Return how many bytes STATE has now."""
    total = 0
    for name in state_files(paths):
        with contextlib.suppress(FileNotFoundError):
            total += (paths.root / name).stat().st_size
    return total


def copy_state(paths: ArchivePaths, target: Path, disk: Disk) -> tuple[StateFile, ...]:
    """Copy STATE into an empty directory, not durable yet; only under the "archive" lock.

    Deliveries that arrive meanwhile are left to the next backup; the packs of those copied are there already. Raises
    IntegrityError when a file cannot be read, LockedError when archive.db was written all the same, DiskError.
    """
    trail = f"{paths.audit.name}/"
    for directory in (paths.pending, paths.audit):
        disk.make_directory(target / directory.name)
    copied = []

    def copy(name: str, limit: int | None = None) -> None:
        if "/" in name:
            disk.make_directory(target / name.partition("/")[0])
        copied.append(StateFile(name, *copy_file(paths.root / name, target / name, disk, limit=limit)))

    # The trail first: what is read while the rest is copied belongs to a later state.
    with _trail_at_rest(paths):
        # A search waits for this lock before it shows anything: what only grows is measured now and copied later.
        names = [name for name in state_files(paths) if name.startswith(trail)]
        growing = {name: (paths.root / name).stat().st_size for name in names if name.endswith(".log")}
        for name in names:
            if name not in growing:
                copy(name)
    for name, size in growing.items():
        copy(name, size)
    with _undisturbed(paths.database):
        before = _stamps(paths)
        for name in state_files(paths):
            if not name.startswith(trail):
                copy(name)
        if _stamps(paths) != before:
            raise LockedError(
                "archive.db was written while it was copied, in spite of its lock",
                hint="see that the archive lies on a file system with locks, then run it again",
            )
    return tuple(sorted(copied, key=lambda file: file.path))


def sync_state(target: Path, state: tuple[StateFile, ...], disk: Disk) -> None:
    """Make a copy of STATE durable, without its own name."""
    for file in state:
        disk.sync_file(target / file.path)
    for directory in (*(entry for entry in target.iterdir() if entry.is_dir()), target):
        disk.sync_directory(directory)


def copy_file(source: Path, target: Path, disk: Disk, *, limit: int | None = None) -> tuple[int, str]:
    """Copy a file of any size, or its first `limit` bytes; return its bytes and SHA-256. Not durable yet.

    Raises IntegrityError when the source cannot be read, DiskError when the target cannot be written.
    """
    digest, size = sha256(), 0
    with disk.writing(target) as file:
        for piece in pieces_of(source):
            kept = piece if limit is None else piece[: limit - size]
            digest.update(kept)
            size += len(kept)
            file.write(kept)
            if len(kept) < len(piece):
                break
    return size, digest.hexdigest()


def pieces_of(path: Path) -> Iterator[bytes]:
    """Yield a file's octets; raises IntegrityError naming it when it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise shortage(error) or _unreadable(path, error) from error
    try:
        while True:
            try:
                piece = os.read(descriptor, _PIECE)
            except OSError as error:
                raise _unreadable(path, error) from error
            if not piece:
                return
            yield piece
    finally:
        os.close(descriptor)


def digest_of(path: Path) -> tuple[int, str]:
    """Return a file's bytes and SHA-256; raises IntegrityError when it cannot be read."""
    digest, size = sha256(), 0
    for piece in pieces_of(path):
        digest.update(piece)
        size += len(piece)
    return size, digest.hexdigest()


def _unreadable(path: Path, error: OSError) -> IntegrityError:
    return IntegrityError(
        f"{path.name} cannot be read: {os.strerror(error.errno or 0)}",
        what=path.name,
        hint="run as the user who owns it; if the disk is failing, `archiver verify` tells what is damaged",
    )


def _stamps(paths: ArchivePaths) -> list[tuple[int, int, int] | None]:
    found: list[tuple[int, int, int] | None] = []
    for path in (paths.database, paths.database.with_name(paths.database.name + "-wal")):
        try:
            status = path.stat()
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return found


@contextlib.contextmanager
def _undisturbed(database: Path) -> Iterator[None]:
    """Hold what SQLite takes for another reader, so that closing a connection moves no page of the log.

    These locks belong to the process: nothing else in it may have the database open.
    """
    try:
        descriptor = os.open(database, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise shortage(error) or _unreadable(database, error) from error
    try:
        end = time.monotonic() + _CLOSING_SECONDS
        while True:
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, _SHARED_SIZE, _SHARED_FIRST)
                break
            except OSError as error:
                if time.monotonic() > end:
                    raise LockedError(
                        "archive.db is being written by another process", hint="try again in a moment"
                    ) from error
                time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _trail_at_rest(paths: ArchivePaths) -> Iterator[None]:
    """Keep the audit trail from growing, so that its files are of one moment."""
    try:
        descriptor = opened(paths.lock("audit"), os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise shortage(error) or DiskError(
            f"audit.lock: {os.strerror(error.errno or 0)}",
            hint=hint_for(error, "check the owner and the mode of the archive"),
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
