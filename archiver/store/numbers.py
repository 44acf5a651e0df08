"""Numbers that stand for what many rows share: addresses, terms, VAT numbers and codes.

Knows how one is found or made within the writer's transaction, and forgets them when that is rolled back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archiver.model.address import EmailAddress
from archiver.store.connection import StoreConnection

VAT_NUMBER, CODE = 0, 1
"""Kinds of `numbers`."""

_CACHED_ADDRESSES = 50_000


class Numbers:
    """Gives out numbers over one connection, for a writer; remembers those it has met."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection
        self._address_ids: dict[tuple[str, str], int] = {}  # by name and addr-spec: quicker to hash
        self._term_ids: dict[str, int] = {}

    def forget(self) -> None:
        """Forget all: numbers given out in a transaction that was rolled back belong to nobody."""
        self._address_ids.clear()
        self._term_ids.clear()

    def term(self, text: str) -> int:
        """Return the number of a shared string."""
        if (number := self._term_ids.get(text)) is None:
            self._connection.execute("INSERT OR IGNORE INTO terms (text) VALUES (?)", (text,))
            number = self._term_ids[text] = self._connection.integer("SELECT id FROM terms WHERE text = ?", (text,))
        return number

    def addresses(self, addresses: Sequence[EmailAddress]) -> list[int]:
        """Return the numbers of addresses, each once."""
        known = self._address_ids
        numbers = [known.get((each.name, each.addr_spec)) or self._address(each) for each in addresses]
        return numbers if len(numbers) < 2 else list(dict.fromkeys(numbers))

    def mention(self, kind: int, found: Iterable[tuple[int, str]]) -> None:
        """Record that messages mention numbers of this kind, as (row, value); what is known is left."""
        for row, value in found:
            number = self._connection.integer("SELECT id FROM numbers WHERE value = ? AND kind = ?", (value, kind))
            if not number:
                self._connection.execute("INSERT INTO numbers (kind, value) VALUES (?, ?)", (kind, value))
                number = self._connection.integer("SELECT last_insert_rowid()")
            self._connection.execute("INSERT OR IGNORE INTO mentions VALUES (?, ?)", (number, row))

    def _address(self, address: EmailAddress) -> int:
        """Return the number of an address, giving it one when it is new, and remember it."""
        key = address.key
        spec = None if address.addr_spec == key else address.addr_spec
        number = self._connection.integer(
            "SELECT id FROM addresses WHERE key = ? AND name = ? AND addr_spec IS ?", (key, address.name, spec)
        )
        if not number:
            self._connection.execute(
                "INSERT INTO addresses (key, name, addr_spec) VALUES (?,?,?)", (key, address.name, spec)
            )
            number = self._connection.integer("SELECT last_insert_rowid()")
        if len(self._address_ids) >= _CACHED_ADDRESSES:
            self._address_ids.clear()
        self._address_ids[address.name, address.addr_spec] = number
        return number
