"""Customers of the application in memory: records, links by two plain rules, decisions by hand, pages set by tests.

A message fits a customer by an exact address of a contact, else by an address in a domain of theirs; several that fit
equally are ambiguous. That is enough to see links come and go; the real rules have tests of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from archiver.core.customer_ports import Correspondent
from archiver.core.customers.finding import CustomerMatch, find, resolve
from archiver.core.customers.merging import merged, unmerged
from archiver.core.customers.records import checked
from archiver.core.progress import OnProgress, Progress
from archiver.errors import UsageError
from archiver.model.catalogue import Summary
from archiver.model.customer import Contact, Customer, CustomerRecord
from archiver.model.identity import Identity
from archiver.model.link import Decision, Link, LinkChanges, Rule, Standing, Verdict
from archiver.model.message import BlobId, Direction

if TYPE_CHECKING:
    from tests.cli.twin import OpenTwin

OURS = Identity(("ons.example",))
CREATED = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Figures:
    linked: int = 0
    candidates: int = 0
    newest: datetime | None = None
    oldest: datetime | None = None


@dataclass(frozen=True)
class Explained:
    verdict: Verdict
    decisions: Sequence[Decision] = ()
    customers: Mapping[int, CustomerRecord] = field(default_factory=dict)


@dataclass(frozen=True)
class ThreadOfHistory:
    messages: Sequence[Summary]
    contact: str


@dataclass(frozen=True)
class HistoryPage:
    total: int
    threads: Sequence[ThreadOfHistory]
    more: bool = False
    candidates: int = 0


@dataclass(frozen=True)
class Waiting:
    message: Summary
    messages: int
    age: timedelta


@dataclass(frozen=True)
class WaitingPage:
    total: int = 0
    items: Sequence[Waiting] = ()


@dataclass(frozen=True)
class Proposed:
    because: str
    record: CustomerRecord | None = None
    draft: Customer | None = None


@dataclass(frozen=True)
class Group:
    name: str
    newest: Summary
    shared: bool = False
    addresses: Sequence[Correspondent] = ()
    incoming: int = 0
    outgoing: int = 0
    other: int = 0
    proposals: Sequence[Proposed] = ()
    automatic: bool = False


@dataclass(frozen=True)
class UnlinkedPage:
    messages: int = 0
    total: int = 0
    items: Sequence[Group] = ()


@dataclass(frozen=True)
class AmbiguousPage:
    total: int
    items: Sequence[Summary]


@dataclass(frozen=True)
class Change:
    record: CustomerRecord
    before: Customer | None
    after: Customer | None
    links: LinkChanges
    references: Mapping[int, str]
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class Imported:
    changes: Sequence[Change]
    links: LinkChanges
    references: Mapping[int, str]


@dataclass
class Book:
    """The customers and what was decided by hand; `check` stands for the checks of contents."""

    records: list[CustomerRecord] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    merges: dict[int, tuple[Customer, Customer]] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    check: Callable[[Customer], Customer] = lambda customer: checked(customer, identity=OURS, region="BE")
    next_id: int = 1

    def keep(self, *customers: Customer) -> Book:
        """Add these without further ado, and return the book."""
        for customer in customers:
            self.records.append(CustomerRecord(self.next_id, customer, CREATED, CREATED))
            self.next_id += 1
        return self

    def by_id(self, identifier: int) -> CustomerRecord:
        return next(record for record in self.records if record.id == identifier)

    def by_reference(self, reference: str) -> CustomerRecord | None:
        same = [r for r in self.records if r.customer.reference.casefold() == reference.casefold()]
        return same[0] if same else None

    def put(self, record: CustomerRecord) -> None:
        self.records = [record if known.id == record.id else known for known in self.records]

    @property
    def alive(self) -> list[CustomerRecord]:
        kept = [record for record in self.records if record.merged_into is None]
        return sorted(kept, key=lambda record: record.customer.name.casefold())

    def links(self, archive: OpenTwin, row: int) -> tuple[Link, ...]:
        """What the two rules and the decisions make of a message."""
        summary = archive.plain_summary(row)
        addresses = {a.addr_spec.casefold() for a in (*summary.from_, *summary.to, *summary.cc)}
        by_contact = [r.id for r in self.alive if addresses & set(r.customer.emails)]
        domains = {address.rpartition("@")[2] for address in addresses}
        by_domain = [r.id for r in self.alive if domains & set(r.customer.domains)]
        found, rule = (by_contact, Rule.CONTACT) if by_contact else (by_domain, Rule.DOMAIN)
        standing = Standing.LINKED if len(found) == 1 else Standing.AMBIGUOUS
        links = {customer: Link(customer, rule, standing) for customer in found}
        for decision in self.decisions:
            if decision.blob_id == summary.blob_id and decision.undone_at is None:
                links.pop(decision.customer, None)
                if decision.links:
                    links[decision.customer] = Link(decision.customer, Rule.HAND)
        return tuple(links.values())


class CustomersOpen:
    """The part of the open archive that reads customers; mixed into the twin."""

    book: Book
    world: CustomersWorld

    def customers(self) -> Sequence[CustomerRecord]:
        return self.book.alive

    def customer(self, text: str) -> CustomerRecord:
        return resolve(self.book.records, text, "BE")

    def export_customers(self, chosen: Sequence[str] = (), *, form: str) -> Sequence[CustomerRecord]:
        return list({record.id: record for record in map(self.customer, chosen)}.values()) or self.customers()

    def find_customers(self, text: str, *, limit: int = 10) -> Sequence[CustomerMatch]:
        return find(self.book.records, text, region="BE", limit=limit)

    def merged_into(self, record: CustomerRecord) -> Sequence[CustomerRecord]:
        return [other for other in self.book.records if other.merged_into == record.id]

    def customer_figures(self, record: CustomerRecord) -> Figures:
        mine = {row: link for row, links in self.all_links().items() for link in links if link.customer == record.id}
        rows = [row for row, link in mine.items() if link.standing is Standing.LINKED]
        times = [self.summary(row).at for row in rows]
        return Figures(len(rows), len(mine) - len(rows), max(times, default=None), min(times, default=None))

    def why(self, row: int) -> Explained:
        blob = self.summary(row).blob_id
        decisions = [decision for decision in self.book.decisions if decision.blob_id == blob]
        verdict = self.world.verdicts.get(row) or Verdict(self.book.links(self._twin, row))
        return Explained(verdict, decisions, {record.id: record for record in self.book.records})

    def history(self, record: CustomerRecord, **asked: object) -> HistoryPage:
        """Every linked thread; what was asked for beside limit, offset and candidates is only noted."""
        self.world.asked.append(("history", record.customer.reference, asked))
        wanted = Standing.LINKED if not asked.get("candidates") else Standing.AMBIGUOUS
        links = self.all_links()
        rows = [
            row for row, found in links.items() if any(k.customer == record.id and k.standing is wanted for k in found)
        ]
        threads: dict[int, list[Summary]] = {}
        for row in sorted(rows, key=lambda row: self.summary(row).at, reverse=True):
            threads.setdefault(self.summary(row).thread, []).append(self.summary(row))
        folded = [ThreadOfHistory(messages, _theirs(messages[0])) for messages in threads.values()]
        limit, offset = asked.get("limit", 20), asked.get("offset", 0)
        assert isinstance(limit, int)
        assert isinstance(offset, int)
        more = len(folded) > offset + limit
        figures = self.customer_figures(record)
        return HistoryPage(len(rows), folded[offset : offset + limit], more=more, candidates=figures.candidates)

    def waiting(self, *, limit: int = 20, offset: int = 0, **asked: object) -> WaitingPage:
        self.world.asked.append(("waiting", {**asked, "limit": limit, "offset": offset}))
        page = self.world.waiting
        return WaitingPage(page.total, page.items[offset : offset + limit])

    def unlinked(self, *, text: str | None = None, limit: int = 20, offset: int = 0) -> UnlinkedPage:
        """The groups that a test set, less those whose newest message is linked by now."""
        page = self.world.unlinked
        still = [group for group in page.items if not self.summary(group.newest.row).customers]
        items = [group for group in still if text is None or text in group.name]
        return UnlinkedPage(page.messages, len(items), items[offset : offset + limit])

    def unlinked_messages(self, group: object, *, limit: int = 5) -> Sequence[Summary]:
        return [self.summary(row) for row, links in self.all_links().items() if not links][:limit]

    def ambiguous(self, *, limit: int = 20, offset: int = 0) -> AmbiguousPage:
        rows = [row for row, links in self.all_links().items() if any(k.standing is Standing.AMBIGUOUS for k in links)]
        return AmbiguousPage(len(rows), [self.summary(row) for row in rows[offset : offset + limit]])

    def all_links(self) -> dict[int, tuple[Link, ...]]:
        return {row: self.book.links(self._twin, row) for row in range(self._twin.size)}

    def summary(self, row: int) -> Summary:
        links = self.book.links(self._twin, row)

        def named(*standings: Standing) -> tuple[str, ...]:
            return tuple(self.book.by_id(k.customer).customer.reference for k in links if k.standing in standings)

        return replace(
            self._twin.plain_summary(row),
            customers=named(Standing.LINKED),
            candidates=named(Standing.AMBIGUOUS, Standing.SUGGESTED),
        )

    @property
    def _twin(self) -> OpenTwin:
        from tests.cli.twin import OpenTwin

        assert isinstance(self, OpenTwin)
        return self


@dataclass
class CustomersWorld:
    """What a test sets for the reading commands, and what they asked for."""

    verdicts: dict[int, Verdict] = field(default_factory=dict)
    waiting: WaitingPage = WaitingPage()
    unlinked: UnlinkedPage = UnlinkedPage()
    asked: list[tuple[object, ...]] = field(default_factory=list)


class EditorTwin:
    """Changes the book, or a copy of it for a dry run."""

    def __init__(self, archive: OpenTwin, *, now: datetime) -> None:
        self.archive = archive
        self._book = archive.book
        self._now = now

    def add(self, customer: Customer) -> Change:
        customer = self._book.check(customer)
        if self._book.by_reference(customer.reference) is not None:
            raise UsageError("another customer has this reference", hint="archiver customer find shows it")
        before = self.archive.all_links()
        self._book.keep(customer)
        return self._changed(self._book.records[-1], None, customer, before)

    def edit(self, record: CustomerRecord, customer: Customer) -> Change:
        before = self.archive.all_links()
        customer = self._book.check(customer)
        self._book.put(replace(record, customer=customer, changed=self._now))
        return self._changed(record, record.customer, customer, before)

    def remove(self, record: CustomerRecord) -> Change:
        before = self.archive.all_links()
        references = self._references()
        self._book.records = [r for r in self._book.records if record.id not in {r.id, r.merged_into}]
        self._book.decisions = [d for d in self._book.decisions if d.customer != record.id]
        return self._changed(record, record.customer, None, before, references)

    def merge(self, loser: CustomerRecord, winner: CustomerRecord) -> Change:
        before = self.archive.all_links()
        after = merged(winner.customer, loser.customer)
        self._book.put(replace(loser, merged_into=winner.id))
        self._book.put(replace(winner, customer=after))
        self._book.merges[loser.id] = (winner.customer, after)
        return self._changed(winner, winner.customer, after, before)

    def unmerge(self, reference: str) -> Change:
        loser = self._book.by_reference(reference)
        if loser is None or loser.merged_into is None:
            raise UsageError(
                "this customer is not merged into another", hint="archiver customer show names those that are"
            )
        before = self.archive.all_links()
        winner = self._book.by_id(loser.merged_into)
        after = unmerged(winner.customer, *self._book.merges.pop(loser.id))
        self._book.put(replace(loser, merged_into=None))
        self._book.put(replace(winner, customer=after))
        return self._changed(winner, winner.customer, after, before)

    def import_(self, customers: Sequence[Customer]) -> Imported:
        before = self.archive.all_links()
        changes = []
        for customer in customers:
            known = self._book.by_reference(customer.reference)
            changes.append(self.add(customer) if known is None else self.edit(known, customer))
        return Imported(changes, self._compared(before), self._references())

    def link(self, row: int, record: CustomerRecord, *, why: str) -> LinkChanges:
        return self._decided(row, record, links=True, why=why)

    def unlink(self, row: int, record: CustomerRecord, *, why: str) -> LinkChanges:
        return self._decided(row, record, links=False, why=why)

    def undo(self, row: int, record: CustomerRecord) -> LinkChanges:
        before, blob = self.archive.all_links(), self.archive.summary(row).blob_id
        standing = [d for d in self._book.decisions if self._stands(d, blob, record)]
        if not standing:
            raise UsageError("nothing was decided by hand about this message and customer", hint="archiver why tells")
        self._undo(standing)
        return self._compared(before)

    def relink(self, on_progress: OnProgress) -> LinkChanges:
        on_progress(Progress("link", None, None, self.archive.size, self.archive.size))
        return LinkChanges()

    def _decided(self, row: int, record: CustomerRecord, *, links: bool, why: str) -> LinkChanges:
        before, blob = self.archive.all_links(), BlobId(self.archive.summary(row).blob_id)
        self._undo([d for d in self._book.decisions if self._stands(d, blob, record)])
        number = len(self._book.decisions) + 1
        self._book.decisions.append(Decision(number, blob, record.id, links, "an", self._now, why))
        return self._compared(before)

    @staticmethod
    def _stands(decision: Decision, blob: BlobId, record: CustomerRecord) -> bool:
        return decision.blob_id == blob and decision.customer == record.id and decision.undone_at is None

    def _undo(self, decisions: Sequence[Decision]) -> None:
        self._book.decisions = [
            replace(d, undone_at=self._now, undone_by="an") if d in decisions else d for d in self._book.decisions
        ]

    def _references(self) -> dict[int, str]:
        return {record.id: record.customer.reference for record in self._book.records}

    def _changed(
        self,
        record: CustomerRecord,
        before: Customer | None,
        after: Customer | None,
        links: Mapping[int, Sequence[Link]],
        references: Mapping[int, str] | None = None,
    ) -> Change:
        return Change(
            record, before, after, self._compared(links), references or self._references(), self._book.warnings
        )

    def _compared(self, before: Mapping[int, Sequence[Link]]) -> LinkChanges:
        """Count what differs between the links then and now."""
        after = self.archive.all_links()
        counts: dict[str, Counter[int]] = {}
        for row in before:
            for linked, names in ((True, ("gained", "lost")), (False, ("candidates_gained", "candidates_lost"))):
                old = {k.customer for k in before[row] if (k.standing is Standing.LINKED) == linked}
                new = {k.customer for k in after[row] if (k.standing is Standing.LINKED) == linked}
                counts.setdefault(names[0], Counter()).update(new - old)
                counts.setdefault(names[1], Counter()).update(old - new)
        figures = {name: tuple(sorted(counter.items())) for name, counter in counts.items()}
        return LinkChanges(sum(1 for row in before if set(before[row]) != set(after[row])), **figures)


def _theirs(summary: Summary) -> str:
    """The customer's side of a message."""
    side = summary.to if summary.direction is Direction.OUTGOING else summary.from_
    return (side[0].name or side[0].addr_spec) if side else ""


def copied(book: Book) -> Book:
    """A book that may be written in without changing this one."""
    return deepcopy(book)


def peeters(reference: str = "K1001") -> Customer:
    """A customer with two contacts, as most tests want one."""
    return Customer(
        reference=reference,
        name="Peeters Bouw bvba",
        address="Kerkstraat 12",
        postal_code="9000",
        city="Gent",
        country="BE",
        vat="BE0428759497",
        domains=("klant.example",),
        licences=("LIC-2024-0042",),
        contacts=(
            Contact(
                "An Peeters", ("an@klant.example", "an.peeters@thuis.example"), ("+3292345678",), ("+32471123456",)
            ),
            Contact("Boekhouding", ("boekhouding@klant.example",)),
        ),
        notes="Belt liefst voor de middag.",
    )


def janssens(reference: str = "K1002") -> Customer:
    """Another customer, with nothing but a name and a domain."""
    return Customer(
        reference=reference, name="Janssens & Zonen", city="Aalst", country="BE", domains=("janssens.example",)
    )
