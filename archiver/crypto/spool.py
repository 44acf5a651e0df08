"""A spool for octets being received: in memory while small, then encrypted on disk (`archiver.core.ports.Spool`).

The key lives in this process only and is new after every `truncate`; the file has no name, so nothing of it outlives
the process. Plain octets never reach the disk.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from archiver.crypto.chunks import CHUNK, PREFIX, BrokenChunkError, ChunkSealer, open_chunks
from archiver.crypto.derive import Random
from archiver.errors import DiskError, IntegrityError

MEMORY_LIMIT: Final = 8 << 20
_CONTEXT: Final = b"archiver 1 spool"


class EncryptedSpool:
    """Octets received piece by piece; read as often as wished, written no more once read from disk.

    `directory` should be on the archive's own disk: a memory-backed /tmp would defeat the bound on memory.
    """

    def __init__(self, directory: Path, *, random: Random, memory_limit: int = MEMORY_LIMIT) -> None:
        """Hold up to `memory_limit` bytes in memory; the file is made in `directory` only when more comes."""
        self._directory = directory
        self._random = random
        self._limit = memory_limit
        self._pieces: list[bytes] = []
        self._size = 0
        self._disk: _Disk | None = None
        self._closed = False

    @property
    def size(self) -> int:
        """Bytes written since the start or the last `truncate`."""
        return self._size

    def write(self, piece: bytes) -> None:
        """Append; raises DiskError when the disk refuses (full, for instance)."""
        if self._closed:
            raise ValueError("the spool is closed")
        self._size += len(piece)
        if self._disk is None and self._size <= self._limit:
            self._pieces.append(bytes(piece))
            return
        if self._disk is None:
            self._disk = _Disk(self._directory, self._random)
            for earlier in self._pieces:
                self._disk.write(earlier)
            self._pieces.clear()
        self._disk.write(piece)

    def truncate(self) -> None:
        """Forget what was written."""
        self._free()
        self._size = 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield pieces of at most 1 MiB; raises IntegrityError when the disk does not give back what was written."""
        if self._closed:
            raise ValueError("the spool is closed")
        if self._disk is not None:
            return self._disk.read()
        return self._from_memory()

    def close(self) -> None:
        """Free memory and file; may be called twice."""
        self._free()
        self._closed = True

    def _free(self) -> None:
        self._pieces.clear()
        if self._disk is not None:
            self._disk.close()
            self._disk = None

    def _from_memory(self) -> Iterator[bytes]:
        if len(self._pieces) > 1:
            self._pieces = [b"".join(self._pieces)]
        for octets in self._pieces:
            for start in range(0, len(octets), CHUNK):
                yield octets[start : start + CHUNK] if len(octets) > CHUNK else octets


class _Disk:
    """The file behind a spool: chunks under a key that exists nowhere else."""

    def __init__(self, directory: Path, random: Random) -> None:
        self._key, self._prefix = random(32), random(PREFIX)
        self._file = _anonymous_file(directory)
        self._sealer: ChunkSealer | None = ChunkSealer(self._file, key=self._key, prefix=self._prefix, context=_CONTEXT)
        self._length = 0

    def write(self, piece: bytes) -> None:
        if self._sealer is None:
            raise ValueError("the spool was read already; truncate it first")
        try:
            self._sealer.write(piece)
        except OSError as error:
            raise _disk_error(error) from error

    def read(self) -> Iterator[bytes]:
        try:
            if self._sealer is not None:
                self._length = self._sealer.finish()
                self._sealer = None
                self._file.flush()
            self._file.seek(0)
            yield from open_chunks(self._file, self._length, key=self._key, prefix=self._prefix, context=_CONTEXT)
        except BrokenChunkError as error:
            raise IntegrityError(
                "a message being received was damaged on its way over the disk",
                what="spool file",
                hint="check the disk; the message is fetched again by the next run",
            ) from error
        except OSError as error:
            raise _disk_error(error) from error

    def close(self) -> None:
        with contextlib.suppress(OSError):  # nothing in it is needed; a failing last write changes nothing
            self._file.close()


def _disk_error(error: OSError) -> DiskError:
    reason = os.strerror(error.errno) if error.errno else "error"
    return DiskError(
        f"the spool file cannot be used: {reason}", hint="free space in the archive's directory, then run it again"
    )


def _anonymous_file(directory: Path) -> BinaryIO:
    """Open a file without a name; where the file system has none (O_TMPFILE), one whose name is gone at once."""
    try:
        descriptor = os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except (OSError, AttributeError):
        try:
            descriptor, name = tempfile.mkstemp(prefix="spool-", suffix=".tmp", dir=directory)
            Path(name).unlink()
        except OSError as error:
            raise _disk_error(error) from error
    return os.fdopen(descriptor, "w+b")
