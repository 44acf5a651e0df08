"""Pending files: a delivery on its way from the collector to ingest (docs/format.md §8).

Sealed to the epoch's ingest key, bound to the file's name. Decoding is strict and comes after the tag; nothing is ever
unpickled.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec

from archiver.crypto.derive import bind, u32
from archiver.crypto.epoch import EpochSecret
from archiver.crypto.recipients import OVERHEAD, PublicKey
from archiver.errors import FormatError, IntegrityError, WrongKeyError
from archiver.model.delivery import Arrival, Delivery, SealedRecord
from archiver.model.message import BlobId

MAGIC: Final = b"AVP1"
PENDING_HEADER_LENGTH: Final = 32
_HEADER: Final = struct.Struct(">4sB3s16sII")
_ALGORITHM: Final = 1

_Octets32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
_Natural = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Uid = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]


class _Record(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    blob_id: _Octets32
    offset: _Natural
    length: _Natural
    octets: _Natural
    dek: _Octets32


class _Arrival(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    blob_id: _Octets32
    account: str
    mailbox: bytes
    mailbox_display: str
    special_use: str | None
    uid_validity: _Uid
    uid: _Uid
    received_at: str | None
    keywords: tuple[str, ...]
    archived_at: _Natural


class _Delivery(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    pack: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None
    records: tuple[_Record, ...]
    arrivals: tuple[_Arrival, ...]


def seal_delivery(delivery: Delivery, *, archive_id: bytes, epoch: int, name: str, recipient: PublicKey) -> bytes:
    """Build the pending file called `name` (without directory): it opens under that name only."""
    plain = msgspec.msgpack.encode(
        _Delivery(
            1,
            delivery.pack,
            tuple(_Record(r.blob_id, r.offset, r.length, r.octets, r.dek) for r in delivery.records),
            tuple(
                _Arrival(
                    a.blob_id,
                    _unicode(a.account),
                    a.mailbox,
                    _unicode(a.mailbox_display),
                    None if a.special_use is None else _unicode(a.special_use),
                    a.uid_validity,
                    a.uid,
                    None if a.received_at is None else _unicode(a.received_at),
                    tuple(_unicode(keyword) for keyword in a.keywords),
                    a.archived_at,
                )
                for a in delivery.arrivals
            ),
        )
    )
    sealed = recipient.seal(plain, info=_info(archive_id, name, epoch))
    return _HEADER.pack(MAGIC, _ALGORITHM, bytes(3), archive_id, epoch, len(sealed)) + sealed


def epoch_of(header: bytes) -> int | None:
    """Return the epoch that a pending file was sealed in, from its first 32 octets; None where they are no header."""
    if len(header) < PENDING_HEADER_LENGTH or header[:4] != MAGIC:
        return None
    epoch: int = _HEADER.unpack_from(header)[4]
    return epoch


def open_delivery(octets: bytes, *, name: str, secrets: Sequence[EpochSecret]) -> Delivery:
    """Open the pending file called `name` with the secret of its epoch.

    Raises IntegrityError naming it when it is damaged, renamed or another archive's, FormatError for an unknown
    version, WrongKeyError when its epoch is not among `secrets`.
    """
    if len(octets) < PENDING_HEADER_LENGTH:
        raise _damaged(name)
    magic, algorithm, reserved, archive_id, epoch, length = _HEADER.unpack_from(octets)
    if not b"AVP1" <= magic <= b"AVP9":
        raise _damaged(name)
    if (magic, algorithm) != (MAGIC, _ALGORITHM):
        raise FormatError(f"{name} has a format that this release does not know", hint="upgrade archiver")
    if any(reserved) or length < OVERHEAD or len(octets) != PENDING_HEADER_LENGTH + length:
        raise _damaged(name)
    if not any(secret.archive_id == archive_id for secret in secrets):
        raise _damaged(name)
    for secret in secrets:
        if (secret.archive_id, secret.epoch) == (archive_id, epoch):
            info = _info(archive_id, name, epoch)
            return _decode(secret.ingest_key.open(octets[PENDING_HEADER_LENGTH:], info=info, what=name), name)
    raise WrongKeyError(
        f"{name} was sealed in epoch {epoch}, whose key is not at hand", hint="restore the keyring.json of that time"
    )


def check_header(octets: bytes, *, name: str, archive_id: bytes | None) -> None:
    """Check what can be seen of a pending file without a key; raises IntegrityError naming it.

    A newer format passes: it is not for this release to judge.
    """
    if len(octets) < PENDING_HEADER_LENGTH:
        raise _damaged(name)
    magic, algorithm, reserved, of, _, length = _HEADER.unpack_from(octets)
    if not b"AVP1" <= magic <= b"AVP9":
        raise _damaged(name)
    if (magic, algorithm) != (MAGIC, _ALGORITHM):
        return
    if any(reserved) or length < OVERHEAD or len(octets) != PENDING_HEADER_LENGTH + length:
        raise _damaged(name)
    if archive_id is not None and of != archive_id:
        raise _damaged(name)


def _decode(plain: bytes, name: str) -> Delivery:
    try:
        read = msgspec.msgpack.decode(plain, type=_Delivery)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _damaged(name) from error
    return Delivery(
        read.pack,
        tuple(SealedRecord(BlobId(r.blob_id), r.offset, r.length, r.octets, r.dek) for r in read.records),
        tuple(
            Arrival(
                BlobId(a.blob_id),
                a.account,
                a.mailbox,
                a.mailbox_display,
                a.special_use,
                a.uid_validity,
                a.uid,
                a.received_at,
                a.keywords,
                a.archived_at,
            )
            for a in read.arrivals
        ),
    )


def _unicode(text: str) -> str:
    """Replace lone surrogates, which servers' names can leave behind and MessagePack cannot hold."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _info(archive_id: bytes, name: str, epoch: int) -> bytes:
    return bind(MAGIC, bytes((_ALGORITHM,)), archive_id, b"pending", name.encode("utf-8"), u32(epoch))


def _damaged(name: str) -> IntegrityError:
    return IntegrityError(
        f"the pending file {name} is damaged or not this archive's",
        what=name,
        hint="restore it from a backup, or collect again: the messages are still on the server unless deleted there",
    )
