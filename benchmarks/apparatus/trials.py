"""The experiments on reliability: each does harm so often, and tells what became of it.

They run what the tests of tests/ run, at other sizes; what is judged is written there. Knows nothing of how it is told.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.crash.failing_record import Outcome

MEMORY = "/dev/shm"
Options = argparse.Namespace


LOST, DOUBLED, AS_GOOD, LEAKED, OTHER = COLUMNS = ("lost", "doubled", "read as good", "leaked", "other")
_WORDS = {
    DOUBLED: re.compile(r"doubled|twice|second copy"),
    AS_GOOD: re.compile(r"not noticed|not named|not seen|as good|came back"),
    LEAKED: re.compile(r"leaked|in the open"),
    LOST: re.compile(r"lost|missing|not here|do not now|became|are gone|acknowledged|no longer"),
}
"""Which column a problem belongs to, by what it says; the first that fits."""


@dataclass(frozen=True)
class Line:
    """One line of the table: how often what was done, in words too, and what was wrong.

    `sees` are the columns that this experiment can fill; whatever else is wrong, or fits none of its words, is in
    `otherwise`.
    """

    what: str
    count: int
    unit: str
    figures: str
    bad: tuple[str, ...]
    sees: tuple[str, ...] = (LOST, DOUBLED)
    otherwise: str = OTHER

    def cells(self) -> dict[str, int | None]:
        """Return the number of problems by column; None where this experiment would not see them."""
        found: Counter[str] = Counter()
        for each in self.bad:
            fitting = (name for name, words in _WORDS.items() if name in self.sees and words.search(each))
            found[next(fitting, self.otherwise)] += 1
        return {name: found[name] if found[name] or name in (*self.sees, OTHER) else None for name in COLUMNS}


@contextmanager
def folder() -> Iterator[Path]:
    """Make a directory that goes away again, on a disk in memory where there is one."""
    place = Path(tempfile.mkdtemp(prefix="reliability", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def kills(options: Options) -> Line:
    from tests.crash.killing import Killing

    with folder() as place:
        killing = Killing(place / "home", seed=options.seed)
        try:
            found = killing.run(options.kills)
        finally:
            killing.close()
    hits = ", ".join(f"{victim} {count}" for victim, count in sorted(found.hits.items()))
    figures = (
        f"{found.kills} kills ({hits}), {found.in_time} met a run at work; {found.messages} messages at {found.places} "
        f"places, {found.left_behind} processes left behind, {found.orphaned_records} records sealed in vain"
    )
    bad = [*found.problems, *(["processes were left behind"] if found.left_behind else [])]
    return Line("SIGKILL of sync", found.kills, "kills", figures, tuple(bad))


def rotations(options: Options) -> Line:
    from tests.crash.rotating import Rotating

    with folder() as place:
        found = Rotating(place / "home", seed=options.seed).run(options.kills)
    figures = (
        f"{found.kills} kills, and {found.completed} runs that ended before theirs came; then {found.epochs['old']} "
        f"times the old epoch, {found.epochs['new']} times the new one; {found.messages} messages"
    )
    return Line("SIGKILL of key rotate", found.kills, "kills", figures, tuple(found.problems))


def signals(options: Options) -> Line:
    from tests.crash.signalling import Signalling

    with folder() as place:
        signalling = Signalling(place / "home", seed=options.seed)
        try:
            found = signalling.run(options.signals)
        finally:
            signalling.close()
    ended = ", ".join(f"{end}: {count}" for end, count in sorted(found.ended.items()))
    figures = (
        f"{_listed(found.signals)}, half of them to all processes of the run; {_listed(found.commands)}; "
        f"{found.in_time} met a run at work; ended {ended}; {found.messages} messages compared"
    )
    return Line("signals at random", found.sent, "signals", figures, tuple(found.problems))


def trail(options: Options) -> Line:
    from tests.crash.attacking_trail import AttackedTrail

    with folder() as place:
        attacked = AttackedTrail(place / "home", seed=options.seed)
        attacked.change(options.kills * 5)
        attacked.kill(options.kills)
    found = attacked.found
    figures = (
        f"{found.kills} kills of processes that record side by side, {found.acknowledged} records acknowledged, "
        f"{found.records} kept, {found.torn} tails cut off; {found.changes} changes, all found by an anchor"
    )
    return Line(
        "audit trail: kills and changes",
        found.kills + found.changes,
        "kills and changes",
        figures,
        tuple(found.problems),
        (LOST, AS_GOOD),
    )


def _flip(arguments: tuple[int, int]) -> tuple[dict[str, int], dict[str, int], list[str]]:
    from tests.crash.flipping import Flipping

    with folder() as place:
        tally = Flipping(place, seed=arguments[0]).run(arguments[1])
    return dict(tally.told), dict(tally.same), tally.bad


def flips(options: Options) -> Line:
    with ProcessPoolExecutor(2) as pool:
        tallies = list(
            pool.map(_flip, [(options.seed + 1, options.flips // 2), (options.seed + 2, options.flips // 2)])
        )
    kinds = sorted({kind for told, _, _ in tallies for kind in told})
    figures = "; ".join(
        f"{kind}: {sum(told.get(kind, 0) for told, _, _ in tallies)} told, "
        f"{sum(same.get(kind, 0) for _, same, _ in tallies)} without effect"
        for kind in kinds
    )
    return Line(
        "flips, cuts, swaps of files",
        sum(sum(told.values()) + sum(same.values()) for told, same, _ in tallies),
        "mutations",
        figures,
        tuple(each for _, _, bad in tallies for each in bad),
        (AS_GOOD,),
        AS_GOOD,
    )


def backups(options: Options) -> Line:
    from tests.crash.backing import Backing

    with folder() as place:
        backing = Backing(place / "home", seed=options.seed)
        try:
            found = backing.run(options.backups)
        finally:
            backing.close()
    figures = (
        f"{found.backups} backups and {found.kills} killed ones ({found.met} at work, {found.partial} left a part), "
        f"{found.beside_sync} beside a sync at work; {found.opened} messages opened in them; {found.restore_kills} "
        f"restores killed ({found.restore_met} at work); {found.messages} messages restored and synced"
    )
    return Line(
        "SIGKILL of backup and restore",
        found.kills + found.restore_kills,
        "kills",
        figures,
        tuple(found.problems),
        (LOST, DOUBLED, AS_GOOD),
    )


def _pytest(
    what: str,
    paths: str,
    environ: dict[str, str],
    count: int | None = None,
    unit: str = "tests",
    sees: tuple[str, ...] = (LOST, DOUBLED),
    otherwise: str = OTHER,
) -> Line:
    """Run test files at full size; their own assertions are the judge, and each that fails is one problem."""
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *paths.split(), "-q", "-p", "no:cacheprovider", "--tb=short"],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    passed = re.search(r"(\d+) passed", result.stdout)
    failed = re.findall(r"^(?:FAILED|ERROR) .*", result.stdout, re.MULTILINE)
    bad = failed or ([] if result.returncode == 0 else [result.stdout[-2000:]])
    if "skipped" in result.stdout.splitlines()[-1]:
        bad.append("a test was skipped: something that it needs is not on this machine")
    number = int(passed[1]) if passed else 0
    figures = f"{number} tests: {', '.join(Path(path).name for path in paths.split())}"
    return Line(what, number if count is None else count, unit, figures, tuple(bad), sees, otherwise)


def cuts(_: Options) -> Line:
    """Every state that a disk may be in after a cut at any step of a sync; the other paths as their tests have them."""
    import pytest

    from archiver.store import collect
    from tests.crash.test_kill_modelled import crashes, mail_server, wrong

    states, bad = 0, []
    with folder() as place, pytest.MonkeyPatch.context() as patched:
        patched.setattr(collect, "MOST_RECORDS", 2)
        server = mail_server()
        for what, found in crashes(place, server):
            bad += [f"{what}: {each} (lost, or not as it was)" for each in wrong(found, server)]
            states += 1
    paths = "tests/crash/test_kill_modelled.py tests/crash/test_store_power_cut.py tests/crash/test_rotate_power_cut.py"
    line = _pytest("power cut at every step", paths, {})
    figures = f"{states} states of the disk after a cut in a sync; transactions, rotation, the store: {line.figures}"
    return Line(line.what, states, "crash states", figures, (*bad, *line.bad))


def changes(options: Options) -> Line:
    path = "tests/crash/test_kill_customers.py"
    environ = {"ARCHIVER_CHANGE_KILLS": str(options.changes)}
    return _pytest("SIGKILL of changes of customers", path, environ, unit="kinds of change", sees=(LOST,))


def crowds(_: Options) -> Line:
    paths = "tests/crash/test_side_by_side.py tests/crash/test_rotate_side_by_side.py"
    return _pytest("writers and readers at once", paths, {"ARCHIVER_READERS": "10"}, unit="crowds")


def _disk(arguments: tuple[Options, int, float]) -> Outcome:
    from tests.crash.failing_disk import FailingDisk
    from tests.crash.failing_record import Record, commit

    options, lane, ends = arguments
    record = Record(options.disk_record, commit()) if options.disk_record else None
    with folder() as place:
        disk = FailingDisk(place, seed=options.seed)
        try:
            return disk.run(
                every=options.disk_every,
                lane=lane,
                lanes=options.disk_lanes,
                record=record,
                stopped=lambda: time.monotonic() > ends,
            )
        finally:
            disk.close()


def disk(options: Options) -> Line:
    """Every command on a disk that fails: at every n-th call, or at one of so many from a place that the seed gives."""
    from tests.crash.failing_record import Outcome

    found = Outcome()
    ends = time.monotonic() + 60 * options.disk_minutes
    with ProcessPoolExecutor(options.disk_lanes) as pool:
        for part in pool.map(_disk, [(options, lane, ends) for lane in range(options.disk_lanes)]):
            found.join(part)
    calls = Counter[str]()
    for (scene, _), count in found.calls.items():
        calls[scene] += count
    figures = (
        f"{found.faults:,} faults of {calls.total():,} calls that can fail ({_listed(found.by_fault)}); by command, "
        f"{', '.join(f'{scene} {found.by_scene[scene]:,} of {count:,}' for scene, count in calls.items())}; "
        f"ended {', '.join(f'{code}: {count:,}' for code, count in sorted(found.codes.items()))}"
    )
    if found.absent:
        figures += f"; {found.absent:,} calls did not come when it was their turn"
    if len(found.commits) > 1:
        figures += f"; judged on {_listed(found.commits)}"
    return Line("disk failing at the n-th call", found.faults, "I/O faults", figures, tuple(found.problems))


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))


def canaries(options: Options) -> Line:
    paths = "tests/crash/test_canary_files.py tests/crash/test_canary_customers.py"
    kills = max(2, options.kills // 10)
    environ = {"ARCHIVER_CANARY_KILLS": str(kills)}
    return _pytest("canary words in any file", paths, environ, kills, "kills, then a search", (LEAKED,), LEAKED)


def lies(options: Options) -> Line:
    environ = {"ARCHIVER_EXAMPLES": str(options.examples)}
    path = "tests/property/test_collect_invariant.py"
    return _pytest("servers that lie", path, environ, options.examples, "servers at random")


def big(options: Options) -> Line:
    environ = {"ARCHIVER_BIG_SYNC": str(options.messages)}
    return _pytest("a big sync", "tests/live/test_big_sync.py", environ, options.messages, "messages")


def attachments(options: Options) -> Line:
    from tests.crash.attacking import MB, attack, changed
    from tests.crash.burdens import BURDENS, burdens

    outcomes = [attack(burdens()), attack(changed(options.seed, options.attachments))]
    codes = sum((outcome.codes for outcome in outcomes), Counter())
    figures = (
        f"{len(BURDENS)} burdens, {options.attachments} changed files; "
        f"{', '.join(f'{code} {count}' for code, count in codes.most_common())}; "
        f"largest worker {max(outcome.resident for outcome in outcomes) // MB} MB (bound 1,024), "
        f"longest wait {max(outcome.waited for outcome in outcomes):.0f} s"
    )
    return Line(
        "hostile attachments",
        len(BURDENS) + options.attachments,
        "files",
        figures,
        tuple(each for outcome in outcomes for each in outcome.bad),
        (LOST,),
    )


def imap(options: Options) -> Line:
    from tests.faults.proxy import Proxy
    from tests.faults.trial import Collection
    from tests.faults.weather import Tally, Weather, account_through, cuts, on_server
    from tests.live.authority import make_authority
    from tests.live.dovecot import PASSWORD, Dovecot

    with folder() as place:
        authority = make_authority(place / "ca")
        server = Dovecot(place / "dovecot", ["cuts"], authority)
        tallies, bad = [], []
        try:
            for mailbox in ("INBOX", "Sent", "Klanten"):
                mail = [b"Subject: %d\n\n" % number + b"line\n" * (number * 40) for number in range(4)]
                server.deliver("cuts", mail, mailbox)
            truth = on_server(server, "cuts")
            for tls in (False, True):
                proxy = Proxy(server.imaps if tls else server.imap)
                account = account_through(proxy, "cuts", authority if tls else None)
                tallies.append(
                    cuts(
                        lambda account=account: Collection(account, password=PASSWORD),  # type: ignore[misc]
                        proxy,
                        truth,
                        ("cut", "reset"),
                        every=max(1, 60_000 // options.cuts),
                    )
                )
                proxy.close()
            for seed in range(options.seed, options.seed + options.weathers):
                tally = Tally()
                user = server.add(f"weather{seed}")
                Weather(server, user, seed, place, authority if seed % 2 else None).blow(tally, runs=6)
                tallies.append(tally)
        finally:
            server.stop()
        for each in tallies:
            bad += each.bad
        faults = sum((each.faults for each in tallies), Counter())
        changes = sum((each.changes for each in tallies), Counter())
        exits = sum((each.exits for each in tallies), Counter())
    figures = (
        f"{sum(each.runs for each in tallies)} runs, {sum(faults.values())} faults "
        f"({', '.join(f'{kind} {count}' for kind, count in sorted(faults.items()))}), "
        f"{sum(changes.values())} changes by another client "
        f"({', '.join(f'{kind} {count}' for kind, count in sorted(changes.items()))}); "
        f"runs over the bad line ended {', '.join(f'{code}: {count}' for code, count in sorted(exits.items()))}; "
        f"{sum(len(each.lost) for each in tallies)} lost, {sum(len(each.doubled) for each in tallies)} doubled, "
        f"{sum(len(each.wrong) for each in tallies)} wrong of {sum(each.messages for each in tallies)} compared"
    )
    return Line("IMAP over a bad line", sum(faults.values()), "IMAP faults", figures, tuple(bad))


def rows(options: Options) -> Line:
    environ = {"ARCHIVER_LISTED": str(options.listed)}
    if options.listed >= 200_000:
        environ |= {"ARCHIVER_BIG_MB": "100", "ARCHIVER_CUT_EVERY": "7"}
    return _pytest("ways of IMAP servers", "tests/faults", environ)


def repairs(options: Options) -> Line:
    from tests.crash.mending import Found, Mending

    def all_of(work: Callable[[Mending], Found]) -> Found:
        with folder() as place:
            mending = Mending(place, seed=options.seed)
            try:
                return work(mending)
            finally:
                mending.close()

    damaged = all_of(lambda mending: mending.run(options.repairs))
    killed = all_of(lambda mending: mending.run_killed(options.repairs // 20))
    named = ", ".join(f"{kind} {count}" for kind, count in sorted(damaged.named.items()))
    figures = (
        f"{damaged.mutations} damaged copies ({named}), {damaged.salvaged} packs brought to safety, {damaged.back} "
        f"messages back from the server, {damaged.lost} that it no longer has marked and named; {killed.mutations} "
        f"repairs killed, {killed.named['killed']} of them at work"
    )
    return Line(
        "verify and repair",
        damaged.mutations + killed.mutations,
        "damaged copies, kills",
        figures,
        (*damaged.problems, *killed.problems),
        (LOST, DOUBLED, AS_GOOD),
    )


def formats(_: Options) -> Line:
    sees = (LOST, DOUBLED, AS_GOOD)
    return _pytest("archives of earlier formats", "tests/formats", {}, unit="tests of 4 fixtures", sees=sees)


def soak(options: Options) -> Line:
    from tests.crash.soaking import Soaking

    with folder() as place:
        soaking = Soaking(place / "home", seed=options.seed)
        try:
            found = soaking.run(minutes=options.soak)
        finally:
            soaking.close()
    done = ", ".join(f"{name} {count}" for name, count in sorted(found.done.items()))
    figures = (
        f"{found.seconds / 60:.0f} minutes: {done}; {found.kills} of them killed, {found.faults} over a bad line, "
        f"{found.checks} times everything compared; {found.messages} messages at the end, {found.erased} erased"
    )
    sees = (LOST, DOUBLED, AS_GOOD)
    return Line("soak: daily work", sum(found.done.values()), "commands", figures, tuple(found.problems), sees)


EXPERIMENTS: dict[str, Callable[[Options], Line]] = {
    "kills": kills,
    "backups": backups,
    "rotations": rotations,
    "signals": signals,
    "trail": trail,
    "cuts": cuts,
    "changes": changes,
    "crowds": crowds,
    "disk": disk,
    "flips": flips,
    "repairs": repairs,
    "canaries": canaries,
    "lies": lies,
    "attachments": attachments,
    "big": big,
    "imap": imap,
    "rows": rows,
    "formats": formats,
    "soak": soak,
}
