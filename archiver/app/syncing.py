"""`archiver sync` and `archiver import`: collect, then ingest and index when a key is at hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from archiver.app.auditing import reason_for, record
from archiver.app.clocks import clock
from archiver.app.collector import CollectorProcess, choose, collect_all
from archiver.app.forgetting import forget_earlier
from archiver.app.opening import Opened, open_collect_store, open_unlocked, waiting_deliveries
from archiver.app.unlocking import AskPassphrase, Keys, find_keys, renewed
from archiver.config import Settings
from archiver.core.collect import AccountOutcome
from archiver.core.ingest import IngestReport, take_in
from archiver.core.progress import OnProgress, Progress, silent
from archiver.core.visiting import Insistence
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.errors import (
    ArchiverError,
    ConfigurationError,
    FormatError,
    LockedError,
    UnreadableError,
    WrongKeyError,
)
from archiver.model.message import BlobId
from archiver.store.layout import ArchivePaths

_POLL = 0.1  # seconds to wait for news of the collector before looking for deliveries again
_STEP_ASIDE = 0.15  # seconds in which whoever waits for the lock has looked for it again
_TURN = 0.5  # seconds to wait for the lock before hearing the collector again
_PATIENCE = 10.0  # seconds to wait for the lock when the collector has ended


class SyncReport(Struct, frozen=True):
    """What a run did. `locked` says that no key was at hand: `waiting` deliveries stay sealed until one is.

    `damaged` names what could not be read, `incomplete` the mailboxes that lack something, each with its reason. Of the
    messages taken in, `linked` belong to a customer, `ambiguous` fit several equally, `unlinked` fit nobody; all are 0
    while there are no customers. `unanchored` tells which anchors did not take the trail's checkpoint. `lost` counts
    messages that had come in, that archive.db does not know any longer, and that no server gave again.
    """

    accounts: tuple[AccountOutcome, ...]
    collected: int
    ingested: int
    indexed: int
    waiting: int
    defects: int
    incomplete: tuple[str, ...]
    seconds: float
    locked: bool
    damaged: tuple[str, ...] = ()
    linked: int = 0
    ambiguous: int = 0
    unlinked: int = 0
    unanchored: tuple[str, ...] = ()
    lost: int = 0

    @property
    def exit_code(self) -> int:
        """Return 0, 30 when something stored is damaged, the servers' code when all failed alike, else 4."""
        if self.damaged:
            return 30
        codes = {outcome.exit_code for outcome in self.accounts}
        if codes <= {0}:
            return 4 if self.unanchored or self.lost else 0
        return codes.pop() if len(codes) == 1 else 4


def sync(
    settings: Settings,
    accounts: Sequence[str] = (),
    *,
    collect_only: bool = False,
    now: bool = False,
    retry_login: bool = False,
    ask: AskPassphrase,
    on_progress: OnProgress = silent,
    stopped: Callable[[], bool] = lambda: False,
    bounds: KdfBounds = DEFAULT_BOUNDS,
) -> SyncReport:
    """Collect the accounts (all when none is named) and, unlocked, take the mail in while it arrives.

    When there is no key and `ask` has no answer, the mail is collected all the same and waits, sealed; so it is when a
    key does not open the archive and no person is there, before that is raised. A server that is
    to be left alone for a while is asked only when its account is named or `now`; a login that was refused is tried
    again only with `retry_login`, or when it has changed.
    Raises NoArchiveError, LockedError, WrongKeyError, UsageError, ConfigurationError; a server's failure is reported.
    """
    began = time.monotonic()
    choose(settings, accounts)
    insistence = Insistence(now=now or bool(accounts), login=retry_login)
    try:
        keys = None if collect_only else find_keys(settings, ask=ask, bounds=bounds)
    except (WrongKeyError, FormatError, ConfigurationError, UnreadableError):
        if settings.purpose.ask is None:  # nobody is there to try another key, and servers do not keep mail for ever
            collect_all(settings, accounts, insistence=insistence, on_progress=on_progress, stopped=stopped)
        raise
    if keys is None:
        outcomes = collect_all(settings, accounts, insistence=insistence, on_progress=on_progress, stopped=stopped)
        return _anchored(settings, _report(settings, outcomes, None, began))
    reason_for(settings, "sync")
    with _recorded_if_it_fails(settings, keys, "sync"):
        outcomes, ingested, lost = _collect_and_take_in(settings, accounts, insistence, keys, on_progress, stopped)
    report = replace(_report(settings, outcomes, ingested, began), lost=lost)
    return _anchored(settings, _recorded(settings, keys, "sync", report))


def _collect_and_take_in(
    settings: Settings,
    accounts: Sequence[str],
    insistence: Insistence,
    keys: Keys,
    on_progress: OnProgress,
    stopped: Callable[[], bool],
) -> tuple[tuple[AccountOutcome, ...], IngestReport, int]:
    """Return how the accounts went, what was taken in, and how many messages were lost before and did not come back."""
    with open_unlocked(settings, keys, write=True) as opened:
        lost = _prepare_collector(settings, opened)
    child = CollectorProcess(settings, accounts, on_progress, insistence)

    def more() -> bool:
        if stopped():
            child.stop()
        return child.wait(_POLL)

    try:
        report = _take_in_by_turns(settings, keys, on_progress, more)
    finally:
        child.stop()
    child.raise_error(told_to_stop=stopped())
    return child.outcomes, report, _still_lost(settings, keys, lost)


def _still_lost(settings: Settings, keys: Keys, lost: frozenset[BlobId]) -> int:
    if not lost:
        return 0
    with open_unlocked(settings, renewed(keys), write=False) as opened:
        return len(lost - opened.catalogue.known(lost))


def _take_in_by_turns(
    settings: Settings, keys: Keys, on_progress: OnProgress, more: Callable[[], bool] = lambda: False
) -> IngestReport:
    """Take in all there is, and let others write in between.

    A first sync runs for hours, and nobody at the telephone can wait for it: whoever waits for the lock gets it after
    the delivery at hand, and the run goes on when he is done. New mail is linked by the customers there are then.
    """
    done, paused = IngestReport(), False

    def tell(progress: Progress) -> None:
        if progress.stage == "ingest":
            progress = replace(progress, done=progress.done + done.messages, octets=progress.octets + done.octets)
        on_progress(progress)

    while True:
        with ExitStack() as stack:
            opened = _open_in_turn(settings, keys, stack, more)
            keys, paused = opened.keys, False

            def pause(opened: Opened = opened) -> bool:
                nonlocal paused
                paused = paused or opened.is_wanted()
                return paused

            report = take_in(opened.ingest_ports(), on_progress=tell, more=more, pause=pause, set_aside=True)
            done = _sum(done, report)
            if not paused:
                _link_earlier(opened, on_progress)
                opened.tidy(done.indexed)
                forget_earlier(opened.keys, opened.catalogue)
                return done
        time.sleep(_STEP_ASIDE)


def _open_in_turn(settings: Settings, keys: Keys, stack: ExitStack, more: Callable[[], bool]) -> Opened:
    """Open for writing, when others are done; raises LockedError when, after the collector, it takes them too long."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return stack.enter_context(open_unlocked(settings, keys, write=True, wait=_TURN))
        except LockedError:
            if more():
                end = time.monotonic() + _PATIENCE
            elif time.monotonic() > end:
                raise


def _sum(one: IngestReport, other: IngestReport) -> IngestReport:
    return IngestReport(
        messages=one.messages + other.messages,
        octets=one.octets + other.octets,
        indexed=one.indexed + other.indexed,
        defects=one.defects + other.defects,
        waiting=other.waiting,
        linked=one.linked + other.linked,
        ambiguous=one.ambiguous + other.ambiguous,
        unlinked=one.unlinked + other.unlinked,
        damaged=tuple(dict.fromkeys(one.damaged + other.damaged)),
    )


def _link_earlier(opened: Opened, on_progress: OnProgress) -> None:
    """Link what new mail does not: messages of an earlier release, and all when who we are or the rules changed."""
    from archiver.core.customers.editing import complete_earlier, relink_when_stale

    ports, rules = opened.edit_ports(), opened.rules()
    complete_earlier(ports, rules, on_progress=on_progress)
    relink_when_stale(ports, rules, on_progress=on_progress)


def _prepare_collector(settings: Settings, opened: Opened) -> frozenset[BlobId]:
    """Tell the collector what only the unlocked side knows, before it starts.

    One that lost collect.db gets the digests of what is kept, so that none of it is stored again; and it forgets what
    archive.db has lost, so that it is fetched again: those messages are returned. What was erased since it last ran it
    never stores again.
    """
    from archiver.app.erasing import tell_collector

    lost = opened.lost_packs()
    if lost or not opened.keys.paths.collect_database.exists():
        erased = [blob_id for blob_id, _ in opened.erasures.erased()]
        with open_collect_store(settings, seed=opened.kept, forget=lost, erased=erased):
            pass
    tell_collector(settings, opened, wait=True)
    return frozenset().union(*lost.values())


def import_paths(
    settings: Settings,
    paths: Sequence[Path],
    *,
    ask: AskPassphrase,
    on_progress: OnProgress = silent,
    stopped: Callable[[], bool] = lambda: False,
    bounds: KdfBounds = DEFAULT_BOUNDS,
) -> SyncReport:
    """Bring in mbox files, Maildirs and .eml files; without a key they wait, sealed, like mail from a server.

    Raises UsageError and FormatError for a path that holds no mail, before anything is stored.
    """
    from archiver.core.importing import import_items
    from archiver.mail.files import import_items as read_items

    began = time.monotonic()
    if not settings.identity:
        raise ConfigurationError(
            "the configuration does not say who you are, so no message would be incoming or outgoing",
            problems=("[identity] names no domain and no address",),
            hint="write your own domains into [identity], and name the file with --config",
        )
    items = read_items(paths)
    keys = find_keys(settings, ask=ask, bounds=bounds)
    with _recorded_if_it_fails(settings, keys, "import"), open_collect_store(settings) as collecting:
        outcome = import_items(items, collecting.store, now=clock(), on_progress=on_progress, stopped=stopped)
    ingested = None
    if keys is not None:
        reason_for(settings, "import")
        with _recorded_if_it_fails(settings, keys, "import"):
            ingested = _take_in_by_turns(settings, keys, on_progress)
    report = _report(settings, (outcome,), ingested, began)
    return report if keys is None else _recorded(settings, keys, "import", report)


def _recorded(settings: Settings, keys: Keys, action: str, report: SyncReport) -> SyncReport:
    """Record a run that took mail in; one that only collects has no key to record with, and shows nothing."""
    numbers = {"collected": report.collected, "ingested": report.ingested, "defects": report.defects}
    if report.lost:
        numbers["lost"] = report.lost
    record(settings, renewed(keys), action, numbers=numbers)
    return report


@contextmanager
def _recorded_if_it_fails(settings: Settings, keys: Keys | None, action: str) -> Iterator[None]:
    """Record how a run ended that did not come to its counts; what it had taken in by then stays."""
    try:
        yield
    except BaseException as error:
        if keys is not None:
            with suppress(ArchiverError):  # a full disk, say, is told by the error itself
                record(settings, renewed(keys), action, note=f"cut off: {type(error).__name__}")
        raise


def _anchored(settings: Settings, report: SyncReport) -> SyncReport:
    """Bring the day's checkpoint to its anchors, which needs no key: where the passwords are, there is this command."""
    if not settings.audit.anchors:
        return report
    from archiver.app.anchoring import bring_to_anchors

    _, problems = bring_to_anchors(settings, ArchivePaths(settings.archive.path))
    return replace(report, unanchored=tuple(problems))


def _report(
    settings: Settings, outcomes: tuple[AccountOutcome, ...], ingested: IngestReport | None, began: float
) -> SyncReport:
    return SyncReport(
        accounts=outcomes,
        collected=sum(outcome.new for outcome in outcomes),
        ingested=ingested.messages if ingested else 0,
        indexed=ingested.indexed if ingested else 0,
        waiting=ingested.waiting if ingested else waiting_deliveries(settings),
        defects=ingested.defects if ingested else 0,
        incomplete=tuple(line for outcome in outcomes for line in outcome.incomplete),
        seconds=time.monotonic() - began,
        locked=ingested is None,
        damaged=ingested.damaged if ingested else (),
        linked=ingested.linked if ingested else 0,
        ambiguous=ingested.ambiguous if ingested else 0,
        unlinked=ingested.unlinked if ingested else 0,
    )
