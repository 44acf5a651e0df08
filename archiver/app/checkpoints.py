"""Signed checkpoints of the audit trail: one a day, kept beside it until every anchor has it.

What is kept beside the trail is a line that may be known, and which anchors have it; whoever changes that file can at
worst have a checkpoint sent a second time, or a day late.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from archiver.app.clocks import clock
from archiver.crypto.audit import AuditKeys, Checkpoint, read_checkpoint
from archiver.errors import ArchiverError
from archiver.store.audit_log import AuditLog, Tail
from archiver.store.durable import Disk, write_durably
from archiver.store.layout import ArchivePaths

if TYPE_CHECKING:
    from collections.abc import Callable

    from archiver.app.unlocking import Keys
    from archiver.model.audit import AuditEvent
    from archiver.store.catalogue import SqliteCatalogue


class KeptCheckpoint(Struct, frozen=True):
    """The newest checkpoint's line, and the anchors that have it."""

    line: str
    anchored: tuple[str, ...] = ()

    @property
    def day(self) -> date | None:
        """The day (UTC) that it was made on; None for what is no checkpoint."""
        with suppress(ArchiverError):
            return read_checkpoint(self.line)[0].at.date()
        return None


def kept_checkpoint(paths: ArchivePaths) -> KeptCheckpoint | None:
    """Return the newest checkpoint as it is kept; None when there is none, or none that can be read."""
    try:
        return msgspec.json.decode(paths.checkpoint.read_bytes(), type=KeptCheckpoint)
    except (OSError, msgspec.DecodeError, UnicodeError):
        return None


def keep_checkpoint(paths: ArchivePaths, kept: KeptCheckpoint) -> None:
    """Keep a checkpoint, durably."""
    write_durably(Disk(), paths.checkpoint, msgspec.json.encode(kept) + b"\n")


def is_due(paths: ArchivePaths) -> bool:
    """Tell whether today (UTC) has no checkpoint yet."""
    kept = kept_checkpoint(paths)
    return kept is None or kept.day != clock().date()


def make_checkpoint(
    keys: Keys, audit: AuditKeys, event: AuditEvent, noted: Callable[[Tail, AuditKeys], str | None]
) -> str:
    """Sign what the trail and the archive are now, record that, keep it, and return the line.

    `event` is the record to make of it, without the line; `noted` says what is wrong with the end of the trail.
    Raises what opening the catalogue raises.
    """
    from msgspec.structs import replace

    from archiver.store.catalogue import open_catalogue

    catalogue = open_catalogue(keys.paths, keys.secret.database_key, readonly=True)
    try:
        contents = contents_digest(catalogue)
    finally:
        catalogue.close()
    line = ""

    def build(tail: Tail) -> bytes:
        nonlocal line
        line = audit.sign(
            Checkpoint(
                archive_id=audit.archive_id,
                epoch=audit.epoch,
                count=tail.sequence,
                head=tail.digest,
                contents=contents,
                keyring=keyring_digest(keys.paths),
                at=clock(),
            )
        )
        made = replace(event, note=line, tail=noted(tail, audit))
        return audit.seal(made, sequence=tail.sequence + 1, previous=tail.digest, random=os.urandom)

    AuditLog(keys.paths, audit.archive_id).append(audit.epoch, build)
    keep_checkpoint(keys.paths, KeptCheckpoint(line))
    return line


def contents_digest(catalogue: SqliteCatalogue) -> bytes:
    """Digest the set of messages and packs that the catalogue names, in no order of its own."""
    digest = hashlib.sha256()
    messages = sorted(catalogue.blob_ids())
    digest.update(len(messages).to_bytes(8, "big"))
    for blob_id in messages:
        digest.update(blob_id)
    for pack in sorted(catalogue.pack_names()):
        digest.update(bytes.fromhex(pack))
    return digest.digest()


def keyring_digest(paths: ArchivePaths) -> bytes:
    """Digest the key slots as they are on disk."""
    return hashlib.sha256(paths.keyring.read_bytes()).digest()
