"""The stores in memory: the same promises without files, keys or SQL, for tests of the core."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from msgspec.structs import replace

from archiver.core.footing import Footing
from archiver.core.ports import LISTED_AGAIN_AFTER, Clock, Octets
from archiver.errors import IntegrityError
from archiver.model.catalogue import Counts, Details, IndexDocument, Ingested, Seen, Summary
from archiver.model.delivery import Arrival, Delivery, SealedRecord
from archiver.model.link import Standing
from archiver.model.mailbox import MessageEntry, RemoteMailbox
from archiver.model.message import BlobId, Defect, Direction, Message
from archiver.model.search import SavedSearch
from archiver.model.status import Failure, MailboxStatus
from tests.twins.customer_stores import MemoryCorrespondence, Tables


@dataclass
class _Epoch:
    mailbox: tuple[str, bytes]
    uid_validity: int
    uids: dict[int, tuple[str, BlobId | None]] = field(default_factory=dict)
    notes: dict[int, tuple[str, int, datetime]] = field(default_factory=dict)
    server: int = 0
    uid_next: int | None = None
    complete: bool = False
    finished: bool = True
    last_sync: datetime | None = None
    listed_all: datetime | None = None
    problem: str | None = None


@dataclass
class _Box:
    remote: RemoteMailbox
    current: int | None = None
    listed: bool = True
    problem: str | None = None


@dataclass
class MemoryDisk:
    """What survives: packs, pending deliveries and the collector's committed state."""

    packs: dict[str, dict[int, bytes]] = field(default_factory=dict)
    pending: dict[str, Delivery] = field(default_factory=dict)
    set_aside: dict[str, Delivery] = field(default_factory=dict)


class MemoryCollectStore:
    """Twin of the collector's store: everything is durable at once."""

    def __init__(self, disk: MemoryDisk, clock: Clock) -> None:
        self._disk = disk
        self._clock = clock
        self._epochs: list[_Epoch] = []
        self._boxes: dict[tuple[str, bytes], _Box] = {}
        self._accounts: dict[str, str] = {}
        self._digests: set[BlobId] = set()
        self._erased: set[BlobId] = set()
        self._octets: list[tuple[BlobId, bytes]] = []
        self._arrivals: list[Arrival] = []
        self._footings: dict[str, Footing] = {}
        self._received: dict[str, tuple[int, int]] = {}

    def open_epoch(self, account: str, mailbox: RemoteMailbox, uid_validity: int) -> int:
        key = (account, mailbox.name)
        box = self._boxes.setdefault(key, _Box(mailbox))
        same = [n for n, e in enumerate(self._epochs) if (e.mailbox, e.uid_validity) == (key, uid_validity)]
        if not same:
            same = [len(self._epochs)]
            self._epochs.append(_Epoch(key, uid_validity))
        number = same[0]
        if not uid_validity:
            self._epochs[number].uids.clear()
            self._epochs[number].notes.clear()
        box.remote, box.current, box.listed = mailbox, number, True
        return number + 1

    def note_listed(self, account: str, mailboxes: Sequence[RemoteMailbox]) -> None:
        self._accounts.pop(account, None)
        names = [mailbox.name for mailbox in mailboxes]
        for mailbox in mailboxes:
            self._boxes.setdefault((account, mailbox.name), _Box(mailbox))
        for (owner, name), box in self._boxes.items():
            if owner == account:
                box.listed = name in names

    def counters(self, epoch: int) -> tuple[int, int | None, bool]:
        found = self._epoch(epoch)
        if not found.finished or found.problem is not None:
            return -1, None, False
        return found.server, found.uid_next, found.complete

    def accounted(self, epoch: int) -> Mapping[int, str]:
        return {
            uid: "erased" if blob_id in self._erased else state
            for uid, (state, blob_id) in self._epoch(epoch).uids.items()
        }

    def add(self, epoch: int, entry: MessageEntry, octets: Octets) -> bool:
        data = b"".join(octets)
        blob_id = BlobId(sha256(data).digest())
        found = self._begin(epoch)
        found.uids[entry.uid] = ("archived", blob_id)
        found.notes.pop(entry.uid, None)
        if blob_id in self._erased:
            return False
        box = self._boxes[found.mailbox]
        self._arrivals.append(
            Arrival(
                blob_id,
                found.mailbox[0],
                found.mailbox[1],
                box.remote.display,
                box.remote.special_use,
                found.uid_validity,
                entry.uid,
                entry.received_at,
                entry.keywords,
                int(self._clock().timestamp()),
            )
        )
        if blob_id in self._digests:
            return False
        self._digests.add(blob_id)
        self._octets.append((blob_id, data))
        return True

    def note_excluded(self, epoch: int, uid: int, reason: str) -> None:
        self._note(epoch, uid, "excluded", reason)

    def note_failed(self, epoch: int, uid: int, reason: str) -> None:
        self._note(epoch, uid, "failed", reason)

    def note_gone(self, epoch: int, uids: Iterable[int]) -> None:
        found = self._begin(epoch)
        for uid in uids:
            found.uids.pop(uid, None)
            found.notes.pop(uid, None)

    def flush(self) -> None:
        if not self._arrivals:
            return
        records, pack = [], {}
        for offset, (blob_id, data) in enumerate(self._octets):
            pack[offset] = data
            records.append(SealedRecord(blob_id, offset, 1, len(data), b"k" * 32))
        name = sha256(repr(sorted(pack.items())).encode()).hexdigest() if pack else None
        if name is not None:
            self._disk.packs[name] = pack
        delivery = Delivery(name, tuple(records), tuple(self._arrivals))
        self._disk.pending[f"{len(self._disk.pending):08d}-{len(self._epochs)}"] = delivery
        self._octets, self._arrivals = [], []

    def listing_due(self, epoch: int) -> bool:
        last = self._epoch(epoch).listed_all
        return last is None or abs(self._clock() - last) > LISTED_AGAIN_AFTER

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
        found = self._epoch(epoch)
        if listed_all:
            found.listed_all = self._clock().replace(microsecond=0)
        found.server, found.uid_next, found.complete, found.problem = server, uid_next, complete, problem
        found.finished, found.last_sync = True, self._clock().replace(microsecond=0)
        self._boxes[found.mailbox].problem = None

    def footing(self, account: str) -> Footing:
        return self._footings.get(account, Footing())

    def note_footing(self, account: str, footing: Footing) -> None:
        self._footings[account] = footing

    def octets_received(self, account: str, day: int) -> int:
        last, octets = self._received.get(account, (day, 0))
        return octets if last == day else 0

    def note_received(self, account: str, day: int, octets: int) -> None:
        self._received[account] = (day, self.octets_received(account, day) + octets)

    def note_problem(self, account: str, mailbox: RemoteMailbox | None, problem: str) -> None:
        if mailbox is None:
            self._accounts[account] = problem
        else:
            box = self._boxes.setdefault((account, mailbox.name), _Box(mailbox))
            box.problem, box.listed = problem, True

    def statuses(self) -> Sequence[MailboxStatus]:
        found = [
            MailboxStatus(account, "", 0, 0, 0, 0, 0, None, problem)
            for account, problem in sorted(self._accounts.items())
        ]
        for (account, _), box in sorted(self._boxes.items()):
            if not box.listed:
                continue
            epoch = _Epoch(("", b""), 0) if box.current is None else self._epochs[box.current]
            states = [] if box.current is None else list(self.accounted(box.current + 1).values())
            problem = box.problem or epoch.problem
            if problem is None and not epoch.finished:
                problem = "the last run was interrupted; the next one continues"
            found.append(
                MailboxStatus(
                    account,
                    box.remote.display,
                    epoch.server,
                    states.count("archived"),
                    states.count("excluded"),
                    states.count("failed"),
                    states.count("erased"),
                    epoch.last_sync,
                    problem,
                )
            )
        return found

    def failures(self) -> Sequence[Failure]:
        return [
            Failure(account, box.remote.display, self._epochs[box.current].uid_validity, uid, *note)
            for (account, _), box in sorted(self._boxes.items())
            if box.listed and box.current is not None
            for uid, note in sorted(self._epochs[box.current].notes.items())
            if self._epochs[box.current].uids[uid][0] == "failed"
        ]

    def seed(self, blob_ids: Iterable[BlobId]) -> None:
        self._digests.update(blob_ids)

    def mark_erased(self, blob_ids: Iterable[BlobId]) -> None:
        self._erased.update(blob_ids)

    def erased_digests(self) -> Iterator[BlobId]:
        return iter(sorted(self._erased))

    def forget(self, blob_ids: Iterable[BlobId]) -> int:
        self.flush()
        gone = self._digests.intersection(blob_ids) - self._erased
        self._digests -= gone
        for epoch in self._epochs:
            uids = [uid for uid, (_, blob_id) in epoch.uids.items() if blob_id in gone]
            for uid in uids:
                del epoch.uids[uid]
                epoch.finished = False
        return len(gone)

    def forget_pack(self, pack: str) -> int:
        return self.forget([BlobId(sha256(octets).digest()) for octets in self._disk.packs.get(pack, {}).values()])

    def close(self) -> None:
        self._octets, self._arrivals = [], []

    def _epoch(self, epoch: int) -> _Epoch:
        return self._epochs[epoch - 1]

    def _begin(self, epoch: int) -> _Epoch:
        found = self._epoch(epoch)
        found.finished = False
        return found

    def _note(self, epoch: int, uid: int, state: str, reason: str) -> None:
        found = self._begin(epoch)
        if found.uids.get(uid, ("", None))[0] != "archived":
            found.uids[uid] = (state, None)
        attempts = found.notes.get(uid, ("", 0, self._clock()))[1] + 1
        found.notes[uid] = (reason, attempts, self._clock().replace(microsecond=0))


class MemoryDeliveries:
    """Twin of the pending deliveries."""

    def __init__(self, disk: MemoryDisk) -> None:
        self._disk = disk

    def waiting(self) -> Sequence[str]:
        return sorted(self._disk.pending)

    def open(self, name: str) -> Delivery:
        if name not in self._disk.pending:
            raise FileNotFoundError(name)
        return self._disk.pending[name]

    def set_aside(self, name: str) -> None:
        if name in self._disk.pending:
            self._disk.set_aside[name] = self._disk.pending.pop(name)

    def done(self, name: str) -> None:
        self._disk.pending.pop(name, None)


class MemoryVault:
    """Twin of the packs."""

    def __init__(self, disk: MemoryDisk) -> None:
        self._disk = disk

    def read(self, pack: str, record: SealedRecord) -> bytes:
        octets = self._disk.packs.get(pack, {}).get(record.offset)
        if octets is None or sha256(octets).digest() != record.blob_id:
            name = record.blob_id.hex()[:12]
            raise IntegrityError("damaged", what=f"pack {pack}, message {name}")
        return octets

    def close(self) -> None:
        """Nothing is open."""


class MemoryCatalogue:
    """Twin of archive.db; threads are found by walking over all messages."""

    def __init__(self) -> None:
        self._messages: dict[int, tuple[Ingested, int, str, SealedRecord]] = {}
        self._locations: dict[tuple[str, bytes, int, int], Arrival] = {}
        self._sequence = 0
        self.marked: set[int] = set()
        """Rows of messages that were read once and do not open any more."""
        self.tables = Tables()

    @property
    def messages(self) -> Mapping[int, Ingested]:
        return {row: found[0] for row, found in self._messages.items()}

    def replace_message(self, row: int, message: Message) -> None:
        self._messages[row] = (replace(self._messages[row][0], message=message), *self._messages[row][1:])

    def known(self, blob_ids: Iterable[BlobId]) -> frozenset[BlobId]:
        return frozenset(
            blob_id
            for blob_id in blob_ids
            if (row := self.row(blob_id)) is not None and row not in self.damaged().values()
        )

    def damaged(self) -> Mapping[BlobId, int]:
        return {
            found[0].blob_id: row
            for row, found in self._messages.items()
            if row in self.marked or _unreadable(found[0])
        }

    def take_in(self, delivery: Delivery, messages: Sequence[Ingested]) -> Mapping[BlobId, int]:
        records = {record.blob_id: record for record in delivery.records}
        given = {ingested.blob_id for ingested in messages}
        if not given <= records.keys() or any(b not in given and self.row(b) is None for b in records):
            raise ValueError("records and messages do not fit")
        rows: dict[BlobId, int] = {}
        for ingested in messages:
            old = self.row(ingested.blob_id)
            if old is not None and old in self.marked and not _unreadable(ingested):
                self._sequence += 1
                record = records[ingested.blob_id]
                self._messages[old] = (self._messages[old][0], self._sequence, delivery.pack or "", record)
                self.marked.discard(old)
                rows[ingested.blob_id] = old
                continue
            if old is not None:
                if not _unreadable(self._messages[old][0]) or _unreadable(ingested):
                    continue
                del self._messages[old]
                self.tables.links.pop(old, None)
                self.tables.codes.pop(old, None)
            row = max(0, int(ingested.at.timestamp() // 1)) << 20
            while row in self._messages:
                row += 1
            self._sequence += 1
            pack = delivery.pack or ""
            self._messages[row] = (ingested, self._sequence, pack, records[ingested.blob_id])
            rows[ingested.blob_id] = row
            self.tables.links[row] = {link.customer: link for link in ingested.links}
            self.tables.codes[row] = set(ingested.codes)
        for arrival in delivery.arrivals:
            self._locations[arrival.account, arrival.mailbox, arrival.uid_validity, arrival.uid] = arrival
        return rows

    def last_sequence(self) -> int:
        return self._sequence

    def settle(self) -> bool:
        return True

    def pack_names(self) -> frozenset[str]:
        return frozenset(pack for pack, _ in self.sealed_records())

    def resolve(self, prefix: str) -> Sequence[BlobId]:
        prefix = prefix.lower()
        if not 4 <= len(prefix) <= 64:
            return []
        ids = sorted(found[0].blob_id for found in self._messages.values())
        return [blob_id for blob_id in ids if blob_id.hex().startswith(prefix)][:10]

    def row(self, blob_id: BlobId) -> int | None:
        return next((row for row, found in self._messages.items() if found[0].blob_id == blob_id), None)

    def summaries(self, rows: Sequence[int]) -> Sequence[Summary]:
        return [self._summary(row) for row in rows if row in self._messages]

    def details(self, row: int) -> Details | None:
        if row not in self._messages:
            return None
        ingested, _, _, record = self._messages[row]
        message = ingested.message
        return Details(
            self._summary(row), message.bcc, message.reply_to, ingested.received_at, ingested.archived_at,
            record.octets, message.parts, message.defects, tuple(self._seen(ingested.blob_id)),
        )  # fmt: skip

    def thread(self, row: int) -> Sequence[Summary]:
        return self.summaries(sorted(self.thread_rows(row))) if row in self._messages else []

    def sealed(self, row: int) -> tuple[str, SealedRecord] | None:
        return None if row not in self._messages else self._messages[row][2:]

    def sealed_records(self) -> Iterator[tuple[str, SealedRecord]]:
        yield from sorted((found[2:] for found in self._messages.values()), key=lambda at: (at[0], at[1].offset))

    def unindexed(self, after: int, limit: int) -> Sequence[tuple[int, int]]:
        return sorted((found[1], row) for row, found in self._messages.items() if found[1] > after)[:limit]

    def directions(self, rows: Iterable[int]) -> Mapping[int, Direction]:
        return {row: self._messages[row][0].direction for row in rows if row in self._messages}

    def note_readings(self, readings: Mapping[int, Message]) -> None:
        for row, reading in readings.items():
            if row in self._messages and not _unreadable(self._messages[row][0]):
                kept = self._messages[row][0].message
                self.replace_message(row, replace(kept, language=reading.language, defects=reading.defects))

    def defects(self, limit: int) -> Sequence[tuple[BlobId, Defect]]:
        return [
            (self._messages[row][0].blob_id, defect)
            for row in sorted(self._messages, reverse=True)
            for defect in self._messages[row][0].message.defects
        ][:limit]

    def counts(self) -> Counts:
        rows = sorted(self._messages)
        return Counts(
            messages=len(rows),
            octets=sum(found[3].octets for found in self._messages.values()),
            defects=sum(bool(found[0].message.defects) for found in self._messages.values()),
            newest=_instant(rows[-1]) if rows else None,
            oldest=_instant(rows[0]) if rows else None,
            unlinked=sum(
                found[0].direction is not Direction.INTERNAL
                and all(link.standing is Standing.SUGGESTED for link in self.tables.links_of(row))
                for row, found in self._messages.items()
            ),
            customers=sum(record.merged_into is None for record in self.tables.customers.values()),
        )

    def close(self) -> None:
        """Nothing is open."""

    def thread_rows(self, row: int) -> set[int]:
        ids, rows = set(_ids(self._messages[row][0])), {row}
        while True:
            more = {r for r, found in self._messages.items() if r not in rows and ids & set(_ids(found[0]))}
            if not more:
                return rows
            rows |= more
            ids.update(i for r in more for i in _ids(self._messages[r][0]))

    def _summary(self, row: int) -> Summary:
        ingested = self._messages[row][0]
        message = ingested.message
        text = message.text if message.text.strip() else message.quoted
        seen = self._seen(ingested.blob_id)
        links = self.tables.links_of(row)
        customers = self.tables.references(link.customer for link in links if link.standing is Standing.LINKED)
        suggested = [link.customer for link in links] or MemoryCorrespondence(self).thread_customers([row]).get(row, ())
        candidates = [each for each in self.tables.references(suggested) if each not in customers]
        return Summary(
            row, ingested.blob_id, min(self.thread_rows(row)), message.message_id, message.subject, _instant(row),
            message.sent_at, ingested.direction, message.from_, message.to, message.cc,
            tuple(dict.fromkeys(f"{each.account}/{each.mailbox}" for each in seen)),
            tuple(part.filename or part.content_type for part in message.attachments),
            " ".join(text[:720].split())[:120], customers, tuple(candidates),
            self._messages[row][3].octets, message.language,
        )  # fmt: skip

    def _seen(self, blob_id: BlobId) -> list[Seen]:
        return [
            Seen(account, arrival.mailbox_display, validity, uid, arrival.keywords)
            for (account, _, validity, uid), arrival in sorted(self._locations.items())
            if arrival.blob_id == blob_id
        ]


class MemorySavedSearches:
    """Twin of the saved searches."""

    def __init__(self) -> None:
        self._searches: dict[str, SavedSearch] = {}

    def all(self) -> Sequence[SavedSearch]:
        return [self._searches[key] for key in sorted(self._searches)]

    def get(self, name: str) -> SavedSearch | None:
        return self._searches.get(name.casefold())

    def put(self, search: SavedSearch) -> None:
        self._searches[search.name.casefold()] = replace(search, saved_at=search.saved_at.replace(microsecond=0))

    def remove(self, name: str) -> bool:
        return self._searches.pop(name.casefold(), None) is not None


class MemoryIndex:
    """Twin of the full-text index as far as keeping documents goes."""

    def __init__(self) -> None:
        self.documents: dict[int, IndexDocument] = {}
        self._watermark = 0

    def watermark(self) -> int:
        return self._watermark

    def add(self, documents: Sequence[IndexDocument], watermark: int) -> None:
        self.documents.update((document.row, document) for document in documents)
        self._watermark = max(self._watermark, watermark)

    def remove(self, rows: Sequence[int]) -> None:
        for row in rows:
            self.documents.pop(row, None)

    def clear(self) -> None:
        self.documents.clear()
        self._watermark = 0

    def count(self) -> int:
        return len(self.documents)


def _unreadable(ingested: Ingested) -> bool:
    return any(defect.code == "unreadable" for defect in ingested.message.defects)


def _ids(ingested: Ingested) -> list[str]:
    message = ingested.message
    return [*message.references, *message.in_reply_to, *([message.message_id] if message.message_id else [])]


def _instant(row: int) -> datetime:
    return datetime.fromtimestamp(row >> 20, tz=UTC)
