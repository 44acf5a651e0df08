"""`archiver key`: who can open the archive."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from archiver.app.clocks import clock
from archiver.app.unlocking import AskPassphrase, read_public, require_person, write_new_private
from archiver.config import Settings
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds, check_passphrase
from archiver.crypto.keyring import Keyring
from archiver.crypto.slots import SlotInfo
from archiver.errors import UsageError
from archiver.store.durable import Disk, write_durably
from archiver.store.layout import ArchivePaths


def key_list(settings: Settings, *, bounds: KdfBounds = DEFAULT_BOUNDS) -> Sequence[SlotInfo]:
    """Return the slots; needs no key."""
    return read_public(settings, bounds=bounds)[2].slots


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

    A machine key is written to `machine_key_file`, which must not exist, with mode 0600, before the slot is.
    """
    from archiver.store.lock import writer_lock

    paths = ArchivePaths(settings.archive.path)
    keys = require_person(settings, ask=ask, bounds=bounds)
    with writer_lock(paths.lock("archive"), command="key", now=clock()):
        keyring = read_public(settings, bounds=bounds)[2]
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
            write_new_private(machine_key_file, machine_key.to_bytes())
        _write(paths, keyring)
    return code


def key_remove(settings: Settings, *, name: str, ask: AskPassphrase, bounds: KdfBounds = DEFAULT_BOUNDS) -> None:
    """Remove a slot; raises UsageError for one of the last two, which cannot go."""
    from archiver.store.lock import writer_lock

    paths = ArchivePaths(settings.archive.path)
    keys = require_person(settings, ask=ask, bounds=bounds)
    with writer_lock(paths.lock("archive"), command="key", now=clock()):
        _write(paths, read_public(settings, bounds=bounds)[2].remove(keys.secret, name))


def _write(paths: ArchivePaths, keyring: Keyring) -> None:
    write_durably(Disk(), paths.keyring, keyring.to_bytes())
