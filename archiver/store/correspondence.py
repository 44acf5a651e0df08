"""Mail by customer, mail that waits and mail that fits nobody, out of archive.db (port `Correspondence`).

Knows which index answers which question. Knows nothing of how it is shown, folded or proposed to a person.
"""

# ruff: noqa: S608 - statements are put together from constants and question marks; values are bound

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archiver.core.customer_ports import Correspondent, Entry
from archiver.model.address import EmailAddress
from archiver.model.link import Link, Rule, Standing
from archiver.store import reading
from archiver.store.linked import customers_by_thread, integer, links_of, marks, pieces

if TYPE_CHECKING:
    from archiver.store.connection import StoreConnection

_FIRST, _MOST = 64, 4096
"""Entries read at once: few for the first page, more for who goes on, none while nobody asks."""

_LAST_ROW = (1 << 63) - 1
_INCOMING, _OUTGOING, _INTERNAL, _ = range(len(reading.DIRECTIONS))

_UNLINKED = (
    f"m.direction <> {_INTERNAL}"
    f" AND NOT EXISTS (SELECT 1 FROM links l WHERE l.row = m.row AND l.standing <> {int(Standing.SUGGESTED)})"
)

_CORRESPONDING = tuple(
    reading.ROLES.index(role) for role in ("from_", "reply_to", "to", "cc", "bcc", "author", "forwarded", "reported")
)
"""Roles whose addresses a message is counted for; Sender is often a mailing service, and speaks when From does not."""

_SENDER, _FROM = reading.ROLES.index("sender"), reading.ROLES.index("from_")


@dataclass(slots=True)
class _Count:
    """What is counted for one address."""

    newest: int
    name: int
    directions: list[int]


class SqliteCorrespondence:
    """Readings of correspondence over one connection, which may be read-only."""

    def __init__(self, connection: StoreConnection) -> None:
        import msgspec

        self._connection = connection
        self._people = msgspec.msgpack.Decoder(list[list[int]])

    def entries(
        self, customer: int, *, low: int | None = None, high: int | None = None, candidates: bool = False
    ) -> Iterator[Entry]:
        """Yield a customer's messages with low ≤ row < high, newest first; or those that might be theirs."""
        below = _LAST_ROW if high is None else high
        size = _FIRST
        while True:
            some = list(
                self._connection.execute(
                    "SELECT l.row, m.thread, m.direction, l.rule, l.standing"
                    " FROM links l CROSS JOIN messages m ON m.row = l.row"
                    f" WHERE l.customer = ? AND l.row >= ? AND l.row < ? AND {_standing(candidates)}"
                    " ORDER BY l.row DESC LIMIT ?",
                    (customer, 0 if low is None else low, below, size),
                )
            )
            for row, thread, direction, rule, standing in some:
                link = Link(customer, Rule(integer(rule)), Standing(integer(standing)))
                yield Entry(integer(row), integer(thread), reading.DIRECTIONS[integer(direction)], link)
            if len(some) < size:
                return
            below = integer(some[-1][0])
            size = min(size * 4, _MOST)

    def count(self, customer: int, *, low: int | None = None, high: int | None = None, candidates: bool = False) -> int:
        """Count what `entries` yields."""
        return self._connection.integer(
            "SELECT count(*) FROM links l"
            f" WHERE l.customer = ? AND l.row >= ? AND l.row < ? AND {_standing(candidates)}",
            (customer, 0 if low is None else low, _LAST_ROW if high is None else high),
        )

    def unanswered(self, *, low: int | None = None) -> Iterator[tuple[int, int]]:
        """Yield (thread, row) of threads whose last word is an incoming message; oldest first.

        `row` is the oldest incoming message that nobody has answered since, and it may be below `low`: that leaves out
        threads whose newest incoming message is. Internal, automatic and third parties' mail is no word at all.
        """
        found = self._connection.execute(
            f"""
            SELECT asked.thread, (
                SELECT min(m.row) FROM messages m INDEXED BY messages_thread
                WHERE m.thread = asked.thread AND m.direction = {_INCOMING} AND m.flags IN (0, {reading.EXAMINED})
                    AND m.row > asked.answer) AS row
            FROM (
                SELECT thread, max(CASE direction WHEN {_OUTGOING} THEN row ELSE -1 END) AS answer,
                    max(CASE direction WHEN {_INCOMING} THEN row ELSE -1 END) AS question
                FROM messages INDEXED BY messages_thread WHERE flags <> {reading.AUTOMATIC}
                GROUP BY thread HAVING question > answer AND question >= ?) AS asked
            ORDER BY row""",
            (0 if low is None else low,),
        )
        return iter([(integer(thread), integer(row)) for thread, row in found])

    def unlinked(self, *, is_ours: Callable[[EmailAddress], bool] = lambda _: False) -> Sequence[Correspondent]:
        """Count mail that fits nobody, by address that takes part in it and is not ours; most mail first."""
        keys, numbers = self._address_keys(is_ours)
        counts: dict[int, _Count] = {}
        decode = self._people.decode
        for row, direction, people in self._connection.execute(
            f"SELECT m.row, m.direction, m.people FROM messages m WHERE {_UNLINKED} ORDER BY m.row DESC"
        ):
            assert isinstance(people, bytes)  # noqa: S101 by the schema
            met: set[int] = set()
            for number in _taking_part(decode(people)):
                key = numbers.get(number)
                if key is None or key in met:
                    continue
                met.add(key)
                count = counts.get(key)
                if count is None:
                    count = counts[key] = _Count(integer(row), number, [0, 0, 0, 0])
                count.directions[integer(direction)] += 1
        names = self._names([count.name for count in counts.values()])
        found = [
            Correspondent(
                address=keys[key],
                name=names.get(count.name, ""),
                incoming=count.directions[_INCOMING],
                outgoing=count.directions[_OUTGOING],
                other=count.directions[3],
                newest=count.newest,
            )
            for key, count in counts.items()
        ]
        return sorted(
            found, key=lambda each: (-(each.incoming + each.outgoing + each.other), -each.newest, each.address)
        )

    def unlinked_rows(self, addresses: Collection[str], *, limit: int) -> Sequence[int]:
        """Return such messages with one of these addresses (lower case, as `unlinked` gives them), newest first."""
        wanted: set[int] = set()
        every = sorted({address.strip().lower() for address in addresses})
        for start in range(0, len(every), 500):
            some = every[start : start + 500]
            wanted.update(
                integer(number)
                for (number,) in self._connection.execute(
                    f"SELECT id FROM addresses WHERE key IN ({marks(some)})",
                    some,
                )
            )
        rows: list[int] = []
        if not wanted or limit <= 0:
            return rows
        decode = self._people.decode
        for row, people in self._connection.execute(
            f"SELECT m.row, m.people FROM messages m WHERE {_UNLINKED} ORDER BY m.row DESC"
        ):
            assert isinstance(people, bytes)  # noqa: S101 by the schema
            if not wanted.isdisjoint(_taking_part(decode(people))):
                rows.append(integer(row))
                if len(rows) == limit:
                    break
        return rows

    def ambiguous(self, *, limit: int, offset: int = 0) -> tuple[int, Sequence[int]]:
        """Return how many messages several customers fit equally, and some of their rows, newest first."""
        standing = int(Standing.AMBIGUOUS)
        total = self._connection.integer("SELECT count(DISTINCT row) FROM links WHERE standing = ?", (standing,))
        rows = self._connection.execute(
            "SELECT DISTINCT row FROM links WHERE standing = ? ORDER BY row DESC LIMIT ? OFFSET ?",
            (standing, limit, offset),
        )
        return total, [integer(row) for (row,) in rows]

    def thread_customers(self, rows: Collection[int]) -> Mapping[int, Sequence[int]]:
        """Return, for messages without any link, the customers that others of their thread are linked to.

        Not one that a colleague said the message is not of.
        """
        linked = links_of(self._connection, rows)
        threads: dict[int, int] = {}
        for some in pieces(set(rows) - linked.keys()):
            for row, thread in self._connection.execute(
                f"SELECT row, thread FROM messages WHERE row IN ({marks(some)})",
                some,
            ):
                threads[integer(row)] = integer(thread)
        return customers_by_thread(self._connection, threads)

    def _address_keys(self, is_ours: Callable[[EmailAddress], bool]) -> tuple[list[str], dict[int, int]]:
        """Return the external addresses, lower case, and which of them each address number is."""
        keys: list[str] = []
        places: dict[str, int | None] = {}
        numbers: dict[int, int] = {}
        for number, key in self._connection.execute("SELECT id, key FROM addresses"):
            text = str(key)
            if text not in places:
                places[text] = None if not text or is_ours(EmailAddress("", text)) else len(keys)
                if places[text] is not None:
                    keys.append(text)
            place = places[text]
            if place is not None:
                numbers[integer(number)] = place
        return keys, numbers

    def _names(self, numbers: Collection[int]) -> dict[int, str]:
        return {
            integer(number): str(name)
            for some in pieces(numbers)
            for number, name in self._connection.execute(
                f"SELECT id, name FROM addresses WHERE id IN ({marks(some)})",
                some,
            )
        }


def _taking_part(roles: list[list[int]]) -> list[int]:
    """Return the numbers of addresses that a message is counted for, repeated where they are."""
    found = [number for role in _CORRESPONDING if role < len(roles) for number in roles[role]]
    if not roles[_FROM : _FROM + 1] or not roles[_FROM]:
        found.extend(roles[_SENDER] if len(roles) > _SENDER else ())
    return found


def _standing(candidates: bool) -> str:  # noqa: FBT001 one of two constants
    return f"l.standing {'<>' if candidates else '='} {int(Standing.LINKED)}"
