"""Changing customers: add, edit, remove, merge and import them, and link by hand; each change relinks what it touches.

Every change is one transaction: records, decisions and links hold together afterwards, or nothing changed. A dry run
does the same work and rolls it back. Knows no command line, no SQL and nothing of how rules decide.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from archiver.core.customers.changes import CustomerChange, ImportChanges, InCommon, references_in
from archiver.core.linking.relinking import (
    LINKED_AS,
    RelinkPorts,
    complete,
    find_codes,
    is_stale,
    relink,
    relink_all,
    relink_touched,
)
from archiver.core.linking.rules import identifiers_of
from archiver.core.progress import OnProgress, silent
from archiver.errors import UsageError
from archiver.model.customer import Customer, CustomerRecord
from archiver.model.identity import Identity
from archiver.model.link import LinkChanges

if TYPE_CHECKING:
    from archiver.core.customer_ports import Customers
    from archiver.core.linking.directory import Directory
    from archiver.core.ports import Clock
    from archiver.model.message import BlobId


class EditPorts(Struct, frozen=True):
    """What an archive opened for writing gives to those who change customers; all over one transaction."""

    customers: Customers
    relinking: RelinkPorts
    clock: Clock


class EditRules(Struct, frozen=True):
    """What records are checked by: who we are, the country of numbers without one, further domains of providers."""

    identity: Identity
    region: str
    shared_domains: tuple[str, ...] = ()


class _DryRunError(Exception):
    """Ends a transaction that is not to be kept."""


def directory_of(records: Sequence[CustomerRecord], rules: EditRules) -> Directory:
    """Return the directory of these customers."""
    from archiver.core.linking.directory import Directory

    return Directory(records, identity=rules.identity, shared_domains=rules.shared_domains)


class CustomerEditing:
    """The use cases; `who` is the person that decisions by hand are recorded of.

    Raises UsageError with all that is wrong with what was given.
    """

    def __init__(self, ports: EditPorts, rules: EditRules, *, who: str, dry_run: bool = False) -> None:
        self._ports = ports
        self._rules = rules
        self._who = who
        self._dry_run = dry_run

    # --- records --------------------------------------------------------------------------------------------------

    def add(self, customer: Customer) -> CustomerChange:
        """Add a customer."""
        new = self._checked(customer)
        with self._transaction():
            records = self._ports.customers.all()
            _require_free(records, new.reference)
            identifier = self._ports.customers.add(new, now=self._ports.clock())
            return self._touched(records, {}, {identifier: new}, identifier)

    def edit(self, record: CustomerRecord, customer: Customer) -> CustomerChange:
        """Give a customer other contents."""
        new = self._checked(customer)
        with self._transaction():
            records = self._ports.customers.all()
            current = _current(records, record)
            old = current.customer
            if new == old:
                return CustomerChange(current, old, old)
            _require_free(records, new.reference, but=current.id)
            self._ports.customers.replace(current.id, new, now=self._ports.clock())
            return self._touched(records, {current.id: old}, {current.id: new}, current.id)

    def remove(self, record: CustomerRecord) -> CustomerChange:
        """Remove a customer and those merged into it, for good; their mail stays, without these links."""
        with self._transaction():
            records = self._ports.customers.all()
            current = _current(records, record)
            gone = {current.id} | _merged_into(records, current.id)
            before = _contents(records, gone)
            left = [each for each in records if each.id not in gone]
            # Relinked before the record goes: it takes its links with it, and nobody could tell which they were.
            links = relink_touched(
                self._ports.relinking,
                before,
                {},
                directory_of(left, self._rules),
                moved=gone,
                had=lambda: _codes(records),
                have=lambda: _codes(left),
            )
            self._ports.customers.remove(current.id)
            return CustomerChange(current, current.customer, None, links, references_in(records, links))

    def merge(self, loser: CustomerRecord, winner: CustomerRecord) -> CustomerChange:
        """Merge a customer into another, with every contact, note and link; `unmerge` takes it back."""
        from archiver.core.customers.merging import merged

        with self._transaction():
            records = self._ports.customers.all()
            lost, won = _current(records, loser), _current(records, winner)
            if lost.id == won.id:
                raise UsageError("a customer cannot be merged into itself", hint="name two different customers")
            contents = merged(won.customer, lost.customer)
            self._ports.customers.merge(lost.id, won.id, contents, now=self._ports.clock())
            moved = {lost.id, won.id} | _merged_into(records, lost.id)
            before = _contents(records, moved)
            return self._touched(records, before, {won.id: contents}, won.id, moved=moved)

    def unmerge(self, reference: str) -> CustomerChange:
        """Make a merged customer one of its own again; the change is that of the customer it was merged into."""
        from archiver.core.customers.merging import restored, unmerged

        with self._transaction():
            records = self._ports.customers.all()
            loser = self._ports.customers.by_reference(reference.strip())
            if loser is None or loser.merged_into is None:
                raise UsageError(
                    "no customer with this reference is merged into another",
                    hint="give the reference that the merged customer had; `archiver customer show` lists those",
                )
            winner = next(each for each in records if each.id == loser.merged_into)
            if winner.merged_into is not None:
                raise UsageError(
                    f"{winner.customer.reference}, which it was merged into, is merged itself",
                    hint=f"undo that first: archiver customer merge --undo {winner.customer.reference}",
                )
            states = self._ports.customers.merge_states(loser.id)
            contents = unmerged(winner.customer, *states) if states is not None else winner.customer
            self._ports.customers.unmerge(loser.id, contents, now=self._ports.clock())
            own = restored(loser.customer, winner.customer)
            if own != loser.customer:
                self._ports.customers.replace(loser.id, own, now=self._ports.clock())
            back = {loser.id} | _merged_into(records, loser.id)
            before, after = {winner.id: winner.customer}, _contents(records, back) | {winner.id: contents}
            moved = back | {winner.id}
            return self._touched(records, before, after, winner.id, moved=moved)

    def import_(self, customers: Sequence[Customer]) -> ImportChanges:
        """Add customers, or give those whose reference is known these contents; all of them or none.

        Consents and former references are no part of what travels in files: a customer given without any keeps its own.
        """
        with self._transaction():
            records = self._ports.customers.all()
            known = {each.customer.reference.casefold(): each for each in records}
            contents = self._importable(customers, known)
            before: dict[int, Customer] = {}
            after: dict[int, Customer] = {}
            touched: list[tuple[int, Customer | None, Customer]] = []
            for new in contents:
                record = known.get(new.reference.casefold())
                if record is None:
                    identifier = self._ports.customers.add(new, now=self._ports.clock())
                    touched.append((identifier, None, new))
                    after[identifier] = new
                else:
                    touched.append((record.id, record.customer, new))
                    if new != record.customer:
                        self._ports.customers.replace(record.id, new, now=self._ports.clock())
                        before[record.id], after[record.id] = record.customer, new
            now = self._ports.customers.all() if after else records
            links = self._relink(records, now, before, after)
            by_id = {each.id: each for each in now}
            shared = InCommon(now)
            changes = tuple(
                CustomerChange(by_id[identifier], old, new, warnings=shared.warnings(by_id[identifier]))
                for identifier, old, new in touched
            )
            return ImportChanges(changes, links, references_in(now, links))

    # --- by hand --------------------------------------------------------------------------------------------------

    def link(self, row: int, record: CustomerRecord, *, why: str) -> LinkChanges:
        """Record that a message is this customer's, whatever the rules say."""
        return self._decide(row, record, links=True, why=why)

    def unlink(self, row: int, record: CustomerRecord, *, why: str) -> LinkChanges:
        """Record that a message is not this customer's, whatever the rules say."""
        return self._decide(row, record, links=False, why=why)

    def undo(self, row: int, record: CustomerRecord) -> LinkChanges:
        """Take back what was said by hand about a message and a customer; the rules decide again."""
        with self._transaction():
            records = self._ports.customers.all()
            current = _current(records, record)
            if not self._undo(self._blob_id(row), {current.id} | _merged_into(records, current.id)):
                raise UsageError(
                    "nothing was decided by hand about this message and this customer",
                    hint="`archiver why ID` tells what made its links",
                )
            return relink(self._ports.relinking.links, directory_of(records, self._rules), [row])

    def _decide(self, row: int, record: CustomerRecord, *, links: bool, why: str) -> LinkChanges:
        with self._transaction():
            records = self._ports.customers.all()
            current = _current(records, record)
            blob_id = self._blob_id(row)
            # What was said about a customer that is merged into this one counts for this one, so it is replaced too.
            self._undo(blob_id, _merged_into(records, current.id))
            self._ports.relinking.links.decide(
                blob_id, current.id, links=links, who=self._who, at=self._ports.clock(), why=" ".join(why.split())
            )
            return relink(self._ports.relinking.links, directory_of(records, self._rules), [row])

    def _undo(self, blob_id: BlobId, customers: Collection[int]) -> bool:
        links, now = self._ports.relinking.links, self._ports.clock()
        undone = [links.undo(blob_id, customer, who=self._who, at=now) for customer in sorted(customers)]
        return any(decision is not None for decision in undone)

    def _blob_id(self, row: int) -> BlobId:
        sealed = self._ports.relinking.catalogue.sealed(row)
        if sealed is None:
            raise UsageError("this message is not in the archive", hint="look it up with archiver search")
        return sealed[1].blob_id

    # --- everything -----------------------------------------------------------------------------------------------

    def relink(self, on_progress: OnProgress = silent) -> LinkChanges:
        """Link everything anew: messages of earlier releases are completed, all numbers are looked for again."""
        ports = self._ports.relinking
        records = self._ports.customers.all()
        directory = directory_of(records, self._rules)
        if not self._dry_run:
            complete(ports, directory, on_progress=on_progress)
        with self._transaction():
            if self._dry_run:
                complete(ports, directory, on_progress=on_progress)
            find_codes(ports, _codes(records), directory)
            return relink_all(ports, directory, on_progress=on_progress)

    # --- common ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with suppress(_DryRunError), self._ports.customers.transaction():
            yield
            if self._dry_run:
                raise _DryRunError

    def _checked(self, customer: Customer) -> Customer:
        from archiver.core.customers.records import checked

        rules = self._rules
        return checked(customer, identity=rules.identity, region=rules.region, shared_domains=rules.shared_domains)

    def _importable(self, customers: Sequence[Customer], known: Mapping[str, CustomerRecord]) -> list[Customer]:
        """Check all of them; raises UsageError with everything that is wrong with any."""
        contents: list[Customer] = []
        problems: list[str] = []
        refused = 0
        seen: set[str] = set()
        for customer in customers:
            try:
                new = self._checked(customer)
            except UsageError as error:
                name = customer.reference or "a customer without a reference"
                problems.extend(f"{name}: {line}" for line in error.problems or (error.message,))
                refused += 1
                continue
            record = known.get(new.reference.casefold())
            if new.reference.casefold() in seen:
                problems.append(f"{new.reference}: the reference is given twice")
                refused += 1
            elif record is not None and record.merged_into is not None:
                problems.append(f"{new.reference}: this customer was merged into another; undo that first")
                refused += 1
            else:
                contents.append(new if record is None else _kept_history(record.customer, new))
            seen.add(new.reference.casefold())
        if problems:
            raise UsageError(
                f"{refused} of {len(customers)} customers cannot be imported",
                problems=tuple(problems),
                hint="nothing was imported; mend these and import them again",
            )
        return contents

    def _touched(
        self,
        records: Sequence[CustomerRecord],
        before: Mapping[int, Customer],
        after: Mapping[int, Customer],
        customer: int,
        *,
        moved: Collection[int] = (),
    ) -> CustomerChange:
        now = self._ports.customers.all()
        links = self._relink(records, now, before, after, moved=moved)
        record = next(each for each in now if each.id == customer)
        return CustomerChange(
            record,
            before.get(customer),
            after.get(customer),
            links,
            references_in(now, links),
            InCommon(now).warnings(record),
        )

    def _relink(
        self,
        records: Sequence[CustomerRecord],
        now: Sequence[CustomerRecord],
        before: Mapping[int, Customer],
        after: Mapping[int, Customer],
        *,
        moved: Collection[int] = (),
    ) -> LinkChanges:
        if not before and not after:
            return LinkChanges()
        directory = directory_of(now, self._rules)
        ports = self._ports.relinking
        if not records:  # the first customers: nothing was linked by other rules before
            ports.facts.set_meta(LINKED_AS, directory.fingerprint)
        return relink_touched(
            ports,
            before,
            after,
            directory,
            moved=moved,
            had=lambda: _codes(records),
            have=lambda: _codes(now),
        )


def complete_earlier(ports: EditPorts, rules: EditRules, *, on_progress: OnProgress = silent) -> int:
    """Gather the evidence of messages that an earlier release took in, and link them; return how many.

    A step of every sync, which costs next to nothing when there are none.
    """
    if not ports.relinking.links.unexamined(1):
        return 0
    directory = directory_of(ports.customers.all(), rules)
    completed, _ = complete(ports.relinking, directory, on_progress=on_progress)
    return completed


def relink_when_stale(ports: EditPorts, rules: EditRules, *, on_progress: OnProgress = silent) -> LinkChanges:
    """Link everything anew when who we are, the shared domains or the rules changed since it was linked last."""
    if not is_stale(ports.relinking.facts, directory_of((), rules)):
        return LinkChanges()
    records = ports.customers.all()
    if not records:
        return LinkChanges()
    directory = directory_of(records, rules)
    with ports.customers.transaction():
        find_codes(ports.relinking, _codes(records), directory)
        return relink_all(ports.relinking, directory, on_progress=on_progress)


def _codes(records: Sequence[CustomerRecord]) -> frozenset[str]:
    """Return the numbers that new messages are looked through for while these are the records."""
    own = (each.customer for each in records if each.merged_into is None)
    return frozenset(code for customer in own for code in identifiers_of(customer).codes)


def _current(records: Sequence[CustomerRecord], record: CustomerRecord) -> CustomerRecord:
    """Return the record as it is now; raises UsageError when it is gone or merged."""
    current = next((each for each in records if each.id == record.id), None)
    if current is None:
        raise UsageError("this customer is no longer there", hint="look with `archiver customer list`")
    if current.merged_into is not None:
        winner = next(each for each in records if each.id == current.merged_into)
        raise UsageError(
            f"{current.customer.reference} was merged into {winner.customer.reference}",
            hint=f"change {winner.customer.reference}, or undo the merge first",
        )
    return current


def _merged_into(records: Sequence[CustomerRecord], customer: int) -> set[int]:
    """Return the ids of all that are merged into a customer, over several steps too."""
    found: set[int] = set()
    reached = {customer}
    while reached:
        reached = {each.id for each in records if each.merged_into in reached} - found
        found |= reached
    return found


def _contents(records: Sequence[CustomerRecord], customers: Collection[int]) -> dict[int, Customer]:
    return {each.id: each.customer for each in records if each.id in customers}


def _require_free(records: Sequence[CustomerRecord], reference: str, *, but: int | None = None) -> None:
    wanted = reference.casefold()
    for each in records:
        if each.id != but and each.customer.reference.casefold() == wanted:
            merged = ", which was merged into another customer," if each.merged_into is not None else ""
            raise UsageError(
                f"another customer{merged} has the reference {reference}",
                hint=f"choose another reference, or see `archiver customer show {reference}`",
            )


def _kept_history(old: Customer, new: Customer) -> Customer:
    return replace(
        new,
        consents=new.consents or old.consents,
        former_references=new.former_references or old.former_references,
    )
