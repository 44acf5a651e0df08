"""An unlocked archive for reading: search, show, thread, and the reindexing of what is searched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

from archiver.app.auditing import Trail, record
from archiver.app.messages import Messages
from archiver.app.opening import Opened, open_unlocked
from archiver.app.unlocking import AskPassphrase, Keys, require_keys
from archiver.app.watched import WatchedMessages
from archiver.config import Settings
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.errors import IntegrityError, LockedError, NoArchiveError

if TYPE_CHECKING:
    from archiver.app.by_customer import AmbiguousPage, ByCustomer, CustomerFigures, Explanation, UnlinkedPage
    from archiver.app.searching import FacetCounts, Searching, SearchPage
    from archiver.core.customer_ports import Correspondent
    from archiver.core.customers.finding import CustomerMatch
    from archiver.core.history import History, WaitingPage
    from archiver.core.progress import OnProgress
    from archiver.model.catalogue import Summary
    from archiver.model.customer import CustomerRecord
    from archiver.model.message import Direction
    from archiver.model.search import SavedSearch, Sort

    class AddressGroup(Protocol):
        """A group of unlinked mail, as far as its addresses go."""

        @property
        def addresses(self) -> Sequence[Correspondent]: ...


@contextmanager
def open_archive(
    settings: Settings,
    *,
    ask: AskPassphrase,
    take_in: bool = True,
    on_progress: OnProgress | None = None,
    bounds: KdfBounds = DEFAULT_BOUNDS,
) -> Iterator[OpenArchive]:
    """Unlock and open for reading; with `take_in`, mail that waits sealed is taken in first.

    When another process writes, waiting mail is left to it. Raises NoArchiveError, LockedError, WrongKeyError,
    IntegrityError.
    """
    keys = require_keys(settings, ask=ask, bounds=bounds)
    with ExitStack() as stack:
        opened = _open_when_up_to_date(settings, keys, stack) if take_in else None
        if opened is None:
            if take_in:
                _bring_up_to_date(settings, keys, on_progress)
            opened = stack.enter_context(open_unlocked(settings, keys, write=False))
        yield OpenArchive(settings, opened.keys, opened)


def _open_when_up_to_date(settings: Settings, keys: Keys, stack: ExitStack) -> Opened | None:
    """Open for reading, nearly always the only opening of a search; None, with nothing open, when mail waits."""
    from archiver.store.deliveries import waiting_names

    if waiting_names(keys.paths):
        return None
    try:
        opened = stack.enter_context(open_unlocked(settings, keys, write=False))
        if not opened.index_is_behind():
            return opened
    except (NoArchiveError, IntegrityError):
        # A catalogue that is damaged says so again when it is opened; an index is simply built anew.
        if not keys.paths.database.exists():
            raise
    stack.close()
    return None


def _bring_up_to_date(settings: Settings, keys: Keys, on_progress: OnProgress | None) -> None:
    from archiver.core.ingest import take_in
    from archiver.core.progress import silent

    def catch_up_with(*, new_index: bool) -> None:
        with open_unlocked(settings, keys, write=True, new_index=new_index, command="search", wait=0.0) as opened:
            report = take_in(opened.ingest_ports(), on_progress=on_progress or silent, pause=opened.is_wanted)
            if report.messages:
                record(settings, opened.keys, "take-in", numbers={"ingested": report.messages})
            opened.tidy(report.indexed)

    try:
        try:
            catch_up_with(new_index=False)
        except IntegrityError as error:
            if error.what != keys.paths.index.name:
                raise
            catch_up_with(new_index=True)
    except LockedError:
        if not keys.paths.index.exists():
            raise  # nothing to search in until the other process is done


class OpenArchive(WatchedMessages):
    """What staff read in; made by `open_archive`. Raises IntegrityError for whatever turns out to be damaged.

    Every answer is in the audit trail first: DiskError when that cannot be written, UsageError when a reason is wanted.
    """

    def __init__(self, settings: Settings, keys: Keys, opened: Opened, trail: Trail | None = None) -> None:
        super().__init__(Messages(settings, opened), trail or Trail(settings, keys))
        self._settings = settings
        self._keys = keys
        self._opened = opened
        self._searching: Searching | None = None
        self._reading_by_customer: ByCustomer | None = None

    # --- searching ------------------------------------------------------------------------------------------------

    def search(
        self, query: str, *, limit: int = 20, offset: int = 0, sort: Sort = "date", threads: bool = False
    ) -> SearchPage:
        """Return a page of hits with their passages, with `threads` one of each conversation; raises QueryError."""
        page = self._search().search(query, limit=limit, offset=offset, sort=sort, threads=threads)
        found = (blob_id for item in page.items for blob_id in (item.summary.blob_id, *item.copies))
        self._trail.record("search", messages=found, query=query, numbers={"total": page.total}, names=False)
        return page

    def facets(self, query: str, *, customers: int = 10) -> FacetCounts:
        """Count what matches by customer, year, direction, type of file and language; raises QueryError."""
        counts = self._search().facets(query, customers=customers)
        named = (record.customer.reference for record, _ in counts.customers)
        self._trail.record("facets", customers=named, query=query)
        return counts

    def saved_searches(self) -> Sequence[SavedSearch]:
        """Return the searches that are kept, by name."""
        found = self._search().saved_searches()
        self._trail.record("saved", numbers={"searches": len(found)})
        return found

    def _search(self) -> Searching:
        if self._searching is None:
            from archiver.app.searching import Searching

            self._searching = Searching(self._settings, self._opened, self._messages)
        return self._searching

    # --- customers ------------------------------------------------------------------------------------------------

    def _by_customer(self) -> ByCustomer:
        if self._reading_by_customer is None:
            from archiver.app.by_customer import ByCustomer

            self._reading_by_customer = ByCustomer(self._settings, self._opened.catalogue, self._messages.parsed)
        return self._reading_by_customer

    def customers(self) -> Sequence[CustomerRecord]:
        """Return all customers that are not merged into others, by name."""
        records = self._by_customer().customers()
        self._trail.all_customers(len(records))
        return records

    def customer(self, text: str) -> CustomerRecord:
        """Return the one meant by a reference, VAT number or name; raises UsageError that names the near ones."""
        record = self._meant(text)
        self._trail.customer(record.customer.reference)
        return record

    def export_customers(self, chosen: Sequence[str] = (), *, form: str) -> Sequence[CustomerRecord]:
        """Return all customers, or those chosen, to be written as `form`; raises UsageError as `customer` does."""
        if chosen:
            records = list({record.id: record for record in map(self._meant, chosen)}.values())
        else:
            records = list(self._by_customer().customers())
        exported = (record.customer.reference for record in records)
        self._trail.record("customer-export", customers=exported, numbers={"customers": len(records)}, form=form)
        return records

    def _meant(self, text: str) -> CustomerRecord:
        """Return the customer meant; that others were nearly meant is recorded, since the error names them."""
        from archiver.core.customers.finding import UnclearError

        try:
            return self._by_customer().customer(text)
        except UnclearError as error:
            near = (match.record.customer.reference for match in error.matches)
            self._trail.record("customer-find", customers=near, query=text)
            raise

    def find_customers(self, text: str, *, limit: int = 10) -> Sequence[CustomerMatch]:
        """Return customers that fit whatever is known of them, best first."""
        matches = self._by_customer().find_customers(text, limit=limit)
        found = (match.record.customer.reference for match in matches)
        self._trail.record("customer-find", customers=found, query=text)
        return matches

    def customer_figures(self, record: CustomerRecord) -> CustomerFigures:
        """Return how much mail there is with a customer."""
        self._trail.customer(record.customer.reference)
        return self._by_customer().customer_figures(record)

    def merged_into(self, record: CustomerRecord) -> Sequence[CustomerRecord]:
        """Return the customers that were merged into this one."""
        self._trail.customer(record.customer.reference)
        return self._by_customer().merged_into(record)

    def why(self, row: int) -> Explanation:
        """Return why a message is linked as it is, and which rules nearly fitted."""
        explanation = self._by_customer().why(row)
        blob_id = self._blob_id(row)
        if not self._trail.was_shown(blob_id):  # what was shown says in a line why it is whose
            named = (record.customer.reference for record in explanation.customers.values())
            self._trail.record("why", messages=[blob_id], customers=named)
        return explanation

    def history(
        self,
        record: CustomerRecord,
        *,
        since: str | None = None,
        until: str | None = None,
        contact: str | None = None,
        direction: Direction | None = None,
        limit: int = 20,
        offset: int = 0,
        candidates: bool = False,
    ) -> History:
        """Return a page of a customer's threads, newest first; raises UsageError for what is no date.

        `contact` is an address, part of one, or words of a name.
        """
        page = self._by_customer().history(
            record,
            since=since,
            until=until,
            contact=contact,
            direction=direction,
            limit=limit,
            offset=offset,
            candidates=candidates,
        )
        shown = self._by_customer().messages_of(page)
        self._trail.record("history", messages=shown, customers=[record.customer.reference])
        return page

    def waiting(
        self,
        *,
        record: CustomerRecord | None = None,
        everyone: bool = False,
        since: str | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> WaitingPage:
        """Return conversations that nobody answered, oldest first: a customer's, all customers', or everyone's."""
        page = self._by_customer().waiting(record=record, everyone=everyone, since=since, limit=limit, offset=offset)
        customers = () if record is None else (record.customer.reference,)
        self._trail.record("waiting", messages=(each.message.blob_id for each in page.items), customers=customers)
        return page

    def unlinked(self, *, text: str | None = None, limit: int = 20, offset: int = 0) -> UnlinkedPage:
        """Return mail that fits no customer, by company, with proposals; of those whose name or address has a text."""
        page = self._by_customer().unlinked(text=text, limit=limit, offset=offset)
        self._trail.record("unlinked", messages=(group.newest.blob_id for group in page.items), query=text)
        return page

    def unlinked_messages(self, group: AddressGroup, *, limit: int = 5) -> Sequence[Summary]:
        """Return the newest messages of a group."""
        found = self._by_customer().unlinked_messages(group.addresses, limit=limit)
        self._trail.record("unlinked", messages=(each.blob_id for each in found))
        return found

    def ambiguous(self, *, limit: int = 20, offset: int = 0) -> AmbiguousPage:
        """Return messages that several customers fit equally, newest first."""
        page = self._by_customer().ambiguous(limit=limit, offset=offset)
        self._trail.record("ambiguous", messages=(each.blob_id for each in page.items))
        return page

    def reindex(self, on_progress: OnProgress | None = None) -> int:
        """Build the full-text index anew from the sealed octets; return how many messages it holds."""
        from archiver.core.ingest import catch_up
        from archiver.core.progress import silent

        self._trail.record("reindex")
        with open_unlocked(self._settings, self._keys, write=True, new_index=True, command="reindex") as opened:
            count = catch_up(opened.ingest_ports(), on_progress=on_progress or silent)
            opened.tidy(count)
        return count


__all__ = ["OpenArchive", "open_archive"]
