"""Changing customers in a real archive: the use cases of `archiver.core.customers.editing`, under the writer's lock.

Before anything is changed, mail that waits is taken in, unless a sync waits to do that itself, and the index is brought
up to the catalogue: a number of a new customer is looked for in the index, and nothing may be missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from archiver.app.auditing import Trail, reason_for, record
from archiver.app.opening import Opened, open_unlocked
from archiver.app.people import this_user
from archiver.app.reading import OpenArchive
from archiver.app.unlocking import AskPassphrase, Keys, require_keys
from archiver.config import Settings
from archiver.core.customers.changes import CustomerChange, ImportChanges
from archiver.core.customers.editing import CustomerEditing, relink_when_stale
from archiver.core.ingest import take_in
from archiver.core.progress import OnProgress, silent
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.errors import IntegrityError
from archiver.model.customer import Customer, CustomerRecord
from archiver.model.link import LinkChanges

_LOCK_WAIT = 10.0
"""Seconds to wait for another writer."""

_ACTIONS = {each: each for each in ("link", "unlink", "relink")} | {"customer import": "customer-import"}
"""What the audit trail calls a command that changes customers, where it has a name of its own."""


class CustomerEditor(CustomerEditing):
    """The customers of an unlocked archive, for changing.

    Each change is in the audit trail before it is made, and stays there if it is refused afterwards: nothing can be
    changed that the trail does not tell of.
    """

    def __init__(self, settings: Settings, opened: Opened, *, dry_run: bool) -> None:
        super().__init__(opened.edit_ports(), opened.rules(), who=this_user(), dry_run=dry_run)
        self._trail = Trail(settings, opened.keys)
        self._reading = (settings, opened.keys, opened, self._trail)
        self._numbers = {"dry_run": 1} if dry_run else None

    @property
    def archive(self) -> OpenArchive:
        """The archive for reading, as it is now: ask again after a change, because a reader remembers the records."""
        return OpenArchive(*self._reading)

    def add(self, customer: Customer) -> CustomerChange:
        """Add a customer; see `CustomerEditing`."""
        self._changing(customer.reference)
        return super().add(customer)

    def edit(self, record: CustomerRecord, customer: Customer) -> CustomerChange:
        """Give a customer these contents; see `CustomerEditing`."""
        self._changing(record.customer.reference)
        return super().edit(record, customer)

    def remove(self, record: CustomerRecord) -> CustomerChange:
        """Remove a customer; see `CustomerEditing`."""
        self._changing(record.customer.reference)
        return super().remove(record)

    def merge(self, loser: CustomerRecord, winner: CustomerRecord) -> CustomerChange:
        """Merge a customer into another; see `CustomerEditing`."""
        self._changing(loser.customer.reference, winner.customer.reference)
        return super().merge(loser, winner)

    def unmerge(self, reference: str) -> CustomerChange:
        """Make a merged customer one of its own again; see `CustomerEditing`."""
        self._changing(reference)
        return super().unmerge(reference)

    def import_(self, customers: Sequence[Customer]) -> ImportChanges:
        """Add or change customers; see `CustomerEditing`."""
        references = (customer.reference for customer in customers)
        self._trail.record("customer-import", customers=references, numbers=self._numbers)
        return super().import_(customers)

    def link(self, row: int, record: CustomerRecord, *, why: str) -> LinkChanges:
        """Record that a message is this customer's; see `CustomerEditing`."""
        self._deciding("link", row, record)
        return super().link(row, record, why=why)

    def unlink(self, row: int, record: CustomerRecord, *, why: str) -> LinkChanges:
        """Record that a message is not this customer's; see `CustomerEditing`."""
        self._deciding("unlink", row, record)
        return super().unlink(row, record, why=why)

    def undo(self, row: int, record: CustomerRecord) -> LinkChanges:
        """Take back what was said by hand; see `CustomerEditing`."""
        self._deciding("undo", row, record)
        return super().undo(row, record)

    def relink(self, on_progress: OnProgress = silent) -> LinkChanges:
        """Link everything anew; see `CustomerEditing`."""
        self._trail.record("relink", numbers=self._numbers)
        return super().relink(on_progress)

    def _changing(self, *references: str) -> None:
        named = [reference for reference in references if reference]
        self._trail.record("customer-change", customers=named, numbers=self._numbers)

    def _deciding(self, action: str, row: int, record: CustomerRecord) -> None:
        customers = [record.customer.reference]
        self._trail.record(action, messages=[self._blob_id(row)], customers=customers, numbers=self._numbers)


@contextmanager
def change_customers(
    settings: Settings,
    *,
    ask: AskPassphrase,
    command: str,
    dry_run: bool = False,
    bounds: KdfBounds = DEFAULT_BOUNDS,
    wait: float = _LOCK_WAIT,
) -> Iterator[CustomerEditor]:
    """Unlock, open for writing and bring up to date; with `dry_run` the changes are worked out and not kept.

    Waits so many seconds for another writer. Raises NoArchiveError, LockedError (naming who writes), WrongKeyError,
    IntegrityError.
    """
    keys = require_keys(settings, ask=ask, bounds=bounds)
    reason_for(settings, _ACTIONS.get(command, "customer-change"))  # asked for before others have to wait
    with ExitStack() as stack:
        try:
            opened = _open(settings, keys, stack, command=command, wait=wait)
        except IntegrityError as error:
            if error.what != keys.paths.index.name:
                raise
            stack.close()
            opened = _open(settings, keys, stack, command=command, wait=wait, new_index=True)
        yield CustomerEditor(settings, opened, dry_run=dry_run)


def _open(
    settings: Settings, keys: Keys, stack: ExitStack, *, command: str, wait: float, new_index: bool = False
) -> Opened:
    opened = stack.enter_context(
        open_unlocked(settings, keys, write=True, new_index=new_index, command=command, wait=wait)
    )
    report = take_in(opened.ingest_ports(), pause=opened.is_wanted)
    if report.messages:
        record(settings, opened.keys, "take-in", numbers={"ingested": report.messages})
    relink_when_stale(opened.edit_ports(), opened.rules())
    return opened
