"""Which rows found are one hit: copies of a message, and the messages of a thread when threads are folded.

Copies are rows of the same second with the same Message-ID, the same From and the same Date: a message that its sender
kept and others received, or that came to several mailboxes with other trace fields. A forged Message-ID of another
sender stays a message of its own. Of copies that match, the one with most to show stands for all: the most attachments,
then the most octets, then the newest. Rows begin with the second that messages are sorted by, so copies stand next to
each other, and whether two are copies never depends on the page. Knows the tables of the catalogue (`cat`).
"""

# ruff: noqa: S608 - the statements are our own; rows are bound

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from archiver.search.rows import ROW_BITS, json_array

if TYPE_CHECKING:
    from archiver.core.ports import Connection

_Identity = tuple[object, ...]
_COLUMNS = "m.row, m.message_id, m.sent, m.people, m.attachments, m.octets"


class Copies:
    """Finds copies among rows that match, and beyond them; what was read of a message is remembered."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._identity: dict[int, _Identity] = {}
        self._worth: dict[int, tuple[int, int, int]] = {}

    def groups(self, ordered: Iterable[int], matching: Collection[int]) -> Iterable[tuple[int, ...]]:
        """Yield each message once, in the order of its first row: the rows of `matching` that are it, the best first.

        `matching` has all rows of every second that `ordered` has a row of.
        """
        near: dict[int, list[int]] = {}
        for row in matching:
            near.setdefault(row >> ROW_BITS, []).append(row)
        given: set[int] = set()
        for row in ordered:
            if row in given:
                continue
            group = self._group(row, near.get(row >> ROW_BITS, ()))
            given.update(group)
            yield group

    def beyond(self, rows: Collection[int]) -> dict[int, tuple[int, ...]]:
        """Return for each row all others that are copies of it, whether they match or not, newest first."""
        near: dict[int, list[int]] = {row >> ROW_BITS: [] for row in rows}
        for (row,) in self._connection.execute(
            "SELECT m.row FROM json_each(?) AS asked CROSS JOIN cat.messages AS m"
            f" ON m.row >= asked.value << {ROW_BITS} AND m.row < (asked.value + 1) << {ROW_BITS}",
            (json_array(near),),
        ):
            if isinstance(row, int):
                near[row >> ROW_BITS].append(row)
        self._read([row for some in near.values() if len(some) > 1 for row in some])
        return {
            row: tuple(sorted((each for each in self._group(row, near[row >> ROW_BITS]) if each != row), reverse=True))
            for row in rows
        }

    def _group(self, row: int, near: Sequence[int]) -> tuple[int, ...]:
        if len(near) < 2:
            return (row,)
        self._read(near)
        own = self._identity.get(row)
        if own is None:
            return (row,)
        same = [each for each in near if self._identity.get(each) == own]
        return tuple(sorted(same, key=self._worth.__getitem__, reverse=True))

    def _read(self, rows: Sequence[int]) -> None:
        """Remember who wrote these messages and what they are called; one without a Message-ID is nobody's copy."""
        missing = [row for row in rows if row not in self._worth]
        if not missing:
            return
        import msgspec

        for row, message_id, sent, people, attachments, octets in self._connection.execute(
            f"SELECT {_COLUMNS} FROM json_each(?) AS asked CROSS JOIN cat.messages AS m ON m.row = asked.value",
            (json_array(missing),),
        ):
            assert isinstance(row, int)  # noqa: S101 - the columns are integers
            assert isinstance(attachments, int)  # noqa: S101
            assert isinstance(octets, int)  # noqa: S101
            self._worth[row] = attachments, octets, row
            if message_id:
                roles = msgspec.msgpack.decode(people, type=list[list[int]]) if isinstance(people, bytes) else []
                self._identity[row] = message_id, sent, tuple(roles[0] if roles else ())


def threads_of(connection: Connection, rows: Sequence[int]) -> dict[int, int]:
    """Return the thread of each row; those that are gone are left out."""
    return {
        row: thread
        for row, thread in connection.execute(
            "SELECT m.row, m.thread FROM json_each(?) AS asked CROSS JOIN cat.messages AS m ON m.row = asked.value",
            (json_array(rows),),
        )
        if isinstance(row, int) and isinstance(thread, int)
    }


def members_of(connection: Connection, threads: Collection[int]) -> dict[int, list[int]]:
    """Return all rows of each thread."""
    members: dict[int, list[int]] = {thread: [] for thread in threads}
    for thread, row in connection.execute(
        "SELECT m.thread, m.row FROM json_each(?) AS asked CROSS JOIN cat.messages AS m ON m.thread = asked.value",
        (json_array(threads),),
    ):
        if isinstance(thread, int) and isinstance(row, int):
            members[thread].append(row)
    return members
