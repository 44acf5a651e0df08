"""Keys and stores: from settings to an archive that can be collected into, or read.

The one place that decides where a key comes from: an unlock session in the kernel, then a machine key, then a person.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from archiver.config import Settings
from archiver.core.ingest import IngestPorts
from archiver.core.ports import CollectStore, Spool
from archiver.crypto.archive_file import ArchiveFile, read_archive_file
from archiver.crypto.collector import CollectorCredential
from archiver.crypto.epoch import EpochSecret
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.crypto.keyring import Keyring, read_keyring
from archiver.crypto.machine import MachineKey, check_private_file
from archiver.errors import (
    ArchiverError,
    ConfigurationError,
    IntegrityError,
    LockedError,
    NoArchiveError,
    UsageError,
    WrongKeyError,
)
from archiver.model.message import BlobId
from archiver.search.index import SCHEMA_VERSION, FullTextIndex, index_version
from archiver.store.catalogue import SqliteCatalogue
from archiver.store.durable import Disk
from archiver.store.layout import ArchivePaths

AskPassphrase = Callable[[], str | None]
"""Asks a person (or a file named by the environment) for a passphrase or recovery code; None when nobody can answer."""

ARCHIVE_ID = "archive_id"
COLLECTOR_CREDENTIAL = "collector_credential"
"""The fact in archive.db that is a copy of the collector's credential: whoever is unlocked can make it anew."""

_LARGE_RUN = 5000
"""Messages; from here on the index is merged at the end."""

_LOCK_WAIT = 10.0
"""Seconds that a short command waits for another writer."""


def clock() -> datetime:
    """Return the time of the real program."""
    return datetime.now(tz=UTC)


def local_clock() -> datetime:
    """Return the time in this machine's zone, with its rules for summer: "yesterday" depends on them."""
    return datetime.now(tz=_local_zone())


def _local_zone() -> tzinfo:
    with suppress(OSError, ValueError):
        if name := os.environ.get("TZ", "").lstrip(":"):
            return ZoneInfo(name)
    with suppress(OSError, ValueError), Path("/etc/localtime").open("rb") as file:
        return ZoneInfo.from_file(file)
    return UTC


@dataclass(frozen=True, slots=True)
class Keys:
    """An archive's public data, its key slots, and the opened epoch secret."""

    paths: ArchivePaths
    archive: ArchiveFile
    keyring: Keyring
    secret: EpochSecret

    @property
    def secrets(self) -> tuple[EpochSecret, ...]:
        """The current epoch and earlier ones whose deliveries may still wait."""
        return (self.secret, *self.keyring.earlier(self.secret))


def read_public(settings: Settings, *, bounds: KdfBounds = DEFAULT_BOUNDS) -> tuple[ArchivePaths, ArchiveFile, Keyring]:
    """Read archive.json and keyring.json; raises NoArchiveError, FormatError, IntegrityError."""
    paths = ArchivePaths(settings.archive.path)
    archive = read_archive_file(_read(paths.archive_file))
    keyring = read_keyring(_read(paths.keyring), archive_id=archive.archive_id, bounds=bounds)
    return paths, archive, keyring


def find_keys(settings: Settings, *, ask: AskPassphrase, bounds: KdfBounds = DEFAULT_BOUNDS) -> Keys | None:
    """Unlock with what is at hand; None when nothing is and nobody can be asked.

    Raises WrongKeyError when something was given and does not open the archive.
    """
    paths, archive, keyring = read_public(settings, bounds=bounds)
    secret = _from_session(keyring) or _from_machine(settings, keyring) or _from_person(keyring, ask)
    if secret is None:
        return None
    archive.check(secret)
    return Keys(paths, archive, keyring, secret)


def require_keys(settings: Settings, *, ask: AskPassphrase, bounds: KdfBounds = DEFAULT_BOUNDS) -> Keys:
    """Unlock, or raise LockedError."""
    return _required(find_keys(settings, ask=ask, bounds=bounds))


def require_person(settings: Settings, *, ask: AskPassphrase, bounds: KdfBounds = DEFAULT_BOUNDS) -> Keys:
    """Unlock with a passphrase or recovery code only: what changes the keys wants more than a shell left unlocked.

    Raises LockedError when nobody can be asked.
    """
    paths, archive, keyring = read_public(settings, bounds=bounds)
    secret = _from_person(keyring, ask)
    if secret is not None:
        archive.check(secret)
    return _required(None if secret is None else Keys(paths, archive, keyring, secret))


def _required(keys: Keys | None) -> Keys:
    if keys is None:
        raise LockedError(
            "the archive is locked",
            hint="run `archiver unlock` on a terminal, or name a file in ARCHIVER_PASSPHRASE_FILE",
        )
    return keys


def unlock(settings: Settings, *, ask: AskPassphrase, seconds: int, bounds: KdfBounds = DEFAULT_BOUNDS) -> datetime:
    """Keep the archive unlocked for this user for so long; return until when. Raises LockedError where it cannot."""
    from archiver.crypto.session import UnlockSession

    _, archive, keyring = read_public(settings, bounds=bounds)
    secret = _from_person(keyring, ask) or _from_machine(settings, keyring)
    if secret is None:
        raise LockedError(
            "no passphrase was given", hint="run `archiver unlock` on a terminal, or set ARCHIVER_PASSPHRASE_FILE"
        )
    archive.check(secret)
    if not UnlockSession(archive.archive_id, clock=clock).store(secret, seconds=seconds):
        raise LockedError(
            "this system keeps no keys for its users (no kernel keyring)",
            hint="nothing is unlocked: every command asks for the passphrase",
        )
    return clock() + timedelta(seconds=seconds)


def lock(settings: Settings) -> bool:
    """Forget the unlock session; True when there was one."""
    from archiver.crypto.session import UnlockSession

    archive = read_archive_file(_read(ArchivePaths(settings.archive.path).archive_file))
    return UnlockSession(archive.archive_id, clock=clock).forget()


def _from_session(keyring: Keyring) -> EpochSecret | None:
    from archiver.crypto.session import UnlockSession

    kept = UnlockSession(keyring.archive_id, clock=clock).read()
    if kept is None:
        return None
    try:
        return keyring.open_exported(*kept)
    except WrongKeyError:
        return None  # the keys were rotated since: the passphrase is asked for again


def _from_machine(settings: Settings, keyring: Keyring) -> EpochSecret | None:
    path = settings.archive.machine_key_file
    if path is None or not path.exists():
        return None
    return keyring.open_machine(MachineKey.from_bytes(read_private(path)))


def _from_person(keyring: Keyring, ask: AskPassphrase) -> EpochSecret | None:
    from archiver.crypto import recovery_code

    given = ask()
    if given is None:
        return None
    if recovery_code.looks_like(given):
        return keyring.open_recovery(given)
    return keyring.open_passphrase(given)


def read_private(path: Path) -> bytes:
    """Read a key file; raises ConfigurationError when it is missing or others may read it."""
    try:
        with path.open("rb") as file:
            check_private_file(os.fstat(file.fileno()), str(path))
            return file.read(1 << 16)
    except OSError as error:
        raise ConfigurationError(
            f"the key file {path} cannot be read: {error.strerror}",
            problems=(f"{path}: {error.strerror}",),
            hint="name the right file in [archive], or run as the user who owns it",
        ) from error


def write_new_private(path: Path, octets: bytes) -> None:
    """Write a key file of mode 0600, durably; raises UsageError when it exists or cannot be written."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UsageError(
            f"the key file {path} cannot be written: {error.strerror}", hint="name a file that does not exist yet"
        ) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    Disk().sync_directory(path.parent)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NoArchiveError(
            f"there is no archive at {path.parent}", hint="run `archiver init`, or check [archive] path"
        ) from None
    except OSError as error:
        raise NoArchiveError(
            f"the archive at {path.parent} cannot be read: {error.strerror}",
            hint="run archiver as the user who owns the archive",
        ) from error


# --- the collector's side --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Collecting:
    """An open collector's store, and where big messages are spooled."""

    store: CollectStore
    new_spool: Callable[[], Spool]


def read_credential(settings: Settings, archive: ArchiveFile) -> CollectorCredential:
    """Read the collector's credential; raises ConfigurationError, and WrongKeyError when it is another archive's."""
    credential = CollectorCredential.from_bytes(read_private(settings.archive.collector_key_file))
    if credential.archive_id != archive.archive_id:
        raise WrongKeyError(
            f"{settings.archive.collector_key_file} belongs to another archive",
            hint="check collector_key_file in [archive]",
        )
    return credential


@contextmanager
def open_collect_store(
    settings: Settings, *, seed: Callable[[], Iterable[BlobId]] | None = None, forget: Iterable[str] = ()
) -> Iterator[Collecting]:
    """Open the collector's store under its lock, without any reading key.

    When collect.db had to be made anew, `seed` gives the digests of what the catalogue keeps, so that none of it is
    stored a second time. The messages of the packs in `forget` will be fetched again.
    """
    from archiver.crypto.spool import EncryptedSpool
    from archiver.store.collect import open_collect_store as open_store
    from archiver.store.lock import writer_lock

    paths = ArchivePaths(settings.archive.path)
    archive = read_archive_file(_read(paths.archive_file))
    credential = read_credential(settings, archive)
    with writer_lock(paths.lock("collect"), command="sync", now=clock(), wait_seconds=_LOCK_WAIT):
        store = open_store(
            paths,
            credential=credential,
            recipient=archive.recipient_for_collector(credential),
            epoch=archive.epoch,
            disk=Disk(),
            clock=clock,
            random=os.urandom,
        )
        if store.fresh and seed is not None:
            store.seed(seed())
        for pack in forget:
            store.forget_pack(pack)
        try:
            yield Collecting(store, lambda: EncryptedSpool(paths.spool, random=os.urandom))
        finally:
            store.close()


def waiting_deliveries(settings: Settings) -> int:
    """Count the sealed deliveries that wait for a key; needs none."""
    from archiver.store.deliveries import waiting_names

    return len(waiting_names(ArchivePaths(settings.archive.path)))


# --- the unlocked side -----------------------------------------------------------------------------------------------


class Opened:
    """An unlocked archive's stores; made by `open_unlocked`, which also closes them."""

    def __init__(
        self, settings: Settings, keys: Keys, stack: ExitStack, *, write: bool, new_index: bool = False
    ) -> None:
        from archiver.store.catalogue import open_catalogue
        from archiver.store.index_db import discard_index, open_index
        from archiver.store.packs import PackVault

        secret = keys.secret
        self.keys = keys
        self._settings = settings
        self._stack = stack
        self.catalogue = open_catalogue(keys.paths, secret.database_key, readonly=not write)
        stack.callback(self.catalogue.close)
        if new_index:
            discard_index(keys.paths)
        self.connection = open_index(keys.paths, secret.index_key, secret.database_key, readonly=not write)
        stack.callback(self.connection.close)
        self.credential = stored_credential(self.catalogue)
        self.vault = PackVault(keys.paths, archive_id=keys.archive.archive_id, digest_key=self.credential.digest_key)
        stack.callback(self.vault.close)

    @property
    def index(self) -> FullTextIndex:
        """The index; for a writer, one of another release is emptied."""
        return FullTextIndex(self.connection)

    def ingest_ports(self) -> IngestPorts:
        """Return what ingest needs, with parser processes that start when the first message comes."""
        from archiver.mail.workers import ParserPool
        from archiver.store.deliveries import PendingDeliveries

        sync = self._settings.sync
        parser = ParserPool(sync.worker_count, seconds=sync.parse_seconds, memory=sync.parse_memory_bytes)
        self._stack.callback(parser.close)
        deliveries = PendingDeliveries(self.keys.paths, secrets=self.keys.secrets, disk=Disk())
        return IngestPorts(deliveries, self.vault, parser, self.catalogue, self.index, self._settings.identity)

    def index_is_behind(self) -> bool:
        """Tell whether messages of the catalogue are not in the index yet, or the index is of another release."""
        if index_version(self.connection) != SCHEMA_VERSION:
            return True
        watermark = FullTextIndex(self.connection).watermark()
        return watermark > self.catalogue.last_sequence() or bool(self.catalogue.unindexed(watermark, 1))

    def lost_packs(self) -> tuple[str, ...]:
        """Return packs that the collector completed and that hold a message which archive.db has no longer.

        It was there or was waiting, so an older archive.db was put back, or a waiting delivery was deleted: the
        collector has to fetch these messages again. A collect.db that cannot be read is made anew, and asked nothing.
        """
        from archiver.store.collect_db import CollectDatabase
        from archiver.store.connection import open_database
        from archiver.store.deliveries import pack_of, waiting_names

        paths = self.keys.paths
        try:
            with open_database(paths.collect_database, self.credential.collect_key, readonly=True) as connection:
                database = CollectDatabase(connection, readonly=True)
                # In this order: a pack that is completed in between is waiting by the time that is looked at.
                suspects = database.packs()
                suspects -= {pack_of(name) for name in waiting_names(paths)}
                suspects -= self.catalogue.pack_names()
                return tuple(
                    pack
                    for pack in sorted(suspects)
                    if any(self.catalogue.row(blob_id) is None for blob_id in database.digests_of(pack))
                )
        except ArchiverError:
            return ()

    def kept(self) -> Iterator[BlobId]:
        """Yield the digests of all messages of the catalogue."""
        return self.catalogue.blob_ids()

    def tidy(self, indexed: int) -> None:
        """Repack after a large run: searches read fewer segments of the index, and both files are smaller."""
        if indexed >= _LARGE_RUN:
            self.index.optimize()
            self.connection.vacuum()
            if indexed * 2 > self.catalogue.counts().messages:
                self.catalogue.connection.vacuum()
        self.connection.checkpoint()


def stored_credential(catalogue: SqliteCatalogue) -> CollectorCredential:
    """Return the copy of the collector's credential that the catalogue keeps."""
    kept = catalogue.meta(COLLECTOR_CREDENTIAL)
    if not isinstance(kept, bytes):
        raise IntegrityError(
            "the catalogue lacks the collector's credential", what="archive.db", hint="restore it from a backup"
        )
    return CollectorCredential.from_bytes(kept)


@contextmanager
def open_unlocked(
    settings: Settings,
    keys: Keys,
    *,
    write: bool,
    new_index: bool = False,
    command: str = "sync",
    wait: float = _LOCK_WAIT,
) -> Iterator[Opened]:
    """Open catalogue, index and vault; for writing under the "archive" lock, waiting so many seconds for another.

    A writer may ask for a new, empty index: the way out of damage anywhere in the old one.
    """
    from archiver.store.lock import writer_lock

    with ExitStack() as stack:
        if write:
            stack.enter_context(
                writer_lock(keys.paths.lock("archive"), command=command, now=clock(), wait_seconds=wait)
            )
        yield Opened(settings, keys, stack, write=write, new_index=write and new_index)
