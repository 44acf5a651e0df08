"""Customers, links and correspondence in memory: the same promises as archive.db's, by plain loops over everything."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from archiver.core.customer_ports import Correspondent, Correspondents, Entry
from archiver.core.linking.directory import address_key
from archiver.errors import UsageError
from archiver.model.address import EmailAddress
from archiver.model.customer import Consent, Customer, CustomerRecord
from archiver.model.link import Decision, Evidence, Link, Standing
from archiver.model.message import BlobId, Direction

if TYPE_CHECKING:
    from archiver.model.catalogue import Ingested
    from tests.twins.stores import MemoryCatalogue

_ROLES = ("from_", "sender", "reply_to", "to", "cc", "bcc", "author", "forwarded", "reported")


@dataclass
class Tables:
    """What the twins share; a transaction that fails puts back the copy it began with."""

    customers: dict[int, CustomerRecord] = field(default_factory=dict)
    last_customer: int = 0
    merges: dict[int, tuple[Customer, Customer]] = field(default_factory=dict)
    links: dict[int, dict[int, Link]] = field(default_factory=dict)
    codes: dict[int, set[str]] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    last_decision: int = 0
    unexamined: set[int] = field(default_factory=set)
    depth: int = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        before = copy.deepcopy({k: v for k, v in vars(self).items() if k != "depth"}) if not self.depth else {}
        self.depth += 1
        try:
            yield
        except BaseException:
            vars(self).update(before)
            raise
        finally:
            self.depth -= 1

    def surviving(self, customer: int) -> int:
        while (record := self.customers.get(customer)) is not None and record.merged_into is not None:
            customer = record.merged_into
        return customer

    def references(self, customers: Iterable[int]) -> tuple[str, ...]:
        alive = [self.customers.get(self.surviving(customer)) for customer in customers]
        return tuple(dict.fromkeys(record.customer.reference for record in alive if record is not None))

    def links_of(self, row: int) -> list[Link]:
        found = self.links.get(row, {}).values()
        return sorted(found, key=lambda link: (link.standing, link.rule, link.customer))


class MemoryCustomers:
    """Twin of the customer records."""

    def __init__(self, catalogue: MemoryCatalogue) -> None:
        self._tables = catalogue.tables
        self.transaction = catalogue.tables.transaction

    def all(self) -> Sequence[CustomerRecord]:
        return [self._tables.customers[each] for each in sorted(self._tables.customers)]

    def get(self, customer: int) -> CustomerRecord | None:
        return self._tables.customers.get(customer)

    def by_reference(self, reference: str) -> CustomerRecord | None:
        wanted = reference.casefold()
        return next((each for each in self.all() if each.customer.reference.casefold() == wanted), None)

    def add(self, customer: Customer, *, now: datetime) -> int:
        self._check_free(customer, None)
        self._tables.last_customer += 1
        number, at = self._tables.last_customer, now.replace(microsecond=0)
        self._tables.customers[number] = CustomerRecord(number, _kept(customer), at, at)
        return number

    def replace(self, identifier: int, customer: Customer, *, now: datetime) -> None:
        self._check_free(customer, identifier)
        self._set(identifier, customer=_kept(customer), changed=now.replace(microsecond=0))

    def remove(self, identifier: int) -> None:
        for each in list(self._tables.customers.values()):
            if each.merged_into == identifier:
                self.remove(each.id)
        self._tables.customers.pop(identifier, None)
        self._tables.merges.pop(identifier, None)
        for links in self._tables.links.values():
            links.pop(identifier, None)
        self._tables.decisions = [each for each in self._tables.decisions if each.customer != identifier]

    def merge(self, loser: int, winner: int, merged: Customer, *, now: datetime) -> None:
        records = [self.get(loser), self.get(winner)]
        if loser == winner or any(each is None or each.merged_into is not None for each in records):
            raise UsageError("only two customers that are not merged yet can be merged")
        before = self._tables.customers[winner].customer
        self.replace(winner, merged, now=now)
        self._set(loser, merged_into=winner, changed=now.replace(microsecond=0))
        self._tables.merges[loser] = (before, _kept(merged))

    def merge_states(self, loser: int) -> tuple[Customer, Customer] | None:
        return self._tables.merges.get(loser)

    def unmerge(self, loser: int, winner: Customer, *, now: datetime) -> None:
        record = self.get(loser)
        if record is None or record.merged_into is None:
            raise UsageError("this customer is not merged into another")
        self.replace(record.merged_into, winner, now=now)
        self._set(loser, merged_into=None, changed=now.replace(microsecond=0))
        del self._tables.merges[loser]

    def _set(self, identifier: int, **changes: object) -> None:
        record = self.get(identifier)
        if record is None:
            raise UsageError("there is no such customer any more")
        self._tables.customers[identifier] = replace(record, **changes)

    def _check_free(self, customer: Customer, identifier: int | None) -> None:
        other = self.by_reference(customer.reference)
        if other is not None and other.id != identifier:
            raise UsageError("another customer has this reference already")


class MemoryLinks:
    """Twin of evidence and links."""

    def __init__(self, catalogue: MemoryCatalogue) -> None:
        self._catalogue = catalogue
        self._tables = catalogue.tables
        self.transaction = catalogue.tables.transaction

    def evidence(self, rows: Collection[int] | None = None) -> Iterator[tuple[int, Evidence]]:
        for row in sorted(self._catalogue.messages if rows is None else rows, reverse=True):
            ingested = self._catalogue.messages.get(row)
            if ingested is None:
                continue
            people = {role: _once(getattr(ingested.message, role)) for role in _ROLES}
            if row in self._tables.unexamined:
                people |= dict.fromkeys(_ROLES[-3:], ())
            standing = [d for d in self.decisions(ingested.blob_id) if d.undone_at is None]
            yield (
                row,
                Evidence(
                    direction=ingested.direction,
                    **people,
                    vat_numbers=self._vat_numbers(row, ingested),
                    codes=tuple(sorted(self._tables.codes.get(row, ()))),
                    decisions=tuple(standing),
                ),
            )

    def rows_of_customers(self, customers: Collection[int]) -> set[int]:
        rows = {row for row, links in self._tables.links.items() if not links.keys().isdisjoint(customers)}
        ids = {d.blob_id for d in self._tables.decisions if d.undone_at is None and d.customer in customers}
        return rows | {row for row, ingested in self._catalogue.messages.items() if ingested.blob_id in ids}

    def rows_with_addresses(self, keys: Collection[str], domains: Collection[str]) -> set[int]:
        return {
            row
            for row, evidence in self.evidence()
            for address in people_of(evidence)
            if address_key(address.addr_spec) in keys
            or any(address.domain == domain or address.domain.endswith(f".{domain}") for domain in domains)
        }

    def rows_with_numbers(self, vat_numbers: Collection[str], codes: Collection[str]) -> set[int]:
        return {
            row
            for row, evidence in self.evidence()
            if not set(evidence.vat_numbers).isdisjoint(vat_numbers) or not set(evidence.codes).isdisjoint(codes)
        }

    def links(self, rows: Collection[int]) -> Mapping[int, Sequence[Link]]:
        return {row: self._tables.links_of(row) for row in rows if self._tables.links.get(row)}

    def set_links(self, changes: Mapping[int, Sequence[Link]]) -> None:
        for row, links in changes.items():
            self._tables.links[row] = {link.customer: link for link in links} if row in self._catalogue.messages else {}

    def add_codes(self, found: Iterable[tuple[int, str]]) -> None:
        for row, code in found:
            self._tables.codes.setdefault(row, set()).add(code)

    def set_codes(self, found: Mapping[int, Collection[str]]) -> None:
        for row, codes in found.items():
            self._tables.codes[row] = set(codes)

    def decide(self, blob_id: BlobId, customer: int, *, links: bool, who: str, at: datetime, why: str) -> Decision:
        self.undo(blob_id, customer, who=who, at=at)
        self._tables.last_decision += 1
        at = at.astimezone(UTC).replace(microsecond=0)
        decision = Decision(self._tables.last_decision, blob_id, customer, links, who, at, why)
        self._tables.decisions.append(decision)
        return decision

    def undo(self, blob_id: BlobId, customer: int, *, who: str, at: datetime) -> Decision | None:
        for place, each in enumerate(self._tables.decisions):
            if (each.blob_id, each.customer, each.undone_at) == (blob_id, customer, None):
                undone = replace(each, undone_at=at.astimezone(UTC).replace(microsecond=0), undone_by=who)
                self._tables.decisions[place] = undone
                return undone
        return None

    def decisions(self, blob_id: BlobId) -> Sequence[Decision]:
        return [each for each in self._tables.decisions if each.blob_id == blob_id]

    def standing(self) -> Mapping[BlobId, Sequence[Decision]]:
        stand = [each for each in self._tables.decisions if each.undone_at is None]
        return {each.blob_id: [one for one in stand if one.blob_id == each.blob_id] for each in stand}

    def unexamined(self, limit: int) -> Sequence[int]:
        return sorted(self._tables.unexamined & self._catalogue.messages.keys(), reverse=True)[:limit]

    def add_evidence(self, row: int, evidence: Evidence, *, automatic: bool) -> None:
        ingested = self._catalogue.messages.get(row)
        if ingested is None:
            return
        message = replace(
            ingested.message,
            author=evidence.author,
            forwarded=evidence.forwarded,
            reported=evidence.reported,
            vat_numbers=evidence.vat_numbers,
            automatic=automatic,
        )
        self._catalogue.replace_message(row, message)
        self._tables.unexamined.discard(row)
        self.add_codes((row, code) for code in evidence.codes)

    def _vat_numbers(self, row: int, ingested: Ingested) -> tuple[str, ...]:
        return () if row in self._tables.unexamined else tuple(sorted(set(ingested.message.vat_numbers)))


class MemoryCorrespondence:
    """Twin of reading by customer."""

    def __init__(self, catalogue: MemoryCatalogue) -> None:
        self._catalogue = catalogue
        self._tables = catalogue.tables
        self._links = MemoryLinks(catalogue)

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
        for row in sorted(self._catalogue.messages, reverse=True):
            link = self._tables.links.get(row, {}).get(customer)
            if link is None or (link.standing is Standing.LINKED) == candidates:
                continue
            entry = Entry(row, self._thread(row), self._catalogue.messages[row].direction, link)
            if (low is not None and row < low) or (high is not None and row >= high):
                continue
            if direction is not None and entry.direction is not direction:
                continue
            if threads is not None and entry.thread not in threads:
                continue
            if who is not None and not any(map(who, people_of(dict(self._links.evidence([row]))[row]))):
                continue
            yield entry

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
        found = self.entries(customer, low=low, high=high, candidates=candidates, direction=direction, who=who)
        return len(list(found))

    def span(self, customer: int) -> tuple[int, int] | None:
        rows = [entry.row for entry in self.entries(customer)]
        return (rows[-1], rows[0]) if rows else None

    def unanswered(
        self, *, low: int | None = None, customer: int | None = None, linked: bool = False
    ) -> Iterator[tuple[int, int]]:
        threads: dict[int, list[int]] = {}
        for row in sorted(self._catalogue.messages):
            threads.setdefault(self._thread(row), []).append(row)
        waiting = []
        for thread, rows in threads.items():
            asked: list[int] = []
            for row in rows:
                message = self._catalogue.messages[row]
                if message.message.automatic and row not in self._tables.unexamined:
                    continue
                if message.direction is Direction.OUTGOING:
                    asked = []
                elif message.direction is Direction.INCOMING:
                    asked.append(row)
            if not asked or asked[-1] < (low or 0):
                continue
            found = self._tables.links.get(asked[0], {})
            if customer is not None:
                kept = customer in found and found[customer].standing is Standing.LINKED
            else:
                kept = not linked or any(link.standing is not Standing.SUGGESTED for link in found.values())
            if kept:
                waiting.append((thread, asked[0]))
        return iter(sorted(waiting, key=lambda each: each[1]))

    def unlinked(self) -> Sequence[Correspondent]:
        return _most_first(
            Correspondent(name, address.name, *counts)
            for name, (address, *counts) in self._count(lambda key: key).items()
        )

    def unlinked_groups(self, group_of: Callable[[str], str | None]) -> tuple[int, Sequence[Correspondents]]:
        members = [each for each in self.unlinked() if group_of(each.address) is not None]
        return len(self._unlinked()), [
            Correspondents(name, tuple(each for each in members if group_of(each.address) == name), *counts)
            for name, (_, *counts) in self._count(group_of).items()
        ]

    def _count(self, group_of: Callable[[str], str | None]) -> dict[str, tuple[EmailAddress, int, int, int, int, int]]:
        """An address of each group, then incoming, outgoing, other, newest, automatic."""
        rows: dict[str, list[tuple[int, EmailAddress]]] = {}
        for row in self._unlinked():
            people = self._taking_part(row)
            for name in {group for key in people if (group := group_of(key)) is not None}:
                rows.setdefault(name, []).append((row, next(a for key, a in people.items() if group_of(key) == name)))
        found: dict[str, tuple[EmailAddress, int, int, int, int, int]] = {}
        for name, each in rows.items():
            messages = [(self._catalogue.messages[row], row) for row, _ in each]
            ways = [ingested.direction for ingested, _ in messages]
            automatic = sum(
                ingested.message.automatic
                for ingested, row in messages
                if ingested.direction is Direction.INCOMING and row not in self._tables.unexamined
            )
            found[name] = (
                next((address for _, address in each if address.name), each[0][1]),
                ways.count(Direction.INCOMING),
                ways.count(Direction.OUTGOING),
                ways.count(Direction.OTHER),
                each[0][0],
                automatic,
            )
        return found

    def unlinked_rows(self, addresses: Collection[str], *, limit: int) -> Sequence[int]:
        wanted = {address.strip().lower() for address in addresses}
        return [row for row in self._unlinked() if not wanted.isdisjoint(self._taking_part(row))][:limit]

    def ambiguous(self, *, limit: int, offset: int = 0) -> tuple[int, Sequence[int]]:
        rows = [row for row in self._tables.links if Standing.AMBIGUOUS in self._standings(row)]
        return len(rows), sorted(rows, reverse=True)[offset : offset + limit]

    def thread_customers(self, rows: Collection[int]) -> Mapping[int, Sequence[int]]:
        found: dict[int, Sequence[int]] = {}
        for row in rows:
            if row not in self._catalogue.messages or self._tables.links.get(row):
                continue
            customers = {
                customer
                for other in self._catalogue.messages
                if self._thread(other) == self._thread(row)
                for customer, link in self._tables.links.get(other, {}).items()
                if link.standing is Standing.LINKED
            }
            for decision in self._links.decisions(self._catalogue.messages[row].blob_id):
                if decision.undone_at is None and not decision.links:
                    customers.discard(self._tables.surviving(decision.customer))
            if customers:
                found[row] = sorted(customers)
        return found

    def _thread(self, row: int) -> int:
        return min(self._catalogue.thread_rows(row))

    def _standings(self, row: int) -> set[Standing]:
        return {link.standing for link in self._tables.links.get(row, {}).values()}

    def _unlinked(self) -> list[int]:
        return [
            row
            for row in sorted(self._catalogue.messages, reverse=True)
            if self._catalogue.messages[row].direction is not Direction.INTERNAL
            and self._standings(row) <= {Standing.SUGGESTED}
        ]

    def _taking_part(self, row: int) -> dict[str, EmailAddress]:
        evidence = dict(self._links.evidence([row]))[row]
        people = people_of(replace(evidence, sender=() if evidence.from_ else evidence.sender))
        return {address.key: address for address in reversed(people) if address.key}


def _most_first(found: Iterable[Correspondent]) -> list[Correspondent]:
    return sorted(found, key=lambda each: (-(each.incoming + each.outgoing + each.other), -each.newest, each.address))


def people_of(evidence: Evidence) -> list[EmailAddress]:
    return [address for role in _ROLES for address in getattr(evidence, role)]


def _once(addresses: Sequence[EmailAddress]) -> tuple[EmailAddress, ...]:
    return tuple(dict.fromkeys(addresses))


def _kept(customer: Customer) -> Customer:
    """Instants come back in UTC."""
    return replace(customer, consents=tuple(_in_utc(each) for each in customer.consents))


def _in_utc(consent: Consent) -> Consent:
    withdrawn = consent.withdrawn_at
    return replace(
        consent,
        given_at=consent.given_at.astimezone(UTC),
        withdrawn_at=None if withdrawn is None else withdrawn.astimezone(UTC),
    )
