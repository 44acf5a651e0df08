"""`archiver repair`: find what is damaged, say what would be done, and do it under both locks.

What is looked at is what `verify --full` looks at. Nothing is deleted that is not kept elsewhere: damaged files go to
`quarantine/`, messages that do not open keep their row and are asked for again.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from msgspec.structs import replace

from archiver.app.auditing import record
from archiver.app.opening import Opened, open_collect_store, open_unlocked
from archiver.app.unlocking import AskPassphrase, Keys, require_keys, write_new_private
from archiver.app.verifying import examine, look_around
from archiver.config import Settings
from archiver.core.ingest import take_in
from archiver.core.ports import CollectStore
from archiver.core.progress import OnProgress, silent
from archiver.core.repairing import (
    OLD_ENOUGH,
    RepairReport,
    Step,
    mend_packs,
    messages,
    remove_sealed_in_vain,
    suspects,
)
from archiver.core.verify import Problem, VerifyReport
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.errors import IntegrityError
from archiver.model.account import IMPORTED
from archiver.model.message import BlobId
from archiver.store.catalogue import SqliteCatalogue, open_catalogue
from archiver.store.deliveries import pack_of, waiting_names
from archiver.store.durable import Disk
from archiver.store.erasure_log import erasure_log_of, log_erasures
from archiver.store.mending import Mending
from archiver.store.old_catalogue import waiting_databases
from archiver.store.packs import PackFiles
from archiver.store.redelivery import redeliveries
from archiver.store.salvage import Salvage, orphaned_packs

Confirm = Callable[[RepairReport], bool]
"""Shown what would be done; returns whether to do it."""

_WAIT = 2.0
"""Seconds to wait for a lock: a repair does not queue behind a sync."""


def repair(
    settings: Settings,
    *,
    ask: AskPassphrase,
    confirm: Confirm,
    dry_run: bool = False,
    fetch: bool = False,
    backup: Path | None = None,
    on_progress: OnProgress = silent,
    bounds: KdfBounds = DEFAULT_BOUNDS,
) -> RepairReport:
    """Look at everything, and mend what can be mended once `confirm` agrees; a `dry_run` only says what it would do.

    With `fetch`, what does not open is fetched again at once where a server still has it; a server that fails is told
    by `status`, as after any sync. With `backup`, a directory of backups or a copy of the archive, a damaged archive.db
    is replaced by the newest one there, and what still reads of the damaged one is added.

    Raises NoArchiveError, LockedError (no key, or another process writes), WrongKeyError, DiskError, UsageError; and
    IntegrityError when a file is damaged that only a backup brings back: archive.json, keyring.json, archive.db.
    """
    _refuse_beyond_repair(look_around(settings, bounds=bounds).problems, backup)
    keys = require_keys(settings, ask=ask, bounds=bounds)
    report = examine(
        settings,
        keys,
        look_around(settings, packs=True, on_progress=on_progress, bounds=bounds),
        on_progress=on_progress,
    )
    _refuse_beyond_repair(report.problems, backup)
    broken = _has(report, "database")
    plan = _replacing() if broken else _plan(settings, keys, report)
    if dry_run or not (plan.steps or plan.remaining):
        return replace(plan, dry_run=dry_run)
    if plan.steps and not confirm(plan):
        return replace(plan, confirmed=False)
    record(settings, keys, "repair", messages=[p.blob_id for p in report.problems if p.blob_id is not None])
    if broken and backup is not None:
        from archiver.app.bringing_back import put_back

        step = put_back(settings, keys, backup, ask=ask, bounds=bounds, wait=_WAIT)
        report = look_around(settings, packs=True, bounds=bounds)
        done = _act(settings, keys, report, new_index=True, on_progress=on_progress)
        done = replace(done, steps=(step, *done.steps))
    else:
        done = _mended(settings, keys, report, on_progress)
    return _fetched(settings, keys, done, ask, on_progress, bounds) if fetch and done.fetchable else done


def _mended(settings: Settings, keys: Keys, report: VerifyReport, on_progress: OnProgress) -> RepairReport:
    try:
        return _act(settings, keys, report, new_index=_rebuilds_index(report), on_progress=on_progress)
    except IntegrityError as error:
        if error.what != keys.paths.index.name:
            raise
        return _act(settings, keys, report, new_index=True, on_progress=on_progress)


def _rebuilds_index(report: VerifyReport) -> bool:
    return _has(report, "index") or any("older than index.db" in problem.message for problem in report.problems)


def _fetched(
    settings: Settings, keys: Keys, done: RepairReport, ask: AskPassphrase, on_progress: OnProgress, bounds: KdfBounds
) -> RepairReport:
    from archiver.app.syncing import sync

    sync(settings, ask=ask, on_progress=on_progress, bounds=bounds)
    with open_unlocked(settings, keys, write=False) as opened:
        remaining = _remaining(settings, opened.catalogue, opened.catalogue.damaged())
        remaining = [*remaining, *(problem for problem in done.remaining if problem.kind == "audit")]
        lost = done.lost - opened.catalogue.known(done.lost)
    came = len(done.remaining) - len(remaining) + len(done.lost) - len(lost)
    steps = (*done.steps, Step("fetch", "archive.db", f"{messages(came)} came again")) if came > 0 else done.steps
    return RepairReport(steps, tuple(remaining), _fetchable(settings, remaining), lost)


def _has(report: VerifyReport, kind: str) -> bool:
    return any(problem.kind == kind for problem in report.problems)


def _replacing() -> RepairReport:
    step = Step("database", "archive.db", "put the backup's archive.db in its place, add what reads of the damaged one")
    return RepairReport((step,), dry_run=True)


def _refuse_beyond_repair(problems: Collection[Problem], backup: Path | None) -> None:
    for problem in problems:
        if problem.kind == "public" or (problem.kind == "database" and backup is None):
            raise IntegrityError(
                f"{problem.what} is damaged or missing, and repair cannot make it anew",
                what=problem.what,
                hint="bring it back from a backup, archive.db by `archiver repair --from DIR`; see docs/operations.md",
            )
        if problem.kind == "credential":
            raise IntegrityError(
                f"{problem.what} is damaged, or is not this archive's credential",
                what=problem.what,
                hint="move it away, and run `archiver repair` again, which then writes it anew",
            )


# --- what would be done -----------------------------------------------------------------------------------------------


def _plan(settings: Settings, keys: Keys, report: VerifyReport) -> RepairReport:
    catalogue = open_catalogue(keys.paths, keys.secret.database_key, readonly=True)  # the index may be damaged
    try:
        steps = list(_planned(catalogue, report))
        if _lacks_credential(settings):
            steps.append(_credential_step(settings, "write the collector's credential again"))
        if waiting_databases(keys.paths.quarantine):
            steps.append(Step("database", "archive.db", "add what reads of the damaged archive.db that was set aside"))
        damaged = {*catalogue.damaged(), *_damaged_messages(report)}
        remaining = [*_remaining(settings, catalogue, damaged), *_never_mended(report)]
    finally:
        catalogue.close()
    return RepairReport(tuple(steps), tuple(remaining), _fetchable(settings, remaining), dry_run=True)


def _lacks_credential(settings: Settings) -> bool:
    return not os.path.lexists(settings.archive.collector_key_file)


def _credential_step(settings: Settings, message: str) -> Step:
    return Step("credential", str(settings.archive.collector_key_file), message)


def _damaged_messages(report: VerifyReport) -> set[BlobId]:
    return {p.blob_id for p in report.problems if p.kind == "message" and p.blob_id is not None}


def _planned(catalogue: SqliteCatalogue, report: VerifyReport) -> Iterator[Step]:
    mending = Mending(catalogue.connection)
    marked, bad = mending.damaged(), _damaged_messages(report)
    bad_in = Counter(pack for each in bad - marked.keys() if (pack := _pack_of_message(catalogue, each)) is not None)
    damaged = {problem.what.removeprefix("pack ") for problem in report.problems if problem.kind == "pack"}
    for pack in sorted(damaged.union(bad_in)):
        if pack in damaged:
            good = max(0, len(mending.records_of(pack)) - bad_in[pack])
            yield Step("salvage", f"pack {pack}", f"copy {messages(good)} out of pack {pack[:12]}, and set it aside")
        if bad_in[pack]:
            lost = f"mark {messages(bad_in[pack])} of pack {pack[:12]} as damaged, to be fetched again"
            yield Step("mark", f"pack {pack}", lost)
    if opens := marked.keys() - bad:
        yield Step("unmark", "archive.db", f"take the mark off {messages(len(opens))} that open after all")
    yield from dict.fromkeys(step for problem in report.problems if (step := _planned_for(problem)) is not None)
    for remark in report.remarks:
        if remark.kind == "sealed-in-vain":
            name = remark.what.removeprefix("pack ")[:12]
            yield Step("remove", remark.what, f"remove pack {name}, sealed in vain, if all in it is kept elsewhere")


_PLANNED: dict[str, Step] = {
    step.action: step
    for step in (
        Step("index", "index.db", "build index.db anew"),
        Step("collector", "collect.db", "make collect.db anew"),
        Step("links", "archive.db", "link all mail anew"),
        Step("erasures", "erasures.log", "write into erasures.log again what archive.db knows of erasures"),
    )
}
"""What is to be done about a problem of the kind that is named as the action is."""


def _planned_for(problem: Problem) -> Step | None:
    """Return what is to be done about something that is neither a pack nor a message."""
    if problem.kind == "pending":
        return Step("set-aside", problem.what, f"set {problem.what[:24]} aside, and fetch its mail again")
    if problem.kind == "catalogue":
        return Step("fetch", problem.what, "fetch again what archive.db lacks, and build index.db anew")
    return _PLANNED.get(problem.kind)


def _pack_of_message(catalogue: SqliteCatalogue, blob_id: BlobId) -> str | None:
    row = catalogue.row(blob_id)
    sealed = None if row is None else catalogue.sealed(row)
    return None if sealed is None else sealed[0]


def _remaining(settings: Settings, catalogue: SqliteCatalogue, damaged: Collection[BlobId]) -> Sequence[Problem]:
    """Name messages that do not open, and where each may come from."""
    found = []
    configured = {account.name for account in settings.accounts}
    for blob_id in sorted(damaged):
        row = catalogue.row(blob_id)
        details = None if row is None else catalogue.details(row)
        if details is None:
            continue
        accounts = {seen.account for seen in details.seen}
        if accounts & configured:
            words = "the next `archiver sync` fetches it again, if the server still has it"
        elif IMPORTED in accounts:
            words = "it came from a file: import that again"
        else:
            words = "it lies on no server that is configured; a backup of its pack may have it"
        what = f"message {blob_id.hex()[:12]}"
        found.append(Problem(what, words, blob_id, kind="message", at=details.summary.at, places=tuple(details.seen)))
    return found


def _never_mended(report: VerifyReport) -> Sequence[Problem]:
    """Name what a repair must not touch: a trail that was mended would prove nothing."""
    return [problem for problem in report.problems if problem.kind == "audit"]


def _fetchable(settings: Settings, remaining: Collection[Problem]) -> int:
    configured = {account.name for account in settings.accounts}
    return sum(any(seen.account in configured for seen in problem.places) for problem in remaining)


# --- doing it ---------------------------------------------------------------------------------------------------------


def _act(
    settings: Settings, keys: Keys, report: VerifyReport, *, new_index: bool, on_progress: OnProgress
) -> RepairReport:
    steps: list[Step] = []
    with ExitStack() as stack:
        writing = open_unlocked(settings, keys, write=True, new_index=new_index, command="repair", wait=_WAIT)
        opened = stack.enter_context(writing)
        if _lacks_credential(settings):
            write_new_private(settings.archive.collector_key_file, opened.credential.to_bytes())
            steps.append(_credential_step(settings, "the collector's credential was written again"))
        store = open_collect_store(settings, seed=opened.kept, anew=_has(report, "collector"))
        collecting = stack.enter_context(store)
        if _has(report, "collector"):
            steps.append(Step("collector", "collect.db", "collect.db was made anew"))
        if _has(report, "erasures"):
            log = erasure_log_of(opened.keys.paths)
            log_erasures(log, dict(opened.erasures.erased()), opened.credential.mac_key, Disk())
            steps.append(Step("erasures", "erasures.log", "erasures.log has all erasures again"))
        steps += _mend(opened, report, on_progress)
        steps += _take_over(opened, on_progress)
        waiting = waiting_names(keys.paths)
        ingested = take_in(opened.ingest_ports(), on_progress=on_progress, set_aside=True)
        opened.catalogue.settle()
        steps += [
            Step("set-aside", what, f"{what[:24]} was set aside") for what in ingested.damaged if "pending" in what
        ]
        # What waited until now may name the same packs; its good messages are in the catalogue by now.
        if waiting:
            steps += _mend(opened, report, on_progress)
        steps += _read_at_last(opened, on_progress)
        packs = opened.lost_packs()
        lost = frozenset[BlobId]().union(*packs.values())
        for pack in packs:
            collecting.store.forget_pack(pack)
        if lost:
            without_keys = f"{messages(len(lost))} without keys, to be fetched again, or imported again"
            steps.append(Step("fetch", "collect.db", without_keys))
        steps += _finish(opened, report, collecting.store, on_progress)
        if new_index:
            steps.append(Step("index", "index.db", f"index.db was built anew: {messages(opened.index.count())}"))
        opened.tidy(ingested.indexed)
        remaining = [*_remaining(settings, opened.catalogue, opened.catalogue.damaged()), *_never_mended(report)]
    return RepairReport(tuple(steps), tuple(remaining), _fetchable(settings, remaining) + len(lost), lost)


def _take_over(opened: Opened, on_progress: OnProgress) -> Sequence[Step]:
    """Add what reads of a damaged archive.db that was set aside, should a run have been stopped before it did."""
    from archiver.app.bringing_back import take_over

    return list(take_over(opened, on_progress))


def _mend(opened: Opened, report: VerifyReport, on_progress: OnProgress) -> Sequence[Step]:
    """Mend the packs that something was found in, but for those whose keys still wait."""
    paths = opened.keys.paths
    mending, packs = Mending(opened.catalogue.connection), PackFiles(paths)
    waiting = {pack_of(name) for name in waiting_names(paths)}
    of_marked = {
        pack for blob_id in mending.damaged() if (pack := _pack_of_message(opened.catalogue, blob_id)) is not None
    }
    named = {*suspects(report, lambda blob_id: _pack_of_message(opened.catalogue, blob_id)), *of_marked} - waiting
    unnamed = [name for name in orphaned_packs(paths, catalogued=opened.catalogue.pack_names()) if name not in named]
    rescue = _salvage(opened)
    return mend_packs(
        [name for name in sorted(named) if mending.records_of(name)],
        packs=packs,
        records=mending,
        rescue=rescue,
        unnamed=unnamed,
        settle=opened.catalogue.settle,
        on_progress=on_progress,
    )


def _read_at_last(opened: Opened, on_progress: OnProgress) -> Sequence[Step]:
    """Take in once more what could not be read when it came, and opens now."""
    opened.vault.close()  # files that were moved or replaced are still open in it
    deliveries = redeliveries(Mending(opened.catalogue.connection), opened.vault)
    if not deliveries.waiting():
        return ()
    read = take_in(replace(opened.ingest_ports(), deliveries=deliveries), on_progress=on_progress)
    return [Step("unmark", "archive.db", f"{messages(read.messages)} could not be read before, and can be now")]


def _salvage(opened: Opened) -> Salvage:
    keys = opened.keys
    return Salvage(
        keys.paths,
        Disk(),
        archive_id=keys.archive.archive_id,
        digest_key=opened.credential.digest_key,
        random=os.urandom,
    )


def _finish(opened: Opened, report: VerifyReport, store: CollectStore, on_progress: OnProgress) -> Iterator[Step]:
    """Ask for what does not open, link anew, and clear away what is proven to be kept elsewhere."""
    damaged = Mending(opened.catalogue.connection).damaged()
    if damaged and (count := store.forget(damaged)):
        yield Step("fetch", "collect.db", f"{messages(count)} to be asked for again")
    if _has(report, "links"):
        from archiver.core.customers.editing import directory_of
        from archiver.core.linking.relinking import relink_all

        ports, rules = opened.edit_ports(), opened.rules()
        relink_all(ports.relinking, directory_of(ports.customers.all(), rules), on_progress=on_progress)
        yield Step("links", "archive.db", "all mail was linked anew")
    yield from _clear_away(opened, report)


def _clear_away(opened: Opened, report: VerifyReport) -> Sequence[Step]:
    packs, now = PackFiles(opened.keys.paths), time.time()
    orphans = orphaned_packs(opened.keys.paths, catalogued=opened.catalogue.pack_names())
    named = {problem.what.removeprefix("pack ") for problem in report.problems if problem.kind == "pack"}
    # A damaged one is only moved, however new it is: nobody writes while both locks are held.
    old = [name for name in orphans if now - packs.modified(name) > OLD_ENOUGH or name in named]
    erased = frozenset(blob_id for blob_id, _ in opened.erasures.erased())

    def is_kept(blob_ids: Collection[BlobId]) -> bool:
        return not set(blob_ids) - opened.catalogue.known(blob_ids) - erased

    rescue: Salvage = _salvage(opened)
    return remove_sealed_in_vain(old, rescue=rescue, is_kept=is_kept)
