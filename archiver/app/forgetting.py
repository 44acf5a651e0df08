"""The secrets of earlier epochs go when nothing is sealed to them any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archiver.app.clocks import clock
from archiver.errors import LockedError
from archiver.store.durable import Disk

if TYPE_CHECKING:
    from archiver.app.unlocking import Keys
    from archiver.store.catalogue import SqliteCatalogue


def forget_earlier(keys: Keys, catalogue: SqliteCatalogue, *, disk: Disk | None = None) -> bool:
    """Drop the secrets of earlier epochs from keyring.json; False when deliveries still need them, or may yet come.

    Only under the "archive" lock. The "collect" lock shows that no collector still seals to an ingest key that it read
    before a rotation; when another holds it, the next sync tries again.
    """
    if not keys.keyring.earlier_epochs:
        return False
    if not earlier_is_needless(keys):
        return False
    from archiver.app.known_keyring import replace_keyring

    forgetting = keys.keyring.forget_earlier(keys.secret)
    replace_keyring(keys.paths, catalogue, keys.keyring, forgetting, disk=disk or Disk())
    return True


def earlier_is_needless(keys: Keys) -> bool:
    """Tell whether nothing is sealed to an earlier epoch, nor will be; only under the "archive" lock.

    That stays so: a collector that starts now reads the ingest key of now.
    """
    from archiver.store.deliveries import sealed_in, waiting_names
    from archiver.store.lock import writer_lock

    try:
        with writer_lock(keys.paths.lock("collect"), command="sync", now=clock()):
            return all(sealed_in(keys.paths, name) == keys.secret.epoch for name in waiting_names(keys.paths))
    except LockedError:
        return False
