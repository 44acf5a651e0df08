"""What the collector hands to ingest: sealed records and where each message was seen.

A delivery travels sealed (HPKE) in `pending/`; only an unlocked archive can read it.
"""

from __future__ import annotations

from msgspec import Struct

from archiver.model.message import BlobId


class SealedRecord(Struct, frozen=True):
    """Where octets lie and the key that opens them: `offset`, `length` in bytes of the pack, `octets` the raw size."""

    blob_id: BlobId
    offset: int
    length: int
    octets: int
    dek: bytes


class Arrival(Struct, frozen=True):
    """One place where a message was seen.

    For imported mail `account` is "import", `mailbox` names the file or folder and uid_validity is 0, uid a counter.
    `received_at` is INTERNALDATE as the server wrote it, `archived_at` Unix seconds.
    """

    blob_id: BlobId
    account: str
    mailbox: bytes
    mailbox_display: str
    special_use: str | None
    uid_validity: int
    uid: int
    received_at: str | None
    keywords: tuple[str, ...]
    archived_at: int


class Delivery(Struct, frozen=True):
    """One batch: at most one pack (None when every message was already kept), its records, and the arrivals."""

    pack: str | None
    records: tuple[SealedRecord, ...]
    arrivals: tuple[Arrival, ...]
