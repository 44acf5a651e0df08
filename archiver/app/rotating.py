"""`archiver key rotate`: a new epoch. Databases are written anew, keys of messages are carried over, packs stay.

The order is that of docs/format.md §4, Rotation: everything new lies beside the old, durable, before one renaming makes
it count; what is left after that is done by whoever comes first. Needs nobody else's passphrase.
"""

from __future__ import annotations

import os
import time
from contextlib import closing
from datetime import datetime

from msgspec import Struct

from archiver.app import known_keyring
from archiver.app.auditing import record
from archiver.app.clocks import clock
from archiver.app.forgetting import earlier_is_needless
from archiver.app.opening import stored_credential
from archiver.app.unlocking import AskPassphrase, Keys, renewed, require_person
from archiver.config import Settings
from archiver.crypto.archive_file import create_archive_file
from archiver.crypto.epoch import EpochSecret
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.errors import IntegrityError, NoArchiveError, WrongKeyError
from archiver.store import rekeying
from archiver.store.catalogue import open_catalogue
from archiver.store.connection import open_database
from archiver.store.durable import Disk
from archiver.store.index_db import discard_index
from archiver.store.layout import ArchivePaths

AUDIT_KEY = "audit_key:"
"""Before the number of an epoch: the fact in archive.db that is the key of that epoch's audit log."""

_LOCK_WAIT = 60.0
"""Seconds to wait for another writer: a sync steps aside after the delivery at hand."""


class Rotation(Struct, frozen=True):
    """What a rotation did: the new epoch, slots it was sealed to, bytes written anew, and how long it took.

    `session_until` is when the unlocked session of this user ends, which goes on; None when there was none.
    """

    epoch: int
    slots: int
    octets: int
    seconds: float
    session_until: datetime | None = None


def key_rotate(
    settings: Settings, *, ask: AskPassphrase, bounds: KdfBounds = DEFAULT_BOUNDS, disk: Disk | None = None
) -> Rotation:
    """Make a new epoch with a person's passphrase or recovery code; killed anywhere, the old or the new one is whole.

    Raises LockedError, WrongKeyError, IntegrityError for a keyring that is not the archive's or a damaged archive.db,
    and DiskError when there is no room for a second copy of the databases.
    """
    from archiver.store.lock import writer_lock

    disk = disk or Disk()
    began = time.monotonic()
    keys = require_person(settings, ask=ask, bounds=bounds)
    paths = keys.paths
    with writer_lock(paths.lock("archive"), command="key rotate", now=clock(), wait_seconds=_LOCK_WAIT):
        keys = renewed(keys, locked=True)
        rekeying.sweep(paths, disk)
        rekeying.require_room(paths)
        secret, octets = _write_next(settings, keys, disk)
        rekeying.commit(paths, disk)
        rekeying.switch(paths, disk)
    until = _renew_session(secret)
    return Rotation(secret.epoch, len(keys.keyring.slots), octets, time.monotonic() - began, until)


def _write_next(settings: Settings, keys: Keys, disk: Disk) -> tuple[EpochSecret, int]:
    """Write everything of the next epoch beside what there is, durable; return its secret and the bytes written."""
    paths = keys.paths
    with closing(open_catalogue(paths, keys.secret.database_key)) as catalogue:
        # Before anything is sealed: a slot that somebody brought back must not get the new secret.
        known_keyring.settle(catalogue, keys.keyring)
        record(settings, keys, "key-rotate", numbers={"epoch": keys.secret.epoch + 1})
        credential = stored_credential(catalogue)
        before = keys.keyring
        if before.earlier_epochs and earlier_is_needless(keys):
            before = before.forget_earlier(keys.secret)
        keyring, secret = before.rotate(keys.secret, random=os.urandom)
        facts: dict[str, bytes | str | int | None] = {
            f"{AUDIT_KEY}{keys.secret.epoch}": keys.secret.audit_key,
            known_keyring.KNOWN: keyring.fingerprint,
            known_keyring.ANNOUNCED: None,
        }
        octets = rekeying.rewrite(
            catalogue.connection, paths.next(paths.database), secret.database_key, disk, facts=facts
        )
    octets += _write_next_index(paths, keys.secret, secret, disk)
    archive_file = create_archive_file(
        secret, credential, created=keys.archive.created, rotated=clock(), kdf=keys.archive.kdf
    )
    rekeying.stage(paths, disk, archive_file=archive_file.to_bytes(), keyring=keyring.to_bytes())
    return secret, octets


def _write_next_index(paths: ArchivePaths, old: EpochSecret, new: EpochSecret, disk: Disk) -> int:
    """Write index.db anew; one that is missing or damaged is left out, and the next search builds it."""
    try:
        with open_database(paths.index, old.index_key, synchronous="NORMAL") as connection:
            target = paths.next(paths.index)
            return rekeying.rewrite(connection, target, new.index_key, disk, facts={}, read_back=False)
    except (NoArchiveError, IntegrityError, WrongKeyError):
        discard_index(paths)
        disk.remove(paths.next(paths.index))
        return 0


def _renew_session(secret: EpochSecret) -> datetime | None:
    """Keep this user's unlocked session for the time it has left; other users unlock again."""
    from datetime import timedelta

    from archiver.crypto.session import UnlockSession

    session = UnlockSession(secret.archive_id, clock=clock)
    seconds = session.remaining()
    if not seconds or not session.store(secret, seconds=seconds):
        return None
    return clock() + timedelta(seconds=seconds)
