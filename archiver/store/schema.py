"""The tables of archive.db, and how an older one becomes this one.

Knows every table and why each index is there: archive.db is to stay below 8 % of the raw mail, so nothing is stored
twice that a join can find. Knows nothing of how rows are made or read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archiver.errors import FormatError, IntegrityError, OlderFormatError
from archiver.store.connection import StoreConnection

APPLICATION_ID = 0x41525631
"""PRAGMA application_id: "ARV1"."""

Migration = Callable[[StoreConnection], None]

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- row: (Unix seconds >= 0) << 20 | number within the second, so that newest first is rowid descending.
-- sequence: order of ingest, the index's watermark. direction: 0 incoming, 1 outgoing, 2 internal, 3 other.
-- sent, received: seconds relative to the row's; zone: minutes east of UTC of the Date field; archived: Unix seconds.
-- people: MessagePack, a list of address ids for each role; parts: MessagePack, see reading.py.
-- Which messages an address is in, index.db answers: every address is one exact word of its columns there.
CREATE TABLE messages (
    row INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, blob_id BLOB NOT NULL, thread INTEGER NOT NULL,
    direction INTEGER NOT NULL, octets INTEGER NOT NULL, attachments INTEGER NOT NULL,
    sent INTEGER, zone INTEGER, received INTEGER, archived INTEGER NOT NULL,
    message_id TEXT, subject TEXT NOT NULL, preview TEXT NOT NULL, people BLOB NOT NULL, parts BLOB NOT NULL
);
-- Six octets tell a million messages apart (collisions are compared in full) at half the size of the whole digest.
CREATE INDEX messages_blob ON messages (substr(blob_id, 1, 6));
CREATE INDEX messages_thread ON messages (thread);

-- The keys, apart from the rest: erasing deletes the row, and secure_delete overwrites it.
CREATE TABLE records (
    sequence INTEGER PRIMARY KEY, row INTEGER NOT NULL, pack INTEGER NOT NULL, offset INTEGER NOT NULL,
    length INTEGER NOT NULL, dek BLOB NOT NULL
);
CREATE TABLE packs (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE);

-- Threads are connected components over message ids (own, References, In-Reply-To), independent of arrival order.
CREATE TABLE message_ids (hash INTEGER PRIMARY KEY, thread INTEGER NOT NULL);
CREATE TABLE merged (thread INTEGER PRIMARY KEY, into_thread INTEGER NOT NULL);
CREATE INDEX merged_into ON merged (into_thread);

CREATE TABLE addresses (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, name TEXT NOT NULL, addr_spec TEXT
);
CREATE INDEX addresses_key ON addresses (key);

CREATE TABLE mailboxes (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, name BLOB NOT NULL, uid_validity INTEGER NOT NULL,
    display TEXT NOT NULL, special_use TEXT, UNIQUE (account, name, uid_validity)
);
-- row is NULL, and blob_id set, while the message itself has not been taken in.
CREATE TABLE locations (
    mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, row INTEGER, blob_id BLOB, received INTEGER, keywords INTEGER,
    PRIMARY KEY (mailbox, uid)
) WITHOUT ROWID;
CREATE INDEX locations_row ON locations (row) WHERE row IS NOT NULL;
CREATE INDEX locations_waiting ON locations (blob_id) WHERE blob_id IS NOT NULL;

-- Strings that many rows share: content types, charsets, defect codes, keyword lists.
CREATE TABLE terms (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE defects (
    row INTEGER NOT NULL, position INTEGER NOT NULL, code INTEGER NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (row, position)
) WITHOUT ROWID;
"""


def _first(connection: StoreConnection) -> None:
    connection.execute(_TABLES)


_CUSTOMERS = """
-- flags: 0 taken in by a release that gathered no evidence, 1 examined, 2 examined and sent by a program. SQLite adds
-- the column without touching a row, and keeps 0 and 1 without an octet of their own.
ALTER TABLE messages ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;
-- With direction and flags, which conversations wait for an answer is told by the index alone.
DROP INDEX messages_thread;
CREATE INDEX messages_thread ON messages (thread, direction, flags);
CREATE INDEX messages_unexamined ON messages (flags) WHERE flags = 0;

-- id is never used again: a link can never come to mean another customer. key: the reference, case folded.
-- record: MessagePack, see customers.py; before, after: the winner's record around the merge that ended this one.
CREATE TABLE customers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, reference TEXT NOT NULL, record BLOB NOT NULL,
    created INTEGER NOT NULL, changed INTEGER NOT NULL, merged_into INTEGER, before BLOB, after BLOB
);
CREATE INDEX customers_merged ON customers (merged_into) WHERE merged_into IS NOT NULL;

-- In the order that history reads; the index holds what the rules decided, so that nothing is looked up twice.
-- direction is the message's: counting one direction of a customer with 40,000 messages takes 5 ms here, and 330 ms
-- by a join, for an octet a link.
CREATE TABLE links (
    customer INTEGER NOT NULL, row INTEGER NOT NULL, rule INTEGER NOT NULL, standing INTEGER NOT NULL,
    direction INTEGER NOT NULL, PRIMARY KEY (customer, row)
) WITHOUT ROWID;
CREATE INDEX links_row ON links (row, standing, rule);

-- VAT numbers (kind 0) and licence and reference numbers (kind 1), each once, and the messages that mention them.
CREATE TABLE numbers (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, value TEXT NOT NULL, UNIQUE (value, kind));
CREATE TABLE mentions (number INTEGER NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (number, row)) WITHOUT ROWID;
CREATE INDEX mentions_row ON mentions (row);

-- By hand, about a message whatever row it has. Never deleted but with the customer; at most one stands.
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, blob_id BLOB NOT NULL, customer INTEGER NOT NULL, links INTEGER NOT NULL,
    who TEXT NOT NULL, at INTEGER NOT NULL, why TEXT NOT NULL, undone_at INTEGER, undone_by TEXT
);
CREATE INDEX decisions_blob ON decisions (blob_id);
CREATE INDEX decisions_customer ON decisions (customer);
CREATE UNIQUE INDEX decisions_standing ON decisions (blob_id, customer) WHERE undone_at IS NULL;
"""


def _second(connection: StoreConnection) -> None:
    connection.execute(_CUSTOMERS)


_SEARCHES = """
-- language: the number of its ISO 639-1 code in terms, NULL where it cannot be told; without a value it costs nothing.
ALTER TABLE messages ADD COLUMN language INTEGER;

-- key: the name, case folded; saved: Unix seconds.
CREATE TABLE saved_searches (
    key TEXT PRIMARY KEY, name TEXT NOT NULL, query TEXT NOT NULL, saved INTEGER NOT NULL
) WITHOUT ROWID;
"""


def _third(connection: StoreConnection) -> None:
    connection.execute(_SEARCHES)


_ERASURES = """
-- What was erased, for ever: nothing may bring it back. at: Unix seconds. The digests are keyed: they tell nothing.
CREATE TABLE erased (blob_id BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;

-- Erasures under way. stage: 0 intended, 1 keys and rows are gone, 2 words are gone from the index (row is NULL now),
-- 3 no log holds an older page: only the collector has to be told. A finished one has no row here.
CREATE TABLE erasing (blob_id BLOB PRIMARY KEY, stage INTEGER NOT NULL, row INTEGER) WITHOUT ROWID;
"""


def _fourth(connection: StoreConnection) -> None:
    connection.execute(_ERASURES)


MIGRATIONS: tuple[Migration, ...] = (_first, _second, _third, _fourth)
"""Migration n brings format n to n + 1; a released one is never changed."""


def migrate(connection: StoreConnection, application_id: int, migrations: Sequence[Migration]) -> bool:
    """Bring a database to this release's format, each step in one transaction with its record; True when it changed.

    Only under the writer's lock. Raises FormatError when the database is newer than this release.
    """
    before = check_format(connection, application_id, len(migrations))
    for number in range(before, len(migrations)):
        with connection.transaction():
            migrations[number](connection)
            connection.execute(f"PRAGMA application_id = {application_id}")
            connection.execute(f"PRAGMA user_version = {number + 1}")
    return before < len(migrations)


def check_format(connection: StoreConnection, application_id: int, newest: int) -> int:
    """Return a database's format number; raise FormatError when it is newer, IntegrityError when it is not ours."""
    version = connection.integer("PRAGMA user_version")
    found = connection.integer("PRAGMA application_id")
    name = connection.path.name
    if version and found != application_id:
        raise IntegrityError(f"{name} is another kind of database", what=name, hint="restore it from a backup")
    if version > newest:
        raise FormatError(
            f"{name} has format {version}; this release reads up to {newest}", hint="install a newer archiver"
        )
    return version


def check_current(connection: StoreConnection, application_id: int, newest: int) -> None:
    """Check a database for reading only: raise OlderFormatError when it is older, and `check_format`'s errors."""
    if check_format(connection, application_id, newest) < newest:
        raise OlderFormatError(
            f"{connection.path.name} was written by an older release", hint="run `archiver sync` once: it is converted"
        )
