"""`archiver key drill`: whether what lies in the safe still opens this archive.

Goes the whole way with nothing else: keyring, archive.db, one message out of its pack. Unlocked sessions and machine
keys are not looked at, nor the index: a backup has none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from archiver.app import known_keyring
from archiver.app.auditing import record_alone
from archiver.app.opening import stored_credential
from archiver.app.unlocking import AskPassphrase, read_public
from archiver.config import Settings
from archiver.crypto import recovery_code
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.errors import IntegrityError, LockedError, UsageError
from archiver.store.backups import BackupPlace
from archiver.store.durable import Disk

if TYPE_CHECKING:
    from archiver.crypto.epoch import EpochSecret
    from archiver.crypto.keyring import Keyring
    from archiver.model.delivery import SealedRecord
    from archiver.model.message import BlobId
    from archiver.store.catalogue import SqliteCatalogue
    from archiver.store.layout import ArchivePaths


class Drill(Struct, frozen=True):
    """What was opened: with which kind of key, how many messages there are, and the one that was read back.

    `blob_id`, `octets` and `pack` are None in an archive without messages.
    """

    kind: str
    epoch: int
    messages: int
    blob_id: BlobId | None = None
    octets: int | None = None
    pack: str | None = None


def key_drill(
    settings: Settings,
    *,
    ask: AskPassphrase,
    passphrase: str | None = None,
    message: str | None = None,
    bounds: KdfBounds = DEFAULT_BOUNDS,
    random: Callable[[int], bytes] = os.urandom,
) -> Drill:
    """Open one message with the recovery code, or with the passphrase of the slot named; a random one when none is.

    The octets are compared with the message's own digest. Raises LockedError when nobody can be asked, WrongKeyError,
    NoArchiveError, IntegrityError for whatever is damaged, UsageError for an id that is nobody's.
    """
    from archiver.store.catalogue import open_catalogue
    from archiver.store.packs import PackVault

    with _laid_open(settings) as (laid_open, packs):
        paths, archive, keyring = read_public(laid_open, bounds=bounds)
        secret = _open(keyring, ask, passphrase)
        archive.check(secret)
        kind = "recovery" if passphrase is None else "passphrase"
        with closing(open_catalogue(paths, secret.database_key, readonly=True)) as catalogue:
            known_keyring.check(catalogue, keyring)
            if packs is None:
                record_alone(settings, paths, secret, "key-drill")
            messages = catalogue.counts().messages
            chosen = _choose(catalogue, message, messages, random)
            if chosen is None:
                return Drill(kind, secret.epoch, messages)
            pack, record = chosen
            digest_key = stored_credential(catalogue).digest_key
            with closing(PackVault(packs or paths, archive_id=archive.archive_id, digest_key=digest_key)) as vault:
                octets = vault.read(pack, record)
        return Drill(kind, secret.epoch, messages, record.blob_id, len(octets), pack)


@contextmanager
def _laid_open(settings: Settings) -> Iterator[tuple[Settings, ArchivePaths | None]]:
    """Give the archive as it is, or the newest generation of a backup laid out elsewhere, and where its packs are.

    A backup is not opened where it lies, for it must stay what its manifest says. All of it is sealed there as well.
    """
    place = BackupPlace(settings.archive.path, Disk())
    if not place.is_backup():
        yield settings, None
        return
    from tempfile import TemporaryDirectory

    from archiver.app.backup_copies import at, find_origin, lay_out

    origin = find_origin(place.root, None)
    with TemporaryDirectory(prefix="archiver-drill-") as directory:
        root = Path(directory) / "archive"
        lay_out(origin, root, Disk())
        yield at(settings, root), origin.packs


def _open(keyring: Keyring, ask: AskPassphrase, passphrase: str | None) -> EpochSecret:
    given = ask()
    if given is None:
        raise LockedError(
            "a drill asks for the code or the passphrase that it is about, and there is nobody to ask",
            hint="run it on a terminal, or name a file in ARCHIVER_PASSPHRASE_FILE",
        )
    if passphrase is not None:
        return keyring.open_passphrase(given, name=passphrase)
    if not recovery_code.looks_like(given):
        raise UsageError(
            "that is no recovery code: it has seven groups of five letters and digits",
            hint="to try a passphrase, name its key: --passphrase NAME",
        )
    return keyring.open_recovery(given)


def _choose(
    catalogue: SqliteCatalogue, message: str | None, messages: int, random: Callable[[int], bytes]
) -> tuple[str, SealedRecord] | None:
    """Return pack and record of the message meant, or of any; None when there is no message at all."""
    if message is not None:
        found = catalogue.resolve(message)
        if len(found) != 1:
            raise UsageError(
                f"{'several messages have' if found else 'no message has'} an id that begins so",
                hint="copy it from the result of a search",
            )
        row = catalogue.row(found[0])
    elif messages:
        after = int.from_bytes(random(8), "big") % catalogue.last_sequence()
        ((_, row),) = catalogue.unindexed(after, 1)
    else:
        return None
    sealed = catalogue.sealed(row) if row is not None else None
    if sealed is None:
        raise IntegrityError("archive.db: a message has no key", what="archive.db", hint="run `archiver verify --full`")
    return sealed
