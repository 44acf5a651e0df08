"""Octets of any length sealed chunk by chunk with flat memory (docs/format.md §6).

The STREAM construction over AES-256-GCM: the nonce holds a prefix, the chunk's number and whether it is the last, so
chunks that are cut off, exchanged or doubled do not open. Knows neither records nor the names of files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from archiver.crypto.aead import gcm

CHUNK: Final = 1 << 20
TAG: Final = 16
PREFIX: Final = 7
MAX_CHUNKS: Final = 1 << 32


class BrokenChunkError(Exception):
    """A chunk does not open, or is missing; translated by whoever knows what it was part of."""


def nonce(prefix: bytes, counter: int, *, last: bool) -> bytes:
    """12 octets: prefix, number, last."""
    return prefix + counter.to_bytes(4, "big") + (b"\x01" if last else b"\x00")


class ChunkSealer:
    """Writes sealed chunks to a file; nothing is complete before `finish`."""

    def __init__(self, file: BinaryIO, *, key: bytes, prefix: bytes, context: bytes) -> None:
        """Start at the file's position. A key and prefix are used once; `context` is the additional data."""
        self._file = file
        self._cipher = gcm(key)
        self._prefix = prefix
        self._context = context
        self._counter = 0
        self._buffer = bytearray()
        self.sealed_length = 0

    def write(self, octets: bytes) -> None:
        """Append; a full chunk is sealed when more follows, since only then it is not the last."""
        view = memoryview(octets)
        while len(self._buffer) + len(view) > CHUNK:
            take = CHUNK - len(self._buffer)
            self._buffer += view[:take]
            view = view[take:]
            self._seal(last=False)
        self._buffer += view

    def finish(self) -> int:
        """Seal the last chunk, which is empty only when nothing was written; return the sealed length."""
        self._seal(last=True)
        return self.sealed_length

    def _seal(self, *, last: bool) -> None:
        sealed = self._cipher.encrypt(nonce(self._prefix, self._counter, last=last), self._buffer, self._context)
        self._file.write(sealed)
        self.sealed_length += len(sealed)
        self._counter += 1
        self._buffer.clear()


def open_chunks(file: BinaryIO, length: int, *, key: bytes, prefix: bytes, context: bytes) -> Iterator[bytes]:
    """Yield the plain chunks of `length` sealed octets from the file's position on.

    Raises BrokenChunkError at the first that does not open; what was yielded before is genuine but not known to be all.
    The position is kept here, so other readers of the same file object may move it in between.
    """
    from cryptography.exceptions import InvalidTag

    cipher = gcm(key)
    count = -(-length // (CHUNK + TAG))
    if not 1 <= count <= MAX_CHUNKS or length - (count - 1) * (CHUNK + TAG) < TAG:
        raise BrokenChunkError
    position = file.tell()
    for counter in range(count):
        last = counter == count - 1
        want = length - (count - 1) * (CHUNK + TAG) if last else CHUNK + TAG
        file.seek(position)
        sealed = file.read(want)
        if len(sealed) != want:
            raise BrokenChunkError
        position += want
        try:
            plain = cipher.decrypt(nonce(prefix, counter, last=last), sealed, context)
        except InvalidTag as error:
            raise BrokenChunkError from error
        yield plain
