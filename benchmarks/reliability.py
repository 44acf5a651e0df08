"""Reliability: kills, power cuts, changed bytes, canaries, lying servers, hostile attachments, crowds, bad disks.

    python -m benchmarks.reliability [--kills 200] [--flips 10000] [--examples 600] [--messages 5000]
        [--attachments 4000] [--cuts 600] [--weathers 40] [--disk-every 40] [--only NAME …]

Runs the experiments of tests/ at full size and prints a table; ends with 1 when anything was lost, doubled, read as
good or found in the open. With ARCHIVER_CORPUS naming a folder of real mail that goes in and out as well. Takes about
an hour on two cores; the flips run in two processes.
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

MEMORY = "/dev/shm"
Options = argparse.Namespace


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    what: str
    figures: str
    bad: tuple[str, ...]


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
    return Line("SIGKILL", figures, tuple(bad))


def rotations(options: Options) -> Line:
    from tests.crash.rotating import Rotating

    with folder() as place:
        found = Rotating(place / "home", seed=options.seed).run(options.kills)
    figures = (
        f"{found.kills} kills, {found.completed} runs quicker than theirs; then {found.epochs['old']} times the old "
        f"epoch, {found.epochs['new']} times the new one; {found.messages} messages"
    )
    return Line("SIGKILL of key rotate", figures, tuple(found.problems))


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
    return Line("audit trail", figures, tuple(found.problems))


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
    return Line("flips, cuts, swaps", figures, tuple(each for _, _, bad in tallies for each in bad))


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
    return Line("backups and restores", figures, tuple(found.problems))


def _pytest(what: str, paths: str, environ: dict[str, str]) -> Line:
    """Run test files at full size; their own assertions are the judge."""
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *paths.split(), "-q", "-p", "no:cacheprovider", "--tb=short"],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    passed = re.search(r"(\d+ passed.*)", result.stdout)
    bad = () if result.returncode == 0 else (result.stdout[-2000:],)
    return Line(what, passed[1].strip("= ") if passed else "nothing passed", bad)


def cuts(_: Options) -> Line:
    return _pytest("power cut at every step", "tests/crash/test_kill_modelled.py", {})


def changes(_: Options) -> Line:
    path = "tests/crash/test_kill_customers.py"
    return _pytest("customers, every statement", path, {"ARCHIVER_CHANGE_KILLS": "100000"})


def crowds(_: Options) -> Line:
    paths = "tests/crash/test_side_by_side.py tests/crash/test_rotate_side_by_side.py"
    return _pytest("writers and readers at once", paths, {"ARCHIVER_READERS": "10"})


def _disk(arguments: tuple[int, int, int]) -> tuple[dict[str, int], dict[int, int], dict[str, int], list[str]]:
    from tests.crash.failing_disk import SCENES, FailingDisk

    part, seed, every = arguments
    with folder() as place:
        disk = FailingDisk(place, seed=seed)
        try:
            found = disk.run(SCENES[part::2], every=every)
        finally:
            disk.close()
    return dict(found.by_fault), dict(found.codes), dict(found.by_scene), found.problems


def disk(options: Options) -> Line:
    """Every command on a disk that fails: at every n-th call, or at one of so many from a place that the seed gives."""
    with ProcessPoolExecutor(2) as pool:
        parts = list(pool.map(_disk, [(part, options.seed + part, options.disk_every) for part in (0, 1)]))
    faults, codes, scenes = Counter[str](), Counter[int](), Counter[str]()
    for by_fault, by_code, by_scene, _ in parts:
        faults.update(by_fault)
        codes.update(by_code)
        scenes.update(by_scene)
    figures = (
        f"{faults.total()} faults ({', '.join(f'{kind} {count}' for kind, count in sorted(faults.items()))}) in "
        f"{len(scenes)} commands; ended {', '.join(f'{code}: {count}' for code, count in sorted(codes.items()))}"
    )
    return Line("disk failing at the n-th call", figures, tuple(each for *_, bad in parts for each in bad))


def canaries(options: Options) -> Line:
    paths = "tests/crash/test_canary_files.py tests/crash/test_canary_customers.py"
    return _pytest("canary words", paths, {"ARCHIVER_CANARY_KILLS": str(options.kills // 10)})


def lies(options: Options) -> Line:
    environ = {"ARCHIVER_EXAMPLES": str(options.examples)}
    return _pytest(f"{options.examples} lying servers", "tests/property/test_collect_invariant.py", environ)


def big(options: Options) -> Line:
    environ = {"ARCHIVER_BIG_SYNC": str(options.messages)}
    return _pytest(f"{options.messages} messages, real mail", "tests/live/test_big_sync.py", environ)


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
    return Line("hostile attachments", figures, tuple(each for outcome in outcomes for each in outcome.bad))


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
    return Line("IMAP over a bad line", figures, tuple(bad))


def rows(_: Options) -> Line:
    environ = {"ARCHIVER_BIG_MB": "100", "ARCHIVER_LISTED": "200000", "ARCHIVER_CUT_EVERY": "7"}
    return _pytest("62 ways of IMAP servers", "tests/faults", environ)


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
    return Line("verify and repair", figures, (*damaged.problems, *killed.problems))


EXPERIMENTS: dict[str, Callable[[Options], Line]] = {
    "kills": kills,
    "backups": backups,
    "rotations": rotations,
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
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Count what is lost, doubled, read as good or found in the open.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--backups", type=int, default=44)
    parser.add_argument("--flips", type=int, default=10_000)
    parser.add_argument("--examples", type=int, default=600)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--attachments", type=int, default=4_000)
    parser.add_argument("--cuts", type=int, default=600, help="places at which a whole sync is cut, about, four times")
    parser.add_argument("--weathers", type=int, default=40, help="seeds of faults at random")
    parser.add_argument("--repairs", type=int, default=1_000)
    parser.add_argument("--disk-every", type=int, default=40, help="let every so-manieth call fail; 1: each of 27,000")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=sorted(EXPERIMENTS), default=list(EXPERIMENTS))
    options = parser.parse_args()
    failed = False
    for name in options.only:
        began = time.monotonic()
        line = EXPERIMENTS[name](options)
        print(f"{line.what:26} {'BAD' if line.bad else 'good'}  {time.monotonic() - began:6.0f} s  {line.figures}")
        for each in line.bad:
            print(f"    {each}")
        failed = failed or bool(line.bad)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
