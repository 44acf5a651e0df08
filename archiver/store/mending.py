"""Damaged messages in archive.db: marked, mended in place, and never taken away.

Knows two defects that say a message does not open: `unreadable`, of one whose record was damaged before anybody read
it, and `damaged`, of one that was read once and whose row is right. Knows how a record gets another place. Knows
nothing of packs' bytes, nor of where good ones come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from archiver.model.message import BlobId
from archiver.store.linked import integer

if TYPE_CHECKING:
    from archiver.model.delivery import Arrival, SealedRecord
    from archiver.store.connection import StoreConnection

UNREADABLE = "unreadable"
"""Defect code of a message whose sealed record was damaged; such a message is taken in again when it comes again."""

DAMAGED = "damaged"
"""Defect code of a message that was taken in and does not open any more: its record is replaced when it comes again."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MARKED = "code IN (SELECT id FROM terms WHERE text IN (?, ?))"


def damaged(connection: StoreConnection) -> dict[BlobId, int]:
    """Return the messages with either defect, and their rows."""
    rows = connection.execute(
        f"SELECT DISTINCT m.blob_id, m.row FROM defects d JOIN messages m ON m.row = d.row WHERE {_MARKED}",  # noqa: S608
        (UNREADABLE, DAMAGED),
    )
    return {BlobId(blob_id): row for blob_id, row in rows if isinstance(blob_id, bytes) and isinstance(row, int)}


def defect_of(connection: StoreConnection, row: int) -> str | None:
    """Return which of the two defects a message has."""
    found = connection.one(
        f"SELECT t.text FROM defects d JOIN terms t ON t.id = d.code WHERE d.row = ? AND d.{_MARKED}",  # noqa: S608
        (row, UNREADABLE, DAMAGED),
    )
    return None if found is None else str(found[0])


def make_room(connection: StoreConnection, row: int, blob_id: BlobId) -> None:
    """Take away the row of a message that nobody could read, because it came again; its places wait for the new one."""
    connection.execute("UPDATE locations SET row = NULL, blob_id = ? WHERE row = ?", (blob_id, row))
    for table in ("records", "defects", "links", "mentions", "messages"):
        connection.execute(f"DELETE FROM {table} WHERE row = ?", (row,))  # noqa: S608 our own names


def mend(connection: StoreConnection, row: int, sequence: int, pack: int, record: SealedRecord) -> None:
    """Give a damaged message the record that came again, within the caller's transaction.

    Its row, links and thread stay; the new sequence number has the index read it once more.
    """
    connection.execute("UPDATE messages SET sequence = ? WHERE row = ?", (sequence, row))
    connection.execute("DELETE FROM records WHERE row = ?", (row,))
    connection.execute(
        "INSERT INTO records VALUES (?,?,?,?,?,?)", (sequence, row, pack, record.offset, record.length, record.dek)
    )
    _unmark(connection, row)


class Mending:
    """What repair asks and changes, over a writer's connection."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def damaged(self) -> Mapping[BlobId, int]:
        """Return the messages that are marked, and their rows."""
        return damaged(self._connection)

    def unreadable(self) -> Mapping[str, Sequence[tuple[int, SealedRecord]]]:
        """Return the messages that nobody could read when they came, as (row, record), by their packs."""
        from archiver.model.delivery import SealedRecord

        found: dict[str, list[tuple[int, SealedRecord]]] = {}
        for pack, row, blob_id, offset, length, octets, dek in self._connection.execute(
            "SELECT p.name, m.row, m.blob_id, r.offset, r.length, m.octets, r.dek FROM defects d"
            " JOIN messages m ON m.row = d.row JOIN records r ON r.sequence = m.sequence AND r.row = m.row"
            " JOIN packs p ON p.id = r.pack WHERE d.code = (SELECT id FROM terms WHERE text = ?)",
            (UNREADABLE,),
        ):
            if isinstance(pack, bytes) and isinstance(blob_id, bytes) and isinstance(dek, bytes):
                record = SealedRecord(BlobId(blob_id), integer(offset), integer(length), integer(octets), dek)
                found.setdefault(pack.hex(), []).append((integer(row), record))
        return found

    def arrivals_of(self, row: int) -> Sequence[Arrival]:
        """Return where a message was seen, as it was handed over."""
        from archiver.model.delivery import Arrival

        return [
            Arrival(
                blob_id=BlobId(bytes(blob_id)) if isinstance(blob_id, bytes) else BlobId(b""),
                account=str(account),
                mailbox=name if isinstance(name, bytes) else b"",
                mailbox_display=str(display),
                special_use=None if special_use is None else str(special_use),
                uid_validity=integer(uid_validity),
                uid=integer(uid),
                received_at=_internal_date(received),
                keywords=tuple(str(words).split("\n")) if words else (),
                archived_at=integer(archived),
            )
            for blob_id, account, name, display, special_use, uid_validity, uid, received, words, archived in (
                self._connection.execute(
                    "SELECT m.blob_id, b.account, b.name, b.display, b.special_use, b.uid_validity, l.uid, l.received,"
                    " t.text, m.archived FROM locations l JOIN messages m ON m.row = l.row"
                    " JOIN mailboxes b ON b.id = l.mailbox LEFT JOIN terms t ON t.id = l.keywords WHERE l.row = ?",
                    (row,),
                )
            )
        ]

    def records_of(self, pack: str) -> Sequence[SealedRecord]:
        """Return the records of messages in one pack, in the order of their places."""
        from archiver.model.delivery import SealedRecord

        return [
            SealedRecord(BlobId(blob_id), offset, length, octets, dek)
            for blob_id, offset, length, octets, dek in self._connection.execute(
                "SELECT m.blob_id, r.offset, r.length, m.octets, r.dek FROM packs p JOIN records r ON r.pack = p.id"
                " JOIN messages m ON m.sequence = r.sequence AND m.row = r.row WHERE p.name = ? ORDER BY r.offset",
                (bytes.fromhex(pack),),
            )
            if isinstance(blob_id, bytes) and isinstance(dek, bytes)
            if isinstance(offset, int) and isinstance(length, int) and isinstance(octets, int)
        ]

    def settle(
        self, *, moved: Mapping[BlobId, tuple[str, int]], lost: Iterable[BlobId], found: Iterable[BlobId]
    ) -> None:
        """Record in one transaction where records are now, which messages do not open, and which open after all.

        `moved` gives pack and offset. Nothing is done about a message that is gone.
        """
        with self._connection.transaction():
            packs = {name: self._pack(name) for name in {name for name, _ in moved.values()}}
            for blob_id, (name, offset) in moved.items():
                self._connection.execute(
                    "UPDATE records SET pack = ?, offset = ? WHERE row ="
                    " (SELECT row FROM messages WHERE substr(blob_id, 1, 6) = ? AND blob_id = ?)",
                    (packs[name], offset, blob_id[:6], blob_id),
                )
            for blob_id in (*moved, *found):
                if (row := self._row(blob_id)) is not None and defect_of(self._connection, row) == DAMAGED:
                    _unmark(self._connection, row)
            for blob_id in lost:
                if (row := self._row(blob_id)) is not None and defect_of(self._connection, row) is None:
                    _mark(self._connection, row)

    def strays(self) -> Sequence[str]:
        """Say which rows name a message, a pack or a mailbox that is not there, and how many."""
        no_message = "NOT EXISTS (SELECT 1 FROM messages m WHERE m.row = t.row)"
        checks = {
            "records of messages that are not there": f"records t WHERE {no_message}",
            "records in packs that are not there": (
                "records t WHERE NOT EXISTS (SELECT 1 FROM packs p WHERE p.id = t.pack)"
            ),
            "places of messages that are not there": f"locations t WHERE t.row IS NOT NULL AND {no_message}",
            "places in mailboxes that are not there": (
                "locations t WHERE NOT EXISTS (SELECT 1 FROM mailboxes b WHERE b.id = t.mailbox)"
            ),
            "defects of messages that are not there": f"defects t WHERE {no_message}",
        }
        found = ((self._connection.integer(f"SELECT count(*) FROM {what}"), name) for name, what in checks.items())  # noqa: S608
        return [f"{count} {name}" for count, name in found if count]

    def _pack(self, name: str) -> int:
        octets = bytes.fromhex(name)
        self._connection.execute("INSERT OR IGNORE INTO packs (name) VALUES (?)", (octets,))
        return self._connection.integer("SELECT id FROM packs WHERE name = ?", (octets,))

    def _row(self, blob_id: BlobId) -> int | None:
        found = self._connection.one(
            "SELECT row FROM messages WHERE substr(blob_id, 1, 6) = ? AND blob_id = ?", (blob_id[:6], blob_id)
        )
        return found[0] if found is not None and isinstance(found[0], int) else None


def readable(connection: StoreConnection) -> Iterator[BlobId]:
    """Yield the identifiers of all messages that have neither defect."""
    left_out = damaged(connection)
    for (blob_id,) in connection.execute("SELECT blob_id FROM messages"):
        if isinstance(blob_id, bytes) and blob_id not in left_out:
            yield BlobId(blob_id)


def _internal_date(received: object) -> str | None:
    """Return an instant as IMAP writes it (RFC 9051 §9, date-time), in UTC; its names of months know no locale."""
    if not isinstance(received, int):
        return None
    at = datetime.fromtimestamp(received, tz=UTC)
    return f"{at:%d}-{_MONTHS[at.month - 1]}-{at:%Y %H:%M:%S} +0000"


def _mark(connection: StoreConnection, row: int) -> None:
    connection.execute("INSERT OR IGNORE INTO terms (text) VALUES (?)", (DAMAGED,))
    connection.execute(
        "INSERT INTO defects SELECT ?, COALESCE(max(position) + 1, 0), (SELECT id FROM terms WHERE text = ?), ?"
        " FROM defects WHERE row = ?",
        (row, DAMAGED, "the sealed record does not open any more", row),
    )


def _unmark(connection: StoreConnection, row: int) -> None:
    connection.execute(
        "DELETE FROM defects WHERE row = ? AND code = (SELECT id FROM terms WHERE text = ?)", (row, DAMAGED)
    )
