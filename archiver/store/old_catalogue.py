"""What can still be read of an archive.db that is damaged: the keys of messages, row by row.

Pages are authenticated one by one, so what reads at all is right. Each row is asked for by itself, and what lies on a
damaged page is passed over. Knows keys and places; customers and decisions come from the backup.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from archiver.errors import ArchiverError
from archiver.model.delivery import Arrival, Delivery, SealedRecord
from archiver.model.message import BlobId
from archiver.store.connection import StoreConnection, open_database
from archiver.store.linked import integer
from archiver.store.mending import Mending

DAMAGED_DATABASE = "archive.db."
"""Directories in the quarantine begin so: a damaged archive.db with its log, and a number."""
_DONE = ".done"


def waiting_databases(quarantine: Path) -> Sequence[Path]:
    """Return the directories of damaged databases that nothing was read from yet."""
    if not quarantine.is_dir():
        return []
    every = sorted(quarantine.glob(f"{DAMAGED_DATABASE}*"))
    return [path for path in every if path.is_dir() and path.suffix != _DONE]


def done_name(directory: Path) -> Path:
    """Return the name of such a directory once all that reads was taken over."""
    return directory.with_name(directory.name + _DONE)


class OldCatalogue:
    """One damaged archive.db, read-only. A database that does not open at all has nothing to give."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._key = key
        self._connection: StoreConnection | None = None

    def deliveries(self, known: Callable[[Collection[BlobId]], Collection[BlobId]]) -> Mapping[str, Delivery]:
        """Return the messages that are not known already, as deliveries by pack."""
        records: dict[str, list[SealedRecord]] = {}
        arrivals: dict[str, list[Arrival]] = {}
        try:
            for pack, row, record in self._records():
                if not known([record.blob_id]):
                    records.setdefault(pack, []).append(record)
                    arrivals.setdefault(pack, []).extend(self._arrivals(row))
        finally:
            self._close()
        return {pack: Delivery(pack, tuple(found), tuple(arrivals[pack])) for pack, found in records.items()}

    def _records(self) -> Iterator[tuple[str, int, SealedRecord]]:
        packs: dict[object, str | None] = {}
        for sequence in range(1, self._last() + 1):
            found = self._one("SELECT row, pack, offset, length, dek FROM records WHERE sequence = ?", sequence)
            if found is None:
                continue
            row, pack, offset, length, dek = found
            message = self._one("SELECT blob_id, octets FROM messages WHERE row = ?", row)
            if pack not in packs:
                named = self._one("SELECT name FROM packs WHERE id = ?", pack)
                packs[pack] = named[0].hex() if named is not None and isinstance(named[0], bytes) else None
            name = packs[pack]
            if message is None or name is None:
                continue
            blob_id, octets = message
            if isinstance(blob_id, bytes) and isinstance(dek, bytes):
                place = integer(offset), integer(length), integer(octets)
                yield name, integer(row), SealedRecord(BlobId(blob_id), *place, dek)

    def _arrivals(self, row: int) -> Sequence[Arrival]:
        connection = self._open()
        if connection is None:
            return []
        try:
            return list(Mending(connection).arrivals_of(row))
        except ArchiverError:
            self._close()
            return []

    def _last(self) -> int:
        tops = (
            self._one("SELECT value FROM meta WHERE key = 'sequence' AND ?", 1),
            self._one("SELECT max(sequence) FROM records WHERE ?", 1),
        )
        return max((top[0] for top in tops if top is not None and isinstance(top[0], int)), default=0)

    def _one(self, sql: str, binding: object) -> tuple[object, ...] | None:
        connection = self._open()
        if connection is None:
            return None
        try:
            return connection.one(sql, (binding,))
        except ArchiverError:
            self._close()  # a cipher that met a damaged page may refuse good ones too: it starts anew
            return None

    def _open(self) -> StoreConnection | None:
        if self._connection is None:
            try:
                self._connection = open_database(self._path, self._key, readonly=True)
            except ArchiverError:
                return None
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
