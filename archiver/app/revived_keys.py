"""What a restore does to who can open the archive: keyring.json is then as old as the backup.

Whoever was removed since opens it again, and with what he kept of then. Reads only what lies in the open and nobody has
authenticated, so it is good for a warning and for nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from msgspec import Struct

from archiver.crypto.kdf import KdfBounds
from archiver.crypto.keyring import Keyring, read_keyring
from archiver.errors import ArchiverError
from archiver.store.layout import ArchivePaths


class RevivedKeys(Struct, frozen=True):
    """`names` of slots that were removed since the backup; `rotated` says whether the keys were rotated since."""

    names: tuple[str, ...] = ()
    rotated: bool = False


def revived_keys(restored: Keyring, places: Iterable[ArchivePaths], bounds: KdfBounds) -> RevivedKeys:
    """Compare with the newest keyring of the same archive among these places, the likeliest first; none tells nothing.

    A later epoch is newer; within one epoch the first place counts.
    """
    newest: Keyring | None = None
    for place in places:
        with suppress(ArchiverError, OSError):
            found = read_keyring(place.keyring.read_bytes(), archive_id=restored.archive_id, bounds=bounds)
            if found.epoch >= restored.epoch and (newest is None or found.epoch > newest.epoch):
                newest = found
    if newest is None:
        return RevivedKeys()
    left = frozenset(newest.slots)
    names = tuple(slot.name for slot in restored.slots if slot not in left)
    return RevivedKeys(names, newest.epoch > restored.epoch)
