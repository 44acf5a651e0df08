"""Erasing messages for good, over the real stores; there is no command for it yet.

What was begun is completed by `open_unlocked` for whoever writes next, and the collector hears of it at the latest when
the next sync starts: a sync that runs holds its store.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime

from msgspec import Struct

from archiver.app.auditing import record
from archiver.app.clocks import clock
from archiver.app.messages import Messages
from archiver.app.opening import Opened, open_collect_store, open_unlocked
from archiver.app.unlocking import AskPassphrase, require_keys
from archiver.config import Settings
from archiver.core import erasing
from archiver.core.ingest import take_in
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.errors import LockedError
from archiver.model.message import BlobId
from archiver.store.durable import Disk
from archiver.store.erasure_log import erasure_log_of, log_erasures

_READERS = 5.0
"""Seconds to wait for readers that hold an older page in a log."""


class ErasureReport(Struct, frozen=True):
    """How many messages were erased; `complete` is False while a reader holds an older page of them in a log."""

    messages: int
    complete: bool


def erase(
    settings: Settings, ids: Collection[str], *, ask: AskPassphrase, bounds: KdfBounds = DEFAULT_BOUNDS
) -> ErasureReport:
    """Erase the messages with these ids, or beginnings of them, for ever.

    Raises UsageError when an id names no message, or several; LockedError, WrongKeyError, IntegrityError, DiskError.
    """
    keys = require_keys(settings, ask=ask, bounds=bounds)
    with open_unlocked(settings, keys, write=True, command="erase") as opened:
        take_in(opened.ingest_ports())  # what waits could hold one of them
        messages = Messages(settings, opened)
        blob_ids = [messages.details(messages.resolve(each)).summary.blob_id for each in ids]
        record(settings, opened.keys, "erase", messages=blob_ids)
        complete = erase_from(opened, blob_ids, clock())
        tell_collector(settings, opened, wait=False)
    return ErasureReport(len(blob_ids), complete)


def erase_from(opened: Opened, blob_ids: Collection[BlobId], at: datetime) -> bool:
    """Erase messages of an archive that is open for writing, which takes in nothing afterwards; see `core.erasing`."""
    return erasing.erase(_ports(opened), blob_ids, at)


def complete_erasures(opened: Opened) -> bool:
    """Complete what a killed run, or one that met a slow reader, left; same answer as `erase_from`."""
    return erasing.complete(_ports(opened))


def tell_collector(settings: Settings, opened: Opened, *, wait: bool) -> None:
    """Have the collector know what was erased; without waiting for one that runs, the next sync does it."""

    def mark(_settled: Iterable[BlobId]) -> None:
        erased = [blob_id for blob_id, _ in opened.erasures.erased()]  # all: its store may be made anew for this
        with open_collect_store(settings, seed=opened.kept, erased=erased):
            pass

    with suppress(*(() if wait else (LockedError,))):
        erasing.tell_collector(opened.erasures, mark)


def _ports(opened: Opened) -> erasing.ErasePorts:
    ports = opened.ingest_ports()
    # The index syncs nothing as it commits; but once the catalogue, which does, says that the words are gone, nobody
    # takes them out again.
    opened.connection.execute("PRAGMA main.synchronous = FULL")

    def log(erased: Mapping[BlobId, datetime]) -> None:
        log_erasures(erasure_log_of(opened.keys.paths), erased, opened.credential.mac_key, Disk())

    def settle() -> bool:
        return opened.connection.checkpoint(wait_seconds=_READERS) and opened.catalogue.settle(wait_seconds=_READERS)

    return erasing.ErasePorts(opened.erasures, opened.index, ports.deliveries, opened.catalogue.known, log, settle)
