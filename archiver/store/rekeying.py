"""A new epoch's files beside the old ones, and the switch from these to those (docs/format.md §4, Rotation).

Knows the names (`*.next`), what is written before the commit point, and what is left to do after it. The commit point
itself is the renaming of keyring.json.next. Knows nothing of how keys are made. Everything here is done under the
"archive" lock.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from archiver.errors import DiskError, IntegrityError
from archiver.store.connection import StoreConnection, open_database
from archiver.store.durable import Disk
from archiver.store.layout import ArchivePaths

_SQLITE_SUFFIXES = ("-wal", "-shm", "-journal")
_MARGIN = 16 << 20
"""Octets that stay free beside the copies."""


def require_room(paths: ArchivePaths) -> None:
    """Raise DiskError when the disk has no room for a second archive.db and index.db."""
    files = (path.with_name(path.name + suffix) for path in (paths.database, paths.index) for suffix in ("", "-wal"))
    wanted = sum(path.stat().st_size for path in files if path.exists()) + _MARGIN
    free = free_octets(paths.root)
    if free < wanted:
        raise DiskError(
            f"a rotation needs {wanted >> 20} MiB for a second copy of the databases, and {free >> 20} MiB are free",
            hint="make room, then run it again; nothing was changed",
        )


def free_octets(directory: Path) -> int:
    """Return how much may still be written by somebody who is not root."""
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize


def rewrite(
    source: StoreConnection,
    target: Path,
    key: bytes,
    disk: Disk,
    *,
    facts: Mapping[str, bytes | str | int | None],
    read_back: bool = True,
) -> int:
    """Write all of a database anew under another key, durable on return; return its size in bytes.

    Row by row, not page by page: what was deleted is not in the new file, whatever the old pages still hold. `facts` go
    into the copy's `meta`, None deletes. The copy is read back whole, unless it could be made again anyway. Raises
    IntegrityError when the source is damaged or the copy does not read back, DiskError.
    """
    disk.create(target, b"")  # with our mode, not the umask's
    source.copy_into(target, key)
    with open_database(target, key) as copy:
        if facts:
            with copy.transaction():
                for name, value in facts.items():
                    if value is None:
                        copy.execute("DELETE FROM meta WHERE key = ?", (name,))
                    else:
                        copy.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
        found = copy.check() if read_back else ()
        if found or not copy.checkpoint():
            raise IntegrityError(
                f"{source.path.name} was written anew and does not read back",
                what=source.path.name,
                hint="check the disk and the memory of this machine, then run it again; nothing was changed",
            )
    disk.sync_file(target)
    return target.stat().st_size


def stage(paths: ArchivePaths, disk: Disk, *, archive_file: bytes, keyring: bytes) -> None:
    """Write the two small files of the new epoch; on return everything before the commit point is durable."""
    for path, octets in ((paths.archive_file, archive_file), (paths.keyring, keyring)):
        disk.create(paths.next(path), octets)
        disk.sync_file(paths.next(path))
    disk.sync_directory(paths.root)


def commit(paths: ArchivePaths, disk: Disk) -> None:
    """Pass the commit point: from here on the archive is of the new epoch, and `switch` follows, by whomever."""
    disk.rename(paths.next(paths.keyring), paths.keyring)
    disk.sync_directory(paths.root)


def switch(paths: ArchivePaths, disk: Disk) -> None:
    """Do what is left after the commit point; may be repeated. archive.json is last, and tells that all is done.

    Old logs go before a new database takes the name: SQLite would take their frames for its own. Who reads an old file
    keeps it as long as it is open.
    """
    for path in (paths.database, paths.index):
        if paths.next(path).exists():
            for suffix in _SQLITE_SUFFIXES:
                disk.remove(path.with_name(path.name + suffix))
            disk.sync_directory(paths.root)
            disk.rename(paths.next(path), path)
    disk.sync_directory(paths.root)
    if paths.next(paths.archive_file).exists():
        disk.rename(paths.next(paths.archive_file), paths.archive_file)
        disk.sync_directory(paths.root)


def sweep(paths: ArchivePaths, disk: Disk) -> bool:
    """Delete what a rotation left that ended before its commit point; True when there was something.

    Only when archive.json and keyring.json are of one epoch: else the files are those that `switch` needs.
    """
    left = [path for path in _files(paths) if path.exists()]
    for path in left:
        disk.remove(path)
    if left:
        disk.sync_directory(paths.root)
    return bool(left)


def _files(paths: ArchivePaths) -> list[Path]:
    found = []
    # keyring.json.next goes first: without it nothing of the rest can ever count.
    for path in (paths.keyring, paths.archive_file, paths.database, paths.index):
        following = paths.next(path)
        found += [following, *(following.with_name(following.name + suffix) for suffix in _SQLITE_SUFFIXES)]
    return found
