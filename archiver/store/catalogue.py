"""archive.db: messages, addresses, threads, locations and keys (port `Catalogue`).

Knows how a delivery becomes rows, in one transaction and idempotent. What the tables are is in schema.py, how rows
become values in reading.py. Knows nothing of packs' bytes, of parsing or of the index.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from archiver.errors import IntegrityError
from archiver.model.catalogue import Counts, Details, Ingested, Summary
from archiver.model.message import BlobId, Defect, Direction, Message, PartKind
from archiver.store import reading, schema
from archiver.store.connection import StoreConnection, open_database
from archiver.store.layout import ArchivePaths
from archiver.store.linked import SUGGESTED, erased_among, marks, pieces
from archiver.store.locations import locate
from archiver.store.mending import DAMAGED, UNREADABLE, damaged, defect_of, make_room, mend, readable

if TYPE_CHECKING:
    from archiver.model.delivery import Delivery, SealedRecord
    from archiver.store.numbers import Numbers

    _Records = Mapping[BlobId, SealedRecord]

_ATTACHMENTS = frozenset({PartKind.ATTACHMENT, PartKind.MESSAGE, PartKind.CALENDAR})
_AT_ONCE = 500
"""Identifiers looked up by one statement; SQLite takes 32,766 bindings."""


def create_catalogue(paths: ArchivePaths, key: bytes, *, meta: Mapping[str, bytes | str | int]) -> None:
    """Create archive.db with its facts: archive id, copy of the collector credential, fingerprint of the identity."""
    with open_database(paths.database, key, create=True) as connection, connection.transaction():
        schema.migrate(connection, schema.APPLICATION_ID, schema.MIGRATIONS)
        connection.execute_many("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(meta.items()))


def open_catalogue(paths: ArchivePaths, key: bytes, *, readonly: bool = False) -> SqliteCatalogue:
    """Open archive.db; a writer holds the "archive" lock, and brings an older format up to this one.

    Raises NoArchiveError, WrongKeyError, IntegrityError, OlderFormatError when a reader meets an older format (a writer
    mends that), and FormatError when anybody meets a newer one.
    """
    connection = open_database(paths.database, key, readonly=readonly)
    try:
        if readonly:
            schema.check_current(connection, schema.APPLICATION_ID, len(schema.MIGRATIONS))
        else:
            schema.migrate(connection, schema.APPLICATION_ID, schema.MIGRATIONS)
    except BaseException:
        connection.close()
        raise
    return SqliteCatalogue(connection)


class SqliteCatalogue:
    """The catalogue over one connection; not for several threads. Readers open their own, read-only."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection
        self._reader = reading.Reader(connection)

    @cached_property
    def _numbers(self) -> Numbers:
        from archiver.store.numbers import Numbers  # for writers; who reads need not load it

        return Numbers(self._connection)

    @property
    def connection(self) -> StoreConnection:
        """The connection, for checks and checkpoints."""
        return self._connection

    def close(self) -> None:
        """Close; may be called twice."""
        self._connection.close()

    # --- facts ----------------------------------------------------------------------------------------------------

    def meta(self, key: str) -> bytes | str | int | None:
        """Return one fact about the archive, or None."""
        row = self._connection.one("SELECT value FROM meta WHERE key = ?", (key,))
        value = row[0] if row is not None else None
        return value if isinstance(value, (bytes, str, int)) else None

    def set_meta(self, key: str, value: bytes | str | int) -> None:
        """Record a fact about the archive."""
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # --- writing --------------------------------------------------------------------------------------------------

    def known(self, blob_ids: Iterable[BlobId]) -> frozenset[BlobId]:
        """Return those for which nothing is to be done: kept and readable, or erased for ever.

        A damaged one counts as unknown, so that it can be mended.
        """
        wanted = list(blob_ids)
        kept = (blob_id for blob_id, row in self._rows(wanted).items() if defect_of(self._connection, row) is None)
        return erased_among(self._connection, wanted).union(kept)

    def damaged(self) -> Mapping[BlobId, int]:
        """Return the messages that are known not to open, and their rows."""
        return damaged(self._connection)

    def take_in(self, delivery: Delivery, messages: Sequence[Ingested]) -> Mapping[BlobId, int]:
        """Write keys, rows, addresses, threads, locations in one transaction; idempotent; return rows of the new.

        A message that was marked as damaged is mended in its place, and is among those returned. What was erased stays
        so: key, text and places are left out. Raises ValueError when a record is neither known nor among the messages:
        its key would be lost.
        """
        records = {record.blob_id: record for record in delivery.records}
        rows: dict[BlobId, int] = {}
        try:
            with self._connection.transaction():
                named = (*records, *(arrival.blob_id for arrival in delivery.arrivals))
                kept = self._rows(named)
                erased = erased_among(self._connection, named)
                _check_complete(records, messages, kept.keys() | erased)
                messages = [each for each in messages if each.blob_id not in erased]
                fresh = [ingested for ingested in messages if self._wanted(ingested, kept.get(ingested.blob_id))]
                if fresh:
                    rows.update(self._insert_all(fresh, self._pack(delivery.pack), records))
                rows.update(self._mend_all(messages, kept, delivery.pack, records))
                arrivals = [each for each in delivery.arrivals if each.blob_id not in erased]
                locate(self._connection, self._numbers, arrivals, kept | rows)
        except BaseException:
            self._numbers.forget()
            raise
        return rows

    def _wanted(self, ingested: Ingested, row: int | None) -> bool:
        """Tell whether a message is new, or readable where the one kept in `row` is not; the latter makes room."""
        if row is None:
            return True
        if defect_of(self._connection, row) != UNREADABLE or _cannot_be_read(ingested):
            return False
        make_room(self._connection, row, ingested.blob_id)
        return True

    def _mend_all(
        self, messages: Sequence[Ingested], kept: Mapping[BlobId, int], pack: str | None, records: _Records
    ) -> dict[BlobId, int]:
        """Give those that are marked as damaged the record that came with this delivery."""
        mended: dict[BlobId, int] = {}
        for ingested in messages:
            row = kept.get(ingested.blob_id)
            if row is not None and not _cannot_be_read(ingested) and defect_of(self._connection, row) == DAMAGED:
                mended[ingested.blob_id] = row
                self.set_meta("sequence", sequence := self.last_sequence() + 1)
                mend(self._connection, row, sequence, self._pack(pack), records[ingested.blob_id])
        return mended

    def _insert_all(
        self, fresh: Sequence[Ingested], pack: int, records: Mapping[BlobId, SealedRecord]
    ) -> dict[BlobId, int]:
        """Insert messages; what can be written for all of them at once is."""
        sequence = self._connection.integer("SELECT value FROM meta WHERE key = 'sequence'")
        rows: dict[BlobId, int] = {}
        sealed: list[tuple[object, ...]] = []
        for ingested in fresh:
            if ingested.blob_id in rows:
                continue
            record = records[ingested.blob_id]
            sequence += 1
            rows[ingested.blob_id] = row = self._insert(ingested, sequence, record)
            sealed.append((sequence, row, pack, record.offset, record.length, record.dek))
        self._connection.execute_many("INSERT INTO records VALUES (?,?,?,?,?,?)", sealed)
        # Counted up for ever: the highest record may have been erased, and the index follows this number.
        self.set_meta("sequence", sequence)
        if self._connection.one("SELECT 1 FROM locations WHERE blob_id IS NOT NULL LIMIT 1") is not None:
            # Locations may have come first: another delivery's pending file was damaged, say.
            self._connection.execute_many(
                "UPDATE locations SET row = ?, blob_id = NULL WHERE blob_id = ?",
                [(row, blob_id) for blob_id, row in rows.items()],
            )
        return rows

    def _insert(self, ingested: Ingested, sequence: int, record: SealedRecord) -> int:
        from archiver.store.numbers import CODE, VAT_NUMBER
        from archiver.store.threads import join_thread, thread_ids

        execute = self._connection.execute
        message = ingested.message
        row = self._free_row(reading.first_row(ingested.at))
        seconds = row >> reading.SECOND_BITS
        thread = join_thread(self._connection, thread_ids(message), sequence)
        people = [self._numbers.addresses(getattr(message, role)) for role in reading.ROLES]
        parts: list[reading.PackedPart] = [
            (
                part.path,
                self._numbers.term(part.content_type),
                reading.KINDS.index(part.kind),
                part.size,
                part.filename,
                part.content_id,
                None if part.charset is None else self._numbers.term(part.charset),
            )
            for part in message.parts
        ]
        sent, received = message.sent_at, ingested.received_at
        direction = reading.DIRECTIONS.index(ingested.direction)
        execute(
            "INSERT INTO messages VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                row,
                sequence,
                ingested.blob_id,
                thread,
                direction,
                record.octets,
                sum(part.kind in _ATTACHMENTS for part in message.parts),
                None if sent is None else reading.epoch_seconds(sent) - seconds,
                None if sent is None else reading.zone_minutes(sent),
                None if received is None else reading.epoch_seconds(received) - seconds,
                reading.epoch_seconds(ingested.archived_at),
                message.message_id,
                message.subject,
                reading.preview(message),
                reading.pack_people(people),
                reading.pack_parts(parts),
                reading.AUTOMATIC if message.automatic else reading.EXAMINED,
                None if message.language is None else self._numbers.term(message.language),
            ),
        )
        for position, defect in enumerate(message.defects):
            execute(
                "INSERT INTO defects VALUES (?,?,?,?)", (row, position, self._numbers.term(defect.code), defect.detail)
            )
        for link in ingested.links:
            execute(
                "INSERT OR REPLACE INTO links VALUES (?,?,?,?,?)",
                (link.customer, row, link.rule, link.standing, direction),
            )
        self._numbers.mention(VAT_NUMBER, [(row, value) for value in message.vat_numbers])
        self._numbers.mention(CODE, [(row, value) for value in ingested.codes])
        return row

    def note_readings(self, readings: Mapping[int, Message]) -> None:
        """Keep the language and the defects that messages have by a new reading; only what changed is written.

        A message whose record could not be opened when it was taken in stays as it is: nobody has read it.
        """
        from archiver.store.read_again import note_readings  # for writers; who reads need not load it

        try:
            note_readings(self._connection, self._numbers, readings, unreadable=UNREADABLE)
        except BaseException:
            self._numbers.forget()
            raise

    def _free_row(self, base: int) -> int:
        """Return the next row of a second, or of the first later second that has room."""
        while True:
            end = base + (1 << reading.SECOND_BITS)
            last = self._connection.one("SELECT max(row) FROM messages WHERE row >= ? AND row < ?", (base, end))
            row = base if last is None or not isinstance(last[0], int) else last[0] + 1
            if row < end:
                return row
            base = end

    def _pack(self, name: str | None) -> int:
        if name is None:
            raise ValueError("records without a pack in the delivery")
        octets = bytes.fromhex(name)
        self._connection.execute("INSERT OR IGNORE INTO packs (name) VALUES (?)", (octets,))
        return self._connection.integer("SELECT id FROM packs WHERE name = ?", (octets,))

    def _rows(self, blob_ids: Iterable[BlobId]) -> dict[BlobId, int]:
        """Return the rows of those that are kept, with one statement for many: they are asked for on every delivery."""
        wanted = list(dict.fromkeys(blob_ids))
        rows: dict[BlobId, int] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            found = self._connection.execute(
                "SELECT blob_id, row FROM messages"  # noqa: S608 question marks only
                f" WHERE substr(blob_id, 1, 6) IN ({','.join('?' * len(some))})",
                [blob_id[:6] for blob_id in some],
            )
            asked = frozenset(some)
            rows.update(
                (BlobId(blob_id), row)
                for blob_id, row in found
                if isinstance(blob_id, bytes) and isinstance(row, int) and blob_id in asked
            )
        return rows

    # --- reading --------------------------------------------------------------------------------------------------

    def resolve(self, prefix: str) -> Sequence[BlobId]:
        """Return up to ten identifiers that begin with this hex prefix (at least 4 digits), else none."""
        prefix = prefix.lower()
        if not 4 <= len(prefix) <= 64 or not all(c in "0123456789abcdef" for c in prefix):
            return []
        low, high = prefix[:12].ljust(12, "0"), prefix[:12].ljust(12, "f")
        found: list[BlobId] = []
        for (blob_id,) in self._connection.execute(
            "SELECT blob_id FROM messages WHERE substr(blob_id, 1, 6) BETWEEN ? AND ? ORDER BY substr(blob_id, 1, 6)",
            (bytes.fromhex(low), bytes.fromhex(high)),
        ):
            if isinstance(blob_id, bytes) and blob_id.hex().startswith(prefix):
                found.append(BlobId(blob_id))
                if len(found) == 10:
                    break
        return found

    def row(self, blob_id: BlobId) -> int | None:
        """Return the row of a message, or None."""
        found = self._connection.one(
            "SELECT row FROM messages WHERE substr(blob_id, 1, 6) = ? AND blob_id = ?", (blob_id[:6], blob_id)
        )
        return found[0] if found is not None and isinstance(found[0], int) else None

    def summaries(self, rows: Sequence[int]) -> Sequence[Summary]:
        """Return lines in the order asked; rows that are gone are left out."""
        with self._connection.snapshot():
            return self._reader.summaries(rows)

    def details(self, row: int) -> Details | None:
        """Return all that is known of one message, or None when it is gone."""
        with self._connection.snapshot():
            return self._reader.details(row)

    def thread(self, row: int) -> Sequence[Summary]:
        """Return all messages of the thread that `row` is in, oldest first; none when the row is gone."""
        with self._connection.snapshot():
            rows = [
                each
                for (each,) in self._connection.execute(
                    "SELECT row FROM messages WHERE thread = (SELECT thread FROM messages WHERE row = ?) ORDER BY row",
                    (row,),
                )
                if isinstance(each, int)
            ]
            return self.summaries(rows)

    def sealed(self, row: int) -> tuple[str, SealedRecord] | None:
        """Return the pack and the record that hold the message's octets, or None when it is gone or erased."""
        return next(self._sealed("WHERE m.row = ?", (row,)), None)

    def sealed_records(self) -> Iterator[tuple[str, SealedRecord]]:
        """Yield (pack, record) of every message that is kept, in the order of packs and offsets."""
        return self._sealed("ORDER BY r.pack, r.offset", ())

    def _sealed(self, how: str, bindings: Sequence[object]) -> Iterator[tuple[str, SealedRecord]]:
        from archiver.model.delivery import SealedRecord

        sql = (
            "SELECT p.name, m.blob_id, r.offset, r.length, m.octets, r.dek FROM records r"  # noqa: S608 constants
            # By the sequence, which is the records' key: by the row every record there is would be looked at.
            f" JOIN messages m ON m.sequence = r.sequence AND m.row = r.row JOIN packs p ON p.id = r.pack {how}"
        )
        for name, blob_id, offset, length, octets, dek in self._connection.execute(sql, bindings):
            if not (isinstance(name, bytes) and isinstance(blob_id, bytes) and isinstance(dek, bytes)):
                raise IntegrityError("archive.db: a record has no name or key", what="archive.db")
            if not (isinstance(offset, int) and isinstance(length, int) and isinstance(octets, int)):
                raise IntegrityError("archive.db: a record has no place", what="archive.db")
            yield name.hex(), SealedRecord(BlobId(blob_id), offset, length, octets, dek)

    def unindexed(self, after: int, limit: int) -> Sequence[tuple[int, int]]:
        """Return (sequence, row) of messages taken in after that sequence number, ascending."""
        return [
            (sequence, row)
            for sequence, row in self._connection.execute(
                "SELECT sequence, row FROM records WHERE sequence > ? ORDER BY sequence LIMIT ?", (after, limit)
            )
            if isinstance(sequence, int) and isinstance(row, int)
        ]

    def count_unindexed(self, after: int) -> int:
        """Return how many messages were taken in after that sequence number."""
        return self._connection.integer("SELECT count(*) FROM records WHERE sequence > ?", (after,))

    def directions(self, rows: Iterable[int]) -> Mapping[int, Direction]:
        """Return which way these messages went; those that are gone are left out."""
        return {
            row: reading.DIRECTIONS[direction]
            for some in pieces(rows)
            for row, direction in self._connection.execute(
                f"SELECT row, direction FROM messages WHERE row IN ({marks(some)})",  # noqa: S608 marks
                some,
            )
            if isinstance(row, int) and isinstance(direction, int)
        }

    def defects(self, limit: int) -> Sequence[tuple[BlobId, Defect]]:
        """Return defects, those of the newest messages first."""
        return [
            (BlobId(blob_id), Defect(str(code), str(detail)))
            for blob_id, code, detail in self._connection.execute(
                "SELECT m.blob_id, t.text, d.detail FROM defects d JOIN messages m ON m.row = d.row"
                " JOIN terms t ON t.id = d.code ORDER BY d.row DESC, d.position LIMIT ?",
                (limit,),
            )
            if isinstance(blob_id, bytes)
        ]

    def with_defects(self, rows: Iterable[int], codes: Sequence[str]) -> frozenset[int]:
        """Return those of some messages that have a defect with one of these codes."""
        return frozenset(
            row
            for some in pieces(rows)
            for (row,) in self._connection.execute(
                f"SELECT row FROM defects WHERE row IN ({marks(some)})"  # noqa: S608 marks
                f" AND code IN (SELECT id FROM terms WHERE text IN ({marks(codes)}))",
                (*some, *codes),
            )
            if isinstance(row, int)
        )

    def counts(self) -> Counts:
        """Return totals; `defects` counts messages that have any, `unlinked` is mail but internal that fits nobody."""
        row = self._connection.one("SELECT count(*), COALESCE(sum(octets), 0), min(row), max(row) FROM messages")
        messages, octets, oldest, newest = row if row is not None else (0, 0, None, None)
        unlinked = self._connection.integer(
            "SELECT count(*) FROM messages m INDEXED BY messages_thread WHERE m.direction <> ? AND NOT EXISTS"
            " (SELECT 1 FROM links l WHERE l.row = m.row AND l.standing <> ?)",
            (reading.DIRECTIONS.index(Direction.INTERNAL), SUGGESTED),
        )
        return Counts(
            messages=messages if isinstance(messages, int) else 0,
            octets=octets if isinstance(octets, int) else 0,
            defects=self._connection.integer("SELECT count(DISTINCT row) FROM defects"),
            newest=reading.instant_of(newest) if isinstance(newest, int) else None,
            oldest=reading.instant_of(oldest) if isinstance(oldest, int) else None,
            unlinked=unlinked,
            customers=self._connection.integer("SELECT count(*) FROM customers WHERE merged_into IS NULL"),
        )

    def last_sequence(self) -> int:
        """Return the highest sequence number ever given out."""
        return self._connection.integer("SELECT value FROM meta WHERE key = 'sequence'")

    def settle(self, *, wait_seconds: float = 0.25) -> bool:
        """Move what was taken in from the log into archive.db itself; False while readers hold that back."""
        return self._connection.checkpoint(wait_seconds=wait_seconds)

    def pack_names(self) -> frozenset[str]:
        """Return the packs that hold at least one message's record."""
        return frozenset(
            name.hex()
            for (name,) in self._connection.execute("SELECT name FROM packs p WHERE p.id IN (SELECT pack FROM records)")
            if isinstance(name, bytes)
        )

    def blob_ids(self) -> Iterator[BlobId]:
        """Yield the identifier of every message that opens, to refill the collector's digests."""
        return readable(self._connection)


def _cannot_be_read(ingested: Ingested) -> bool:
    return any(defect.code == UNREADABLE for defect in ingested.message.defects)


def _check_complete(
    records: Mapping[BlobId, SealedRecord], messages: Sequence[Ingested], kept: Collection[BlobId]
) -> None:
    given = {ingested.blob_id for ingested in messages}
    if not given <= records.keys():
        raise ValueError("a message without a sealed record in the delivery")
    if any(blob_id not in given and blob_id not in kept for blob_id in records):
        raise ValueError("a sealed record without its message in the delivery")
