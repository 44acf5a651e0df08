"""What the command line needs of the application.

`Application` is satisfied by the module `archiver.app` and, in the tests, by a twin in memory. Results are described by
the attributes that are shown, so that both sides stay free in how they make them. Only the type checker reads this:
making so many protocols would cost every command 10 ms.
"""

# ruff: noqa: D102 - the methods are described where they are implemented, in `archiver.app`

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from archiver.config import Settings
from archiver.core.customer_ports import Correspondent
from archiver.core.progress import OnProgress
from archiver.model.catalogue import Details, Summary
from archiver.model.customer import Customer, CustomerRecord
from archiver.model.link import Decision, LinkChanges, Verdict
from archiver.model.message import BlobId, Direction, Message, Part
from archiver.model.search import Facets, SavedSearch, Sort
from archiver.model.shown import Hyperlink, Passage
from archiver.model.status import Failure, MailboxStatus

AskPassphrase = Callable[[], str | None]
"""Returns a passphrase, or None when nobody can be asked."""

Place = Literal["", "text", "quoted", "attachment", "header"]
SlotKind = Literal["passphrase", "recovery", "machine"]


class NewArchive(Protocol):
    """An archive thought out and not yet on disk."""

    @property
    def recovery_code(self) -> str: ...
    @property
    def archive_id(self) -> str: ...
    def commit(self) -> None: ...


class AccountOutcome(Protocol):
    """What one account's part of a sync came to; exit_code is 0, 4, 20 or 21."""

    @property
    def account(self) -> str: ...
    @property
    def new(self) -> int: ...
    @property
    def octets(self) -> int: ...
    @property
    def failed(self) -> int: ...
    @property
    def excluded(self) -> int: ...
    @property
    def problem(self) -> str | None: ...
    @property
    def exit_code(self) -> int: ...


class SyncReport(Protocol):
    """What a sync or an import came to; `waiting` counts deliveries still sealed, `damaged` names files.

    Of what was taken in, `linked` belong to a customer, `ambiguous` fit several, `unlinked` fit nobody; 0 without any.
    """

    @property
    def accounts(self) -> Sequence[AccountOutcome]: ...
    @property
    def collected(self) -> int: ...
    @property
    def ingested(self) -> int: ...
    @property
    def indexed(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    @property
    def defects(self) -> int: ...
    @property
    def incomplete(self) -> Sequence[str]: ...
    @property
    def seconds(self) -> float: ...
    @property
    def locked(self) -> bool: ...
    @property
    def damaged(self) -> Sequence[str]: ...
    @property
    def linked(self) -> int: ...
    @property
    def ambiguous(self) -> int: ...
    @property
    def unlinked(self) -> int: ...
    @property
    def exit_code(self) -> int: ...


class SearchItem(Protocol):
    """A hit; `marks` are the spans of the snippet that matched, ascending, not overlapping.

    `summary.mailboxes` are those of all copies; `copies` are the ids of the others. `others` counts further hits of
    the same conversation, folded into this one. `place` says where the snippet stands: "text", "quoted", "attachment"
    (of the name `file`, None when it has none), "header" when only subject, addresses or file names match, "" without
    words.
    """

    @property
    def summary(self) -> Summary: ...
    @property
    def score(self) -> float: ...
    @property
    def snippet(self) -> str: ...
    @property
    def marks(self) -> Sequence[tuple[int, int]]: ...
    @property
    def copies(self) -> Sequence[BlobId]: ...
    @property
    def others(self) -> int: ...
    @property
    def place(self) -> Place: ...
    @property
    def file(self) -> str | None: ...


class SearchPage(Protocol):
    """Some hits of `total` matching messages, which counts copies; `more` says that others follow.

    `suggestion` is a query that would find more where this one finds next to nothing; `ignored` are words left out;
    `unindexed` counts messages that no search finds yet, because another process is still indexing them.
    """

    @property
    def total(self) -> int: ...
    @property
    def items(self) -> Sequence[SearchItem]: ...
    @property
    def more(self) -> bool: ...
    @property
    def suggestion(self) -> str | None: ...
    @property
    def ignored(self) -> Sequence[str]: ...
    @property
    def unindexed(self) -> int: ...


class FacetCounts(Protocol):
    """Counts of what matches; customers by their records, and how many messages fit none of those listed."""

    @property
    def facets(self) -> Facets: ...
    @property
    def customers(self) -> Sequence[tuple[CustomerRecord, int]]: ...


class CustomerMatch(Protocol):
    """A customer that fits what was typed; `field` says what fitted ("name", "vat", "phone", ...), `value` as kept."""

    @property
    def record(self) -> CustomerRecord: ...
    @property
    def field(self) -> str: ...
    @property
    def value(self) -> str: ...


class CustomerFigures(Protocol):
    """How much mail there is with a customer."""

    @property
    def linked(self) -> int: ...
    @property
    def candidates(self) -> int: ...
    @property
    def newest(self) -> datetime | None: ...
    @property
    def oldest(self) -> datetime | None: ...


class Explanation(Protocol):
    """Why a message is linked as it is; `customers` has the record of every id that `verdict` and `decisions` name."""

    @property
    def verdict(self) -> Verdict: ...
    @property
    def decisions(self) -> Sequence[Decision]: ...
    @property
    def customers(self) -> Mapping[int, CustomerRecord]: ...


class HistoryThread(Protocol):
    """A conversation with a customer; `messages` are those asked for, newest first, `contact` the customer's side."""

    @property
    def messages(self) -> Sequence[Summary]: ...
    @property
    def contact(self) -> str: ...


class History(Protocol):
    """A page of a customer's history: threads by their newest message; `total` counts all messages that were asked for.

    `candidates` counts messages that might be the customer's, which are not among them.
    """

    @property
    def total(self) -> int: ...
    @property
    def threads(self) -> Sequence[HistoryThread]: ...
    @property
    def more(self) -> bool: ...
    @property
    def candidates(self) -> int: ...


class WaitingThread(Protocol):
    """A conversation that nobody answered: since `message`, the oldest incoming one without an answer."""

    @property
    def message(self) -> Summary: ...
    @property
    def messages(self) -> int: ...
    @property
    def age(self) -> timedelta: ...


class WaitingPage(Protocol):
    """Some of `total` conversations, oldest first."""

    @property
    def total(self) -> int: ...
    @property
    def items(self) -> Sequence[WaitingThread]: ...


class Proposal(Protocol):
    """What to do with unlinked mail: an existing `record`, or a `draft` of a new customer; `because` says why.

    Reasons: "domain-like" · "name-like" · "thread" · "new".
    """

    @property
    def record(self) -> CustomerRecord | None: ...
    @property
    def draft(self) -> Customer | None: ...
    @property
    def because(self) -> str: ...


class UnlinkedGroup(Protocol):
    """Unlinked mail of one domain, or of one address where the domain is a provider's; `name` is that.

    With `automatic`, programs write there and nobody of ours ever wrote back.
    """

    @property
    def name(self) -> str: ...
    @property
    def shared(self) -> bool: ...
    @property
    def addresses(self) -> Sequence[Correspondent]: ...
    @property
    def incoming(self) -> int: ...
    @property
    def outgoing(self) -> int: ...
    @property
    def other(self) -> int: ...
    @property
    def newest(self) -> Summary: ...
    @property
    def automatic(self) -> bool: ...
    @property
    def proposals(self) -> Sequence[Proposal]: ...


class UnlinkedPage(Protocol):
    """Some of `total` groups, most mail first; `messages` counts all unlinked mail."""

    @property
    def messages(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def items(self) -> Sequence[UnlinkedGroup]: ...


class AmbiguousPage(Protocol):
    """Some of `total` messages that several customers fit equally; their summaries' candidates are those."""

    @property
    def total(self) -> int: ...
    @property
    def items(self) -> Sequence[Summary]: ...


class CustomerChange(Protocol):
    """What a change came to. `before` is None for a new customer, `after` for a removed one; both equal: no change.

    `links` counts messages by internal id; `references` names these. `warnings` say what is allowed and yet
    worth a look: an address or number that another customer has too.
    """

    @property
    def record(self) -> CustomerRecord: ...
    @property
    def before(self) -> Customer | None: ...
    @property
    def after(self) -> Customer | None: ...
    @property
    def links(self) -> LinkChanges: ...
    @property
    def references(self) -> Mapping[int, str]: ...
    @property
    def warnings(self) -> Sequence[str]: ...


class ImportChanges(Protocol):
    """What an import of customers came to: one change a customer, and what all of them did to the links."""

    @property
    def changes(self) -> Sequence[CustomerChange]: ...
    @property
    def links(self) -> LinkChanges: ...
    @property
    def references(self) -> Mapping[int, str]: ...


class CustomerEditor(Protocol):
    """The customers of an unlocked archive, for changing; each call is one transaction, relinking included.

    With `dry_run` given when it was opened, everything is worked out and nothing is kept. Contents are checked and made
    canonical; raises UsageError with all that is wrong with them.
    """

    @property
    def archive(self) -> OpenArchive: ...
    def add(self, customer: Customer) -> CustomerChange: ...
    def edit(self, record: CustomerRecord, customer: Customer) -> CustomerChange: ...
    def remove(self, record: CustomerRecord) -> CustomerChange: ...
    def merge(self, loser: CustomerRecord, winner: CustomerRecord) -> CustomerChange: ...
    def unmerge(self, reference: str) -> CustomerChange: ...
    def import_(self, customers: Sequence[Customer]) -> ImportChanges: ...
    def link(self, row: int, record: CustomerRecord, *, why: str) -> LinkChanges: ...
    def unlink(self, row: int, record: CustomerRecord, *, why: str) -> LinkChanges: ...
    def undo(self, row: int, record: CustomerRecord) -> LinkChanges: ...
    def relink(self, on_progress: OnProgress) -> LinkChanges: ...


class OpenArchive(Protocol):
    """An unlocked archive, for reading."""

    def customers(self) -> Sequence[CustomerRecord]:
        """Return all that are not merged into others, by name."""
        ...

    def customer(self, text: str) -> CustomerRecord:
        """Return the one meant by a reference, VAT number or name; raises UsageError that names the near ones."""
        ...

    def find_customers(self, text: str, *, limit: int = 10) -> Sequence[CustomerMatch]: ...
    def customer_figures(self, record: CustomerRecord) -> CustomerFigures: ...
    def merged_into(self, record: CustomerRecord) -> Sequence[CustomerRecord]: ...
    def why(self, row: int) -> Explanation: ...
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
    ) -> History: ...
    def waiting(
        self,
        *,
        record: CustomerRecord | None = None,
        everyone: bool = False,
        since: str | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> WaitingPage: ...
    def unlinked(self, *, text: str | None = None, limit: int = 20, offset: int = 0) -> UnlinkedPage: ...
    def unlinked_messages(self, group: UnlinkedGroup, *, limit: int = 5) -> Sequence[Summary]: ...
    def ambiguous(self, *, limit: int = 20, offset: int = 0) -> AmbiguousPage: ...

    def search(
        self, query: str, *, limit: int = 20, offset: int = 0, sort: Sort = "date", threads: bool = False
    ) -> SearchPage: ...
    def facets(self, query: str, *, customers: int = 10) -> FacetCounts: ...
    def saved_searches(self) -> Sequence[SavedSearch]: ...
    def resolve(self, prefix: str) -> int: ...
    def details(self, row: int) -> Details: ...
    def octets(self, row: int) -> bytes: ...
    def parsed(self, row: int) -> Message: ...
    def part(self, row: int, path: str) -> tuple[Part, bytes]: ...
    def part_text(self, row: int, path: str) -> str:
        """Return an attachment's text, read in a bounded process; raises UsageError that says why there is none."""
        ...

    def passages(self, row: int) -> Sequence[Passage]:
        """Return the message's text in the order written, own and quoted apart."""
        ...

    def links(self, row: int) -> Sequence[Hyperlink]:
        """Return where the links of the message's HTML go."""
        ...

    def safe_html(self, row: int) -> str:
        """Return the message as one HTML file that loads nothing, runs nothing and has its images in it."""
        ...

    def headers(self, row: int) -> Sequence[tuple[str, str]]: ...
    def thread(self, row: int) -> Sequence[Summary]: ...
    def reindex(self, on_progress: OnProgress) -> int: ...
    def short_id(self, blob_id: bytes) -> str: ...


class StatusReport(Protocol):
    """The figures of completeness; those that need a key are None without one."""

    @property
    def unlinked(self) -> int | None: ...
    @property
    def customers(self) -> int | None: ...

    @property
    def messages(self) -> int | None: ...
    @property
    def octets(self) -> int | None: ...
    @property
    def pending(self) -> int: ...
    @property
    def indexed(self) -> int | None: ...
    @property
    def defects(self) -> int | None: ...
    @property
    def unlocked(self) -> bool: ...
    @property
    def accounts(self) -> Sequence[MailboxStatus]: ...
    @property
    def failures(self) -> Sequence[Failure]: ...
    @property
    def problems(self) -> Sequence[str]: ...
    @property
    def complete(self) -> bool: ...


class Damage(Protocol):
    """Something that verify found: `what` names the object."""

    @property
    def what(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def blob_id(self) -> bytes | None: ...


class VerifyReport(Protocol):
    """What was checked and what was found."""

    @property
    def packs(self) -> int: ...
    @property
    def records(self) -> int: ...
    @property
    def octets(self) -> int: ...
    @property
    def checked_full(self) -> bool: ...
    @property
    def problems(self) -> Sequence[Damage]: ...


class Check(Protocol):
    """One check of doctor; ok is None for a warning."""

    @property
    def name(self) -> str: ...
    @property
    def ok(self) -> bool | None: ...
    @property
    def message(self) -> str: ...
    @property
    def hint(self) -> str | None: ...


class SlotInfo(Protocol):
    """One key slot, without anything secret."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def created(self) -> datetime: ...


class Application(Protocol):
    """The use cases, wired; errors are of the family in `archiver.errors`."""

    def prepare_archive(self, settings: Settings, passphrase: str) -> NewArchive: ...
    def sync(
        self,
        settings: Settings,
        accounts: Sequence[str],
        *,
        collect_only: bool,
        ask: AskPassphrase,
        on_progress: OnProgress,
        stopped: Callable[[], bool],
    ) -> SyncReport: ...
    def import_paths(
        self,
        settings: Settings,
        paths: Sequence[Path],
        *,
        ask: AskPassphrase,
        on_progress: OnProgress,
        stopped: Callable[[], bool],
    ) -> SyncReport: ...
    def open_archive(
        self, settings: Settings, *, ask: AskPassphrase, take_in: bool = True, on_progress: OnProgress | None = None
    ) -> AbstractContextManager[OpenArchive]: ...
    def change_customers(
        self, settings: Settings, *, ask: AskPassphrase, command: str, dry_run: bool = False
    ) -> AbstractContextManager[CustomerEditor]: ...
    def save_search(self, settings: Settings, *, ask: AskPassphrase, name: str, query: str) -> SavedSearch | None:
        """Keep a query by its name; return the one that it replaced. Raises UsageError, QueryError for a bad query."""
        ...

    def remove_search(self, settings: Settings, *, ask: AskPassphrase, name: str) -> None:
        """Forget a saved search; raises UsageError that names the near ones when there is none."""
        ...

    def status(self, settings: Settings, *, ask: AskPassphrase | None) -> StatusReport: ...
    def verify(
        self, settings: Settings, *, full: bool, ask: AskPassphrase, on_progress: OnProgress
    ) -> VerifyReport: ...
    def unlock(self, settings: Settings, *, ask: AskPassphrase, seconds: int) -> datetime | None: ...
    def lock(self, settings: Settings) -> bool: ...
    def doctor(self, settings: Settings, *, connect: bool) -> Sequence[Check]: ...
    def key_list(self, settings: Settings) -> Sequence[SlotInfo]: ...
    def key_add(
        self,
        settings: Settings,
        *,
        name: str,
        kind: SlotKind,
        ask: AskPassphrase,
        new_passphrase: str | None,
        machine_key_file: Path | None,
    ) -> str | None: ...
    def key_remove(self, settings: Settings, *, name: str, ask: AskPassphrase) -> None: ...
