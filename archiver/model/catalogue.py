"""What the catalogue knows of a message once it is taken in, as the reading commands need it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from archiver.model.message import BlobId, Defect, Direction, Message, Part

if TYPE_CHECKING:  # a search waits for every class that is made, and needs none of these
    from archiver.model.address import EmailAddress
    from archiver.model.files import FileType
    from archiver.model.link import Link


class Ingested(Struct, frozen=True):
    """A message ready for the catalogue. `at` is the instant it is sorted by (Date, held within reason by arrival).

    `codes` are the licence and reference numbers found in it (see `archiver.core.linking.mentions`), `links` is what
    the rules made of it all.
    """

    blob_id: BlobId
    message: Message
    direction: Direction
    at: datetime
    received_at: datetime | None
    archived_at: datetime
    codes: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


class Seen(Struct, frozen=True):
    """A location of a message, for people: account, mailbox as displayed, whether the UID is still current."""

    account: str
    mailbox: str
    uid_validity: int
    uid: int
    keywords: tuple[str, ...]


class Summary(Struct, frozen=True):
    """One line about a message: a search hit, a row of a thread. `row` is internal, `blob_id` is the identifier.

    `customers` are the references of those it is linked to, `candidates` of those it might belong to: never mixed.
    """

    row: int
    blob_id: BlobId
    thread: int
    message_id: str | None
    subject: str
    at: datetime
    sent_at: datetime | None
    direction: Direction
    from_: tuple[EmailAddress, ...]
    to: tuple[EmailAddress, ...]
    cc: tuple[EmailAddress, ...]
    mailboxes: tuple[str, ...]
    attachments: tuple[str, ...]
    preview: str
    customers: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    octets: int = 0
    language: str | None = None


class Details(Struct, frozen=True):
    """All the catalogue knows of one message."""

    summary: Summary
    bcc: tuple[EmailAddress, ...]
    reply_to: tuple[EmailAddress, ...]
    received_at: datetime | None
    archived_at: datetime
    octets: int
    parts: tuple[Part, ...]
    defects: tuple[Defect, ...]
    seen: tuple[Seen, ...]


class IndexDocument(Struct, frozen=True):
    """What the full-text index keeps of a message; plain text, folded by the index's own analysis.

    Address fields hold names and addr-specs separated by spaces, `filenames` likewise; `attachments` is their text, and
    `types` what kinds of files they are. `direction` and `language` are there to be counted, not to be searched for.
    """

    row: int
    subject: str
    from_: str
    to: str
    cc: str
    bcc: str
    text: str
    quoted: str
    filenames: str
    attachments: str = ""
    direction: Direction = Direction.OTHER
    language: str | None = None
    types: frozenset[FileType] = frozenset()


class Counts(Struct, frozen=True):
    """Totals of the catalogue."""

    messages: int
    octets: int
    defects: int
    newest: datetime | None
    oldest: datetime | None
    unlinked: int = 0
    customers: int = 0
