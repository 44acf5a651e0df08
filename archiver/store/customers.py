"""The customer records of archive.db (port `Customers`).

Knows how a customer becomes a MessagePack map and back, and what is kept of a merge. Knows no rule of linking and
checks no contents: they are canonical when they come.

A record is a map of field names to values; fields that are empty are left out, so that a later release may add some.
One that holds a field unknown here is refused: writing it back without that field would lose it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from archiver.errors import FormatError, IntegrityError, UsageError
from archiver.model.customer import Consent, Contact, Customer, CustomerRecord
from archiver.store.linked import integer
from archiver.store.reading import epoch_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from archiver.store.connection import StoreConnection

_COLUMNS = "id, record, created, changed, merged_into"


class SqliteCustomers:
    """The records over one connection; changes need a writer's."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection
        self._read: dict[int, tuple[tuple[object, ...], CustomerRecord]] = {}

    def transaction(self) -> AbstractContextManager[None]:
        """Begin a transaction, or take part in the one that is open."""
        return self._connection.transaction()

    def all(self) -> Sequence[CustomerRecord]:
        """Return every record, by id; those merged into others too. Raises FormatError for a newer release's."""
        # A change asks for all of them several times: what is unchanged since the last time is not decoded again.
        before, self._read = self._read, {}
        for row in self._connection.execute(f"SELECT {_COLUMNS} FROM customers ORDER BY id"):  # noqa: S608 constant
            number = integer(row[0])
            known = before.get(number)
            self._read[number] = known if known is not None and known[0] == row else (row, _record(*row))
        return [record for _, record in self._read.values()]

    def get(self, customer: int) -> CustomerRecord | None:
        """Return one record, or None when it is not there."""
        row = self._connection.one(f"SELECT {_COLUMNS} FROM customers WHERE id = ?", (customer,))  # noqa: S608 constant
        return None if row is None else _record(*row)

    def by_reference(self, reference: str) -> CustomerRecord | None:
        """Return the record with exactly this reference (without case), be it merged or not."""
        row = self._connection.one(f"SELECT {_COLUMNS} FROM customers WHERE key = ?", (_key(reference),))  # noqa: S608 constant
        return None if row is None else _record(*row)

    def add(self, customer: Customer, *, now: datetime) -> int:
        """Add a record and return its id; raises UsageError when the reference is taken."""
        with self._connection.transaction():
            self._check_free(customer.reference, None)
            seconds = epoch_seconds(now)
            self._connection.execute(
                "INSERT INTO customers (key, reference, record, created, changed) VALUES (?,?,?,?,?)",
                (_key(customer.reference), customer.reference, pack_customer(customer), seconds, seconds),
            )
            return self._connection.integer("SELECT last_insert_rowid()")

    def replace(self, identifier: int, customer: Customer, *, now: datetime) -> None:
        """Replace a record's contents; raises UsageError when it has another's reference."""
        with self._connection.transaction():
            self._check_free(customer.reference, identifier)
            self._connection.execute(
                "UPDATE customers SET key = ?, reference = ?, record = ?, changed = ? WHERE id = ?",
                (
                    _key(customer.reference),
                    customer.reference,
                    pack_customer(customer),
                    epoch_seconds(now),
                    identifier,
                ),
            )
            self._check_changed()

    def remove(self, identifier: int) -> None:
        """Delete a record for good, with its links and decisions; what it was merged from goes with it."""
        with self._connection.transaction():
            gone, following = {identifier}, [identifier]
            while following:
                merged = self._connection.execute("SELECT id FROM customers WHERE merged_into = ?", (following.pop(),))
                new = {integer(each) for (each,) in merged} - gone
                gone |= new
                following.extend(new)
            for each in sorted(gone):
                self._connection.execute("DELETE FROM links WHERE customer = ?", (each,))
                self._connection.execute("DELETE FROM decisions WHERE customer = ?", (each,))
                self._connection.execute("DELETE FROM customers WHERE id = ?", (each,))

    def merge(self, loser: int, winner: int, merged: Customer, *, now: datetime) -> None:
        """Give the winner its merged contents and mark the loser, keeping what is needed to undo it."""
        with self._connection.transaction():
            for each in (loser, winner):
                state = self._connection.one("SELECT merged_into FROM customers WHERE id = ?", (each,))
                if state is None or state[0] is not None or loser == winner:
                    raise UsageError("only two customers that are not merged yet can be merged")
            before = self._blob(winner)
            self.replace(winner, merged, now=now)
            self._connection.execute(
                "UPDATE customers SET merged_into = ?, before = ?, after = ?, changed = ? WHERE id = ?",
                (winner, before, pack_customer(merged), epoch_seconds(now), loser),
            )

    def merge_states(self, loser: int) -> tuple[Customer, Customer] | None:
        """Return the winner's contents before and after the loser was merged into it; None when it is not merged."""
        row = self._connection.one(
            "SELECT before, after FROM customers WHERE id = ? AND merged_into IS NOT NULL", (loser,)
        )
        return None if row is None else (unpack_customer(row[0]), unpack_customer(row[1]))

    def unmerge(self, loser: int, winner: Customer, *, now: datetime) -> None:
        """Make the loser a customer of its own again, and give the winner these contents."""
        with self._connection.transaction():
            row = self._connection.one("SELECT merged_into FROM customers WHERE id = ?", (loser,))
            if row is None or not isinstance(row[0], int):
                raise UsageError("this customer is not merged into another")
            self.replace(row[0], winner, now=now)
            self._connection.execute(
                "UPDATE customers SET merged_into = NULL, before = NULL, after = NULL, changed = ? WHERE id = ?",
                (epoch_seconds(now), loser),
            )

    def _blob(self, identifier: int) -> object:
        row = self._connection.one("SELECT record FROM customers WHERE id = ?", (identifier,))
        return None if row is None else row[0]

    def _check_free(self, reference: str, identifier: int | None) -> None:
        row = self._connection.one("SELECT id FROM customers WHERE key = ?", (_key(reference),))
        if row is not None and row[0] != identifier:
            raise UsageError(
                "another customer has this reference already",
                hint="give another one, or edit the customer that has it",
            )

    def _check_changed(self) -> None:
        if not self._connection.changes():
            raise UsageError("there is no such customer any more")


def pack_customer(customer: Customer) -> bytes:
    """Return a customer as it is kept."""
    import msgspec

    from archiver.store.customer_format import KeptConsent, KeptContact, KeptCustomer

    kept = KeptCustomer(
        reference=customer.reference,
        name=customer.name,
        address=customer.address,
        postal_code=customer.postal_code,
        city=customer.city,
        country=customer.country,
        vat=customer.vat,
        domains=customer.domains,
        licences=customer.licences,
        contacts=tuple(
            KeptContact(name=each.name, emails=each.emails, phones=each.phones, mobiles=each.mobiles)
            for each in customer.contacts
        ),
        notes=customer.notes,
        consents=tuple(
            KeptConsent(
                given_at=each.given_at,
                given_by=each.given_by,
                message=each.message,
                withdrawn_at=each.withdrawn_at,
                withdrawn_by=each.withdrawn_by,
            )
            for each in customer.consents
        ),
        former_references=customer.former_references,
    )
    return msgspec.msgpack.encode(kept)


def unpack_customer(octets: object) -> Customer:
    """Return a customer that was kept; raises FormatError for one of a newer release, IntegrityError for no such."""
    import msgspec

    from archiver.store.customer_format import KeptCustomer

    if not isinstance(octets, bytes):
        raise IntegrityError("archive.db: a customer has no contents", what="archive.db")
    try:
        kept = msgspec.msgpack.decode(octets, type=KeptCustomer)
    except msgspec.ValidationError as error:
        raise FormatError(
            "archive.db: a customer was written by a newer release", hint="install a newer archiver"
        ) from error
    except msgspec.DecodeError as error:
        raise IntegrityError("archive.db: a customer's contents are damaged", what="archive.db") from error
    return Customer(
        reference=kept.reference,
        name=kept.name,
        address=kept.address,
        postal_code=kept.postal_code,
        city=kept.city,
        country=kept.country,
        vat=kept.vat,
        domains=kept.domains,
        licences=kept.licences,
        contacts=tuple(Contact(each.name, each.emails, each.phones, each.mobiles) for each in kept.contacts),
        notes=kept.notes,
        consents=tuple(
            Consent(each.given_at, each.given_by, each.message, each.withdrawn_at, each.withdrawn_by)
            for each in kept.consents
        ),
        former_references=kept.former_references,
    )


def _key(reference: str) -> str:
    return reference.casefold()


def _record(
    identifier: object, octets: object, created: object, changed: object, merged_into: object
) -> CustomerRecord:
    return CustomerRecord(
        id=integer(identifier),
        customer=unpack_customer(octets),
        created=datetime.fromtimestamp(integer(created), UTC),
        changed=datetime.fromtimestamp(integer(changed), UTC),
        merged_into=merged_into if isinstance(merged_into, int) else None,
    )
