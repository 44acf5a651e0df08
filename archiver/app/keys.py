"""`archiver key`: who can open the archive."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from archiver.app.clocks import clock
from archiver.app.known_keyring import accept, replace_keyring, settle
from archiver.app.unlocking import (
    AskPassphrase,
    Keys,
    read_public,
    read_public_file,
    renewed,
    require_person,
    write_new_private,
)
from archiver.config import Settings
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds, check_passphrase
from archiver.crypto.keyring import read_keyring
from archiver.crypto.machine import MachineKey
from archiver.crypto.slots import SlotInfo
from archiver.errors import ArchiverError, UsageError, WrongKeyError
from archiver.store.durable import Disk

if TYPE_CHECKING:
    from archiver.store.catalogue import SqliteCatalogue

_LOCK_WAIT = 10.0
"""Seconds to wait for another writer."""


class KeyList(Struct, frozen=True):
    """Who can open the archive, and since when the keys behind it are what they are.

    Read without a key, so believed only as far as the files' owner is. `rotated` is when the epoch began, None for the
    first one.
    """

    epoch: int
    created: datetime
    rotated: datetime | None
    slots: tuple[SlotInfo, ...]


def key_list(settings: Settings, *, bounds: KdfBounds = DEFAULT_BOUNDS) -> KeyList:
    """Return the slots; needs no key."""
    _, archive, keyring = read_public(settings, bounds=bounds)
    return KeyList(keyring.epoch, archive.created, archive.rotated, keyring.slots)


def key_add(
    settings: Settings,
    *,
    name: str,
    kind: Literal["passphrase", "recovery", "machine"],
    ask: AskPassphrase,
    new_passphrase: str | None = None,
    machine_key_file: Path | None = None,
    bounds: KdfBounds = DEFAULT_BOUNDS,
) -> str | None:
    """Add a slot; return the new recovery code when that is what was asked for.

    A machine key is written to `machine_key_file`, which must not exist, with mode 0600, before the slot is; when the
    slot cannot be written, it goes again.
    """
    keys = require_person(settings, ask=ask, bounds=bounds)
    paths = keys.paths
    with _changing(settings, keys, "key-add", f"{kind} {name}") as (keys, catalogue):
        keyring = keys.keyring
        code = None
        if kind == "passphrase":
            if new_passphrase is None:
                raise UsageError("a passphrase slot needs a passphrase")
            check_passphrase(new_passphrase)
            keyring = keyring.add_passphrase(
                keys.secret, name=name, passphrase=new_passphrase, kdf=keys.archive.kdf, now=clock(), random=os.urandom
            )
        elif kind == "recovery":
            keyring, code = keyring.add_recovery(keys.secret, name=name, now=clock(), random=os.urandom)
        else:
            if machine_key_file is None:
                raise UsageError("a machine slot needs a file for its key", hint="name one with --key-file")
            if paths.root.resolve() in machine_key_file.resolve().parents:
                raise UsageError(
                    "a key beside the data protects nothing", hint="put the key file outside the archive's directory"
                )
            keyring, machine_key = keyring.add_machine(keys.secret, name=name, now=clock(), random=os.urandom)
            _refuse_what_opens_nothing(keys, machine_key_file)
            write_new_private(machine_key_file, machine_key.to_bytes())
        try:
            replace_keyring(paths, catalogue, keys.keyring, keyring, disk=Disk())
        except BaseException:
            if machine_key_file is not None and not _has_slot(keys, name):
                with suppress(OSError):
                    machine_key_file.unlink()
            raise
    return code


def _has_slot(keys: Keys, name: str) -> bool:
    """Tell whether keyring.json has that slot by now; when it cannot be read, it may have."""
    try:
        octets = read_public_file(keys.paths.keyring)
        keyring = read_keyring(octets, archive_id=keys.archive.archive_id, bounds=keys.keyring.bounds)
    except ArchiverError:
        return True
    return any(slot.name == name for slot in keyring.slots)


def _refuse_what_opens_nothing(keys: Keys, file: Path) -> None:
    """Raise UsageError for a machine's key at that place whose slot was never written, or was removed."""
    try:
        keys.keyring.open_machine(MachineKey.from_bytes(file.read_bytes()))
    except WrongKeyError:
        raise UsageError(
            f"{file} is a machine's key already, and does not open this archive",
            hint="remove it if a `key add` that was killed left it, or if its key was removed; else name another file",
        ) from None
    except (OSError, ArchiverError):
        return  # whoever writes the file will say so


def key_remove(settings: Settings, *, name: str, ask: AskPassphrase, bounds: KdfBounds = DEFAULT_BOUNDS) -> None:
    """Remove a slot; raises UsageError for one of the last two, which cannot go.

    Whoever kept the epoch secret, or an older keyring.json, still opens what is there: only `key_rotate` ends that.
    """
    keys = require_person(settings, ask=ask, bounds=bounds)
    with _changing(settings, keys, "key-remove", name) as (keys, catalogue):
        replace_keyring(keys.paths, catalogue, keys.keyring, keys.keyring.remove(keys.secret, name), disk=Disk())


def key_accept(settings: Settings, *, ask: AskPassphrase, bounds: KdfBounds = DEFAULT_BOUNDS) -> Sequence[SlotInfo]:
    """Take keyring.json as it is for the one that belongs to archive.db, after one of the two was put back on purpose.

    Returns the slots that open the archive from now on.
    """
    keys = require_person(settings, ask=ask, bounds=bounds)
    with _changing(settings, keys, "key-accept", None, check=False) as (keys, catalogue):
        accept(catalogue, keys.keyring)
    return keys.keyring.slots


@contextmanager
def _changing(
    settings: Settings, keys: Keys, action: str, note: str | None, *, check: bool = True
) -> Iterator[tuple[Keys, SqliteCatalogue]]:
    """Hold the "archive" lock with archive.db open and the action in the audit trail; the keys are as they are now."""
    from archiver.app.auditing import record
    from archiver.store.catalogue import open_catalogue
    from archiver.store.lock import writer_lock
    from archiver.store.rekeying import sweep

    with writer_lock(keys.paths.lock("archive"), command="key", now=clock(), wait_seconds=_LOCK_WAIT):
        keys = renewed(keys, locked=True)
        sweep(keys.paths, Disk())
        catalogue = open_catalogue(keys.paths, keys.secret.database_key)
        try:
            if check:
                settle(catalogue, keys.keyring)
            record(settings, keys, action, note=note)
            yield keys, catalogue
        finally:
            catalogue.close()
