"""The full-text index: one contentless FTS5 table, the slots of its messages, a watermark, and the words.

Knows how documents are folded into columns, and the settings of FTS5. The connection comes from the store, with the
page encryption already on; the words of mail are on disk only inside it. Nothing of a document can be read back from
the table: it holds postings and sizes, and is rebuilt from the catalogue when SCHEMA_VERSION changes.

A posting stores the distance to the one before, and catalogue rows, which count in millionths of a second, lie so far
apart that these distances made a third of the file (0.38 of the raw mail; 0.26 so). So a message gets a *slot*: the
16 seconds that it falls in, or the next free one. Slots are in the order of time but for messages that came within
moments of each other; `slots` leads back to the row, and `progress.displaced` is the furthest that one was moved.

The rowids of FTS5 count slots from the end of time (`ROWID`): what is asked for is the newest, and walking postings
backwards takes half as long again or twice as long, for FTS5 unpacks pages of them whole then, and else what it passes.

What is counted of a message and not searched as words (its direction, its language, its kinds of files) is a number of
the table `facts`, which has each combination once: an octet a message in `slots`, 0 where nothing is known.
"""

# ruff: noqa: S608 - statements are put together from names and conditions of our own; texts are bound

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from archiver.model.catalogue import IndexDocument
from archiver.model.fields import INDEX_COLUMNS
from archiver.model.files import FileType
from archiver.model.message import Direction
from archiver.search.analysis import fold, fold_addresses
from archiver.search.rows import ROW_BITS
from archiver.search.words import lexicon
from archiver.search.words.families import LANGUAGES

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Protocol

    from archiver.core.ports import Connection

    class IndexConnection(Connection, Protocol):
        """A connection that can write: what the store's has beyond the port that reading needs."""

        def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
            """Run one statement for each row of bindings."""
            ...

        def transaction(self) -> AbstractContextManager[None]:
            """Write in one transaction, rolled back by any exception."""
            ...


SLOT_SECONDS_BITS = 4
"""A slot is 2**SLOT_SECONDS_BITS seconds."""

END = (1 << 28) - 1
"""The last slot, which is that of a day in 2106; SQLite keeps numbers up to it in four octets."""

LATEST_SLOT = END - (1 << 20)
"""The slot of everything from 2105 on; the others up to END are left for what finds it taken."""

ROWID = f"{END} - slots.slot"
"""The rowid in `mail` of a row of `slots`, and the other way round."""

SLOTS_OF_MAIL = f"mail CROSS JOIN slots ON slots.slot = {END} - mail.rowid"
"""What matches, in the order of FTS5, with the slot of each."""

_PHRASES = 100
"""Phrases looked for by one query."""

SCHEMA_VERSION = 6
"""Rises with every change of the table, of the folding or of the columns: an older index is built anew."""

DIRECTIONS = (Direction.INCOMING, Direction.OUTGOING, Direction.INTERNAL, Direction.OTHER)
"""facts.direction, as the catalogue numbers them."""

TYPES = tuple(FileType)
"""facts.types has bit n for TYPES[n]."""


class FullTextIndex:
    """`archiver.core.ports.Index` on FTS5. Opening it for writing makes or renews the tables.

    `languages` (ISO 639-1) are those whose forms of a word are looked for; searches by others are slower.
    """

    def __init__(self, connection: IndexConnection, languages: Iterable[str] = LANGUAGES) -> None:
        self._connection = connection
        self._free: dict[int, int] = {}
        self._facts: dict[tuple[int, str, int], int] = {}
        self._lexicon = lexicon.Lexicon(connection, tuple(languages))
        if index_version(connection) != SCHEMA_VERSION:
            self.clear()

    def watermark(self) -> int:
        """Return the last catalogue sequence number that is indexed; 0 when empty."""
        return _integer(self._connection, "SELECT watermark FROM progress")

    def add(self, documents: Sequence[IndexDocument], watermark: int) -> None:
        """Index documents and move the watermark in one transaction; re-adding a row replaces it."""
        try:
            with self._connection.transaction():
                slots = self._slots({document.row: self._facts_of(document) for document in documents})
                words = self._lexicon.gather(len(documents))
                self._connection.execute_many(_INSERT, _folded(documents, slots, words))
                if words is not None:
                    self._lexicon.add(words)
                furthest = max((slot - slot_of(row) for row, slot in slots.items()), default=0)
                _run(
                    self._connection,
                    "UPDATE progress SET watermark = max(watermark, ?), displaced = max(displaced, ?)",
                    (watermark, furthest),
                )
        except BaseException:
            self._free.clear()  # what they say was rolled back
            self._facts.clear()
            self._lexicon.forget()
            raise

    def remove(self, rows: Sequence[int]) -> None:
        """Take messages out; their words leave the file with the next `optimize`."""
        with self._connection.transaction():
            for row in rows:
                if (slot := self._slot(row)) is not None:
                    _run(self._connection, "DELETE FROM mail WHERE rowid = ?", (END - slot,))
                    _run(self._connection, "DELETE FROM slots WHERE slot = ?", (slot,))
            self._lexicon.removed()

    def lacks_words(self) -> bool:
        """Say whether forms and compounds of some words are not found yet, or slowly.

        A large run was not brought to its end, or the languages are other ones now.
        """
        return self._lexicon.is_behind() or self._lexicon.is_of_other_languages()

    def complete_words(self) -> None:
        """Take the words that are lacking from the index: after a large run; costs a walk over all postings."""
        if self.lacks_words():
            with self._connection.transaction():
                self._lexicon.compact()

    def optimize(self) -> None:
        """Merge everything into one segment: after a first sync, and to be rid of what was removed."""
        with self._connection.transaction():
            _run(self._connection, "INSERT INTO mail(mail) VALUES ('optimize')")
            self._lexicon.compact()

    def clear(self) -> None:
        """Empty the index, so that it is built anew; the watermark is 0 again."""
        self._free.clear()
        self._facts.clear()
        with self._connection.transaction():
            for statement in _DROP + lexicon.DROP + _CREATE + lexicon.CREATE:
                _run(self._connection, statement)
        self._lexicon.forget()

    def count(self) -> int:
        """Return how many messages are indexed."""
        return _integer(self._connection, "SELECT count(*) FROM slots")

    def rows_with(
        self, phrases: Collection[str], *, behind: Collection[str] = frozenset(), within: int = 0
    ) -> set[int]:
        """Return messages whose subject or text, own or quoted, holds one of these phrases.

        A phrase is of tokens as `analysis.tokens` cuts them, with a space between, and not folded here. With `behind`,
        one of those words must stand near it as well, with at most `within` tokens between.
        """
        found: set[int] = set()
        wanted = [_phrase(phrase) for phrase in sorted(phrases)]
        if behind:
            wanted = [f"NEAR({phrase} {_phrase(word)}, {within})" for phrase in wanted for word in sorted(behind)]
        for start in range(0, len(wanted), _PHRASES):
            rows = self._connection.execute(
                f"SELECT slots.row FROM {SLOTS_OF_MAIL} WHERE mail MATCH ?",
                (f"{{subject body quoted}} : ({' OR '.join(wanted[start : start + _PHRASES])})",),
            )
            found.update(row for (row,) in rows if isinstance(row, int))
        return found

    def _slots(self, facts: Mapping[int, int]) -> dict[int, int]:
        """Return the slot of each row, giving one to those that have none yet, in the order of time."""
        slots: dict[int, int] = {}
        for row in sorted(facts):
            if (known := self._slot(row)) is not None:
                slots[row] = known
                _run(self._connection, "UPDATE slots SET facts = ? WHERE slot = ?", (facts[row], known))
                continue
            wanted = slot_of(row)
            slots[row] = slot = self._first_free(wanted)
            self._free[wanted] = slot + 1
            _run(self._connection, "INSERT INTO slots (slot, row, facts) VALUES (?, ?, ?)", (slot, row, facts[row]))
        return slots

    def _facts_of(self, document: IndexDocument) -> int:
        """Return the number of a document's facts, giving them one when they are new."""
        facts = DIRECTIONS.index(document.direction), document.language or "", type_bits(document.types)
        if (known := self._facts.get(facts)) is not None:
            return known
        _run(self._connection, "INSERT OR IGNORE INTO facts (direction, language, types) VALUES (?, ?, ?)", facts)
        found = self._connection.execute(
            "SELECT id FROM facts WHERE direction = ? AND language = ? AND types = ?", facts
        )
        self._facts[facts] = number = next(n for (n,) in list(found) if isinstance(n, int))
        return number

    def _slot(self, row: int) -> int | None:
        """Return the slot that a row has been given."""
        found = self._connection.execute("SELECT slot FROM slots WHERE row = ?", (row,))
        return next((slot for (slot,) in list(found) if isinstance(slot, int)), None)

    def _first_free(self, slot: int) -> int:
        """Return the first free slot from here on, beginning where the last search for the same one ended."""
        slot = self._free.get(slot, slot)
        for (taken,) in self._connection.execute("SELECT slot FROM slots WHERE slot >= ? ORDER BY slot", (slot,)):
            if taken != slot:
                break
            slot += 1
        return slot


def _phrase(words: str) -> str:
    return '"' + words.replace('"', '""') + '"'


def slot_of(row: int) -> int:
    """Return the slot that a catalogue row would have if it were the first there, from 1 up to LATEST_SLOT."""
    return min(max(1, row >> (ROW_BITS + SLOT_SECONDS_BITS)), LATEST_SLOT)


def first_row_above(slot: int) -> int | None:
    """Return the row from which on all have this slot or a later one; None beyond LATEST_SLOT, where none can be told.

    A row has the slot of its time or a later one.
    """
    return slot << (ROW_BITS + SLOT_SECONDS_BITS) if slot <= LATEST_SLOT else None


def type_bits(types: Iterable[FileType]) -> int:
    """Return kinds of files as facts.types has them."""
    return sum(1 << TYPES.index(each) for each in set(types))


def index_version(connection: Connection) -> int:
    """Return the schema version of an index file; 0 when it has no index yet, or one that lacks a table or a column."""
    version = _integer(connection, "PRAGMA main.user_version")
    if version != SCHEMA_VERSION:
        return version
    made = {sql for (sql,) in connection.execute("SELECT sql FROM main.sqlite_schema")}
    return version if made.issuperset(_TABLES) else 0


_DROP = tuple(f"DROP TABLE IF EXISTS {table}" for table in ("mail_words", "mail", "slots", "facts", "progress"))
_CREATE = (
    # `ascii` because the folding is done already: it is the fastest tokenizer, and cuts exactly as analysis.tokens.
    (
        f"CREATE VIRTUAL TABLE mail USING fts5({', '.join(INDEX_COLUMNS)}, "
        "content='', contentless_delete=1, tokenize='ascii')"
    ),
    "CREATE VIRTUAL TABLE mail_words USING fts5vocab(mail, 'row')",
    # One block of postings fills one page of the (encrypted) database: FTS5's own size wastes a tenth of the file.
    "INSERT INTO mail (mail, rank) VALUES ('pgsz', 3978)",
    "CREATE TABLE slots (slot INTEGER PRIMARY KEY, row INTEGER NOT NULL UNIQUE, facts INTEGER NOT NULL DEFAULT 0)",
    (
        "CREATE TABLE facts (id INTEGER PRIMARY KEY, direction INTEGER NOT NULL, language TEXT NOT NULL,"
        " types INTEGER NOT NULL, UNIQUE (direction, language, types))"
    ),
    "CREATE TABLE progress (watermark INTEGER NOT NULL, displaced INTEGER NOT NULL)",
    "INSERT INTO progress VALUES (0, 0)",
    f"PRAGMA main.user_version = {SCHEMA_VERSION}",
)
_TABLES = frozenset(sql for sql in _CREATE + lexicon.CREATE if sql.startswith("CREATE"))
_INSERT = f"INSERT OR REPLACE INTO mail (rowid, {', '.join(INDEX_COLUMNS)}) VALUES (?{', ?' * len(INDEX_COLUMNS)})"


def _folded(
    documents: Iterable[IndexDocument], slots: Mapping[int, int], words: lexicon.Gathered | None
) -> Iterator[tuple[object, ...]]:
    """Yield the rows of `mail`, one at a time: folded texts of all of them would double the memory.

    From the lowest rowid on: FTS5 writes out what it has gathered whenever one is lower than the one before.
    """
    for document in sorted(documents, key=lambda document: slots[document.row], reverse=True):
        columns = _columns(document)
        if words is not None:
            words.take("\n".join(columns))
        yield END - slots[document.row], *columns


def _columns(document: IndexDocument) -> tuple[str, ...]:
    """Fold a document, in the order of INDEX_COLUMNS."""
    return (
        fold(document.text),
        fold(document.subject),
        fold_addresses(document.from_),
        fold_addresses(document.to),
        fold_addresses(document.cc),
        fold_addresses(document.bcc),
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
