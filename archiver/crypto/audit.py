"""Records of the audit trail, its checkpoints, and the keys of both (docs/format.md, Audit trail).

Knows one record's octets and one checkpoint's line; nothing of files, nor of what makes a whole trail sound. The frame
(everything but the sealed text) is read without any key.

Records are sealed with AES-256-GCM under a key of their own. A reader has loaded that cipher by the time that it has a
snippet to show, so that only a search that finds nothing waits for it here.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from archiver.crypto.aead import gcm
from archiver.crypto.derive import Random, bind, expand
from archiver.errors import FormatError, IntegrityError, UsageError
from archiver.model.audit import AuditEvent

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC: Final = b"AVA1"
END: Final = b"AVAz"
HEADER_LENGTH: Final = 72
TRAILER_LENGTH: Final = 8
MAX_FRAME: Final = 1 << 20
"""Octets of one record, header and trailer included; no larger one is written."""
TAG_LENGTH: Final = 16
MIN_FRAME: Final = HEADER_LENGTH + TAG_LENGTH + TRAILER_LENGTH

_ALGORITHM: Final = 1
_HEADER: Final = struct.Struct(">4sB3sIIQ32s12s4s")
_NONCE_LENGTH: Final = 12
_TRAILER: Final = struct.Struct(">I4s")
_MAX_SEQUENCE: Final = (1 << 63) - 1
_LINE: Final = "archiver-checkpoint"
_SIGNATURE_LENGTH: Final = 64
"""Octets of an Ed25519 signature (RFC 8032, section 5.1.6)."""


class FrameHeader(Struct, frozen=True):
    """The clear part of a record, range-checked and not yet authenticated."""

    epoch: int
    sequence: int
    previous: bytes
    nonce: bytes
    sealed_length: int

    @property
    def frame_length(self) -> int:
        """Octets of the whole record."""
        return HEADER_LENGTH + self.sealed_length + TRAILER_LENGTH


class BrokenFrameError(ValueError):
    """These octets are no whole record; the text says why."""


def genesis(archive_id: bytes) -> bytes:
    """Return what the first record of an archive names as the one before it."""
    return hashlib.sha256(bind(b"archiver 1 audit chain", archive_id)).digest()


def digest_of(frame: bytes) -> bytes:
    """Return the digest by which the next record names this one."""
    return hashlib.sha256(frame).digest()


def trailing_length(tail: bytes) -> int | None:
    """Return the length of the record that ends these octets, by its trailer; None when none does."""
    if len(tail) < TRAILER_LENGTH:
        return None
    length, end = _TRAILER.unpack_from(tail, len(tail) - TRAILER_LENGTH)
    return int(length) if end == END and MIN_FRAME <= length <= MAX_FRAME else None


def parse_header(octets: bytes) -> FrameHeader:
    """Read the header at the start of these octets; raises BrokenFrameError, FormatError for a newer format."""
    if len(octets) < HEADER_LENGTH:
        raise BrokenFrameError("it is cut off")
    magic, algorithm, reserved, epoch, length, sequence, previous, nonce, spare = _HEADER.unpack_from(octets)
    if magic != MAGIC:
        if b"AVA2" <= magic <= b"AVA9":
            raise FormatError("the audit trail has a newer format", hint="upgrade archiver")
        raise BrokenFrameError("this is not the start of a record")
    if algorithm != _ALGORITHM or any(reserved) or any(spare) or not epoch or not 1 <= sequence <= _MAX_SEQUENCE:
        raise BrokenFrameError("its header is out of range")
    if not MIN_FRAME <= length + HEADER_LENGTH + TRAILER_LENGTH <= MAX_FRAME:
        raise BrokenFrameError("its length is out of range")
    return FrameHeader(epoch, sequence, previous, nonce, length)


def parse_frame(octets: bytes) -> FrameHeader:
    """Read a whole record's frame; raises BrokenFrameError."""
    header = parse_header(octets)
    if header.frame_length != len(octets) or trailing_length(octets) != len(octets):
        raise BrokenFrameError("its end does not fit its header")
    return header


class AuditKeys:
    """The keys of one epoch's records, from its audit key; shows nothing of itself."""

    __slots__ = ("_key", "archive_id", "epoch")

    def __init__(self, audit_key: bytes, *, archive_id: bytes, epoch: int) -> None:
        self._key = audit_key
        self.archive_id = archive_id
        self.epoch = epoch

    def __repr__(self) -> str:
        return f"AuditKeys(epoch={self.epoch}, …)"

    def query_digest(self, query: str) -> bytes:
        """Return a query's keyed digest: the same for the same words, whatever their case and spacing."""
        words = " ".join(query.split()).casefold()
        return hmac.digest(expand(self._key, b"archiver 1 audit query"), words.encode("utf-8", "replace"), "sha256")

    def seal(self, event: AuditEvent, *, sequence: int, previous: bytes, random: Random) -> bytes:
        """Return the whole record; raises UsageError for one that is too large."""
        plain = msgspec.msgpack.encode(event)
        length = len(plain) + TAG_LENGTH
        total = HEADER_LENGTH + length + TRAILER_LENGTH
        if total > MAX_FRAME:
            raise UsageError("this is too much for one record of the audit trail", hint="ask for less at once")
        nonce = random(_NONCE_LENGTH)
        header = _HEADER.pack(MAGIC, _ALGORITHM, bytes(3), self.epoch, length, sequence, previous, nonce, bytes(4))
        return header + self._cipher().encrypt(nonce, plain, self._context(header)) + _TRAILER.pack(total, END)

    def open(self, frame: bytes, *, what: str) -> AuditEvent:
        """Open a whole record of this epoch; raises IntegrityError naming `what`, FormatError for a newer one."""
        try:
            header = parse_frame(frame)
        except BrokenFrameError as error:
            raise IntegrityError(f"{what}: {error}", what=what) from error
        from cryptography.exceptions import InvalidTag

        sealed = frame[HEADER_LENGTH:-TRAILER_LENGTH]
        try:
            plain = self._cipher().decrypt(header.nonce, sealed, self._context(frame[:HEADER_LENGTH]))
        except InvalidTag as error:
            raise IntegrityError(f"{what}: the record was changed, or is not of this archive", what=what) from error
        try:
            return msgspec.msgpack.decode(plain, type=AuditEvent)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise FormatError(f"{what}: a record that this release does not know", hint="upgrade archiver") from error

    def _cipher(self) -> AESGCM:
        return gcm(expand(self._key, b"archiver 1 audit record"))

    def _context(self, header: bytes) -> bytes:
        return bind(MAGIC, self.archive_id, b"audit", header)

    # --- checkpoints ----------------------------------------------------------------------------------------------

    def sign(self, checkpoint: Checkpoint) -> str:
        """Return the checkpoint as one printable line, signed."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        body = checkpoint.text()
        key = Ed25519PrivateKey.from_private_bytes(self._signing_seed())
        return f"{body} {_base64(key.sign(_signed(body)))}"

    def public_key(self) -> str:
        """Return the key that checks this epoch's checkpoints: Ed25519, 32 octets, base64url."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return _base64(Ed25519PrivateKey.from_private_bytes(self._signing_seed()).public_key().public_bytes_raw())

    def _signing_seed(self) -> bytes:
        return expand(self._key, b"archiver 1 audit checkpoint")


class Checkpoint(Struct, frozen=True):
    """What a checkpoint tells: `count` records, the last of digest `head`; digests of messages and packs, of keys."""

    archive_id: bytes
    epoch: int
    count: int
    head: bytes
    contents: bytes
    keyring: bytes
    at: datetime

    def text(self) -> str:
        """Return the line without its signature."""
        hexes = self.head.hex(), self.contents.hex(), self.keyring.hex()
        time = self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return " ".join((_LINE, "1", self.archive_id.hex(), str(self.epoch), str(self.count), *hexes, time))


def read_checkpoint(line: str) -> tuple[Checkpoint, bytes]:
    """Read a line and its signature, which is not checked; raises UsageError for what is no checkpoint."""
    fields = line.split()
    try:
        name, version, archive, epoch, count, head, contents, keyring, time, signature = fields
        found = Checkpoint(
            archive_id=_octets(archive, 16),
            epoch=int(epoch),
            count=int(count),
            head=_octets(head, 32),
            contents=_octets(contents, 32),
            keyring=_octets(keyring, 32),
            at=datetime.fromisoformat(time).astimezone(UTC),  # strptime takes 5 ms to load
        )
        sealed = urlsafe_b64decode(signature + "==")
    except ValueError:
        raise _no_checkpoint() from None
    if len(sealed) != _SIGNATURE_LENGTH:  # its end was cut off
        raise _no_checkpoint()
    # Only the one spelling that was signed: what reads otherwise was typed or changed.
    if (name, version) != (_LINE, "1") or " ".join(fields) != f"{found.text()} {_base64(sealed)}":
        raise _no_checkpoint()
    return found, sealed


def is_signed(checkpoint: Checkpoint, signature: bytes, public_key: str) -> bool:
    """Tell whether the holder of the key signed this checkpoint; needs no secret."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(public_key + "="))
        key.verify(signature, _signed(checkpoint.text()))
    except (InvalidSignature, ValueError):
        return False
    return True


def _signed(body: str) -> bytes:
    return bind(b"archiver 1 audit checkpoint", body.encode("ascii"))


def _octets(text: str, length: int) -> bytes:
    octets = bytes.fromhex(text)
    if len(octets) != length:
        raise ValueError(text)
    return octets


def _base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).decode("ascii").rstrip("=")


def _no_checkpoint() -> UsageError:
    return UsageError(
        "this is no line of a checkpoint", hint="a line that `archiver audit checkpoint` printed, whole and unchanged"
    )
