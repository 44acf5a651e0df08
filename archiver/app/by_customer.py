"""Reading by customer: who they are, their history, what waits, and the mail that fits nobody or several.

The part of an open archive that needs the customer records; nothing of it is loaded by a search for words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from archiver.app.clocks import clock, local_clock
from archiver.config import Settings
from archiver.core import history as reading
from archiver.core import proposals as proposing
from archiver.core.customer_ports import Correspondent
from archiver.core.customers.naming import words
from archiver.errors import IntegrityError, UsageError
from archiver.model.address import EmailAddress
from archiver.model.catalogue import Summary
from archiver.model.customer import CustomerRecord
from archiver.model.link import Decision, Verdict
from archiver.model.message import BlobId, Direction, Message
from archiver.search.rows import ROW_BITS
from archiver.store.correspondence import SqliteCorrespondence
from archiver.store.customers import SqliteCustomers
from archiver.store.links import SqliteLinks

if TYPE_CHECKING:
    from archiver.core.customers.finding import CustomerMatch
    from archiver.core.linking.directory import Directory
    from archiver.search.query.dates import Interval
    from archiver.store.catalogue import SqliteCatalogue


class CustomerFigures(Struct, frozen=True):
    """How much mail there is with a customer, and from when till when."""

    linked: int
    candidates: int
    newest: datetime | None
    oldest: datetime | None


class Explanation(Struct, frozen=True):
    """Why a message is linked as it is; `customers` has the record of every id that is named in it."""

    verdict: Verdict
    decisions: Sequence[Decision]
    customers: Mapping[int, CustomerRecord]


class UnlinkedGroup(Struct, frozen=True):
    """Unlinked mail of one domain, or of one address where the domain is a provider's; `name` is that.

    With `automatic`, programs write there and nobody of ours ever wrote back.
    """

    name: str
    shared: bool
    addresses: tuple[Correspondent, ...]
    incoming: int
    outgoing: int
    other: int
    newest: Summary
    proposals: tuple[proposing.Proposal, ...]
    automatic: bool = False


class UnlinkedPage(Struct, frozen=True):
    """Some of `total` groups, most mail first; `messages` counts all unlinked mail."""

    messages: int
    total: int
    items: tuple[UnlinkedGroup, ...]


class AmbiguousPage(Struct, frozen=True):
    """Some of `total` messages that several customers fit equally; their summaries' candidates are those."""

    total: int
    items: tuple[Summary, ...]


class ByCustomer:
    """Reads over one open catalogue; `parsed` gives a message by its row, for what only its text tells."""

    def __init__(self, settings: Settings, catalogue: SqliteCatalogue, parsed: Callable[[int], Message]) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._parsed = parsed
        self._customers = SqliteCustomers(catalogue.connection)
        self._links = SqliteLinks(catalogue.connection)
        self._correspondence = SqliteCorrespondence(catalogue.connection)

    # --- who they are ---------------------------------------------------------------------------------------------

    @cached_property
    def _records(self) -> Sequence[CustomerRecord]:
        return self._customers.all()

    @cached_property
    def _directory(self) -> Directory:
        from archiver.core.linking.directory import Directory

        return Directory(
            self._records,
            identity=self._settings.identity,
            shared_domains=self._settings.customers.shared_domains,
        )

    def customers(self) -> Sequence[CustomerRecord]:
        """Return all that are not merged into others, by name."""
        return sorted(
            (record for record in self._records if record.merged_into is None),
            key=lambda record: (words(record.customer.name), record.customer.reference.casefold()),
        )

    def customer(self, text: str) -> CustomerRecord:
        """Return the one meant by a reference, VAT number or name; raises UsageError that names the near ones."""
        from archiver.core.customers.finding import resolve

        return resolve(self._records, text, self._settings.customers.country)

    def find_customers(self, text: str, *, limit: int) -> Sequence[CustomerMatch]:
        """Return customers that fit what was typed, best first."""
        from archiver.core.customers.finding import find

        return find(self._records, text, region=self._settings.customers.country, limit=limit)

    def customer_figures(self, record: CustomerRecord) -> CustomerFigures:
        """Count a customer's mail."""
        span = self._correspondence.span(record.id)
        oldest, newest = (None, None) if span is None else (_instant(row) for row in span)
        return CustomerFigures(
            linked=self._correspondence.count(record.id),
            candidates=self._correspondence.count(record.id, candidates=True),
            newest=newest,
            oldest=oldest,
        )

    def merged_into(self, record: CustomerRecord) -> Sequence[CustomerRecord]:
        """Return the customers that were merged into this one."""
        return [each for each in self._records if each.merged_into == record.id]

    # --- one message ----------------------------------------------------------------------------------------------

    def why(self, row: int) -> Explanation:
        """Explain a message's links, and which rules nearly fitted."""
        from archiver.core.linking.rules import explain

        found = next(iter(self._links.evidence([row])), None)
        details = self._catalogue.details(row)
        if found is None or details is None:
            raise UsageError("this message is not in the archive")
        try:
            message = self._parsed(row)
        except IntegrityError:
            message = None  # its octets are damaged; what was gathered when it came still explains it
        thread = self._correspondence.thread_customers([row]).get(row, ())
        verdict = explain(found[1], self._directory, message=message, thread=thread)
        decisions = self._links.decisions(details.summary.blob_id)
        named = {
            *(link.customer for link in verdict.links),
            *(customer for reason in verdict.reasons for customer in reason.customers),
            *(decision.customer for decision in decisions),
        }
        return Explanation(verdict, decisions, {each.id: each for each in self._records if each.id in named})

    # --- their mail -----------------------------------------------------------------------------------------------

    def history(
        self,
        record: CustomerRecord,
        *,
        since: str | None,
        until: str | None,
        contact: str | None,
        direction: Direction | None,
        limit: int,
        offset: int,
        candidates: bool,
    ) -> reading.History:
        """Return a page of a customer's threads, newest first."""
        asked = reading.Asked(
            low=_first_row(since),
            high=_row_after(until),
            direction=direction,
            who=None
            if contact is None or not contact.strip()
            else reading.takes_part(record.customer, contact, is_ours=self._is_ours),
            candidates=candidates,
        )
        return reading.history(
            self._correspondence,
            self._links,
            self._catalogue.summaries,
            record.customer,
            record.id,
            asked,
            is_ours=self._is_ours,
            limit=limit,
            offset=offset,
        )

    def messages_of(self, page: reading.History) -> Sequence[BlobId]:
        """Return the ids of all messages of a page, loading none of them."""
        return self._correspondence.blob_ids([row for thread in page.threads for row in thread.messages.rows])

    def waiting(
        self, *, record: CustomerRecord | None, everyone: bool, since: str | None, limit: int, offset: int
    ) -> reading.WaitingPage:
        """Return conversations that nobody answered, oldest first."""
        return reading.waiting(
            self._correspondence,
            self._catalogue.summaries,
            lambda row: len(self._catalogue.thread(row)),
            now=clock(),
            customer=None if record is None else record.id,
            everyone=everyone,
            low=_first_row(since),
            limit=limit,
            offset=offset,
        )

    # --- mail that is nobody's, or several customers' -------------------------------------------------------------

    def unlinked(self, *, text: str | None, limit: int, offset: int) -> UnlinkedPage:
        """Return mail that fits nobody, grouped by company, with what might be done about it."""
        shared = self._settings.customers.shared_domains
        messages, groups = proposing.grouped(self._correspondence, is_ours=self._is_ours, shared_domains=shared)
        if text is not None and text.strip():
            groups = [group for group in groups if group.has(text)]
        page = groups[offset : offset + limit]
        book = proposing.book_of(self._records, shared_domains=shared)
        newest = {summary.row: summary for summary in self._catalogue.summaries([group.newest for group in page])}
        threads = proposing.of_threads(page, self._correspondence)
        return UnlinkedPage(
            messages=messages,
            total=len(groups),
            items=tuple(
                UnlinkedGroup(
                    name=group.name,
                    shared=group.shared,
                    addresses=group.addresses,
                    incoming=group.incoming,
                    outgoing=group.outgoing,
                    other=group.other,
                    newest=newest[group.newest],
                    proposals=proposing.proposals(group, book, thread=threads.get(group.name, ())),
                    automatic=group.automatic,
                )
                for group in page
                if group.newest in newest
            ),
        )

    def unlinked_messages(self, addresses: Sequence[Correspondent], *, limit: int) -> Sequence[Summary]:
        """Return the newest unlinked messages with these addresses."""
        rows = self._correspondence.unlinked_rows([each.address for each in addresses], limit=limit)
        return self._catalogue.summaries(rows)

    def ambiguous(self, *, limit: int, offset: int) -> AmbiguousPage:
        """Return messages that several customers fit equally, newest first."""
        total, rows = self._correspondence.ambiguous(limit=limit, offset=offset)
        return AmbiguousPage(total, tuple(self._catalogue.summaries(rows)))

    def _is_ours(self, address: EmailAddress) -> bool:
        return self._settings.identity.owns(address)


def _instant(row: int) -> datetime:
    return datetime.fromtimestamp(row >> ROW_BITS, tz=local_clock().tzinfo)


def _first_row(since: str | None) -> int | None:
    """Return the row that a day, month or year begins with; raises UsageError for what is no date."""
    if since is None:
        return None
    start = _interval(since).start
    return None if start is None else max(0, int(start.timestamp())) << ROW_BITS


def _row_after(until: str | None) -> int | None:
    """Return the row that the day, month or year is over with."""
    if until is None:
        return None
    end = _interval(until).end
    return None if end is None else max(0, int(end.timestamp())) << ROW_BITS


def _interval(text: str) -> Interval:
    from archiver.search.query.dates import EXPECTED_DATE, parse_date

    interval = parse_date(text, local_clock())
    if interval is None:
        raise UsageError("this is not a date", hint=f"write {EXPECTED_DATE}")
    return interval
