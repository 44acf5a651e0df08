"""A generation of a backup, or a plain copy of an archive's directory, brought to life in a directory of its own.

Nothing is ever opened where it lies: SQLite moves the log into the database when it closes, and a backup that somebody
looked into would not be what its manifest says any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from archiver.app.opening import ARCHIVE_ID, stored_credential
from archiver.app.unlocking import AskPassphrase, Keys, MixedEpochsError, require_keys
from archiver.config import Settings
from archiver.crypto.backup_file import Manifest
from archiver.crypto.collector import CollectorCredential
from archiver.crypto.kdf import KdfBounds
from archiver.errors import ArchiverError, IntegrityError, NoArchiveError
from archiver.store.backups import BackupPlace, Generation
from archiver.store.catalogue import SqliteCatalogue, open_catalogue
from archiver.store.deliveries import pack_of, waiting_names
from archiver.store.durable import Disk
from archiver.store.erasure_log import erasure_log_of
from archiver.store.layout import ArchivePaths, create_layout
from archiver.store.mending import Mending
from archiver.store.state_files import copy_file, state_files


class Origin(Struct, frozen=True):
    """Where an archive is restored from: `state` lies below `root`, packs below `packs`.

    `manifest` is None for a plain copy; `later` are logs of erasures that were made after this state.
    """

    name: str
    root: Path
    packs: ArchivePaths
    manifest: Manifest | None
    later: tuple[Path, ...] = ()

    @property
    def state(self) -> list[str]:
        """The files of STATE, relative to `root`; of a plain copy also those that a rotation had yet to rename."""
        if self.manifest is not None:
            return [file.path for file in self.manifest.state]
        paths = ArchivePaths(self.root)
        following = (paths.next(paths.database), paths.next(paths.archive_file))
        return [*state_files(paths), *(path.name for path in following if path.is_file() and not path.is_symlink())]


def find_origin(source: Path, generation: str | None) -> Origin:
    """Return what a directory has to restore from, with the files of its state checked where there are digests.

    Raises UsageError when there is nothing, IntegrityError naming what is damaged, FormatError.
    """
    place = BackupPlace(source, Disk())
    if place.is_backup() or generation is not None:
        archive_id = place.archive_id()
        chosen = place.generation(generation)
        manifest = chosen.check()
        if manifest.archive_id != archive_id:
            raise IntegrityError(f"{chosen.name} is a backup of another archive", what=chosen.name)
        return of_generation(place, chosen, manifest)
    paths = ArchivePaths(source)
    try:
        paths.require()
    except NoArchiveError:
        raise NoArchiveError(
            f"{source} holds neither a backup nor a copy of an archive",
            hint="name the directory that `archiver backup` wrote to, or a copy of the archive's directory",
        ) from None
    return Origin("copy", source, paths, None)


def of_generation(place: BackupPlace, generation: Generation, manifest: Manifest) -> Origin:
    """Return a generation as an origin."""
    later = tuple(erasure_log_of(ArchivePaths(each.path)) for each in place.generations() if each.at > generation.at)
    return Origin(generation.name, generation.path, ArchivePaths(place.root), manifest, later)


def lay_out(origin: Origin, root: Path, disk: Disk) -> ArchivePaths:
    """Copy the state into a new or empty directory, each file compared with its digest on the way."""
    paths = ArchivePaths(root)
    create_layout(paths, disk)
    expected = {} if origin.manifest is None else {file.path: file for file in origin.manifest.state}
    for name in origin.state:
        if "/" in name:
            disk.make_directory(root / name.partition("/")[0])
        found = copy_file(origin.root / name, root / name, disk)
        if name in expected and found != (expected[name].size, expected[name].sha256):
            raise IntegrityError(
                f"{name} of the backup is not what was written", what=name, hint="take an older state: --from STATE"
            )
    return paths


def at(settings: Settings, root: Path) -> Settings:
    """Return the settings for an archive that lies elsewhere."""
    return replace(settings, archive=replace(settings.archive, path=root))


class Copy(Struct, frozen=True):
    """A state that is open in its own directory."""

    keys: Keys
    catalogue: SqliteCatalogue
    credential: CollectorCredential


@contextmanager
def opened(settings: Settings, origin: Origin, root: Path, *, ask: AskPassphrase, bounds: KdfBounds) -> Iterator[Copy]:
    """Unlock a state that was laid out, read every page of archive.db, and check that all of it belongs together.

    Raises LockedError, WrongKeyError, IntegrityError.
    """
    try:
        keys = require_keys(at(settings, root), ask=ask, bounds=bounds)
    except MixedEpochsError:
        if origin.manifest is not None:
            raise
        raise IntegrityError(
            "this copy was made while the keys were being rotated, and not all of it is of one moment",
            what="keyring.json",
            hint="copy a snapshot of the file system with *.next, or what `archiver backup` makes",
        ) from None
    catalogue = open_catalogue(keys.paths, keys.secret.database_key)
    try:
        damage = catalogue.connection.check()
        if damage:
            raise IntegrityError(
                f"archive.db of the backup is damaged: {damage[0]}",
                what="archive.db",
                hint="take an older state: --from STATE",
            )
        credential = stored_credential(catalogue)
        if catalogue.meta(ARCHIVE_ID) != keys.archive.archive_id or credential.archive_id != keys.archive.archive_id:
            raise IntegrityError(
                "archive.db and archive.json of the backup belong to different archives",
                what="archive.db",
                hint="take an older state: --from STATE",
            )
        keys.archive.recipient_for_collector(credential)
        if origin.manifest is not None:
            origin.manifest.check(credential)
        elif strays := Mending(catalogue.connection).strays():
            raise IntegrityError(
                f"archive.db and its log were copied at different moments: {strays[0]}",
                what="archive.db",
                hint="copy a snapshot of the file system, or what `archiver backup` makes",
            )
        yield Copy(keys, catalogue, credential)
    finally:
        catalogue.close()


def packs_of(copy: Copy) -> frozenset[str]:
    """Return the packs that the state has keys for, in the catalogue or waiting."""
    waiting = (pack_of(name) for name in waiting_names(copy.keys.paths))
    return copy.catalogue.pack_names() | {pack for pack in waiting if pack is not None}


def open_messages(copy: Copy, packs: ArchivePaths) -> tuple[int, list[str]]:
    """Open every message of a state and every delivery that waits; return how many, and what does not open."""
    from archiver.store.deliveries import PendingDeliveries
    from archiver.store.packs import PackVault

    vault = PackVault(packs, archive_id=copy.keys.archive.archive_id, digest_key=copy.credential.digest_key)
    deliveries = PendingDeliveries(copy.keys.paths, secrets=copy.keys.secrets, disk=Disk())
    opened_ones, problems = 0, list[str]()
    try:
        for pack, record in copy.catalogue.sealed_records():
            try:
                for _ in vault.stream(pack, record):
                    pass
            except ArchiverError as error:
                problems.append(error.message)
            else:
                opened_ones += 1
        for name in deliveries.waiting():
            try:
                deliveries.open(name)
            except ArchiverError as error:
                problems.append(error.message)
    finally:
        vault.close()
    return opened_ones, problems


def absent(needed: Collection[str], packs: ArchivePaths) -> Sequence[str]:
    """Return those packs that are not there."""
    return sorted(name for name in needed if not packs.pack(name).is_file())
