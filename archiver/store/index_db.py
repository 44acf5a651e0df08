"""index.db: opened, or made anew, beside the catalogue.

Knows that losing it loses nothing, so a damaged one is thrown away by whoever may write. What is in it is
`archiver.search`'s business.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from pathlib import Path

from archiver.errors import IntegrityError, NoArchiveError, WrongKeyError
from archiver.store.ciphers import fastest_cipher
from archiver.store.connection import StoreConnection, open_database
from archiver.store.durable import translated
from archiver.store.layout import ArchivePaths

CATALOGUE = "cat"
"""The name under which archive.db is attached."""

# linux/fs.h: FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_NODUMP_FL
_GET_FLAGS, _SET_FLAGS, _NO_DUMP = 0x80086601, 0x40086602, 0x00000040


def open_index(
    paths: ArchivePaths, index_key: bytes, database_key: bytes, *, readonly: bool = False
) -> StoreConnection:
    """Open index.db with archive.db attached read-only as `cat`.

    A writer (which holds the "archive" lock) gets an empty index instead of a missing or damaged one, or one of another
    key. A reader gets NoArchiveError or IntegrityError, whose hint says `archiver reindex`.
    """
    try:
        connection = open_index_file(paths.index, index_key, readonly=readonly)
    except (IntegrityError, WrongKeyError, NoArchiveError) as error:
        if readonly:
            raise _refusal(error) from error
        discard_index(paths)
        connection = open_index_file(paths.index, index_key)
    try:
        connection.attach(paths.database, database_key, CATALOGUE)
    except BaseException:
        connection.close()
        raise
    return connection


def _refusal(error: Exception) -> IntegrityError | NoArchiveError:
    """Return the error that a reader meets: a missing index or an unusable one, both with the same way out."""
    if isinstance(error, NoArchiveError):
        return NoArchiveError("there is no index yet", hint="run `archiver reindex`")
    return IntegrityError("the index is damaged", what="index.db", hint="run `archiver reindex`: nothing is lost")


def discard_index(paths: ArchivePaths) -> None:
    """Delete index.db with its log; it is built anew from the catalogue. Only under the "archive" lock."""
    for suffix in ("-wal", "-shm", "-journal", ""):
        with translated(paths.index):
            paths.index.with_name(paths.index.name + suffix).unlink(missing_ok=True)


def open_index_file(path: Path, key: bytes, *, readonly: bool = False) -> StoreConnection:
    """Open an index by itself; a writer makes one that is missing, with the fastest cipher. Errors of open_database."""
    fresh = not readonly and not (path.exists() and path.stat().st_size)
    cipher = fastest_cipher() if fresh else "chacha20"  # a file that is there says its own
    connection = open_database(path, key, readonly=readonly, create=not readonly, synchronous="NORMAL", cipher=cipher)
    if fresh:
        _mark_not_for_backup(path)
    return connection


def _mark_not_for_backup(path: Path) -> None:
    """Set the "no dump" attribute (chattr +d), which backup programs can honour; not every file system has it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            flags = struct.unpack("i", fcntl.ioctl(descriptor, _GET_FLAGS, struct.pack("i", 0)))[0]
            fcntl.ioctl(descriptor, _SET_FLAGS, struct.pack("i", flags | _NO_DUMP))
        finally:
            os.close(descriptor)
