"""A parsed message: what the catalogue and the index need to know of octets.

Produced by `archiver.mail`, which never raises for bad mail: whatever was wrong is in `defects`. Everything here can be
derived again from the octets kept.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NewType

from msgspec import Struct

from archiver.model.address import EmailAddress

BlobId = NewType("BlobId", bytes)
"""Keyed digest (HMAC-SHA-256, 32 bytes) of the octets; its hex, shortened, is the id that people type."""


class Direction(StrEnum):
    """Which way a message went, seen from the configured identity."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"
    INTERNAL = "internal"
    OTHER = "other"


class PartKind(StrEnum):
    """What a leaf part is to a reader."""

    TEXT = "text"
    HTML = "html"
    ATTACHMENT = "attachment"
    INLINE = "inline"  # an image shown within the HTML, say
    MESSAGE = "message"  # message/rfc822, its own parts listed below it
    CALENDAR = "calendar"
    REPORT = "report"  # message/delivery-status, disposition notifications
    SIGNATURE = "signature"  # S/MIME or PGP


class Defect(Struct, frozen=True):
    """Something wrong with a message that was kept all the same; `code` is stable, `detail` holds no content of it."""

    code: str
    detail: str = ""


class Part(Struct, frozen=True):
    """One listed body part; `path` counts as IMAP does ("1.2", RFC 3501 §6.4.5), `size` is of the decoded octets.

    Members of TNEF (winmail.dat) and uuencoded blocks in text are listed with a path below the part that holds them.
    """

    path: str
    content_type: str
    kind: PartKind
    size: int
    filename: str | None = None
    content_id: str | None = None
    charset: str | None = None


class AttachedText(Struct, frozen=True):
    """What one attachment says: `path` is its part's, with ">" and a member's name for each container inside of it.

    A member of a container without text has "": its name is to be found all the same.
    """

    path: str
    text: str


class Message(Struct, frozen=True):
    """Header fields, text and parts of one message.

    `text` is what the sender wrote (own part), `quoted` what it repeats of others; both are plain text, from HTML where
    there is no text part. `arrived_at` is the date of the topmost Received field. `message_id` and the ids in
    `references` come without angle brackets. `root_id` has no place here: threads belong to the catalogue.

    What links a message to customers, beside the address fields: `author` wrote a message whose From a mailing list
    rewrote; `forwarded` are the senders of the messages that it forwards, outermost first, behind them whom those of
    the forwarder's own domain wrote to, and `forwarded_text` is what they wrote there (a piece of `quoted`, or of an
    attached message); `reported` are the recipients that a delivery
    report is about; `vat_numbers` are canonical, from subject, text and forwarded text. `automatic` says that a program
    sent it: a report, an absence note, a list, a newsletter.

    `attached` is the text of attachments, in the order of `parts`; what could not be read of one is a defect whose code
    begins with "attachment-". `language` is the ISO 639-1 code of the own text, None where it cannot be told.
    """

    subject: str = ""
    message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    sent_at: datetime | None = None
    arrived_at: datetime | None = None
    from_: tuple[EmailAddress, ...] = ()
    sender: tuple[EmailAddress, ...] = ()
    reply_to: tuple[EmailAddress, ...] = ()
    to: tuple[EmailAddress, ...] = ()
    cc: tuple[EmailAddress, ...] = ()
    bcc: tuple[EmailAddress, ...] = ()
    delivered_to: tuple[EmailAddress, ...] = ()
    list_id: str | None = None
    auto_submitted: str | None = None
    author: tuple[EmailAddress, ...] = ()
    forwarded: tuple[EmailAddress, ...] = ()
    reported: tuple[EmailAddress, ...] = ()
    vat_numbers: tuple[str, ...] = ()
    automatic: bool = False
    text: str = ""
    quoted: str = ""
    forwarded_text: str = ""
    attached: tuple[AttachedText, ...] = ()
    language: str | None = None
    parts: tuple[Part, ...] = ()
    defects: tuple[Defect, ...] = ()

    @property
    def attachments(self) -> tuple[Part, ...]:
        """The parts that a reader would call attachments."""
        return tuple(p for p in self.parts if p.kind in {PartKind.ATTACHMENT, PartKind.MESSAGE, PartKind.CALENDAR})
