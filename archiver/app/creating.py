"""`archiver init`: a new archive. Nothing is on disk until the recovery code has been confirmed.

One that could not be completed (the disk was full) is taken away again; where even that failed, the next `init` does
it, by the mark that lies in the directory until the archive is whole.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from archiver.app.clocks import clock
from archiver.app.known_keyring import KNOWN
from archiver.app.opening import ARCHIVE_ID, COLLECTOR_CREDENTIAL
from archiver.app.unlocking import write_new_private
from archiver.config import Settings
from archiver.crypto.archive_file import create_archive_file
from archiver.crypto.collector import CollectorCredential, create_credential
from archiver.crypto.kdf import DEFAULT_BOUNDS, DEFAULT_KDF, KdfBounds, KdfParameters, check_passphrase
from archiver.crypto.keyring import create_keyring
from archiver.errors import ArchiverError, UsageError
from archiver.search.index import FullTextIndex
from archiver.store.catalogue import create_catalogue
from archiver.store.durable import Disk, translated, write_durably
from archiver.store.index_db import open_index
from archiver.store.layout import MAKING, ArchivePaths, create_layout


class NewArchive(Struct, frozen=True):
    """An archive about to be: show the recovery code, have it typed back, then `commit`."""

    recovery_code: str
    archive_id: str
    commit: Callable[[], None]


def prepare_archive(
    settings: Settings, passphrase: str, *, kdf: KdfParameters = DEFAULT_KDF, bounds: KdfBounds = DEFAULT_BOUNDS
) -> NewArchive:
    """Make the keys of a new archive in memory; `commit` of the result writes it.

    Raises UsageError for a passphrase that is too short, or when something is in the way at the archive's path.
    """
    check_passphrase(passphrase)
    _refuse_if_in_use(settings)
    created = clock()
    archive_id = os.urandom(16)
    keyring, secret, recovery_code = create_keyring(
        archive_id=archive_id, passphrase=passphrase, kdf=kdf, bounds=bounds, now=created, random=os.urandom
    )
    credential = create_credential(archive_id=archive_id, random=os.urandom)
    archive_file = create_archive_file(secret, credential, created=created, kdf=kdf)

    def commit() -> None:
        _refuse_if_in_use(settings)
        with translated(settings.archive.path):
            _discard(settings)
        try:
            build()
        except BaseException:
            with suppress(OSError):
                ArchivePaths(settings.archive.path).archive_file.unlink(missing_ok=True)
                _discard(settings)
            raise
        with suppress(OSError):  # it says nothing any more, and the next sync sweeps it
            (settings.archive.path / MAKING).unlink()

    def build() -> None:
        paths = ArchivePaths(settings.archive.path)
        disk = Disk()
        create_layout(paths, disk)
        write_durably(disk, paths.root / MAKING, archive_id)
        write_new_private(settings.archive.collector_key_file, credential.to_bytes())
        meta = {ARCHIVE_ID: archive_id, COLLECTOR_CREDENTIAL: credential.to_bytes(), KNOWN: keyring.fingerprint}
        create_catalogue(paths, secret.database_key, meta=meta)
        with open_index(paths, secret.index_key, secret.database_key) as connection:
            FullTextIndex(connection)
        write_durably(disk, paths.keyring, keyring.to_bytes())
        # Last, because this file is what makes the directory an archive.
        write_durably(disk, paths.archive_file, archive_file.to_bytes())

    return NewArchive(recovery_code, archive_id.hex(), commit)


def _refuse_if_in_use(settings: Settings) -> None:
    path, key = settings.archive.path, settings.archive.collector_key_file
    if ArchivePaths(path).archive_file.exists():
        raise UsageError(f"there is an archive at {path} already", hint="choose another [archive] path")
    if path.exists() and (not path.is_dir() or (any(path.iterdir()) and not _is_half_made(path))):
        raise UsageError(f"{path} is not an empty directory", hint="choose a new directory, or empty it yourself")
    with translated(key):
        free = not key.exists() or _was_made_with(key, path)
    if not free:
        raise UsageError(
            f"the collector's credential {key} exists already", hint="it belongs to another archive: move it away first"
        )


def _is_half_made(path: Path) -> bool:
    """Tell whether an `init` that did not end made this, which then holds nothing that anybody was told of."""
    if (path / MAKING).is_file():
        return not any((path / "packs").rglob("*.pack"))
    found = [each.relative_to(path) for each in path.rglob("*")]
    return all(
        each.parts in (("packs",), ("pending",), ("spool",))
        or (each.parts[0] == "spool" and each.name.startswith("CACHEDIR.TAG"))
        or each.name.startswith(MAKING)
        for each in found
    )


def _was_made_with(key: Path, path: Path) -> bool:
    """Tell whether the credential is that of the archive which was begun here."""
    try:
        kept, begun = key.read_bytes(), (path / MAKING).read_bytes()
    except FileNotFoundError:
        return False
    if not kept:
        return True  # it was made, and the disk took no octet of it
    try:
        return CollectorCredential.from_bytes(kept).archive_id == begun
    except ArchiverError:
        return False


def _discard(settings: Settings) -> None:
    """Take away what an `init` began and did not complete; the directory itself stays."""
    path, key = settings.archive.path, settings.archive.collector_key_file
    if not path.is_dir() or ArchivePaths(path).archive_file.exists() or not _is_half_made(path):
        return
    if _was_made_with(key, path):
        key.unlink()
    # The mark goes last: until then the rest may be taken away by another attempt.
    for each in sorted(path.iterdir(), key=lambda each: each.name == MAKING):
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()
