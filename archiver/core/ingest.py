"""Ingest and index: take the collector's deliveries over into the catalogue, and follow it with the full-text index.

Knows the order that loses nothing (keys and rows durable before the pending file goes, the index behind its own
watermark) and what to do with damage: a message that cannot be read keeps its row, its key and a defect. New messages
are linked as they come when there are customers. Knows nothing of packs' bytes, SQL, MIME or how links are made.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from archiver.core.documents import document, octets_held, octets_parsed
from archiver.core.placing import direction_of, is_automatic, sorting_instant
from archiver.core.ports import Catalogue, Deliveries, Index, Parser, Vault
from archiver.core.progress import OnProgress, Progress, silent
from archiver.errors import IntegrityError, UnreadableError
from archiver.mail.dates import internal_date
from archiver.model.catalogue import IndexDocument, Ingested
from archiver.model.delivery import Arrival, Delivery, SealedRecord
from archiver.model.identity import Identity
from archiver.model.link import Standing
from archiver.model.message import BlobId, Defect, Direction, Message

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from archiver.core.linking.relinking import Linker

_INDEX_BATCH = 2000
"""Documents to one transaction of the index: fewer, larger segments."""

_SETTLE_EVERY = 50
"""Deliveries between two moves of the write-ahead log into the catalogue."""

_CATCH_UP_BATCH = 500
"""Messages read again at a time when the index is behind."""

_INDEX_TEXT = 12 * 1024 * 1024
"""Octets of text held back for that, at most, and as many being indexed: memory stays flat with large messages."""

_PARSED_TEXT = 8 * 1024 * 1024
"""Octets of text of parsed messages from which on a delivery is taken in although more of it is to come: 200 messages
with files made for it would hold a gigabyte."""


class IngestReport(Struct, frozen=True):
    """`messages` are new in the catalogue; `damaged` names what could not be read, `waiting` counts what is left.

    Of them, `linked` belong to a customer, `ambiguous` fit several equally and `unlinked`, internal mail aside, fit
    nobody; all three are 0 while there are no customers.
    """

    messages: int = 0
    octets: int = 0
    indexed: int = 0
    defects: int = 0
    waiting: int = 0
    linked: int = 0
    ambiguous: int = 0
    unlinked: int = 0
    damaged: tuple[str, ...] = ()


class _Taking(Struct):
    """One delivery on its way: the records that are parsed, those that could not be read; `held` in octets of text."""

    name: str
    delivery: Delivery
    fresh: list[SealedRecord] = field(default_factory=list)
    unreadable: list[SealedRecord] = field(default_factory=list)
    parsed: list[Message] = field(default_factory=list)
    held: int = 0
    read: bool = False

    def split(self) -> Delivery:
        """Cut off what is parsed, to be taken in by itself; `parsed` is left to the caller."""
        some = len(self.parsed)
        records, self.fresh = self.fresh[:some], self.fresh[some:]
        cut = {record.blob_id for record in records}
        whole = self.delivery
        self.delivery = replace(
            whole,
            records=tuple(record for record in whole.records if record.blob_id not in cut),
            arrivals=tuple(arrival for arrival in whole.arrivals if arrival.blob_id not in cut),
        )
        return replace(
            whole,
            records=tuple(records),
            arrivals=tuple(arrival for arrival in whole.arrivals if arrival.blob_id in cut),
        )


class IngestPorts(Struct, frozen=True):
    """What an open archive gives to ingest; `linker` is None while there are no customers."""

    deliveries: Deliveries
    vault: Vault
    parser: Parser
    catalogue: Catalogue
    index: Index
    identity: Identity
    linker: Linker | None = None


def take_in(
    ports: IngestPorts,
    *,
    on_progress: OnProgress = silent,
    more: Callable[[], bool] = lambda: False,
    pause: Callable[[], bool] = lambda: False,
    set_aside: bool = False,
) -> IngestReport:
    """Take in every pending delivery, then bring the index up to the catalogue.

    While `more()` says that a collector is still delivering, new deliveries are waited for (it is expected to block a
    little) and taken in as they come. Once `pause()`, asked before each delivery, says so, no other is begun; what is
    left stays for another call. With `set_aside`, damaged deliveries are put out of the way: for callers that tell of
    the damage in the report, since nothing else will name it again.
    """
    caught_up = catch_up(ports, on_progress=on_progress)
    run = _Run(ports, on_progress, more, pause, set_aside=set_aside)
    run.run()
    return IngestReport(
        messages=run.messages,
        octets=run.octets,
        indexed=caught_up + run.indexed,
        defects=run.defects,
        waiting=len(ports.deliveries.waiting()) - run.unsettled,
        linked=run.linked,
        ambiguous=run.ambiguous,
        unlinked=run.unlinked,
        damaged=tuple(run.damaged),
    )


def catch_up(ports: IngestPorts, *, on_progress: OnProgress = silent) -> int:
    """Index what the catalogue has and the index lacks (after a kill, or a lost index); return how many.

    An index that is ahead of the catalogue followed a state that was lost (an older archive.db was put back, its log
    was damaged): its rows may stand for other messages by now, so it is built anew.
    """
    if ports.index.watermark() > ports.catalogue.last_sequence():
        ports.index.clear()
    total = ports.catalogue.counts().messages - ports.index.count()
    done = 0
    while pairs := ports.catalogue.unindexed(ports.index.watermark(), _CATCH_UP_BATCH):
        for batch in _read_again(ports, pairs):
            # The catalogue first: what a kill leaves out of the index is read once more.
            ports.catalogue.note_readings(batch.readings)
            ports.index.add(batch.documents, batch.watermark)
            done += len(batch.documents)
            on_progress(Progress("index", None, None, done=done, total=max(total, done)))
    return done


class _Batch(Struct):
    """Messages read again: for the index, up to that watermark, and for the catalogue those that could be opened."""

    watermark: int = 0
    held: int = 0
    documents: list[IndexDocument] = field(default_factory=list)
    readings: dict[int, Message] = field(default_factory=dict)


def _read_again(ports: IngestPorts, pairs: Sequence[tuple[int, int]]) -> Iterator[_Batch]:
    """Read messages, as (sequence, row), and yield them in batches of at most about _INDEX_TEXT octets."""
    rows = [row for _, row in pairs]
    directions = ports.catalogue.directions(rows)
    closed: set[int] = set()
    batch = _Batch()
    for (sequence, row), message in zip(pairs, ports.parser.parse(_octets_of(ports, rows, closed)), strict=True):
        read = document(row, message, directions.get(row, Direction.OTHER))
        batch.watermark = sequence
        batch.held += octets_held(read)
        batch.documents.append(read)
        if row not in closed:
            batch.readings[row] = message
        if batch.held >= _INDEX_TEXT:
            yield batch
            batch = _Batch()
    if batch.documents:
        yield batch


def _octets_of(ports: IngestPorts, rows: Iterable[int], closed: set[int]) -> Iterator[bytes]:
    """Yield octets; rows that cannot be opened are put into `closed`, and are empty."""
    for row in rows:
        sealed = ports.catalogue.sealed(row)
        try:
            octets = None if sealed is None else ports.vault.read(*sealed)
        except IntegrityError:
            octets = None  # verify names it; an index without it is the best there is
        if octets is None:
            closed.add(row)
        yield octets or b""


class _Run:
    """One pass over the pending deliveries, with the parser kept busy across their borders."""

    def __init__(
        self,
        ports: IngestPorts,
        on_progress: OnProgress,
        more: Callable[[], bool],
        pause: Callable[[], bool],
        *,
        set_aside: bool,
    ) -> None:
        self._ports = ports
        self._set_aside = set_aside
        self._on_progress = on_progress
        self._more = more
        self._pause = pause
        self._open: deque[_Taking] = deque()
        self._documents: list[IndexDocument] = []
        self._held = 0
        self._watermark = ports.index.watermark()
        self._under_way: set[BlobId] = set()
        self._gaps = ports.catalogue.damaged()
        self._taken: list[str] = []
        self._indexing: Future[None] | None = None
        self.messages = self.octets = self.indexed = self.defects = 0
        self.linked = self.ambiguous = self.unlinked = 0
        self.damaged: list[str] = []

    @property
    def unsettled(self) -> int:
        """Count the deliveries that are taken in and whose files a reader still keeps."""
        return len(self._taken)

    def run(self) -> None:
        """Read ahead, parse, and finish each delivery in order as soon as its messages are parsed."""
        from concurrent.futures import ThreadPoolExecutor

        # The index is written beside everything else; nobody asks it for anything else until `_index_ready`.
        with ThreadPoolExecutor(max_workers=1) as indexer:
            for message in self._ports.parser.parse(self._octets()):
                self._complete_leading(indexer)
                leading = self._open[0]
                leading.parsed.append(message)
                leading.held += octets_parsed(message)
                if leading.held >= _PARSED_TEXT:
                    self._complete_part(leading, indexer)
                del message  # the next one may be long in coming, and this one large
                self._complete_leading(indexer)
            self._complete_leading(indexer)
            self._settle()
            self._index_documents(indexer)
            self._index_ready()

    def _octets(self) -> Iterator[bytes]:
        done: set[str] = set()
        while True:
            more = self._more()  # asked before looking: what arrives in between is seen by the next look
            names = [name for name in self._ports.deliveries.waiting() if name not in done]
            for name in names:
                if self._pause():
                    return
                done.add(name)
                yield from self._octets_of(name)
            if not names and (not more or self._pause()):
                return

    def _octets_of(self, name: str) -> Iterator[bytes]:
        try:
            delivery = self._ports.deliveries.open(name)
        except FileNotFoundError:
            return  # another run took it over
        except IntegrityError as error:
            self.damaged.append(error.what)
            # What the disk does not give back now waits for a run in which it does.
            if self._set_aside and not isinstance(error, UnreadableError):
                self._ports.deliveries.set_aside(name)
            return
        known = self._ports.catalogue.known([record.blob_id for record in delivery.records])
        taking = _Taking(name, delivery)
        self._open.append(taking)
        for record in delivery.records:
            if record.blob_id in known or record.blob_id in self._under_way:
                continue
            self._under_way.add(record.blob_id)
            try:
                octets = self._ports.vault.read(delivery.pack or "", record)
            except IntegrityError as error:
                self.damaged.append(error.what)
                taking.unreadable.append(record)
                continue
            taking.fresh.append(record)
            yield octets
        taking.read = True

    def _complete_leading(self, indexer: Executor) -> None:
        while self._open and self._open[0].read and len(self._open[0].parsed) == len(self._open[0].fresh):
            self._complete(self._open.popleft(), indexer)

    def _complete_part(self, taking: _Taking, indexer: Executor) -> None:
        """Take in what is parsed of a delivery; its file stays until the rest is."""
        if len(taking.parsed) == len(taking.fresh) and taking.read:
            return  # that is all of it
        part = taking.split()
        messages = dict(zip((record.blob_id for record in part.records), taking.parsed, strict=True))
        taking.parsed, taking.held = [], 0
        self._take_in(part, messages, indexer)

    def _complete(self, taking: _Taking, indexer: Executor) -> None:
        messages = dict(zip((record.blob_id for record in taking.fresh), taking.parsed, strict=True))
        for record in taking.unreadable:
            messages[record.blob_id] = Message(defects=(Defect("unreadable", "the sealed record is damaged"),))
        self._take_in(taking.delivery, messages, indexer)
        self._taken.append(taking.name)
        if len(self._taken) >= _SETTLE_EVERY:
            self._settle()

    def _take_in(self, delivery: Delivery, messages: Mapping[BlobId, Message], indexer: Executor) -> None:
        """Bring messages of a delivery into the catalogue, and hold them ready for the index."""
        arrivals: dict[BlobId, list[Arrival]] = {}
        for arrival in delivery.arrivals:
            arrivals.setdefault(arrival.blob_id, []).append(arrival)
        ingested = [
            self._ingested(blob_id, message, arrivals.get(blob_id, [])) for blob_id, message in messages.items()
        ]
        rows = self._ports.catalogue.take_in(delivery, ingested)
        self._forget_rows([old for blob_id in rows if (old := self._gaps.get(blob_id)) not in (None, rows[blob_id])])
        self._under_way.difference_update(messages)
        self.messages += len(rows)
        sizes = {record.blob_id: record.octets for record in delivery.records}
        self.octets += sum(sizes[blob_id] for blob_id in rows)
        self.defects += sum(bool(messages[blob_id].defects) for blob_id in rows)
        if self._ports.linker is not None:
            self._count_links(new for new in ingested if new.blob_id in rows)
        by_row = {rows[new.blob_id]: new for new in ingested if new.blob_id in rows}
        for sequence, row in self._ports.catalogue.unindexed(self._watermark, len(by_row) + 1):
            if row not in by_row:
                break  # another writer's; catch_up reads it from its pack
            new = document(row, by_row[row].message, by_row[row].direction)
            self._documents.append(new)
            self._held += octets_held(new)
            self._watermark = sequence
        if len(self._documents) >= _INDEX_BATCH or self._held >= _INDEX_TEXT:
            self._index_documents(indexer)
        self._on_progress(Progress("ingest", None, None, done=self.messages, total=None, octets=self.octets))

    def _forget_rows(self, rows: list[int | None]) -> None:
        """Take rows out of the index whose messages could not be read, came again, and have another row now."""
        gone = [row for row in rows if row is not None]
        if gone:
            self._index_ready()
            self._ports.index.remove(gone)

    def _count_links(self, ingested: Iterable[Ingested]) -> None:
        for new in ingested:
            standings = {link.standing for link in new.links}
            if Standing.LINKED in standings:
                self.linked += 1
            if Standing.AMBIGUOUS in standings:
                self.ambiguous += 1
            elif Standing.LINKED not in standings and new.direction is not Direction.INTERNAL:
                self.unlinked += 1

    def _settle(self) -> None:
        """Let the pending files go, once what they held can no longer be lost with the log."""
        if not self._taken:
            return
        self._index_ready()  # its connection reads the catalogue too, and would hold back the log
        if self._ports.catalogue.settle():
            for name in self._taken:
                self._ports.deliveries.done(name)
            self._taken.clear()

    def _index_documents(self, indexer: Executor) -> None:
        """Hand what is held back to the index, once it is done with what it had before."""
        self._index_ready()
        if self._documents:
            self._indexing = indexer.submit(self._ports.index.add, self._documents, self._watermark)
            self.indexed += len(self._documents)
            self._documents = []
            self._held = 0

    def _index_ready(self) -> None:
        """Wait until the index has written what it was given; raises what went wrong there."""
        if self._indexing is not None:
            indexing, self._indexing = self._indexing, None
            indexing.result()

    def _ingested(self, blob_id: BlobId, message: Message, arrivals: list[Arrival]) -> Ingested:
        archived_at = datetime.fromtimestamp(min((a.archived_at for a in arrivals), default=0), tz=UTC)
        received_at = _earliest(arrivals)
        direction = direction_of(message, self._ports.identity, arrivals)
        linker = self._ports.linker
        codes, links = linker.of(blob_id, message, direction) if linker is not None else ((), ())
        if message.automatic and not is_automatic(message, self._ports.identity):
            message = replace(message, automatic=False)
        return Ingested(
            blob_id=blob_id,
            message=message,
            direction=direction,
            at=sorting_instant(message, received_at, archived_at),
            received_at=received_at,
            archived_at=archived_at,
            codes=codes,
            links=links,
        )


def _earliest(arrivals: Iterable[Arrival]) -> datetime | None:
    dates = [internal_date(arrival.received_at) for arrival in arrivals if arrival.received_at]
    return min((date for date in dates if date is not None), default=None)
