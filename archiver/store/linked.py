"""Which customers messages are linked to, and which are erased, looked up for many messages at once.

Knows the tables of links and how a merged customer's mail is its winner's. Knows no rule and no evidence.
"""

# ruff: noqa: S608 - statements are put together from constants and question marks; values are bound

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from archiver.model.message import BlobId

if TYPE_CHECKING:
    from archiver.model.link import Link
    from archiver.store.connection import StoreConnection

LINKED, SUGGESTED = 0, 2
"""`Standing` as it is kept: whoever only reads lines need not load the model of links for it."""

AT_ONCE = 500
"""Values bound to one statement; SQLite takes 32,766."""


def pieces(values: Iterable[int]) -> Iterator[list[int]]:
    """Yield values in lists that one statement takes, ascending, each once."""
    every = sorted(set(values))
    for start in range(0, len(every), AT_ONCE):
        yield every[start : start + AT_ONCE]


def marks(values: Sequence[object]) -> str:
    """Return as many question marks as there are values."""
    return ",".join("?" * len(values))


def erased_among(connection: StoreConnection, blob_ids: Iterable[BlobId]) -> frozenset[BlobId]:
    """Return those of some messages that were erased, or are about to be."""
    if connection.one("SELECT 1 FROM erased LIMIT 1") is None:
        return frozenset()
    found: set[BlobId] = set()
    wanted = list(dict.fromkeys(blob_ids))
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        found.update(
            BlobId(blob_id)
            for (blob_id,) in connection.execute(f"SELECT blob_id FROM erased WHERE blob_id IN ({marks(some)})", some)
            if isinstance(blob_id, bytes)
        )
    return frozenset(found)


def erasures_are_under_way(connection: StoreConnection) -> bool:
    """Tell whether a writer has to complete an erasure before it does anything else."""
    return connection.one("SELECT 1 FROM erasing WHERE stage < 3 LIMIT 1") is not None


def links_of(connection: StoreConnection, rows: Collection[int]) -> dict[int, list[Link]]:
    """Return the links and candidates of messages, strongest first; rows without any are left out."""
    from archiver.model.link import Link, Rule, Standing

    found: dict[int, list[Link]] = {}
    for some in pieces(rows):
        for row, customer, rule, standing in connection.execute(
            "SELECT row, customer, rule, standing FROM links"
            f" WHERE row IN ({marks(some)}) ORDER BY row, standing, rule, customer",
            some,
        ):
            link = Link(integer(customer), Rule(integer(rule)), Standing(integer(standing)))
            found.setdefault(integer(row), []).append(link)
    return found


def standings_of(connection: StoreConnection, rows: Collection[int]) -> dict[int, list[tuple[int, bool]]]:
    """Return the customers and candidates of messages as (customer, whether it is linked), strongest first."""
    found: dict[int, list[tuple[int, bool]]] = {}
    for some in pieces(rows):
        for row, customer, standing in connection.execute(
            f"SELECT row, customer, standing FROM links WHERE row IN ({marks(some)})"
            " ORDER BY row, standing, rule, customer",
            some,
        ):
            found.setdefault(integer(row), []).append((integer(customer), standing == LINKED))
    return found


def customers_by_thread(connection: StoreConnection, threads: Mapping[int, int]) -> dict[int, list[int]]:
    """Return, for messages without any link (row to thread), the customers that others of the thread are linked to.

    A customer that a colleague said the message is not of is left out.
    """
    of_thread = {
        thread: [
            integer(customer)
            for (customer,) in connection.execute(
                "SELECT DISTINCT l.customer FROM messages m CROSS JOIN links l ON l.row = m.row AND l.standing = ?"
                " WHERE m.thread = ? ORDER BY l.customer",
                (LINKED, thread),
            )
        ]
        for thread in set(threads.values())
    }
    found = {row: list(of_thread[thread]) for row, thread in threads.items() if of_thread[thread]}
    if found and connection.one("SELECT 1 FROM decisions LIMIT 1") is not None:
        for some in pieces(found):
            for row, customer in connection.execute(
                "SELECT m.row, d.customer FROM messages m CROSS JOIN decisions d"
                f" ON d.blob_id = m.blob_id AND d.undone_at IS NULL AND NOT d.links WHERE m.row IN ({marks(some)})",
                some,
            ):
                refused = surviving(connection, integer(customer))
                found[integer(row)] = [each for each in found[integer(row)] if each != refused]
    return {row: customers for row, customers in found.items() if customers}


def surviving(connection: StoreConnection, customer: int) -> int:
    """Return the customer that this one was merged into in the end; itself when it was not, or is not there."""
    met = {customer}
    while True:
        row = connection.one("SELECT merged_into FROM customers WHERE id = ?", (customer,))
        if row is None or not isinstance(row[0], int) or row[0] in met:
            return customer
        customer = row[0]
        met.add(customer)


class Names:
    """References of customers, as read within one snapshot."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection
        self._known: dict[int, str | None] = {}

    @property
    def any(self) -> bool:
        """Tell whether there is a customer at all."""
        return self._connection.one("SELECT 1 FROM customers LIMIT 1") is not None

    def of(self, customers: Iterable[int]) -> tuple[str, ...]:
        """Return the references of those that are there, each once, in the order given; a merged one is its winner."""
        names = (self._name(customer) for customer in customers)
        return tuple(dict.fromkeys(name for name in names if name is not None))

    def load(self, customers: Iterable[int]) -> None:
        """Look up many together."""
        for some in pieces(customers):
            for customer, reference in self._connection.execute(
                f"SELECT id, reference FROM customers WHERE id IN ({marks(some)}) AND merged_into IS NULL", some
            ):
                self._known[integer(customer)] = str(reference)

    def of_links(self, links: Sequence[tuple[int, bool]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return references of customers and of candidates; one that is a customer is no candidate as well."""
        linked = self.of(customer for customer, is_linked in links if is_linked)
        others = self.of(customer for customer, is_linked in links if not is_linked)
        return linked, tuple(name for name in others if name not in linked)

    def _name(self, customer: int) -> str | None:
        if customer not in self._known:
            row = self._connection.one(
                "SELECT reference FROM customers WHERE id = ?", (surviving(self._connection, customer),)
            )
            self._known[customer] = None if row is None else str(row[0])
        return self._known[customer]


def integer(value: object) -> int:
    """Return a value of a column that is an INTEGER."""
    assert isinstance(value, int)  # noqa: S101 by the schema
    return value
