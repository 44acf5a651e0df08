"""Mail by customer, mail that waits and mail that fits nobody, out of archive.db (port `Correspondence`).

Knows which index answers which question. Knows nothing of how it is shown, folded or proposed to a person.
"""

# ruff: noqa: S608 - statements are put together from constants and question marks; values are bound

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from archiver.core.customer_ports import Correspondent, Correspondents, Entry
from archiver.model.address import EmailAddress
from archiver.model.link import Link, Rule, Standing
from archiver.model.message import BlobId, Direction
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

_FROM, _SENDER, _DELIVERED = (reading.ROLES.index(role) for role in ("from_", "sender", "delivered_to"))


class _Walked(NamedTuple):
    """A link joined with its message, as SQLite gave it."""

    row: int
    thread: int
    direction: int
    rule: int
    standing: int
    people: bytes


_WALKED = "m.row, m.thread, m.direction, l.rule, l.standing, m.people"


class _Asked:
    """Asks of each address once whether it is wanted."""

    def __init__(self, connection: StoreConnection, who: Callable[[EmailAddress], bool]) -> None:
        import msgspec

        self._connection = connection
        self._who = who
        self._people = msgspec.msgpack.Decoder(list[list[int]])
        self._answers: dict[int, bool] = {}
        self._met: dict[bytes, bool] = {}

    def among(self, page: Sequence[_Walked]) -> list[_Walked]:
        """Return those of a page in which a wanted address takes part, in any role of Evidence."""
        met = self.met({each.people for each in page})
        return [each for each in page if met[each.people]]

    def met(self, people: Collection[bytes]) -> Mapping[bytes, bool]:
        """Tell of packed people whether a wanted address is among them."""
        roles = {
            packed: reading.of_evidence(self._people.decode(packed)) for packed in people if packed not in self._met
        }
        unknown = {number for numbers in roles.values() for number in numbers} - self._answers.keys()
        for number, address in reading.addresses_of(self._connection, unknown):
            self._answers[number] = self._who(address)
        for packed, numbers in roles.items():
            self._met[packed] = any(self._answers.get(number, False) for number in numbers)
        return self._met


class _Count(Struct):
    """What is counted for one address or group; `last` is the row counted last, so that each counts once."""

    newest: int
    last: int
    name: int
    directions: list[int]
    automatic: int = 0


class SqliteCorrespondence:
    """Readings of correspondence over one connection, which may be read-only."""

    def __init__(self, connection: StoreConnection) -> None:
        import msgspec

        self._connection = connection
        self._people = msgspec.msgpack.Decoder(list[list[int]])

    def entries(
        self,
        customer: int,
        *,
        low: int | None = None,
        high: int | None = None,
        candidates: bool = False,
        direction: Direction | None = None,
        who: Callable[[EmailAddress], bool] | None = None,
        threads: Collection[int] | None = None,
    ) -> Iterator[Entry]:
        """Yield a customer's messages with low ≤ row < high, newest first; or those that might be theirs.

        Only those of this direction, with an address of which `who` says yes, and in these threads.
        """
        wanted, bindings = _bounds(customer, low, high, candidates=candidates, direction=direction)
        is_wanted = None if who is None else _Asked(self._connection, who)
        pages = (
            self._pages(wanted, bindings) if threads is None else iter([self._in_threads(threads, wanted, bindings)])
        )
        for page in pages:
            for each in page if is_wanted is None else is_wanted.among(page):
                link = Link(customer, Rule(each.rule), Standing(each.standing))
                yield Entry(each.row, each.thread, reading.DIRECTIONS[each.direction], link)

    def _pages(self, wanted: str, bindings: Sequence[object]) -> Iterator[list[_Walked]]:
        size, below = _FIRST, _LAST_ROW
        while page := self._walk(
            f"""SELECT {_WALKED} FROM links l CROSS JOIN messages m ON m.row = l.row
            WHERE {wanted} AND l.row < ? ORDER BY l.row DESC LIMIT ?""",
            (*bindings, below, size),
        ):
            yield page
            if len(page) < size:
                return
            below = page[-1].row
            size = min(size * 4, _MOST)

    def _in_threads(self, threads: Collection[int], wanted: str, bindings: Sequence[object]) -> list[_Walked]:
        """Return entries of these threads; they are looked up by thread, however many messages the customer has."""
        found: list[_Walked] = []
        for some in pieces(threads):
            found += self._walk(
                f"""SELECT {_WALKED} FROM messages m CROSS JOIN links l ON l.row = m.row
                WHERE {wanted} AND m.thread IN ({marks(some)})""",
                (*bindings, *some),
            )
        return sorted(found, reverse=True)

    def _walk(self, sql: str, bindings: Sequence[object]) -> list[_Walked]:
        return [_Walked(*row) for row in self._connection.execute(sql, bindings)]  # type: ignore[arg-type]

    def blob_ids(self, rows: Sequence[int]) -> Sequence[BlobId]:
        """Return the ids of these messages, newest first; those that are gone are left out."""
        found: list[BlobId] = []
        for some in pieces(sorted(rows, reverse=True)):
            sql = f"SELECT blob_id FROM messages WHERE row IN ({marks(some)}) ORDER BY row DESC"
            found += [
                BlobId(blob_id) for (blob_id,) in self._connection.execute(sql, some) if isinstance(blob_id, bytes)
            ]
        return found

    def count(
        self,
        customer: int,
        *,
        low: int | None = None,
        high: int | None = None,
        candidates: bool = False,
        direction: Direction | None = None,
        who: Callable[[EmailAddress], bool] | None = None,
    ) -> int:
        """Count what `entries` yields."""
        wanted, bindings = _bounds(customer, low, high, candidates=candidates, direction=direction)
        if who is not None:
            # The same people write to each other again and again: who they are is worked out once.
            found = Counter(
                packed
                for (packed,) in self._connection.execute(
                    f"SELECT m.people FROM links l CROSS JOIN messages m ON m.row = l.row WHERE {wanted}", bindings
                )
                if isinstance(packed, bytes)
            )
            met = _Asked(self._connection, who).met(found.keys())
            return sum(number for packed, number in found.items() if met[packed])
        return self._connection.integer(f"SELECT count(*) FROM links l WHERE {wanted}", bindings)

    def span(self, customer: int) -> tuple[int, int] | None:
        """Return the rows of the oldest and the newest message linked to a customer; None when there is none."""
        of_customer = f"SELECT row FROM links l WHERE customer = ?1 AND {_standing(candidates=False)} ORDER BY row"
        ends = self._connection.one(
            f"SELECT ({of_customer} LIMIT 1), ({of_customer} DESC LIMIT 1)",
            (customer,),
        )
        return None if ends is None or ends[0] is None else (integer(ends[0]), integer(ends[1]))

    def unanswered(
        self, *, low: int | None = None, customer: int | None = None, linked: bool = False
    ) -> Iterator[tuple[int, int]]:
        """Yield (thread, row) of threads whose last word is an incoming message; oldest first.

        `row` is the oldest incoming message that nobody has answered since, and it may be below `low`: that leaves out
        threads whose newest incoming message is. Internal, automatic and third parties' mail is no word at all. Only
        those linked to a customer; with `linked`, to any, or that several fit equally.
        """
        within, kept, bindings = "1", "1", [0 if low is None else low]
        if customer is not None:
            theirs = f"l.customer = ?2 AND {_standing(candidates=False)}"
            within = f"thread IN (SELECT m.thread FROM links l CROSS JOIN messages m ON m.row = l.row WHERE {theirs})"
            kept = f"EXISTS (SELECT 1 FROM links l WHERE {theirs} AND l.row = found.row)"
            bindings.append(customer)
        elif linked:
            kept = f"EXISTS (SELECT 1 FROM links l WHERE l.row = found.row AND l.standing < {int(Standing.SUGGESTED)})"
        found = self._connection.execute(
            f"""
            SELECT found.thread, found.row FROM (
                SELECT asked.thread, (
                    SELECT min(m.row) FROM messages m INDEXED BY messages_thread
                    WHERE m.thread = asked.thread AND m.direction = {_INCOMING} AND m.flags IN (0, {reading.EXAMINED})
                        AND m.row > asked.answer) AS row
                FROM (
                    SELECT thread, max(CASE direction WHEN {_OUTGOING} THEN row ELSE -1 END) AS answer,
                        max(CASE direction WHEN {_INCOMING} THEN row ELSE -1 END) AS question
                    FROM messages INDEXED BY messages_thread WHERE flags <> {reading.AUTOMATIC} AND {within}
                    GROUP BY thread HAVING question > answer AND question >= ?1) AS asked) AS found
            WHERE {kept} ORDER BY found.row""",
            bindings,
        )
        return iter([(integer(thread), integer(row)) for thread, row in found])

    def unlinked(self) -> Sequence[Correspondent]:
        """Count mail that fits nobody, by address that takes part in it, most mail first.

        Our own addresses are among them: who we are is the configuration's.
        """
        keys, numbers = self._address_keys()
        _, counts, _ = self._count_unlinked(numbers, {})
        return _most_first(self._correspondents(keys, counts).values())

    def unlinked_groups(self, group_of: Callable[[str], str | None]) -> tuple[int, Sequence[Correspondents]]:
        """Count mail that fits nobody, all of it and by groups of addresses; one without a group is left out."""
        keys, numbers = self._address_keys()
        groups: dict[str, int] = {}
        of_key = {
            place: groups.setdefault(name, len(groups))
            for place, key in enumerate(keys)
            if (name := group_of(key)) is not None
        }
        total, counts, grouped = self._count_unlinked(
            {number: place for number, place in numbers.items() if place in of_key}, of_key
        )
        members: dict[int, list[Correspondent]] = {}
        for place, each in self._correspondents(keys, counts).items():
            members.setdefault(of_key[place], []).append(each)
        names = list(groups)
        return total, [
            Correspondents(
                name=names[group],
                addresses=tuple(_most_first(members[group])),
                incoming=count.directions[_INCOMING],
                outgoing=count.directions[_OUTGOING],
                other=count.directions[3],
                newest=count.newest,
                automatic=count.automatic,
            )
            for group, count in grouped.items()
        ]

    def _count_unlinked(
        self, numbers: Mapping[int, int], of_key: Mapping[int, int]
    ) -> tuple[int, dict[int, _Count], dict[int, _Count]]:
        """Count messages: all, by address, told which each address number is, and by group, told of which each is."""
        counts: dict[int, _Count] = {}
        groups: dict[int, _Count] = {}
        decode = self._people.decode
        nameless = {integer(each) for (each,) in self._connection.execute("SELECT id FROM addresses WHERE name = ''")}
        total = 0
        for found, direction, flags, people in self._connection.execute(
            f"SELECT m.row, m.direction, m.flags, m.people FROM messages m WHERE {_UNLINKED} ORDER BY m.row DESC"
        ):
            assert isinstance(people, bytes)  # noqa: S101 by the schema
            total += 1
            row, way = integer(found), integer(direction)
            automatic = way == _INCOMING and flags == reading.AUTOMATIC
            for number in _taking_part(decode(people)):
                key = numbers.get(number)
                if key is None or not _add(counts, key, row, way, automatic, number):
                    continue
                if number not in nameless and counts[key].name in nameless:
                    counts[key].name = number
                if of_key:
                    _add(groups, of_key[key], row, way, automatic, number)
        return total, counts, groups

    def _correspondents(self, keys: Sequence[str], counts: Mapping[int, _Count]) -> dict[int, Correspondent]:
        names = self._names([count.name for count in counts.values()])
        return {
            key: Correspondent(
                address=keys[key],
                name=names.get(count.name, ""),
                incoming=count.directions[_INCOMING],
                outgoing=count.directions[_OUTGOING],
                other=count.directions[3],
                newest=count.newest,
                automatic=count.automatic,
            )
            for key, count in counts.items()
        }

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

    def _address_keys(self) -> tuple[list[str], dict[int, int]]:
        """Return the addresses, lower case, and which of them each address number is."""
        places: dict[str, int] = {}
        numbers = {
            integer(number): places.setdefault(str(key), len(places))
            for number, key in self._connection.execute("SELECT id, key FROM addresses WHERE key <> ''")
        }
        return list(places), numbers

    def _names(self, numbers: Collection[int]) -> dict[int, str]:
        return {
            integer(number): str(name)
            for some in pieces(numbers)
            for number, name in self._connection.execute(
                f"SELECT id, name FROM addresses WHERE id IN ({marks(some)})",
                some,
            )
        }


def _most_first(correspondents: Iterable[Correspondent]) -> list[Correspondent]:
    return sorted(
        correspondents, key=lambda each: (-(each.incoming + each.outgoing + each.other), -each.newest, each.address)
    )


def _add(counts: dict[int, _Count], key: int, row: int, way: int, automatic: bool, number: int) -> bool:  # noqa: FBT001
    """Count a message for an address or a group, by its address `number`; False when it is counted already."""
    count = counts.get(key)
    if count is None:
        count = counts[key] = _Count(row, row, number, [0, 0, 0, 0])
    elif count.last == row:
        return False
    count.last = row
    count.directions[way] += 1
    if automatic:
        count.automatic += 1
    return True


def _taking_part(roles: list[list[int]]) -> list[int]:
    """Return the numbers of addresses that a message is counted for, repeated where they are.

    Sender is often a mailing service, and speaks only when From does not.
    """
    found: list[int] = []
    for role in roles[:_DELIVERED]:
        found += role
    if len(roles) > _SENDER and roles[_SENDER] and roles[_FROM]:
        del found[len(roles[_FROM]) : len(roles[_FROM]) + len(roles[_SENDER])]
    for role in roles[_DELIVERED + 1 :]:
        found += role
    return found


def _bounds(
    customer: int, low: int | None, high: int | None, *, candidates: bool, direction: Direction | None
) -> tuple[str, list[object]]:
    """Return the condition on a customer's links that is asked for, and its bindings."""
    wanted = f"l.customer = ? AND l.row >= ? AND l.row < ? AND {_standing(candidates=candidates)}"
    bindings: list[object] = [customer, 0 if low is None else low, _LAST_ROW if high is None else high]
    if direction is not None:
        wanted += " AND l.direction = ?"
        bindings.append(reading.DIRECTIONS.index(direction))
    return wanted, bindings


def _standing(*, candidates: bool) -> str:
    return f"l.standing {'<>' if candidates else '='} {int(Standing.LINKED)}"
