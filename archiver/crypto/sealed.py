"""One sealed record: a message under a key of its own (docs/format.md §6).

Knows the record's octets and nothing of packs, names of files or where DEKs are kept. At most 8 MiB are sealed whole;
above that `StreamSealer` and `open_stream` work with flat memory. Nothing is inflated before its tag has verified, and
never beyond the length that the sealed part states.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, Final

from msgspec import Struct

from archiver.crypto.aead import gcm
from archiver.crypto.chunks import CHUNK, PREFIX, TAG, BrokenChunkError, ChunkSealer, open_chunks
from archiver.crypto.derive import Random, bind, equal, expand
from archiver.crypto.dictionary import DICTIONARY
from archiver.errors import FormatError, IntegrityError
from archiver.model.message import BlobId

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC: Final = b"AVR1"
ALGORITHM: Final = 1
CHUNKED: Final = 1
WHOLE_LIMIT: Final = 8 << 20
"""Raw octets that may be sealed whole; more go through `StreamSealer`."""
RECORD_HEADER_LENGTH: Final = 92
DEK_LENGTH: Final = 32

_HEADER: Final = struct.Struct(">4sBBH32sQ12s32s")
_RAW_LENGTH: Final = struct.Struct(">Q")
_LEVEL: Final = 6
_MIN_SEALED: Final = _RAW_LENGTH.size + 1 + TAG
_MAX_WHOLE_SEALED: Final = 9 << 20
_MAX_SEALED: Final = 1 << 43


class RecordHeader(Struct, frozen=True):
    """The clear part of a record, range-checked and not yet authenticated; `sealed_length` excludes the header."""

    blob_id: BlobId
    chunked: bool
    sealed_length: int
    nonce: bytes
    commitment: bytes

    @property
    def record_length(self) -> int:
        """Bytes from this header to the next record's."""
        return RECORD_HEADER_LENGTH + self.sealed_length


def _damaged(what: str, reason: str) -> IntegrityError:
    return IntegrityError(
        f"{what}: {reason}", what=what, hint="restore the pack from a backup; `archiver verify` lists all"
    )


def _name(blob_id: bytes) -> str:
    return f"message {blob_id.hex()[:12]}"


def parse_record_header(octets: bytes) -> RecordHeader:
    """Read the header at the start of `octets`, without any key.

    Raises IntegrityError when it is cut or out of range, FormatError when its version or algorithm is unknown.
    """
    if len(octets) < RECORD_HEADER_LENGTH:
        raise _damaged("sealed record", "the header is cut off")
    magic, algorithm, flags, reserved, blob_id, length, nonce, commitment = _HEADER.unpack_from(octets)
    if magic != MAGIC:
        if b"AVR2" <= magic <= b"AVR9":
            raise FormatError("a sealed record has a newer format", hint="upgrade archiver")
        raise _damaged("sealed record", "this is not the start of one")
    if algorithm != ALGORITHM:
        raise FormatError("a sealed record uses an algorithm that this release does not know", hint="upgrade archiver")
    chunked = flags == CHUNKED
    if flags not in (0, CHUNKED) or reserved or (chunked and any(nonce[PREFIX:])):
        raise _damaged("sealed record", "reserved bits are set")
    if not _MIN_SEALED <= length <= (_MAX_SEALED if chunked else _MAX_WHOLE_SEALED):
        raise _damaged("sealed record", "its length is out of range")
    return RecordHeader(BlobId(blob_id), chunked, length, nonce, commitment)


def _header(header: RecordHeader) -> bytes:
    flags = CHUNKED if header.chunked else 0
    return _HEADER.pack(
        MAGIC, ALGORITHM, flags, 0, header.blob_id, header.sealed_length, header.nonce, header.commitment
    )


def _context(archive_id: bytes, blob_id: bytes, *, chunked: bool) -> bytes:
    return bind(MAGIC, bytes((ALGORITHM, CHUNKED if chunked else 0)), archive_id, b"record", blob_id)


def _body_key(dek: bytes) -> bytes:
    return expand(dek, b"archiver 1 record body")


def _cipher(dek: bytes) -> AESGCM:
    return gcm(_body_key(dek))


def _commitment(dek: bytes) -> bytes:
    return expand(dek, b"archiver 1 record commitment")


def seal_record(octets: bytes, *, archive_id: bytes, blob_id: bytes, random: Random) -> tuple[bytes, bytes]:
    """Seal at most `WHOLE_LIMIT` octets; return the record and its DEK, after the record was opened again and compared.

    Raises IntegrityError when what was sealed does not open to the same octets: the machine is then broken.
    """
    if len(octets) > WHOLE_LIMIT:
        raise ValueError("larger messages go through StreamSealer")
    dek, nonce = random(DEK_LENGTH), random(12)
    cipher = _cipher(dek)
    context = _context(archive_id, blob_id, chunked=False)
    sealed = cipher.encrypt(nonce, _RAW_LENGTH.pack(len(octets)) + _deflate(octets), context)
    # Read back before anyone relies on it: memory and processors do err, and the server's copy may be gone tomorrow.
    if _open_whole(cipher, nonce, sealed, context, what=_name(blob_id), limit=WHOLE_LIMIT) != octets:
        raise _damaged(_name(blob_id), "sealing it did not give back the same octets")
    header = RecordHeader(
        BlobId(blob_id), chunked=False, sealed_length=len(sealed), nonce=nonce, commitment=_commitment(dek)
    )
    return _header(header) + sealed, dek


def open_record(record: bytes, *, archive_id: bytes, blob_id: bytes, dek: bytes, limit: int = 1 << 31) -> bytes:
    """Open one whole record into memory; `limit` bounds its raw octets.

    Raises IntegrityError naming the message when record, archive, blob id and key do not belong together to the last
    bit, FormatError for an unknown format. The caller compares the digest of the result with the blob id.
    """
    what = _name(blob_id)
    header = _checked(record[:RECORD_HEADER_LENGTH], blob_id, dek)
    if len(record) != header.record_length:
        raise _damaged(what, "its length is not the stated one")
    if header.chunked:
        opened = BytesIO()  # not a list to be joined: a large message would be in memory twice
        left = limit
        for piece in open_stream(BytesIO(record), 0, archive_id=archive_id, blob_id=blob_id, dek=dek):
            left -= len(piece)
            if left < 0:
                raise _damaged(what, "it is larger than stated")
            opened.write(piece)
        return opened.getvalue()
    context = _context(archive_id, blob_id, chunked=False)
    cipher = _cipher(dek)
    return _open_whole(cipher, header.nonce, record[RECORD_HEADER_LENGTH:], context, what=what, limit=limit)


def _checked(octets: bytes, blob_id: bytes, dek: bytes) -> RecordHeader:
    """Parse a header and see that it is this message's and committed to this key."""
    header = parse_record_header(octets)
    if header.blob_id != blob_id:
        raise _damaged(_name(blob_id), "another message lies in its place")
    if len(dek) != DEK_LENGTH or not equal(header.commitment, _commitment(dek)):
        raise _damaged(_name(blob_id), "its key is not the one it was sealed with")
    return header


def _deflate(octets: bytes) -> bytes:
    deflater = zlib.compressobj(_LEVEL, zdict=DICTIONARY)
    return deflater.compress(octets) + deflater.flush()


def _open_whole(cipher: AESGCM, nonce: bytes, sealed: bytes, context: bytes, *, what: str, limit: int) -> bytes:
    from cryptography.exceptions import InvalidTag

    try:
        plain = cipher.decrypt(nonce, sealed, context)
    except InvalidTag as error:
        raise _damaged(what, "its octets were changed") from error
    (length,) = _RAW_LENGTH.unpack_from(plain)
    if length > min(limit, WHOLE_LIMIT):
        raise _damaged(what, "it is larger than it may be")
    inflater = zlib.decompressobj(zdict=DICTIONARY)
    try:
        # One octet more than stated: 0 would mean "no bound", and a longer stream must show itself.
        octets = inflater.decompress(memoryview(plain)[_RAW_LENGTH.size :], length + 1)
    except zlib.error as error:
        raise _damaged(what, "its compressed form is wrong") from error
    if len(octets) != length or not inflater.eof or inflater.unused_data:
        raise _damaged(what, "its length is not the stated one")
    return octets


class StreamSealer:
    """Seals a message of any size into a file, chunk by chunk with flat memory.

    The file must be seekable: the header is written last, over the room left for it. A record counts as kept only after
    it was read back (`open_stream`) and its digest compared, which the caller does, since it hashes the pack anyway.
    """

    def __init__(self, file: BinaryIO, *, archive_id: bytes, blob_id: bytes, octets: int, random: Random) -> None:
        """Start at the file's position; `octets` is the exact raw size to come."""
        self.dek = random(DEK_LENGTH)
        self.offset = file.tell()
        self._file = file
        self._blob_id = BlobId(blob_id)
        self._left = octets
        self._nonce = random(PREFIX) + bytes(12 - PREFIX)
        file.write(bytes(RECORD_HEADER_LENGTH))
        self._chunks = ChunkSealer(
            file,
            key=_body_key(self.dek),
            prefix=self._nonce[:PREFIX],
            context=_context(archive_id, blob_id, chunked=True),
        )
        self._deflater = zlib.compressobj(_LEVEL, zdict=DICTIONARY)
        self._chunks.write(_RAW_LENGTH.pack(octets))

    def write(self, piece: bytes) -> None:
        """Append a piece; raises IntegrityError when more comes than was stated."""
        self._left -= len(piece)
        if self._left < 0:
            raise _damaged(_name(self._blob_id), "more octets arrived than were stated")
        for start in range(0, len(piece), CHUNK):
            self._chunks.write(self._deflater.compress(memoryview(piece)[start : start + CHUNK]))

    def finish(self) -> int:
        """Seal the rest and write the header; return the record's length. Flushes the file, does not sync it.

        Raises IntegrityError when fewer octets came than were stated.
        """
        if self._left:
            raise _damaged(_name(self._blob_id), "fewer octets arrived than were stated")
        self._chunks.write(self._deflater.flush())
        length = self._chunks.finish()
        end = self._file.tell()
        self._file.seek(self.offset)
        header = RecordHeader(
            self._blob_id, chunked=True, sealed_length=length, nonce=self._nonce, commitment=_commitment(self.dek)
        )
        self._file.write(_header(header))
        self._file.seek(end)
        self._file.flush()
        return RECORD_HEADER_LENGTH + length


def open_stream(
    file: BinaryIO, offset: int, *, archive_id: bytes, blob_id: bytes, dek: bytes, limit: int = 1 << 40
) -> Iterator[bytes]:
    """Open the record at `offset`, yielding pieces of at most 1 MiB; flat memory for chunked records.

    Raises as `open_record` does, possibly after pieces were yielded: they are provisional until the iteration ends.
    """
    what = _name(blob_id)
    file.seek(offset)
    header = _checked(file.read(RECORD_HEADER_LENGTH), blob_id, dek)
    if not header.chunked:
        octets = open_record(
            _header(header) + file.read(header.sealed_length), archive_id=archive_id, blob_id=blob_id, dek=dek
        )
        for start in range(0, len(octets), CHUNK):
            yield octets[start : start + CHUNK]
        return
    chunks = open_chunks(
        file,
        header.sealed_length,
        key=_body_key(dek),
        prefix=header.nonce[:PREFIX],
        context=_context(archive_id, blob_id, chunked=True),
    )
    try:
        yield from _inflate(chunks, what=what, limit=limit)
    except BrokenChunkError as error:
        raise _damaged(what, "its octets were changed or cut off") from error
    except zlib.error as error:
        raise _damaged(what, "its compressed form is wrong") from error


def _inflate(chunks: Iterator[bytes], *, what: str, limit: int) -> Iterator[bytes]:
    """Inflate verified chunks piece by piece, never beyond the length that the first one states."""
    inflater = zlib.decompressobj(zdict=DICTIONARY)
    left: int | None = None
    for chunk in chunks:
        data: bytes | memoryview = chunk
        if left is None:
            if len(chunk) < _RAW_LENGTH.size:
                raise _damaged(what, "it is shorter than it may be")
            (left,) = _RAW_LENGTH.unpack_from(chunk)
            if left > limit:
                raise _damaged(what, "it is larger than it may be")
            data = memoryview(chunk)[_RAW_LENGTH.size :]
        while True:
            piece = inflater.decompress(data, min(left, CHUNK - 1) + 1)
            left -= len(piece)
            if left < 0 or inflater.unused_data:
                raise _damaged(what, "its length is not the stated one")
            if piece:
                yield piece
            data = inflater.unconsumed_tail
            if not data and (len(piece) < CHUNK or inflater.eof):
                break
    if left != 0 or not inflater.eof:
        raise _damaged(what, "its length is not the stated one")
