"""Stores: an archive opened for collecting, which needs no key that opens mail, or unlocked for reading and writing."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from archiver.app import known_keyring
from archiver.app.clocks import clock
from archiver.app.unlocking import Keys, read_credential, read_public_file, renewed
from archiver.config import Settings
from archiver.crypto.archive_file import read_archive_file
from archiver.crypto.collector import CollectorCredential
from archiver.errors import ArchiverError, IntegrityError, NoArchiveError, OlderFormatError, WrongKeyError
from archiver.model.message import BlobId
from archiver.search.index import SCHEMA_VERSION, FullTextIndex, index_version
from archiver.store.catalogue import SqliteCatalogue
from archiver.store.durable import Disk
from archiver.store.layout import ArchivePaths
from archiver.store.linked import erasures_are_under_way

if TYPE_CHECKING:
    from archiver.core.customer_ports import Correspondence, Customers, Links
    from archiver.core.customers.editing import EditPorts, EditRules
    from archiver.core.ingest import IngestPorts
    from archiver.core.linking.relinking import Linker
    from archiver.core.ports import CollectStore, Parser, Spool
    from archiver.store.connection import StoreConnection
    from archiver.store.deliveries import PendingDeliveries
    from archiver.store.erasures import SqliteErasures
    from archiver.store.packs import PackVault

ARCHIVE_ID = "archive_id"
COLLECTOR_CREDENTIAL = "collector_credential"
"""The fact in archive.db that is a copy of the collector's credential: whoever is unlocked can make it anew."""

_LARGE_RUN = 5000
"""Messages; from here on the index is merged at the end."""

_LOCK_WAIT = 10.0
"""Seconds that a short command waits for another writer."""

_READING_TRIES = 3
"""Times that a reader opens an archive whose keys change under it; nobody rotates twice in that time."""


class Collecting(Struct, frozen=True):
    """An open collector's store, where big messages are spooled, and the credential it was opened with."""

    store: CollectStore
    new_spool: Callable[[], Spool]
    credential: CollectorCredential


@contextmanager
def open_collect_store(
    settings: Settings,
    *,
    seed: Callable[[], Iterable[BlobId]] | None = None,
    forget: Iterable[str] = (),
    erased: Collection[BlobId] = (),
    anew: bool = False,
) -> Iterator[Collecting]:
    """Open the collector's store under its lock, without any reading key.

    When collect.db had to be made anew, `seed` gives the digests of what the catalogue keeps, so that none of it is
    stored a second time. The messages of the packs in `forget` will be fetched again; those in `erased` never. With
    `anew`, a collect.db that is damaged somewhere inside is set aside.
    """
    from archiver.crypto.spool import EncryptedSpool
    from archiver.store.collect import open_collect_store as open_store
    from archiver.store.collect import set_aside
    from archiver.store.lock import writer_lock

    paths = ArchivePaths(settings.archive.path)
    read_public_file(paths.archive_file)  # there may be no archive to lock
    with writer_lock(paths.lock("collect"), command="sync", now=clock(), wait_seconds=_LOCK_WAIT):
        # Under the lock: who holds it may rely on that no collector seals to an ingest key read before.
        archive = read_archive_file(read_public_file(paths.archive_file))
        credential = read_credential(settings, archive)
        if anew and paths.collect_database.exists():
            set_aside(paths, Disk())
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
        if erased:
            store.mark_erased(erased)
        for pack in forget:
            store.forget_pack(pack)
        try:
            yield Collecting(store, lambda: EncryptedSpool(paths.spool, random=os.urandom), credential)
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
        from archiver.store.index_db import discard_index

        secret = keys.secret
        self.keys = keys
        self._settings = settings
        self._stack = stack
        self.catalogue = open_catalogue(keys.paths, secret.database_key, readonly=not write)
        stack.callback(self.catalogue.close)
        (known_keyring.settle if write else known_keyring.check)(self.catalogue, keys.keyring)
        if new_index:
            discard_index(keys.paths)
        self.connection = self._open_index(write=write)
        if write and index_version(self.connection) not in {0, SCHEMA_VERSION}:
            # Not emptied in place: a new file has today's cipher, and no gaps.
            self.connection.close()
            discard_index(keys.paths)
            self.connection = self._open_index(write=True)
        self._parser: Parser | None = None

    def _open_index(self, *, write: bool) -> StoreConnection:
        from archiver.store.index_db import open_index

        secret = self.keys.secret
        connection = open_index(self.keys.paths, secret.index_key, secret.database_key, readonly=not write)
        self._stack.callback(connection.close)
        return connection

    @cached_property
    def credential(self) -> CollectorCredential:
        """The collector's credential, of which the catalogue keeps a copy."""
        return stored_credential(self.catalogue)

    @cached_property
    def vault(self) -> PackVault:
        """The packs; nothing of them is loaded before a message is opened."""
        from archiver.store.packs import PackVault

        paths, archive_id = self.keys.paths, self.keys.archive.archive_id
        vault = PackVault(paths, archive_id=archive_id, digest_key=self.credential.digest_key)
        self._stack.callback(vault.close)
        return vault

    @property
    def index(self) -> FullTextIndex:
        """The index; a writer makes its tables, where there are none yet."""
        return FullTextIndex(self.connection, self._settings.search.languages)

    @cached_property
    def customers(self) -> Customers:
        """The customer records, over the catalogue's connection and so in its transactions."""
        from archiver.store.customers import SqliteCustomers

        return SqliteCustomers(self.catalogue.connection)

    @property
    def links(self) -> Links:
        """Evidence, links and decisions by hand, in the catalogue's transactions too."""
        from archiver.store.links import SqliteLinks

        return SqliteLinks(self.catalogue.connection)

    @property
    def correspondence(self) -> Correspondence:
        """Mail by customer, for reading."""
        from archiver.store.correspondence import SqliteCorrespondence

        return SqliteCorrespondence(self.catalogue.connection)

    @property
    def parser(self) -> Parser:
        """Parser processes, which start when the first message comes."""
        if self._parser is None:
            from archiver.mail.workers import ParserPool

            sync = self._settings.sync
            self._parser = ParserPool(sync.worker_count, seconds=sync.parse_seconds, memory=sync.parse_memory_bytes)
            self._stack.callback(self._parser.close)
        return self._parser

    def ingest_ports(self) -> IngestPorts:
        """Return what ingest needs, with a linker where there are customers."""
        from archiver.core.ingest import IngestPorts

        identity = self._settings.identity
        return IngestPorts(
            self.deliveries, self.vault, self.parser, self.catalogue, self.index, identity, linker=self._linker()
        )

    @property
    def deliveries(self) -> PendingDeliveries:
        """What was collected and waits to be taken in."""
        from archiver.store.deliveries import PendingDeliveries

        return PendingDeliveries(self.keys.paths, secrets=self.keys.secrets, disk=Disk())

    def _linker(self) -> Linker | None:
        records = self.customers.all()
        if not records:
            return None
        from archiver.core.customers.editing import directory_of
        from archiver.core.linking.relinking import Linker

        return Linker(lambda: directory_of(records, self.rules()), self.links)

    def rules(self) -> EditRules:
        """Return what customers are checked and linked by."""
        from archiver.core.customers.editing import EditRules

        customers = self._settings.customers
        return EditRules(self._settings.identity, customers.country, customers.shared_domains)

    def edit_ports(self) -> EditPorts:
        """Return what changing customers and relinking need."""
        from archiver.core.customers.editing import EditPorts
        from archiver.core.linking.relinking import RelinkPorts

        relinking = RelinkPorts(self.links, self.catalogue, self.catalogue, self.vault, self.parser, self.index)
        return EditPorts(self.customers, relinking, clock)

    def is_wanted(self) -> bool:
        """Tell a writer whether somebody waits for the lock that it holds."""
        from archiver.store.lock import is_wanted

        return is_wanted(self.keys.paths.lock("archive"))

    def index_is_behind(self) -> bool:
        """Tell whether messages of the catalogue are not in the index yet, or the index is of another release."""
        if index_version(self.connection) != SCHEMA_VERSION:
            return True
        index = self.index
        watermark = index.watermark()
        if index.lacks_words():  # the run that would have completed them was stopped
            return True
        return watermark > self.catalogue.last_sequence() or bool(self.catalogue.unindexed(watermark, 1))

    def lost_packs(self) -> dict[str, frozenset[BlobId]]:
        """Return packs that the collector completed, with their messages which archive.db has no longer, if any.

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
                lost = {pack: self._lost_of(database.digests_of(pack)) for pack in sorted(suspects)}
        except ArchiverError:
            return {}
        return {pack: blob_ids for pack, blob_ids in lost.items() if blob_ids}

    def _lost_of(self, blob_ids: Iterable[BlobId]) -> frozenset[BlobId]:
        there = frozenset(blob_ids)
        return there - self.catalogue.known(there) - self.catalogue.damaged().keys()

    @property
    def erasures(self) -> SqliteErasures:
        """What was erased, and what is being erased, in the catalogue's transactions."""
        from archiver.store.erasures import SqliteErasures

        return SqliteErasures(self.catalogue.connection)

    def kept(self) -> Iterator[BlobId]:
        """Yield the digests of all messages of the catalogue."""
        return self.catalogue.blob_ids()

    def tidy(self, indexed: int) -> None:
        """Repack after a large run, of a sync or after an upgrade: both files are smaller, and searches quicker."""
        if indexed >= _LARGE_RUN:
            self.index.optimize()
            self.connection.vacuum()
            if indexed * 2 > self.catalogue.counts().messages:
                self.catalogue.connection.vacuum()
        self.index.complete_words()
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

    A writer may ask for a new, empty index: the way out of damage anywhere in the old one. An archive of an earlier
    release is converted, which a reader waits for the lock for too. When the keys were rotated since `keys` were found,
    `Opened.keys` are those of now; raises LockedError when what was typed opens the archive no longer.
    """
    with ExitStack() as stack:
        if write:
            from archiver.store.lock import writer_lock
            from archiver.store.rekeying import sweep

            stack.enter_context(
                writer_lock(keys.paths.lock("archive"), command=command, now=clock(), wait_seconds=wait)
            )
            keys = renewed(keys, locked=True)
            sweep(keys.paths, Disk())
            opened = Opened(settings, keys, stack, write=True, new_index=new_index)
            if erasures_are_under_way(opened.catalogue.connection):
                from archiver.app.erasing import complete_erasures

                complete_erasures(opened)
            yield opened
        else:
            yield _for_reading(settings, keys, stack, command=command, wait=wait)


def _for_reading(settings: Settings, keys: Keys, stack: ExitStack, *, command: str, wait: float) -> Opened:
    """Open without a lock: what was rotated, or whose slots changed, while it was opened is opened again."""
    for _ in range(_READING_TRIES):
        try:
            return Opened(settings, keys, stack, write=False)
        except OlderFormatError:
            _convert(keys, command=command, wait=wait)
        except (WrongKeyError, IntegrityError, NoArchiveError):
            now = renewed(keys)
            if now is keys:
                raise
            keys = now
    return Opened(settings, keys, stack, write=False)


def _convert(keys: Keys, *, command: str, wait: float) -> None:
    from archiver.store.catalogue import open_catalogue
    from archiver.store.lock import writer_lock

    with writer_lock(keys.paths.lock("archive"), command=command, now=clock(), wait_seconds=wait):
        keys = renewed(keys, locked=True)
        open_catalogue(keys.paths, keys.secret.database_key).close()
