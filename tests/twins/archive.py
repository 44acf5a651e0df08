"""A real archive in a temporary directory, with cheap keys: what store tests open, kill, damage and open again."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archiver.crypto.collector import CollectorCredential, create_credential
from archiver.crypto.epoch import EpochSecret
from archiver.crypto.kdf import KdfBounds, KdfParameters
from archiver.crypto.keyring import create_keyring
from archiver.model.address import EmailAddress
from archiver.model.catalogue import Ingested
from archiver.model.mailbox import MessageEntry, RemoteMailbox, Uid
from archiver.model.message import BlobId, Direction, Message
from archiver.model.status import Failure, MailboxStatus
from archiver.store.catalogue import SqliteCatalogue, create_catalogue, open_catalogue
from archiver.store.collect import SealedCollectStore, open_collect_store
from archiver.store.collect_db import CollectDatabase
from archiver.store.connection import open_database
from archiver.store.deliveries import PendingDeliveries
from archiver.store.durable import Disk
from archiver.store.layout import ArchivePaths, create_layout
from archiver.store.packs import PackVault

START = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)
INBOX = RemoteMailbox(b"INBOX", "INBOX", special_use="\\Inbox")
CHEAP = KdfParameters(passes=1, lanes=1, memory_kib=64)


def read_statuses(
    paths: ArchivePaths, credential: CollectorCredential
) -> tuple[Sequence[MailboxStatus], Sequence[Failure]]:
    """Return figures and failures as last committed, without any lock; nothing when nothing was ever collected."""
    if not paths.collect_database.exists():
        return [], []
    with open_database(paths.collect_database, credential.collect_key, readonly=True) as connection:
        database = CollectDatabase(connection, readonly=True)
        with connection.snapshot():
            return database.statuses(), database.failures()


@functools.cache
def keys() -> tuple[bytes, EpochSecret, CollectorCredential]:
    """Archive id, epoch secret and collector credential; made once, because key pairs are slow to make."""
    archive_id = os.urandom(16)
    _, secret, _ = create_keyring(
        archive_id=archive_id,
        passphrase="only for tests, long enough",
        kdf=CHEAP,
        bounds=KdfBounds.exactly(CHEAP),
        now=START,
        random=os.urandom,
    )
    return archive_id, secret, create_credential(archive_id=archive_id, random=os.urandom)


@dataclass
class Clock:
    """A clock that moves when told to."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Archive:
    """An archive's directory and the keys to it."""

    root: Path
    disk: Disk = field(default_factory=Disk)
    clock: Clock = field(default_factory=Clock)
    random: Callable[[int], bytes] = os.urandom
    """What DEKs and nonces, and so the names of packs and their directories, come from."""

    def __post_init__(self) -> None:
        self.archive_id, self.secret, self.credential = keys()
        self.paths = ArchivePaths(self.root)

    def create(self) -> Archive:
        create_layout(self.paths, Disk())
        create_catalogue(self.paths, self.secret.database_key, meta={"archive_id": self.archive_id})
        return self

    def collect(self) -> SealedCollectStore:
        return open_collect_store(
            self.paths,
            credential=self.credential,
            recipient=self.secret.ingest_key.public_key,
            epoch=self.secret.epoch,
            disk=self.disk,
            clock=self.clock,
            random=self.random,
        )

    def catalogue(self, *, readonly: bool = False) -> SqliteCatalogue:
        return open_catalogue(self.paths, self.secret.database_key, readonly=readonly)

    def deliveries(self) -> PendingDeliveries:
        return PendingDeliveries(self.paths, secrets=(self.secret,), disk=self.disk)

    def vault(self) -> PackVault:
        return PackVault(self.paths, archive_id=self.archive_id, digest_key=self.credential.digest_key)

    def ingest(self) -> None:
        """Take in everything that is pending; a message's subject is its first line."""
        catalogue, deliveries, vault = self.catalogue(), self.deliveries(), self.vault()
        try:
            for name in deliveries.waiting():
                delivery = deliveries.open(name)
                known = catalogue.known([record.blob_id for record in delivery.records])
                fresh = [record for record in delivery.records if record.blob_id not in known]
                messages = [message_of(record.blob_id, vault.read(delivery.pack or "", record)) for record in fresh]
                catalogue.take_in(delivery, messages)
                deliveries.done(name)
        finally:
            vault.close()
            catalogue.close()


def message_of(blob_id: BlobId, octets: bytes = b"", *, at: datetime = START, **fields: object) -> Ingested:
    """What the parser would make of a test message."""
    subject = octets.split(b"\r\n", 1)[0].decode("utf-8", "replace")
    values: dict[str, object] = {"subject": subject, "sent_at": at, "text": octets.decode("utf-8", "replace"), **fields}
    return Ingested(
        blob_id=blob_id,
        message=Message(**values),  # type: ignore[arg-type]
        direction=Direction.INCOMING,
        at=at,
        received_at=at,
        archived_at=START,
    )


def entry(uid: int, octets: bytes = b"", *, keywords: Sequence[str] = ()) -> MessageEntry:
    return MessageEntry(Uid(uid), len(octets), "01-Mar-2025 09:00:00 +0000", tuple(keywords))


def mail(number: int, *, size: int = 0) -> bytes:
    """A synthetic message, different for each number."""
    return f"Subject: message {number}\r\nFrom: a@example.test\r\n\r\nbody {number}\r\n".encode() + b"x" * size


def address(text: str) -> EmailAddress:
    return EmailAddress("", text)
