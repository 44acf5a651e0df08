"""Which keyring.json archive.db knows: an older one that is put back would revive a slot that was removed.

archive.db keeps the fingerprint of the keyring that belongs to it, and for the moment of a change also that of the next
one, so that a change may end anywhere: announced, written, settled. A backup that is consistent has both files of one
moment and is fine. Nothing here keeps the whole archive from being put back together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archiver.errors import IntegrityError

if TYPE_CHECKING:
    from archiver.crypto.keyring import Keyring
    from archiver.store.catalogue import SqliteCatalogue
    from archiver.store.durable import Disk
    from archiver.store.layout import ArchivePaths

KNOWN = "keyring"
"""The fact in archive.db: the fingerprint of keyring.json."""
ANNOUNCED = "keyring_announced"
"""The fingerprint that it will have in a moment."""


def check(catalogue: SqliteCatalogue, keyring: Keyring) -> None:
    """Raise IntegrityError when keyring.json is genuine and not the one that belongs to this archive.db.

    An archive of a release that kept no fingerprint passes; whoever writes first keeps it.
    """
    known = catalogue.meta(KNOWN)
    if known is not None and keyring.fingerprint not in (known, catalogue.meta(ANNOUNCED)):
        raise IntegrityError(
            "keyring.json is not the one that archive.db knows: an older copy of one of the two was put back",
            what="keyring.json",
            hint="restore both from the same backup; if you did put one back, look at `archiver key list` and then run"
            " `archiver key accept`",
        )


def settle(catalogue: SqliteCatalogue, keyring: Keyring) -> None:
    """Check, and complete a change that was cut off; for a writer, under the "archive" lock. Raises IntegrityError."""
    check(catalogue, keyring)
    if catalogue.meta(KNOWN) != keyring.fingerprint or catalogue.meta(ANNOUNCED) is not None:
        accept(catalogue, keyring)


def accept(catalogue: SqliteCatalogue, keyring: Keyring) -> None:
    """Take this keyring for the one that belongs here, whatever was known before."""
    with catalogue.connection.transaction():
        catalogue.set_meta(KNOWN, keyring.fingerprint)
        catalogue.connection.execute("DELETE FROM meta WHERE key = ?", (ANNOUNCED,))


def replace_keyring(paths: ArchivePaths, catalogue: SqliteCatalogue, old: Keyring, new: Keyring, *, disk: Disk) -> None:
    """Put another keyring of the same epoch in place, durable on return; killed anywhere, one of the two is good.

    Only under the "archive" lock. Raises IntegrityError when the old one is not what archive.db knows.
    """
    from archiver.store.durable import write_durably

    settle(catalogue, old)
    catalogue.set_meta(ANNOUNCED, new.fingerprint)
    write_durably(disk, paths.keyring, new.to_bytes())
    accept(catalogue, new)
