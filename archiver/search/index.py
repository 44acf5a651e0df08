"""The full-text index: one contentless FTS5 table, a watermark, and the vocabulary.

Knows how documents are folded into columns, and the settings of FTS5. The connection comes from the store, with the
page encryption already on; the words of mail are on disk only inside it. Nothing of a document can be read back from
the table: it holds postings and sizes, and is rebuilt from the catalogue when SCHEMA_VERSION changes.
"""

# ruff: noqa: S608 - statements are put together from names and conditions of our own; texts are bound

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from archiver.core.ports import Connection
from archiver.model.catalogue import IndexDocument
from archiver.model.fields import INDEX_COLUMNS
from archiver.search.analysis import fold, fold_addresses

SCHEMA_VERSION = 1
"""Rises with every change of the table, of the folding or of the columns: an older index is built anew."""


class IndexConnection(Connection, Protocol):
    """A connection that can write: what the store's has beyond the port that reading needs."""

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each row of bindings."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Write in one transaction, rolled back by any exception."""
        ...


class FullTextIndex:
    """`archiver.core.ports.Index` on FTS5. Opening it for writing makes or renews the tables."""

    def __init__(self, connection: IndexConnection) -> None:
        self._connection = connection
        if index_version(connection) != SCHEMA_VERSION:
            self.clear()

    def watermark(self) -> int:
        """Return the last catalogue sequence number that is indexed; 0 when empty."""
        return _integer(self._connection, "SELECT watermark FROM progress")

    def add(self, documents: Sequence[IndexDocument], watermark: int) -> None:
        """Index documents and move the watermark in one transaction; re-adding a row replaces it."""
        with self._connection.transaction():
            self._connection.execute_many(_INSERT, map(_columns, documents))
            _run(self._connection, "UPDATE progress SET watermark = max(watermark, ?)", (watermark,))

    def remove(self, rows: Sequence[int]) -> None:
        """Take messages out; their words leave the file with the next `optimize`."""
        with self._connection.transaction():
            self._connection.execute_many("DELETE FROM mail WHERE rowid = ?", ((row,) for row in rows))

    def optimize(self) -> None:
        """Merge everything into one segment: after a first sync, and to be rid of what was removed."""
        with self._connection.transaction():
            _run(self._connection, "INSERT INTO mail(mail) VALUES ('optimize')")

    def clear(self) -> None:
        """Empty the index, so that it is built anew; the watermark is 0 again."""
        with self._connection.transaction():
            for statement in _DROP + _CREATE:
                _run(self._connection, statement)

    def count(self) -> int:
        """Return how many messages are indexed."""
        return _integer(self._connection, "SELECT count(*) FROM mail_docsize")


def index_version(connection: Connection) -> int:
    """Return the schema version of an index file; 0 when it has no index yet."""
    return _integer(connection, "PRAGMA main.user_version")


_DROP = ("DROP TABLE IF EXISTS mail_words", "DROP TABLE IF EXISTS mail", "DROP TABLE IF EXISTS progress")
_CREATE = (
    # `ascii` because the folding is done already: it is the fastest tokenizer, and cuts exactly as analysis.tokens.
    (
        f"CREATE VIRTUAL TABLE mail USING fts5({', '.join(INDEX_COLUMNS)}, "
        "content='', contentless_delete=1, tokenize='ascii')"
    ),
    "CREATE VIRTUAL TABLE mail_words USING fts5vocab(mail, 'row')",
    "CREATE TABLE progress (watermark INTEGER NOT NULL)",
    "INSERT INTO progress VALUES (0)",
    f"PRAGMA main.user_version = {SCHEMA_VERSION}",
)
_INSERT = f"INSERT OR REPLACE INTO mail (rowid, {', '.join(INDEX_COLUMNS)}) VALUES (?{', ?' * len(INDEX_COLUMNS)})"


def _columns(document: IndexDocument) -> tuple[object, ...]:
    """Fold a document, in the order of INDEX_COLUMNS."""
    return (
        document.row,
        fold(document.subject),
        fold_addresses(document.from_),
        fold_addresses(document.to),
        fold_addresses(document.cc),
        fold_addresses(document.bcc),
        fold(document.text),
        fold(document.quoted),
        fold(document.filenames),
        fold(document.attachments),
    )


def _run(connection: Connection, sql: str, bindings: Sequence[object] = ()) -> None:
    for _ in connection.execute(sql, bindings):
        pass


def _integer(connection: Connection, sql: str) -> int:
    rows = list(connection.execute(sql))
    return rows[0][0] if rows and isinstance(rows[0][0], int) else 0
