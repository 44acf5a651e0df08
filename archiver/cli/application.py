"""What the command line needs of the application, and what one run of it has at hand.

`Application` is satisfied by the module `archiver.app` and, in the tests, by a twin in memory. Results are described by
the attributes that are shown, so that both sides stay free in how they make them. Nothing heavy is imported here.
"""

# ruff: noqa: D102 - the methods are described where they are implemented, in `archiver.app`

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from archiver.cli.terminal import Terminal
from archiver.core.progress import OnProgress

if TYPE_CHECKING:
    from archiver.config import Settings
    from archiver.model.catalogue import Details, Summary
    from archiver.model.message import Message, Part
    from archiver.model.status import Failure, MailboxStatus

AskPassphrase = Callable[[], str | None]
"""Returns a passphrase, or None when nobody can be asked."""

Sort = Literal["date", "relevance"]
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
    """What a sync or an import came to; `waiting` counts deliveries still sealed, `damaged` names files."""

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
    def exit_code(self) -> int: ...


class SearchItem(Protocol):
    """A hit; `marks` are the spans of the snippet that matched."""

    @property
    def summary(self) -> Summary: ...
    @property
    def score(self) -> float: ...
    @property
    def snippet(self) -> str: ...
    @property
    def marks(self) -> Sequence[tuple[int, int]]: ...


class SearchPage(Protocol):
    """Some hits of `total`."""

    @property
    def total(self) -> int: ...
    @property
    def items(self) -> Sequence[SearchItem]: ...


class OpenArchive(Protocol):
    """An unlocked archive, for reading."""

    def search(self, query: str, *, limit: int = 20, offset: int = 0, sort: Sort = "date") -> SearchPage: ...
    def resolve(self, prefix: str) -> int: ...
    def details(self, row: int) -> Details: ...
    def octets(self, row: int) -> bytes: ...
    def parsed(self, row: int) -> Message: ...
    def part(self, row: int, path: str) -> tuple[Part, bytes]: ...
    def headers(self, row: int) -> Sequence[tuple[str, str]]: ...
    def thread(self, row: int) -> Sequence[Summary]: ...
    def reindex(self, on_progress: OnProgress) -> int: ...
    def short_id(self, blob_id: bytes) -> str: ...


class StatusReport(Protocol):
    """The figures of completeness; those that need a key are None without one."""

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


class Invocation:
    """One run of `archiver`: the application, the terminal, the surroundings. `zone` None means the machine's own.

    `read_secret` asks without echo and `read_line` with; both take the prompt. `query` is kept for the error that
    points into it.
    """

    def __init__(
        self,
        *,
        terminal: Terminal,
        environ: Mapping[str, str],
        application: Callable[[], Application],
        clock: Callable[[], datetime],
        zone: tzinfo | None,
        person_present: bool,
        read_secret: Callable[[str], str],
        read_line: Callable[[str], str],
    ) -> None:
        self.terminal = terminal
        self.environ = environ
        self.clock = clock
        self.zone = zone
        self.person_present = person_present
        self.read_secret = read_secret
        self.read_line = read_line
        self.config: Path | None = None
        self.archive: Path | None = None
        self.query: QueryTyped | None = None
        self._application = application

    @property
    def app(self) -> Application:
        """The application, imported when first used: `--help` must not wait for it."""
        return self._application()

    def date(self, at: datetime) -> str:
        """Return a date in at most 16 columns: as people say it on a terminal, as they sort it into a pipe."""
        from archiver.cli.wording import short_date

        if self.terminal.out_is_terminal:
            return short_date(at, now=self.clock(), zone=self.zone)
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def settings(self) -> Settings:
        """Read the configuration; raises ConfigurationError with every problem in it."""
        from archiver.config import load

        return load(self.config, self.environ, archive=self.archive)


@dataclass(frozen=True, slots=True)
class QueryTyped:
    """The query as typed and how many characters this program put before it."""

    text: str
    shifted: int = field(default=0)
