"""The frames between `archiver.mail.workers` and its worker processes.

Typed MessagePack, never pickle: a worker that a hostile message has taken over can send wrong values, but nothing
that runs. MessagePack's timestamps are in UTC, so the zone offsets travel beside the message.
"""

from __future__ import annotations

import struct
from datetime import datetime, timedelta, timezone

import msgspec
from msgspec.structs import replace

from archiver.model.message import Message

REQUEST = struct.Struct("<BHQ")
"""Mode, how many attachments not to read, then how many octets follow."""

REPLY = struct.Struct("<I")
"""How many octets of MessagePack follow; the first frame of a worker is empty and says that it is ready."""

INTERIM = 1 << 31
"""Set in a reply's length: this is the message so far, and the worker is about to read one of its attachments."""

MAX_REPLY = 64 << 20

HEADER_OCTETS = 256 << 10
"""Octets of a message that breaks its bounds that are read for its header."""

FULL = 0
HEADER_ONLY = {1: "parse-timeout", 2: "parse-memory", 3: "parse-crashed"}
"""Modes in which only the header is read, and the defect that the message then carries."""

ATTACHMENT = {1: "attachment-timeout", 2: "attachment-memory", 3: "attachment-crashed"}
"""The same ends of a worker, when it was reading an attachment: only that one is lost."""

WORKER_OUT_OF_MEMORY = 77
"""Exit code of a worker that could not even take a message in."""


class _Reply(msgspec.Struct, array_like=True):
    message: Message
    offsets: tuple[int, int]
    attachment: tuple[int, str] = (0, "")


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Reply)


def encode(message: Message, attachment: tuple[int, str] = (0, "")) -> bytes:
    """Encode, for an interim reply with the attachment that is about to be read.

    Raises ValueError (UnicodeEncodeError) for a text with lone surrogates, which parsing never gives.
    """
    return _ENCODER.encode(_Reply(message, (_offset(message.sent_at), _offset(message.arrived_at)), attachment))


def decode(octets: bytes | bytearray) -> Message:
    """Decode; raises ValueError for anything that `encode` does not make."""
    return decode_interim(octets)[0]


def decode_interim(octets: bytes | bytearray) -> tuple[Message, tuple[int, str]]:
    """Decode a message and which attachment is about to be read; raises ValueError as `decode` does."""
    try:
        reply = _DECODER.decode(octets)
    except msgspec.DecodeError as problem:
        raise ValueError(f"not a message: {type(problem).__name__}") from None
    message, (sent, arrived) = reply.message, reply.offsets
    if sent or arrived:
        message = replace(
            message, sent_at=_zoned(message.sent_at, sent), arrived_at=_zoned(message.arrived_at, arrived)
        )
    return message, reply.attachment


def _offset(moment: datetime | None) -> int:
    offset = moment.utcoffset() if moment is not None else None
    return int(offset.total_seconds()) if offset is not None else 0


def _zoned(moment: datetime | None, offset: int) -> datetime | None:
    if moment is None or not offset:
        return moment
    if not -86400 < offset < 86400:
        raise ValueError("not a message: zone offset")
    try:
        return moment.astimezone(timezone(timedelta(seconds=offset)))
    except OverflowError:
        return moment
