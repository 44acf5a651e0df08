"""What was erased, and what an erasure takes out of archive.db (port `Erasures` of `archiver.core.erasing`).

Knows every table in which something of a message stands, and which of its addresses, numbers and terms nobody else has.
Knows nothing of the order of the steps over several files, nor of packs: a message without its key is noise there.
"""

# ruff: noqa: S608 - statements are put together from constants and question marks; values are bound

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from archiver.core.erasing import Stage
from archiver.model.message import BlobId
from archiver.store import reading
from archiver.store.linked import erased_among, integer, marks, pieces

if TYPE_CHECKING:
    from archiver.store.connection import StoreConnection


class SqliteErasures:
    """Erasures over one connection; changes need a writer's.

    Whoever keeps numbers of addresses or terms in memory (`store.numbers.Numbers`) must forget them after `take_out`.
    """

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    # --- tombstones -----------------------------------------------------------------------------------------------

    def erased(self) -> Iterator[tuple[BlobId, datetime]]:
        """Yield what was erased and when, in the order of identifiers."""
        for blob_id, at in self._connection.execute("SELECT blob_id, at FROM erased ORDER BY blob_id"):
            if isinstance(blob_id, bytes):
                yield BlobId(blob_id), datetime.fromtimestamp(integer(at), UTC)

    def among(self, blob_ids: Iterable[BlobId]) -> frozenset[BlobId]:
        """Return those of some messages that were erased, or are about to be."""
        return erased_among(self._connection, blob_ids)

    # --- the steps ------------------------------------------------------------------------------------------------

    def intend(self, blob_ids: Collection[BlobId], at: datetime) -> None:
        """Record, durable on return, that these are to be erased; what was erased already is left as it is."""
        with self._connection.transaction():
            for blob_id in blob_ids:
                self._connection.execute(
                    "INSERT OR IGNORE INTO erased VALUES (?, ?)", (blob_id, reading.epoch_seconds(at))
                )
                # A message that is here although it was erased came with an older state: it goes once more.
                if self._connection.changes() or self._row(blob_id) is not None:
                    self._connection.execute(
                        "INSERT OR IGNORE INTO erasing VALUES (?, ?, NULL)", (blob_id, int(Stage.INTENDED))
                    )

    def under_way(self, *stages: Stage) -> Mapping[BlobId, datetime]:
        """Return erasures that are not finished, with their time; with stages, those in one of them."""
        where = f"WHERE e.stage IN ({marks(stages)})" if stages else ""
        return {
            BlobId(blob_id): datetime.fromtimestamp(integer(at), UTC)
            for blob_id, at in self._connection.execute(
                f"SELECT e.blob_id, t.at FROM erasing e JOIN erased t ON t.blob_id = e.blob_id {where}",
                [int(stage) for stage in stages],
            )
            if isinstance(blob_id, bytes)
        }

    def take_out(self) -> int:
        """Delete keys, rows and all that hangs on them of what is intended, in one transaction; return how many rows.

        SQLite overwrites what it deletes (secure_delete); older pages are in the log until it is truncated.
        """
        with self._connection.transaction():
            intended = list(self.under_way(Stage.INTENDED))
            rows = {blob_id: row for blob_id in intended if (row := self._row(blob_id)) is not None}
            if rows:
                gone = sorted(rows.values())
                addresses, terms = self._of_nobody_else(gone)
                self._delete("records", "sequence IN (SELECT sequence FROM messages WHERE row IN ({}))", gone)
                for table in ("locations", "links", "defects", "mentions"):
                    self._delete(table, "row IN ({})", gone)
                self._delete("messages", "row IN ({})", gone)
                self._delete("addresses", "id IN ({})", addresses)
                self._delete("terms", "id IN ({})", terms)
                self._connection.execute(
                    "DELETE FROM numbers WHERE NOT EXISTS (SELECT 1 FROM mentions WHERE number = id)"
                )
            for table in ("locations", "decisions"):
                self._connection.execute_many(f"DELETE FROM {table} WHERE blob_id = ?", [(each,) for each in intended])
            self._connection.execute_many(
                "UPDATE erasing SET stage = ?, row = ? WHERE blob_id = ?",
                [(int(Stage.TAKEN_OUT), rows.get(blob_id), blob_id) for blob_id in intended],
            )
        return len(rows)

    def rows_to_purge(self) -> list[int]:
        """Return the rows whose words are still in the index."""
        return [
            integer(row)
            for (row,) in self._connection.execute(
                "SELECT row FROM erasing WHERE stage = ? AND row IS NOT NULL ORDER BY row", (int(Stage.TAKEN_OUT),)
            )
        ]

    def reached(self, before: Stage, after: Stage) -> None:
        """Record, durable on return, that all that stood at one stage is at another; the rows are forgotten."""
        with self._connection.transaction():
            self._connection.execute(
                "UPDATE erasing SET stage = ?, row = NULL WHERE stage = ?", (int(after), int(before))
            )

    def finished(self) -> None:
        """Record that the collector knows of all that is settled: these erasures are complete."""
        with self._connection.transaction():
            self._connection.execute("DELETE FROM erasing WHERE stage = ?", (int(Stage.SETTLED),))

    # --- inside ---------------------------------------------------------------------------------------------------

    def _row(self, blob_id: BlobId) -> int | None:
        found = self._connection.one(
            "SELECT row FROM messages WHERE substr(blob_id, 1, 6) = ? AND blob_id = ?", (blob_id[:6], blob_id)
        )
        return None if found is None else integer(found[0])

    def _delete(self, table: str, where: str, values: Collection[int]) -> None:
        for some in pieces(values):
            self._connection.execute(f"DELETE FROM {table} WHERE {where.format(marks(some))}", some)

    def _of_nobody_else(self, rows: Collection[int]) -> tuple[set[int], set[int]]:
        """Return the addresses and the terms that only these messages have; the scan ends when none can be left."""
        gone = frozenset(rows)
        addresses, terms = set[int](), set[int]()
        for some in pieces(gone):
            among = f"row IN ({marks(some)})"
            for people, parts, language in self._connection.execute(
                f"SELECT people, parts, language FROM messages WHERE {among}", some
            ):
                addresses |= _numbers_of(people)
                terms |= _terms_of(parts, language)
            for sql in (f"SELECT code FROM defects WHERE {among}", f"SELECT keywords FROM locations WHERE {among}"):
                terms.update(term for (term,) in self._connection.execute(sql, some) if isinstance(term, int))
        for table, column in (("defects", "code"), ("locations", "keywords")):
            for some in pieces(terms):
                terms.difference_update(
                    term
                    for row, term in self._connection.execute(
                        f"SELECT row, {column} FROM {table} WHERE {column} IN ({marks(some)})", some
                    )
                    if row not in gone and isinstance(term, int)
                )
        if addresses or terms:
            for row, people, parts, language in self._connection.execute(
                "SELECT row, people, parts, language FROM messages ORDER BY row DESC"
            ):
                if row in gone:
                    continue
                addresses -= _numbers_of(people)
                if terms:
                    terms -= _terms_of(parts, language)
                if not (addresses or terms):
                    break
        return addresses, terms


def _numbers_of(people: object) -> set[int]:
    assert isinstance(people, bytes)  # noqa: S101 by the schema
    return {number for role in msgspec.msgpack.decode(people, type=list[list[int]]) for number in role}


def _terms_of(parts: object, language: object) -> set[int]:
    assert isinstance(parts, bytes)  # noqa: S101 by the schema
    found = {language} if isinstance(language, int) else set[int]()
    for _, content_type, _, _, _, _, charset in msgspec.msgpack.decode(parts, type=list[reading.PackedPart]):
        found.update((content_type,) if charset is None else (content_type, charset))
    return found
