"""An archive as earlier releases left it: format 1, 2 or 3 of archive.db, with everything else as it is now."""

from __future__ import annotations

import msgspec

from archiver.store import schema
from archiver.store.connection import StoreConnection

_ROLES = 7
"""From, Sender, Reply-To, To, Cc, Bcc and Delivered-To: all that was kept of who takes part."""


def make_third_format(connection: StoreConnection) -> None:
    """Take away from a database what the fourth migration adds."""
    assert connection.integer("PRAGMA user_version") == len(schema.MIGRATIONS) == 4
    with connection.transaction():
        connection.execute("DROP TABLE erased; DROP TABLE erasing; PRAGMA user_version = 3")
    assert schema.check_format(connection, schema.APPLICATION_ID, 3) == 3


def make_second_format(connection: StoreConnection) -> None:
    """Take away from a database what the migrations since format 2 add, and the defects that attachments have since."""
    make_third_format(connection)
    with connection.transaction():
        connection.execute("DROP TABLE saved_searches")
        connection.execute("ALTER TABLE messages DROP COLUMN language")
        connection.execute("DELETE FROM defects WHERE code IN (SELECT id FROM terms WHERE text LIKE 'attachment-%')")
        connection.execute("PRAGMA user_version = 2")
    assert schema.check_format(connection, schema.APPLICATION_ID, 2) == 2


def make_first_format(connection: StoreConnection) -> None:
    """Take away from a database what the migrations add."""
    make_second_format(connection)
    with connection.transaction():
        for table in ("customers", "links", "numbers", "mentions", "decisions"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DROP INDEX messages_thread; DROP INDEX messages_unexamined")
        connection.execute("ALTER TABLE messages DROP COLUMN flags")
        connection.execute("CREATE INDEX messages_thread ON messages (thread)")
        for row, people in list(connection.execute("SELECT row, people FROM messages")):
            assert isinstance(people, bytes)
            kept = msgspec.msgpack.decode(people)[:_ROLES]
            connection.execute("UPDATE messages SET people = ? WHERE row = ?", (msgspec.msgpack.encode(kept), row))
        connection.execute("DELETE FROM meta WHERE key = 'linked_as'")
        connection.execute("PRAGMA user_version = 1")
    assert schema.check_format(connection, schema.APPLICATION_ID, 1) == 1
