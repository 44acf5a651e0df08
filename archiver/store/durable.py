"""Durable file operations, behind one object so that tests can stop the world after each of them.

Knows the order that survives a power cut: temporary file, fsync, rename, fsync of the directory. Knows nothing of what
is written. Databases keep their own order (SQLite, synchronous=FULL) and do not pass here.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from archiver.errors import DiskError

TEMPORARY_SUFFIX = ".tmp"

# include/uapi/linux/fcntl.h, fs.h: AT_FDCWD, RENAME_EXCHANGE.
_HERE, _EXCHANGE = -100, 2


class Disk:
    """The real file system. Each method is one step; a crash falls between two of them.

    Raises DiskError for whatever the operating system refuses (full, read-only, failing disk), except where said.
    """

    def create(self, path: Path, octets: bytes, *, mode: int = 0o600) -> None:
        """Create or replace `path` with these octets; not durable yet."""
        with translated(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                view = memoryview(octets)
                while view:
                    view = view[file.write(view) :]

    def append(self, path: Path, octets: bytes, *, at: int, mode: int = 0o600) -> None:
        """Write octets from this offset on, where the file ends or what is behind is to go; not durable yet."""
        with translated(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                file.truncate(at)
                file.seek(at)
                view = memoryview(octets)
                while view:
                    view = view[file.write(view) :]

    @contextlib.contextmanager
    def writing(self, path: Path, *, mode: int = 0o600) -> Iterator[BinaryIO]:
        """Create `path` for a writer that streams; the file is seekable, readable and not durable yet."""
        with translated(path):
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
            with os.fdopen(os.open(path, flags, mode), "w+b") as file:
                yield file

    def sync_file(self, path: Path) -> None:
        """Make the contents of a file durable; its name needs `sync_directory`."""
        self._sync(path, os.O_RDONLY)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file its final name, replacing what is there, in one step."""
        with translated(target):
            source.replace(target)

    def exchange(self, one: Path, other: Path) -> bool:
        """Have two names change places in one step (renameat2(2)); False where the file system cannot do that."""
        import ctypes

        call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
        if call is None:
            return False
        if call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
            return True
        number = ctypes.get_errno()
        if number in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
            return False
        with translated(other):
            raise OSError(number, os.strerror(number))

    def sync_directory(self, path: Path) -> None:
        """Make the names in a directory durable."""
        self._sync(path, os.O_RDONLY | os.O_DIRECTORY)

    def make_directory(self, path: Path) -> bool:
        """Create a directory with mode 0700; False when it exists. Durable after `sync_directory` of its parent."""
        with translated(path):
            try:
                path.mkdir(mode=0o700)
            except FileExistsError:
                return False
            return True

    def remove(self, path: Path) -> None:
        """Delete a file; no error when it is gone already."""
        with translated(path):
            path.unlink(missing_ok=True)

    def _sync(self, path: Path, flags: int) -> None:
        with translated(path):
            descriptor = os.open(path, flags | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def write_durably(disk: Disk, path: Path, octets: bytes, *, mode: int = 0o600) -> None:
    """Write a file so that after any crash it has its old or its new contents, and after returning the new ones."""
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    disk.create(temporary, octets, mode=mode)
    publish(disk, temporary, path)


def publish(disk: Disk, temporary: Path, path: Path) -> None:
    """Make a finished temporary file durable under its final name."""
    disk.sync_file(temporary)
    disk.rename(temporary, path)
    disk.sync_directory(path.parent)


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses about a file into a DiskError that names it."""
    try:
        yield
    except OSError as error:
        raise DiskError(
            f"{path.name}: {os.strerror(error.errno) if error.errno else 'the disk refused'}",
            hint="free space or mend the disk, then run the command again: it goes on where it stopped",
        ) from error
