"""The application in memory: a handful of invented messages, and knobs for what may go wrong.

Knows nothing of stores or servers. Searching is by plain substring, so that tests say exactly what is found.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archiver.cli.answers import Place
from archiver.cli.application import AskPassphrase, SlotKind
from archiver.config import Settings
from archiver.core.progress import OnProgress, Progress
from archiver.errors import ArchiverError, IntegrityError, LockedError, UsageError, WrongKeyError
from archiver.model.address import EmailAddress
from archiver.model.catalogue import Details, Seen, Summary
from archiver.model.message import BlobId, Defect, Direction, Message, Part, PartKind
from archiver.model.search import SavedSearch, Sort
from archiver.model.shown import Hyperlink, Passage
from archiver.model.status import Failure, MailboxStatus
from tests.cli.twin_audit import AuditTwin
from tests.cli.twin_backups import BackedUp, Backups, Checked, Restored
from tests.cli.twin_customers import Book, CustomersOpen, CustomersWorld, EditorTwin, copied
from tests.cli.twin_search import Counts, Item, Page, SearchWorld, counted, refuse_bad

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
PASSPHRASE = "correct horse battery"
CODE = "7K2M-9QXA-0001"


@dataclass(frozen=True)
class Outcome:
    account: str
    new: int = 0
    octets: int = 0
    failed: int = 0
    excluded: int = 0
    problem: str | None = None
    hint: str | None = None
    exit_code: int = 0


@dataclass(frozen=True)
class Sync:
    accounts: Sequence[Outcome] = (Outcome("info", 12, 96_000),)
    collected: int = 12
    ingested: int = 12
    indexed: int = 12
    waiting: int = 0
    defects: int = 0
    incomplete: Sequence[str] = ()
    seconds: float = 1.26
    locked: bool = False
    damaged: Sequence[str] = ()
    linked: int = 0
    ambiguous: int = 0
    unlinked: int = 0
    unanchored: Sequence[str] = ()
    lost: int = 0
    exit_code: int = 0


@dataclass(frozen=True)
class Status:
    unlinked: int | None = 12
    customers: int | None = 0
    messages: int | None = 12
    octets: int | None = 96_000
    pending: int = 0
    indexed: int | None = 12
    defects: int | None = 0
    unlocked: bool = True
    accounts: Sequence[MailboxStatus] = ()
    failures: Sequence[Failure] = ()
    problems: Sequence[str] = ()

    @property
    def complete(self) -> bool:
        return all(mailbox.complete for mailbox in self.accounts) and not self.problems


@dataclass(frozen=True)
class Damage:
    what: str
    message: str
    blob_id: bytes | None = None
    kind: str = "pack"
    at: datetime | None = None
    places: Sequence[Seen] = ()


@dataclass(frozen=True)
class Verify:
    packs: int = 3
    records: int = 12
    octets: int = 96_000
    checked_full: bool = False
    problems: Sequence[Damage] = ()
    unsteady: Sequence[Damage] = ()
    remarks: Sequence[Damage] = ()
    messages: int = 12
    packs_total: int = 3
    subset: str | None = None
    seed: int | None = None


@dataclass(frozen=True)
class RepairStep:
    action: str
    what: str
    message: str


@dataclass(frozen=True)
class Repair:
    steps: Sequence[RepairStep] = ()
    remaining: Sequence[Damage] = ()
    fetchable: int = 0
    lost: Sequence[bytes] = ()
    dry_run: bool = False
    confirmed: bool = True

    @property
    def exit_code(self) -> int:
        undone = self.steps and (self.dry_run or not self.confirmed)
        return 4 if self.remaining or self.fetchable or self.lost or undone else 0


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool | None
    message: str
    hint: str | None = None


@dataclass(frozen=True)
class Slot:
    name: str
    kind: str
    created: datetime = NOW


@dataclass(frozen=True)
class Keys:
    slots: tuple[Slot, ...]
    epoch: int = 2
    created: datetime = NOW
    rotated: datetime | None = NOW


@dataclass(frozen=True)
class Rotated:
    epoch: int = 3
    slots: int = 2
    octets: int = 39_000_000
    seconds: float = 0.712
    session_until: datetime | None = NOW + timedelta(hours=1)


@dataclass(frozen=True)
class Drilled:
    blob_id: bytes | None
    kind: str = "recovery"
    epoch: int = 3
    messages: int = 12
    octets: int | None = 8_000
    pack: str | None = "ab" * 32


@dataclass
class Mail:
    """One message as a test delivers it."""

    subject: str = "Offerte 2026-014"
    text: str = "Goedendag,\n\nhierbij onze offerte.\n"
    quoted: str = ""
    from_: tuple[EmailAddress, ...] = (EmailAddress("An Peeters", "an@klant.example"),)
    to: tuple[EmailAddress, ...] = (EmailAddress("", "info@ons.example"),)
    cc: tuple[EmailAddress, ...] = ()
    direction: Direction = Direction.INCOMING
    at: datetime = NOW - timedelta(days=7)
    thread: int = 1
    parts: tuple[Part, ...] = (Part("1", "text/plain", PartKind.TEXT, 34, charset="utf-8"),)
    contents: dict[str, bytes] = field(default_factory=dict)
    defects: tuple[Defect, ...] = ()
    octets: bytes = b"Subject: Offerte 2026-014\r\n\r\nGoedendag,\r\n"
    marks: tuple[tuple[int, int], ...] = ()
    mailboxes: tuple[str, ...] = ("info/INBOX",)
    copies: int = 0
    place: Place = "text"
    file: str | None = None
    snippet: str | None = None
    language: str | None = None
    passages: tuple[Passage, ...] = ()
    links: tuple[Hyperlink, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)
    html: str = "<!doctype html>\n<title>Offerte</title>\n"


@dataclass
class Fresh:
    recovery_code: str
    archive_id: str
    committed: Callable[[], None]

    def commit(self) -> None:
        self.committed()


class OpenTwin(CustomersOpen):
    """The twin, open."""

    def __init__(
        self,
        mails: Sequence[Mail],
        book: Book | None = None,
        world: CustomersWorld | None = None,
        searching: SearchWorld | None = None,
    ) -> None:
        self._mails = mails
        self.searching = searching if searching is not None else SearchWorld()
        self.size = len(mails)
        self.book = book if book is not None else Book()
        self.world = world if world is not None else CustomersWorld()

    def _matching(self, query: str) -> list[int]:
        refuse_bad(query)
        words = [w.strip("()") for w in self.searching.expanded(query).split() if ":" not in w]
        rows = [
            r for r, m in enumerate(self._mails) if all(w.lower() in f"{m.subject} {m.text}".lower() for w in words)
        ]
        customer = re.search(r'customer:"(.*?)"', query)
        if customer is not None:
            rows = [r for r in rows if customer[1] in self.summary(r).customers]
        if "is:unlinked" in query:
            rows = [r for r in rows if not (self.summary(r).customers or self.summary(r).candidates)]
        return sorted(rows, key=lambda r: self._mails[r].at, reverse=True)

    def search(
        self, query: str, *, limit: int = 20, offset: int = 0, sort: Sort = "date", threads: bool = False
    ) -> Page:
        rows = self._matching(query)
        self.world.asked.append(("search", query))
        total = len(rows) + sum(self._mails[r].copies for r in rows)
        folded: Counter[int] = Counter()
        if threads:
            folded = Counter(self._mails[r].thread for r in rows)
            rows = list({self._mails[r].thread: r for r in reversed(rows)}.values())[::-1]
        items = [self._item(r, others=max(0, folded[self._mails[r].thread] - 1)) for r in rows[offset : offset + limit]]
        return Page(
            total,
            items,
            more=len(rows) > offset + limit,
            suggestion=self.searching.suggestions.get(query) if not rows else None,
            ignored=self.searching.ignored,
            unindexed=self.searching.unindexed,
        )

    def _item(self, row: int, *, others: int) -> Item:
        mail = self._mails[row]
        copies = [blob_id(1_000 * (row + 1) + number) for number in range(mail.copies)]
        snippet = mail.text if mail.snippet is None else mail.snippet
        return Item(self.summary(row), 1.5, snippet, mail.marks, copies, others, mail.place, mail.file)

    def facets(self, query: str, *, customers: int = 10) -> Counts:
        summaries = [self.summary(row) for row in self._matching(query)]
        return counted(summaries, self.customer, customers=customers)

    def saved_searches(self) -> Sequence[SavedSearch]:
        return [search for _name, search in sorted(self.searching.saved.items())]

    def resolve(self, prefix: str) -> int:
        found = [r for r in range(len(self._mails)) if blob_id(r).hex().startswith(prefix)]
        if len(found) != 1:
            raise UsageError("no message has this id", hint="archiver search shows ids")
        return found[0]

    def plain_summary(self, row: int) -> Summary:
        """A summary without customers."""
        mail = self._mails[row]
        return Summary(
            row=row,
            blob_id=blob_id(row),
            thread=mail.thread,
            message_id=f"m{row}@klant.example",
            subject=mail.subject,
            at=mail.at,
            sent_at=mail.at,
            direction=mail.direction,
            from_=mail.from_,
            to=mail.to,
            cc=mail.cc,
            mailboxes=mail.mailboxes,
            attachments=tuple(p.filename or "" for p in mail.parts if p.kind is PartKind.ATTACHMENT),
            preview=mail.text[:200],
            octets=len(mail.octets),
            language=mail.language,
        )

    def details(self, row: int) -> Details:
        mail = self._mails[row]
        return Details(
            summary=self.summary(row),
            bcc=(),
            reply_to=(),
            received_at=mail.at,
            archived_at=mail.at,
            octets=len(mail.octets),
            parts=mail.parts,
            defects=mail.defects,
            seen=(Seen("info", "INBOX", 7, 42, ()),),
        )

    def octets(self, row: int) -> bytes:
        return self._mails[row].octets

    def parsed(self, row: int) -> Message:
        return Message(subject=self._mails[row].subject, text=self._mails[row].text, quoted=self._mails[row].quoted)

    def passages(self, row: int) -> Sequence[Passage]:
        mail = self._mails[row]
        pieces = mail.passages or (Passage(mail.text.strip("\n")), Passage(mail.quoted.strip("\n"), quoted=True))
        return [piece for piece in pieces if piece.text.strip()]

    def links(self, row: int) -> Sequence[Hyperlink]:
        return self._mails[row].links

    def part_text(self, row: int, path: str) -> str:
        text = self._mails[row].texts.get(path)
        if text is None:
            raise UsageError(f"there is no text in part {path}", hint="save it: archiver show ID --part N --output .")
        return text

    def safe_html(self, row: int) -> str:
        return self._mails[row].html

    def part(self, row: int, path: str) -> tuple[Part, bytes]:
        for part in self._mails[row].parts:
            if part.path == path:
                return part, self._mails[row].contents.get(path, b"")
        raise UsageError("this message has no such part")

    def headers(self, row: int) -> list[tuple[str, str]]:
        return [("Subject", self._mails[row].subject), ("X-Long-Field-Name", "value " * 20)]

    def thread(self, row: int) -> list[Summary]:
        rows = [r for r, m in enumerate(self._mails) if m.thread == self._mails[row].thread]
        return [self.summary(r) for r in sorted(rows, key=lambda r: self._mails[r].at)]

    def reindex(self, on_progress: OnProgress) -> int:
        on_progress(Progress("index", None, None, len(self._mails), len(self._mails)))
        return len(self._mails)

    def short_id(self, blob_id: bytes) -> str:
        return blob_id.hex()[:8]


def blob_id(row: int) -> BlobId:
    return BlobId(hashlib.sha256(f"message {row}".encode()).digest())


@dataclass
class Twin(AuditTwin):
    """The application; set what it answers, read what it was asked. `locked` makes it ask for the passphrase."""

    mails: list[Mail] = field(default_factory=list)
    locked: bool = False
    keeps_keys: bool = True
    sync_report: Sync = Sync()
    status_report: Status = Status()
    verify_report: Verify = Verify()
    repair_report: Repair = Repair()
    backups: Backups = field(default_factory=Backups)
    checks: list[Check] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=lambda: [Slot("passphrase", "passphrase"), Slot("recovery", "recovery")])
    fails: BaseException | None = None
    on_sync: Callable[[], None] | None = None
    calls: list[str] = field(default_factory=list)
    book: Book = field(default_factory=Book)
    world: CustomersWorld = field(default_factory=CustomersWorld)
    searching: SearchWorld = field(default_factory=SearchWorld)

    def _begin(self, what: str, ask: AskPassphrase | None = None) -> None:
        self.calls.append(what)
        if self.fails is not None:
            raise self.fails
        if ask is not None and self.locked:
            typed = ask()
            if typed is None:
                raise LockedError("the archive is locked", hint="archiver unlock")
            if typed != PASSPHRASE:
                raise WrongKeyError("the passphrase does not open the archive")

    def prepare_archive(self, settings: Settings, passphrase: str) -> Fresh:
        self._begin(f"prepare {passphrase}")
        return Fresh(CODE, "ab" * 16, lambda: self._begin("commit"))

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
    ) -> Sync:
        asked = {" collect-only": collect_only, " now": now, " retry-login": retry_login}
        self._begin(f"sync {' '.join(accounts)}{''.join(word for word, wanted in asked.items() if wanted)}", ask)
        for done in range(13):
            on_progress(Progress("collect", "info", "INBOX", done, 12, done * 8_000))
        if self.on_sync is not None:
            self.on_sync()
        return self.sync_report

    def import_paths(
        self,
        settings: Settings,
        paths: Sequence[Path],
        *,
        ask: AskPassphrase,
        on_progress: OnProgress,
        stopped: Callable[[], bool],
    ) -> Sync:
        self._begin(f"import {' '.join(path.name for path in paths)}", ask)
        return self.sync_report

    @contextmanager
    def open_archive(
        self, settings: Settings, *, ask: AskPassphrase, take_in: bool = True, on_progress: OnProgress | None = None
    ) -> Iterator[OpenTwin]:
        self._begin("open", ask)
        yield OpenTwin(self.mails, self.book, self.world, self.searching)
        self.calls.append("close")

    @contextmanager
    def change_customers(
        self, settings: Settings, *, ask: AskPassphrase, command: str, dry_run: bool = False
    ) -> Iterator[EditorTwin]:
        self._begin(f"change {command}{' dry-run' if dry_run else ''}", ask)
        before = copied(self.book)
        try:
            yield EditorTwin(OpenTwin(self.mails, self.book, self.world), now=NOW)
        except BaseException:
            vars(self.book).update(vars(before))
            raise
        finally:
            self.calls.append("changed")
        if dry_run:
            vars(self.book).update(vars(before))

    def save_search(self, settings: Settings, *, ask: AskPassphrase, name: str, query: str) -> SavedSearch | None:
        self._begin(f"save {name}", ask)
        return self.searching.save(name, query, NOW)

    def remove_search(self, settings: Settings, *, ask: AskPassphrase, name: str) -> None:
        self._begin(f"remove {name}", ask)
        self.searching.remove(name)

    def status(self, settings: Settings, *, ask: AskPassphrase | None) -> Status:
        self._begin("status")
        if ask is not None and self.locked:
            ask()
        return self.status_report

    def verify(
        self,
        settings: Settings,
        *,
        full: bool,
        ask: AskPassphrase,
        subset: str | None,
        seed: int | None,
        on_progress: OnProgress,
    ) -> Verify:
        sample = "" if subset is None else f" {subset} {seed}"
        self._begin(("verify full" if full else "verify") + sample)
        return self.verify_report

    def repair(
        self,
        settings: Settings,
        *,
        ask: AskPassphrase,
        confirm: Callable[[Repair], bool],
        dry_run: bool,
        fetch: bool,
        backup: Path | None,
        on_progress: OnProgress,
    ) -> Repair:
        self._begin(f"repair{' dry-run' if dry_run else ''}{' fetch' if fetch else ''}", ask)
        plan = replace(self.repair_report, dry_run=True)
        if dry_run or not plan.steps:
            return replace(plan, dry_run=dry_run)
        return replace(plan, dry_run=False, confirmed=confirm(plan))

    def backup(
        self,
        settings: Settings,
        target: Path,
        *,
        keep: int | None,
        check_packs: bool,
        ask: AskPassphrase,
        on_progress: OnProgress,
    ) -> BackedUp:
        self._begin(f"backup {target.name} {keep}{' check-packs' if check_packs else ''}", ask)
        return self.backups.made

    def verify_backup(
        self, settings: Settings | None, target: Path, *, full: bool, ask: AskPassphrase, on_progress: OnProgress
    ) -> Checked:
        self._begin(f"verify backup {target.name}{' full' if full else ''}", ask if full else None)
        return self.backups.checked

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
    ) -> Restored:
        options = {"replace": replace, "incomplete": incomplete, "key": write_collector_key, "erasures": erasures}
        self._begin(f"restore {source.name} {generation} {' '.join(name for name in options if options[name])}", ask)
        return self.backups.restored

    def unlock(self, settings: Settings, *, ask: AskPassphrase, seconds: int) -> datetime | None:
        self.locked = True
        self._begin(f"unlock {seconds}", ask)
        return NOW + timedelta(seconds=seconds) if self.keeps_keys else None

    def lock(self, settings: Settings) -> bool:
        self._begin("lock")
        return not self.locked

    def doctor(self, settings: Settings, *, connect: bool) -> Sequence[Check]:
        self._begin("doctor" if connect else "doctor offline")
        return self.checks

    def key_list(self, settings: Settings) -> Keys:
        self._begin("key list")
        return Keys(tuple(self.slots))

    def key_add(
        self,
        settings: Settings,
        *,
        name: str,
        kind: SlotKind,
        ask: AskPassphrase,
        new_passphrase: str | None,
        machine_key_file: Path | None,
    ) -> str | None:
        self._begin(f"key add {name} {kind} {new_passphrase} {machine_key_file and machine_key_file.name}", ask)
        return CODE if kind == "recovery" else None

    def key_remove(self, settings: Settings, *, name: str, ask: AskPassphrase) -> None:
        self._begin(f"key remove {name}", ask)

    def key_rotate(self, settings: Settings, *, ask: AskPassphrase) -> Rotated:
        self._begin("key rotate", ask)
        return Rotated()

    def key_accept(self, settings: Settings, *, ask: AskPassphrase) -> Sequence[Slot]:
        self._begin("key accept", ask)
        return self.slots

    def key_drill(
        self, settings: Settings, *, ask: AskPassphrase, passphrase: str | None, message: str | None
    ) -> Drilled:
        self._begin(f"key drill {passphrase} {message} {ask()}")
        return Drilled(blob_id=blob_id(0) if self.mails else None)


def refusal(code: int) -> ArchiverError:
    """An error of the family with this exit code."""
    if code == IntegrityError.exit_code:
        return IntegrityError("it cannot be done", what="packs/ab/abcd.pack", hint="do this instead")
    kind = next(kind for kind in _family(ArchiverError) if kind.exit_code == code)
    return kind("it cannot be done", hint="do this instead")


def _family(kind: type[ArchiverError]) -> list[type[ArchiverError]]:
    return [kind, *(member for child in kind.__subclasses__() for member in _family(child))]
