"""Durable file operations, behind one object so that tests can stop the world after each of them.

Knows the order that survives a power cut: temporary file, fsync, rename, fsync of the directory. Knows nothing of what
is written. Databases keep their own order (SQLite, synchronous=FULL) and do not pass here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from archiver.errors import DiskError, hint_for, shortage

TEMPORARY_SUFFIX = ".tmp"

_ROOT = 0

# include/uapi/linux/fcntl.h, fs.h: AT_FDCWD, RENAME_EXCHANGE.
_HERE, _EXCHANGE = -100, 2


class Disk:
    """The real file system. Each method is one step; a crash falls between two of them.

    Raises DiskError for whatever the operating system refuses (full, read-only, failing disk), except where said.
    """

    def create(self, path: Path, octets: bytes, *, mode: int = 0o600) -> None:
        """Create or replace `path` with these octets; not durable yet."""
        with translated(path):
            descriptor = opened(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                view = memoryview(octets)
                while view:
                    view = view[file.write(view) :]

    def append(self, path: Path, octets: bytes, *, at: int, mode: int = 0o600) -> None:
        """Write octets from this offset on, where the file ends or what is behind is to go; not durable yet."""
        with translated(path):
            descriptor = opened(path, os.O_WRONLY | os.O_CREAT, mode)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                file.truncate(at)
                file.seek(at)
                view = memoryview(octets)
                while view:
                    view = view[file.write(view) :]

    @contextlib.contextmanager
    def writing(self, path: Path, *, mode: int = 0o600) -> Iterator[BinaryIO]:
        """Create `path` for a writer that streams; the file is seekable, readable and not durable yet."""
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC
        with translated(path), os.fdopen(opened(path, flags, mode), "w+b") as file:
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
            if os.geteuid() == _ROOT:
                descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    _give(descriptor, path.parent)
                finally:
                    os.close(descriptor)
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


def opened(path: Path, flags: int, mode: int = 0o600) -> int:
    """Open a file of the archive, or make it; return the descriptor. Raises OSError; a symbolic link is not followed.

    What root makes is given to the owner of the directory, as SQLite does with its logs: else a single command that was
    run as root would keep the archive's own user out.
    """
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    if os.geteuid() == _ROOT:
        try:
            _give(descriptor, path.parent)
        except BaseException:
            os.close(descriptor)
            raise
    return descriptor


def _give(descriptor: int, directory: Path) -> None:
    """Give what root owns, under this name only, to the directory's owner."""
    mine, theirs = os.fstat(descriptor), directory.stat()
    if mine.st_uid == _ROOT != theirs.st_uid and (mine.st_nlink == 1 or stat.S_ISDIR(mine.st_mode)):
        os.fchown(descriptor, theirs.st_uid, theirs.st_gid)


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
        raise shortage(error) or DiskError(
            f"{path.name}: {os.strerror(error.errno) if error.errno else 'the disk refused'}",
            hint=hint_for(
                error, "free space or mend the disk, then run the command again: it goes on where it stopped"
            ),
        ) from error
