"""The main job, `archiver sync`, against `mbsync` then `notmuch new`: time, processor, memory, disk; in the same run.

    python -m benchmarks.end_to_end [--messages 18000] [--rounds 3]

archiver unlocks with a machine key, as a timer would, so no derivation of a key from a passphrase is in its time. Both
start from nothing, on the same disk, from the same Dovecot on loopback; rounds alternate, after one that warms the
server and is not counted. mbsync runs without fsync. Also measured: a second run with nothing new, the memory of every
process of a first sync (in a run of its own), and the disk. Mail comes from ARCHIVER_CORPUS, else it is invented.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.apparatus.post import Served, corpus, require, serve, server_processor_seconds
from benchmarks.apparatus.programs import ROLES, Archiver, Mbsync, Notmuch
from benchmarks.apparatus.running import Run, machine, median, octets_below, run, spread, verdict, watch

MEGABYTE = 1e6
NOTHING_NEW = 5


class Comparison:
    """The two ways, and what each run of each took."""

    def __init__(self, served: Served, home: Path) -> None:
        self.served = served
        self.ours = Archiver(home / "archiver", served)
        self.mbsync = Mbsync(home / "mbsync", served, fsync=False)
        self.notmuch = Notmuch(home / "notmuch", self.mbsync.folder)
        self.runs: dict[str, list[Run]] = {}
        self.server: dict[str, float] = {}

    def round(self, *, counted: bool) -> None:
        """Empty everything, then let each way do the whole job."""
        self.ours.clear()
        self.mbsync.clear()
        self.notmuch.clear()
        self._take(counted, "archiver sync", self.first_sync)
        pulled = self._take(counted, "mbsync", lambda: run(self.mbsync.command()))
        indexed = self._take(counted, "notmuch new", lambda: run(self.notmuch.command(), self.notmuch.environ))
        if counted:
            both = Run(pulled.wall + indexed.wall, pulled.processor + indexed.processor, "")
            self.runs.setdefault("mbsync + notmuch new", []).append(both)

    def first_sync(self) -> Run:
        """Run archiver's first sync, and see that it took everything in."""
        taken = run(self.ours.command("sync"), self.ours.environ)
        if f"{self.served.mail.count:,} taken in" not in taken.output:
            print(f"archiver says: {taken.output.strip()}")
        return taken

    def _take(self, counted: bool, name: str, once: Callable[[], Run]) -> Run:
        before = server_processor_seconds(self.served.dovecot)
        taken = once()
        if counted:
            self.runs.setdefault(name, []).append(taken)
            self.server[name] = server_processor_seconds(self.served.dovecot) - before
        return taken

    def nothing_new(self) -> None:
        """Run both again and again with nothing to do; the stores of the last round are full."""
        for _ in range(NOTHING_NEW):
            self._take(True, "archiver sync, nothing new", lambda: run(self.ours.command("sync"), self.ours.environ))
            self._take(True, "mbsync, nothing new", lambda: run(self.mbsync.command()))
            self._take(True, "notmuch new, nothing new", lambda: run(self.notmuch.command(), self.notmuch.environ))


def report(comparison: Comparison) -> None:
    mail = comparison.served.mail
    print(f"\n{mail.count} messages, {mail.octets / MEGABYTE:.1f} MB ({mail.source}); {machine()}\n")
    print(f"{'':28}{'wall s, median':>24}{'msg/s':>9}{'CPU s':>9}{'server CPU s':>14}")
    for name, runs in comparison.runs.items():
        walls = [each.wall for each in runs]
        rate = "" if "nothing new" in name else f"{mail.count / median(walls):.0f}"
        print(
            f"{name:28}{spread(walls):>24}{rate:>9}{median([each.processor for each in runs]):9.2f}"
            f"{comparison.server.get(name, 0.0):14.2f}"
        )
    ours, theirs = (
        [[getattr(each, what) for each in comparison.runs[name]] for what in ("wall", "processor")]
        for name in ("archiver sync", "mbsync + notmuch new")
    )
    wall, processor = (median(ours[n]) / median(theirs[n]) for n in (0, 1))
    print(
        f"\nwall time of mbsync + notmuch new: {wall:.2f} x ({verdict(wall, 0.3)}); processor time: {processor:.2f} x"
    )


def report_disk(comparison: Comparison) -> None:
    archive, mail = comparison.ours.archive, comparison.served.mail
    parts = {
        "packs": [archive / "packs"],
        "archive.db": sorted(archive.glob("archive.db*")),
        "index.db": sorted(archive.glob("index.db*")),
        "collect.db": sorted(archive.glob("collect.db*")),
    }
    sizes = {name: octets_below(*paths) for name, paths in parts.items()}
    shown = ", ".join(f"{name} {size / MEGABYTE:.1f}" for name, size in sizes.items())
    total = sizes["packs"] + sizes["archive.db"] + sizes["index.db"]
    share = total / mail.octets
    everything = octets_below(archive) / mail.octets
    print(f"disk, MB: {shown}; raw mail {mail.octets / MEGABYTE:.1f}")
    print(
        f"packs + archive.db + index.db: {share:.2f} x raw mail ({verdict(share, 0.75)}); "
        f"the whole archive {everything:.2f} x"
    )
    theirs = octets_below(comparison.mbsync.folder, comparison.notmuch.home / "database")
    print(f"mbsync's Maildir and notmuch's database: {theirs / mail.octets:.2f} x")


def report_memory(comparison: Comparison) -> None:
    comparison.ours.clear()
    watched = watch(comparison.ours.command("sync"), ROLES, comparison.ours.environ)
    for process in sorted(watched.processes.values(), key=lambda one: -one.resident):
        print(f"  {process.role:12}{process.resident / 2**20:8.0f} MiB at most{process.processor:9.2f} s of processor")
    together, largest = watched.together / 2**20, watched.largest / 2**20
    print(f"memory of a first sync: all processes together {together:.0f} MiB ({verdict(together, 300)}),")
    print(f"the largest process {largest:.0f} MiB ({verdict(largest, 300)})")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--messages", type=int, help="at most so many (default: the whole corpus, or 18000)")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--synthetic", action="store_true", help="invented mail even where there is a corpus")
    options.add_argument("--scratch", type=Path, help="a folder on the disk to measure (default: the temporary one)")
    chosen = options.parse_args()
    require("dovecot", "mbsync", "notmuch")
    with (
        tempfile.TemporaryDirectory(dir=chosen.scratch, prefix="archiver-bench-") as home,
        serve(Path(home) / "server", *corpus(chosen.messages, synthetic=chosen.synthetic)) as served,
    ):
        comparison = Comparison(served, Path(home))
        for number in range(-1, chosen.rounds):
            comparison.round(counted=number >= 0)
        comparison.nothing_new()
        report(comparison)
        report_disk(comparison)
        report_memory(comparison)


if __name__ == "__main__":
    main()
