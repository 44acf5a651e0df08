"""Port `CollectStore`: seal, pack, hand over keys, move the cursor, in the order that loses nothing.

Knows batches, locks and recovery. The commit of a batch is (1) its pack, durable; (2) its pending keys, durable; (3)
one transaction with locations, digests and cursors. Knows no key that opens mail, and parses nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, field

from archiver.core.footing import Footing
from archiver.core.ports import LISTED_AGAIN_AFTER, Clock, Octets
from archiver.crypto.collector import CollectorCredential
from archiver.crypto.digest import blob_id as digest
from archiver.crypto.digest import blob_id_of
from archiver.crypto.pending import seal_delivery
from archiver.crypto.recipients import PublicKey
from archiver.crypto.sealed import WHOLE_LIMIT, seal_record
from archiver.errors import IncompleteError, IntegrityError
from archiver.model.delivery import Arrival, Delivery, SealedRecord
from archiver.model.mailbox import MessageEntry, RemoteMailbox
from archiver.model.message import BlobId
from archiver.model.status import Failure, MailboxStatus
from archiver.store import collect_db
from archiver.store.collect_db import CollectDatabase, Statement
from archiver.store.connection import open_database
from archiver.store.deliveries import DeliveryNames, pack_of, waiting_names
from archiver.store.durable import Disk, write_durably
from archiver.store.layout import ArchivePaths, complete_layout, sweep_temporary
from archiver.store.packs import PackFiles, PackWriter

MOST_RECORDS = 200
MOST_OCTETS = 8 * 2**20
"""Raw octets to a pack; a larger message is alone in its own."""
MOST_ARRIVALS = 2000
MOST_STATEMENTS = 20_000
OLDEST = timedelta(seconds=10)
"""A staged message is made durable after this long, when another one comes."""


class _Batch(Struct):
    """What one commit makes durable. `sealing` counts records that are being sealed for it outside the lock."""

    pack: str | None = None
    sealed: list[bytes] = field(default_factory=list)
    records: list[SealedRecord] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    epochs: set[int] = field(default_factory=set)
    since: datetime | None = None
    reserved: int = 0
    claimed: int = 0
    length: int = 0
    sealing: int = 0

    @property
    def full(self) -> bool:
        return self.claimed >= MOST_RECORDS or self.reserved >= MOST_OCTETS or len(self.arrivals) >= MOST_ARRIVALS


def open_collect_store(
    paths: ArchivePaths,
    *,
    credential: CollectorCredential,
    recipient: PublicKey,
    epoch: int,
    disk: Disk,
    clock: Clock,
    random: Callable[[int], bytes],
) -> SealedCollectStore:
    """Open collect.db (made anew when it is missing or damaged), sweep and recover; the "collect" lock is held.

    `epoch` is the number in archive.json of the ingest key `recipient`. Raises WrongKeyError when the credential
    belongs to another archive, FormatError, DiskError.
    """
    complete_layout(paths, disk)
    sweep_temporary(paths, disk)
    fresh = not paths.collect_database.exists()
    try:
        database = CollectDatabase(open_database(paths.collect_database, credential.collect_key, create=True))
    except IntegrityError:
        # All of it can be learned again: digests from the catalogue, UIDs from the server.
        set_aside(paths, disk)
        fresh = True
        database = CollectDatabase(open_database(paths.collect_database, credential.collect_key, create=True))
    return SealedCollectStore(
        paths,
        database,
        credential=credential,
        recipient=recipient,
        epoch=epoch,
        disk=disk,
        clock=clock,
        random=random,
        fresh=fresh,
    )


class SealedCollectStore:
    """Port `CollectStore` over packs, pending files and collect.db. Thread-safe.

    After a failed commit it refuses everything: what is on disk is right, what was in memory is fetched again.
    """

    def __init__(
        self,
        paths: ArchivePaths,
        database: CollectDatabase,
        *,
        credential: CollectorCredential,
        recipient: PublicKey,
        epoch: int,
        disk: Disk,
        clock: Clock,
        random: Callable[[int], bytes],
        fresh: bool,
    ) -> None:
        self.fresh = fresh
        """Whether collect.db was made just now: then `seed` it from the catalogue, or everything is stored again."""
        self._paths = paths
        self._database = database
        self._credential = credential
        self._recipient = recipient
        self._key_epoch = epoch
        self._disk = disk
        self._clock = clock
        self._random = random
        self._names = DeliveryNames(paths, clock=clock, random=random)
        self._packs = PackWriter(paths, disk, archive_id=credential.archive_id, random=random)
        self._lock = threading.Lock()  # the staged batch and the connection
        self._sealed = threading.Condition(self._lock)
        self._committing = threading.Lock()  # one commit at a time, in the order of staging; taken before _lock
        self._large = threading.Lock()  # one large message at a time; taken before _committing
        self._batch = _Batch()
        self._claimed: set[BlobId] = set()  # staged or being committed, not in the database yet
        self._places: dict[int, tuple[str, bytes, str, str | None, int]] = {}
        self._broken = False
        self._adopt_orphans()

    # --- mailboxes ------------------------------------------------------------------------------------------------

    def open_epoch(self, account: str, mailbox: RemoteMailbox, uid_validity: int) -> int:
        """Return the id of (account, mailbox, uid validity), created when new; it becomes the mailbox's current one."""
        if not uid_validity:
            self.flush()
        with self._usable():
            epoch = self._database.open_epoch(account, mailbox, uid_validity)
            self._places[epoch] = self._database.place(epoch)
        return epoch

    def note_listed(self, account: str, mailboxes: Sequence[RemoteMailbox]) -> None:
        """Stage which mailboxes the server has: others of this account no longer count, and their mail stays."""
        self._stage(None, collect_db.listed(account, mailboxes))

    def counters(self, epoch: int) -> tuple[int, int | None, bool]:
        """Return (messages on the server, UIDNEXT, complete) as of the last finished run."""
        self._settle(epoch)
        with self._usable():
            return self._database.counters(epoch)

    def listing_due(self, epoch: int) -> bool:
        """Tell whether no finished run has listed every message of the mailbox within `LISTED_AGAIN_AFTER`."""
        self._settle(epoch)
        with self._usable():
            last = self._database.listed_all_at(epoch)
        # The time of a clock that was ahead says nothing.
        return last is None or abs(self._clock() - last) > LISTED_AGAIN_AFTER

    def accounted(self, epoch: int) -> Mapping[int, str]:
        """Return the UIDs still believed present and how each is accounted for."""
        self._settle(epoch)
        with self._usable():
            return self._database.accounted(epoch)

    def footing(self, account: str) -> Footing:
        """Return how the account stands with its server."""
        self.flush()
        with self._usable():
            return self._database.footing(account)

    def octets_received(self, account: str, day: int) -> int:
        """Return the octets received for an account on a day; only the last day is known."""
        self.flush()
        with self._usable():
            return self._database.octets_received(account, day)

    def statuses(self) -> Sequence[MailboxStatus]:
        """Return the figures of every mailbox that its server still has."""
        self.flush()
        with self._usable():
            return self._database.statuses()

    def failures(self) -> Sequence[Failure]:
        """Return the messages that could not be fetched."""
        self.flush()
        with self._usable():
            return self._database.failures()

    # --- staging --------------------------------------------------------------------------------------------------

    def add(self, epoch: int, entry: MessageEntry, octets: Octets) -> bool:
        """Stage a message; True when its octets are new to the archive, False when only a location was added."""
        if octets.size > WHOLE_LIMIT:
            return self._add_large(epoch, entry, octets)
        data = b"".join(octets)
        blob_id = digest(data, self._credential.digest_key)
        self._make_room(len(data))
        with self._usable():
            batch = self._batch
            new = self._locate(batch, epoch, entry, blob_id)
            if new:
                self._claimed.add(blob_id)
                batch.claimed += 1
                batch.reserved += len(data)
                batch.sealing += 1
        if new:
            self._seal(batch, blob_id, data)
        if batch.full and batch is self._batch:
            self.flush()
        return new

    def note_excluded(self, epoch: int, uid: int, reason: str) -> None:
        """Stage that a rule of the configuration leaves this message out."""
        self._stage(epoch, collect_db.noted(epoch, uid, collect_db.EXCLUDED, reason, self._clock()))

    def note_failed(self, epoch: int, uid: int, reason: str) -> None:
        """Stage a failure; counts attempts; a later `add` of the same UID clears it."""
        self._stage(epoch, collect_db.noted(epoch, uid, collect_db.FAILED, reason, self._clock()))

    def note_gone(self, epoch: int, uids: Iterable[int]) -> None:
        """Stage that the server no longer has these UIDs; what is archived stays archived."""
        self._stage(epoch, [statement for uid in uids for statement in collect_db.gone(epoch, uid)])

    def finish(
        self,
        epoch: int,
        *,
        server: int,
        uid_next: int | None,
        complete: bool,
        problem: str | None,
        listed_all: bool = False,
    ) -> None:
        """Stage the end of a mailbox's run."""
        now = self._clock()
        with self._usable():
            self._batch.statements += collect_db.finished(
                epoch, server, uid_next, problem, now, complete=complete, listed_all=listed_all
            )
            self._batch.epochs.discard(epoch)

    def note_problem(self, account: str, mailbox: RemoteMailbox | None, problem: str) -> None:
        """Stage that a mailbox (or the whole account) could not be read this time, without losing its figures."""
        self._stage(None, collect_db.troubled(account, mailbox, problem))

    def note_footing(self, account: str, footing: Footing) -> None:
        """Stage how the account stands with its server from now on."""
        self._stage(None, collect_db.stands(account, footing))

    def note_received(self, account: str, day: int, octets: int) -> None:
        """Stage that so many more octets were received on that day."""
        self._stage(None, collect_db.received(account, day, octets))

    def flush(self) -> None:
        """Make everything staged durable; returns after the commit point."""
        with self._committing:
            with self._usable():
                batch, self._batch = self._batch, _Batch()
                while batch.sealing:
                    self._sealed.wait()
            if batch.statements:
                self._commit(batch)

    def close(self) -> None:
        """Close without flushing: what was not flushed is fetched again."""
        with self._lock:
            self._broken = True
            self._database.connection.close()

    # --- digests --------------------------------------------------------------------------------------------------

    def seed(self, blob_ids: Iterable[BlobId]) -> None:
        """Record octets that the catalogue has, after collect.db was lost."""
        with self._usable(), self._database.connection.transaction():
            self._database.register(None, blob_ids)

    def mark_erased(self, blob_ids: Iterable[BlobId]) -> None:
        """See to it that these octets are never stored again; their locations count as erased."""
        self.flush()
        with self._usable():
            self._database.erase(blob_ids)

    def erased_digests(self) -> Iterator[BlobId]:
        """Yield the digests that are never stored again."""
        with self._usable():
            return iter(list(self._database.erased()))

    def forget_pack(self, pack: str) -> int:
        """Have the messages of a lost pack fetched again by the next run, where the server still has them."""
        self.flush()
        with self._usable():
            return self._database.forget_pack(pack)

    def forget(self, blob_ids: Iterable[BlobId]) -> int:
        """Have these messages fetched again by the next run, where the server still has them; return how many."""
        self.flush()
        with self._usable():
            return self._database.forget(blob_ids)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _usable(self) -> _Guard:
        return _Guard(self)

    def _settle(self, epoch: int) -> None:
        """Commit what is staged for an epoch before it is read; most reads come before anything is staged."""
        with self._usable():
            staged = epoch in self._batch.epochs or bool(self._batch.statements)
        if staged:
            self.flush()

    def _stage(self, epoch: int | None, statements: list[Statement]) -> None:
        with self._usable():
            if epoch is not None:
                self._begin(self._batch, epoch)
            self._batch.statements += statements
            crowded = len(self._batch.statements) >= MOST_STATEMENTS
        if crowded:
            self.flush()

    def _begin(self, batch: _Batch, epoch: int) -> None:
        if epoch not in batch.epochs:
            batch.epochs.add(epoch)
            batch.statements.append(collect_db.unfinished(epoch))

    def _make_room(self, size: int) -> None:
        """Commit first when the batch is old, or would grow beyond one pack."""
        with self._usable():
            batch = self._batch
            old = batch.since is not None and self._clock() - batch.since > OLDEST
            crowded = batch.claimed > 0 and batch.reserved + size > MOST_OCTETS
        if old or crowded:
            self.flush()

    def _locate(self, batch: _Batch, epoch: int, entry: MessageEntry, blob_id: BlobId) -> bool:
        """Stage a location; tell whether the octets still have to be sealed."""
        # Read before anything is staged: a run that a bad page ends still commits what is, with octets or without.
        state = "kept" if blob_id in self._claimed else self._database.digest_state(blob_id)
        now = self._clock()
        batch.since = batch.since or now
        self._begin(batch, epoch)
        batch.statements += collect_db.located(epoch, entry.uid, blob_id)
        if state == "erased":
            return False
        account, name, display, special_use, uid_validity = self._places[epoch]
        batch.arrivals.append(
            Arrival(
                blob_id=blob_id,
                account=account,
                mailbox=name,
                mailbox_display=display,
                special_use=special_use,
                uid_validity=uid_validity,
                uid=entry.uid,
                received_at=entry.received_at,
                keywords=entry.keywords,
                archived_at=int(now.timestamp()),
            )
        )
        return state is None

    def _seal(self, batch: _Batch, blob_id: BlobId, data: bytes) -> None:
        """Seal outside the lock: other accounts go on meanwhile, and the batch waits for it."""
        try:
            record, dek = seal_record(
                data, archive_id=self._credential.archive_id, blob_id=blob_id, random=self._random
            )
        except BaseException:
            with self._lock:
                self._broken = True  # the location is staged already, and may not be committed without octets
                batch.sealing -= 1
                self._sealed.notify_all()
            raise
        with self._lock:
            batch.records.append(SealedRecord(blob_id, batch.length, len(record), len(data), dek))
            batch.sealed.append(record)
            batch.length += len(record)
            batch.sealing -= 1
            self._sealed.notify_all()

    def _add_large(self, epoch: int, entry: MessageEntry, octets: Octets) -> bool:
        with self._large:
            blob_id = blob_id_of(octets, self._credential.digest_key)
            with self._usable():
                known = blob_id in self._claimed or self._database.digest_state(blob_id) is not None
                if known:
                    self._locate(self._batch, epoch, entry, blob_id)
                    return False
            pack, record = self._packs.write_large(octets, blob_id, self._credential.digest_key)
            with self._committing:
                with self._usable():
                    batch = _Batch(pack=pack, records=[record])
                    self._locate(batch, epoch, entry, blob_id)
                self._commit(batch)
            return True

    def _commit(self, batch: _Batch) -> None:
        """Make one batch durable; the caller holds `_committing`."""
        if self._broken:
            raise _stopped()
        try:
            if batch.sealed:
                batch.pack = self._packs.write(batch.sealed)
            if batch.arrivals:
                self._hand_over(Delivery(batch.pack, tuple(batch.records), tuple(batch.arrivals)))
            with self._lock, self._database.connection.transaction():
                if batch.pack is not None:
                    self._database.register(batch.pack, [record.blob_id for record in batch.records])
                for sql, bindings in batch.statements:
                    self._database.connection.execute(sql, bindings)
        except BaseException:
            self._broken = True
            raise
        with self._lock:
            self._claimed.difference_update(record.blob_id for record in batch.records)

    def _hand_over(self, delivery: Delivery) -> None:
        name = self._names.next(delivery.pack)
        octets = seal_delivery(
            delivery,
            archive_id=self._credential.archive_id,
            epoch=self._key_epoch,
            name=name,
            recipient=self._recipient,
        )
        write_durably(self._disk, self._paths.pending / name, octets)

    def _adopt_orphans(self) -> None:
        """Take over packs whose commit was cut off after their keys were durable: their octets need no second copy.

        The clear headers name the messages. Their UIDs are fetched again and found to be known. A pack without pending
        keys is left alone: either its keys were taken in already, or nobody ever had them; only the catalogue
        can tell, and `orphaned_packs` asks it.
        """
        files = PackFiles(self._paths)
        committed = self._database.packs()
        waiting = {pack for name in waiting_names(self._paths) if (pack := pack_of(name)) is not None}
        for pack in sorted(waiting - committed):
            try:
                files.check(pack)
                blob_ids = [placed.header.blob_id for placed in files.headers(pack)]
            except IntegrityError:
                continue  # damaged: fetched again, and verify names it
            with self._database.connection.transaction():
                self._database.register(pack, blob_ids)


class _Guard:
    """The lock, with a refusal once a commit has failed."""

    def __init__(self, store: SealedCollectStore) -> None:
        self._store = store

    def __enter__(self) -> None:
        self._store._lock.acquire()  # noqa: SLF001 one class in two parts
        if self._store._broken:  # noqa: SLF001
            self._store._lock.release()  # noqa: SLF001
            raise _stopped()

    def __exit__(self, *_: object) -> None:
        self._store._lock.release()  # noqa: SLF001


def _stopped() -> IncompleteError:
    return IncompleteError(
        "the collector's store has stopped after an error", hint="run `archiver sync` again: nothing is lost"
    )


def set_aside(paths: ArchivePaths, disk: Disk) -> None:
    """Move a damaged collect.db out of the way; only under the "collect" lock."""
    path = paths.collect_database
    for suffix in ("-wal", "-shm"):
        disk.remove(path.with_name(path.name + suffix))
    disk.rename(path, path.with_name(path.name + ".damaged"))
