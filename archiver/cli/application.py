"""What the command line may ask of the application.

`Application` is satisfied by the module `archiver.app` and, in the tests, by a twin in memory. What it answers with is
described in `archiver.cli.answers` and `archiver.cli.customer_answers`. Only the type checker reads this: making so
many protocols would cost every command 10 ms.
"""

# ruff: noqa: D102 - the methods are described where they are implemented, in `archiver.app`

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from archiver.cli.answers import (
    Check,
    FacetCounts,
    RepairReport,
    SearchPage,
    SlotInfo,
    StatusReport,
    SyncReport,
    VerifyReport,
)
from archiver.cli.audit_answers import AuditPage, AuditReport, MadeCheckpoint
from archiver.cli.backup_answers import BackupCheck, BackupReport, RestoreReport
from archiver.cli.customer_answers import (
    AmbiguousPage,
    CustomerChange,
    CustomerFigures,
    CustomerMatch,
    Explanation,
    History,
    ImportChanges,
    UnlinkedGroup,
    UnlinkedPage,
    WaitingPage,
)
from archiver.cli.key_answers import Drill, KeyList, Rotation
from archiver.config import Settings
from archiver.core.progress import OnProgress
from archiver.model.catalogue import Details, Summary
from archiver.model.customer import Customer, CustomerRecord
from archiver.model.link import LinkChanges
from archiver.model.message import Direction, Message, Part
from archiver.model.search import SavedSearch, Sort
from archiver.model.shown import Hyperlink, Passage

AskPassphrase = Callable[[], str | None]
"""Returns a passphrase, or None when nobody can be asked."""

SlotKind = Literal["passphrase", "recovery", "machine"]


class NewArchive(Protocol):
    """An archive thought out and not yet on disk."""

    @property
    def recovery_code(self) -> str: ...
    @property
    def archive_id(self) -> str: ...
    def commit(self) -> None: ...


class OpenArchive(Protocol):
    """An unlocked archive, for reading."""

    def customers(self) -> Sequence[CustomerRecord]:
        """Return all that are not merged into others, by name."""
        ...

    def customer(self, text: str) -> CustomerRecord:
        """Return the one meant by a reference, VAT number or name; raises UsageError that names the near ones."""
        ...

    def export_customers(self, chosen: Sequence[str] = (), *, form: str) -> Sequence[CustomerRecord]: ...
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


class Application(Protocol):
    """The use cases, wired; errors are of the family in `archiver.errors`."""

    def prepare_archive(self, settings: Settings, passphrase: str) -> NewArchive: ...
    def sync(
        self,
        settings: Settings,
        accounts: Sequence[str],
        *,
        collect_only: bool,
        now: bool,
        retry_login: bool,
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
        self,
        settings: Settings,
        *,
        full: bool,
        ask: AskPassphrase,
        subset: str | None,
        seed: int | None,
        on_progress: OnProgress,
    ) -> VerifyReport: ...
    def repair(
        self,
        settings: Settings,
        *,
        ask: AskPassphrase,
        confirm: Callable[[RepairReport], bool],
        dry_run: bool,
        fetch: bool,
        backup: Path | None,
        on_progress: OnProgress,
    ) -> RepairReport: ...
    def backup(
        self,
        settings: Settings,
        target: Path,
        *,
        keep: int | None,
        check_packs: bool,
        ask: AskPassphrase,
        on_progress: OnProgress,
    ) -> BackupReport: ...
    def verify_backup(
        self,
        settings: Settings | None,
        target: Path,
        *,
        full: bool,
        ask: AskPassphrase,
        on_progress: OnProgress,
    ) -> BackupCheck: ...
    def restore(
        self,
        settings: Settings,
        source: Path,
        *,
        generation: str | None,
        replace: bool,
        incomplete: bool,
        erasures: Path | None,
        write_collector_key: bool,
        ask: AskPassphrase,
        on_progress: OnProgress,
    ) -> RestoreReport: ...
    def audit_list(
        self,
        settings: Settings,
        *,
        ask: AskPassphrase,
        since: str | None,
        until: str | None,
        who: str | None,
        action: str | None,
        message: str | None,
        customer: str | None,
        query: str | None,
        limit: int,
        offset: int,
    ) -> AuditPage: ...
    def audit_verify(self, settings: Settings, *, ask: AskPassphrase, anchor: str | None) -> AuditReport: ...
    def audit_checkpoint(self, settings: Settings, *, ask: AskPassphrase) -> MadeCheckpoint: ...
    def unlock(self, settings: Settings, *, ask: AskPassphrase, seconds: int) -> datetime | None: ...
    def lock(self, settings: Settings) -> bool: ...
    def doctor(self, settings: Settings, *, connect: bool) -> Sequence[Check]: ...
    def key_list(self, settings: Settings) -> KeyList: ...
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
    def key_rotate(self, settings: Settings, *, ask: AskPassphrase) -> Rotation: ...
    def key_accept(self, settings: Settings, *, ask: AskPassphrase) -> Sequence[SlotInfo]: ...
    def key_drill(
        self, settings: Settings, *, ask: AskPassphrase, passphrase: str | None, message: str | None
    ) -> Drill: ...
