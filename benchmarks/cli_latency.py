"""What a person waits for: `archiver search` as a whole process, unlocked, against `notmuch search`; alternating.

    python -m benchmarks.cli_latency [--messages 18000] [--runs 20] [--keep DIR]

Unlocked means a session in the kernel's keyring, as after `archiver unlock`; where there is none, the machine key is
used, which costs one more decapsulation, and that is said. Both programs have the same messages: archiver imports the
Maildir, notmuch indexes it. `--messages 250000 --synthetic --keep DIR` makes a large archive once, in half an hour or
so. At the end: in which phase the time goes, and which imports take it. Programs run with their byte code compiled, as
installed ones do.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.apparatus import phases
from benchmarks.apparatus.post import corpus, fill, invented, require
from benchmarks.apparatus.programs import Archiver, Notmuch
from benchmarks.apparatus.running import Run, machine, median, run, spread, verdict

QUERIES: tuple[tuple[str, str, str | None], ...] = (
    ("one word", "energy", "energy"),
    ("two words", "invoice update", "invoice and update"),
    ("prefix", "contr*", "contr*"),
    ("sender and word", "from:support problem", "from:support and problem"),
    ("phrase", '"let me know"', '"let me know"'),
    ("nothing found", "xyzzyplugh", "xyzzyplugh"),
    ("other forms", "contracts changed", "contracts and changed"),
    ("wildcard in front", "*ergy", None),
    ("fuzzy", "enrgy~", None),
    ("best first", "--sort=relevance energy contract", None),
)
"""A name, our query, and notmuch's where it has such a thing."""
TARGET = 0.25
IMPORTS_SHOWN = 15


def build(home: Path, folder: Path) -> tuple[Archiver, Notmuch, bool]:
    ours, notmuch = Archiver(home / "archiver", None), Notmuch(home / "notmuch", folder)
    if not (home / "complete").exists():
        ours.clear()
        notmuch.clear()
        run(ours.command("import", str(folder)), ours.environ)
        run(notmuch.command(), notmuch.environ)
    environ = {**ours.environ, "ARCHIVER_PASSPHRASE_FILE": str(ours.home / "passphrase")}
    unlocked = "until" in run(ours.command("unlock"), environ, expect=(0, 11)).output
    return ours, notmuch, unlocked


def measure(ours: Archiver, notmuch: Notmuch, runs: int) -> list[float]:
    print(f"\n{'':18}{'archiver, wall s':>26}{'CPU s':>8}{'notmuch, wall s':>26}{'CPU s':>8}")
    everything = []
    for name, query, theirs in QUERIES:
        taken: tuple[list[Run], list[Run]] = ([], [])
        for number in range(-1, runs):
            mine = run(asking(ours, query), ours.environ)
            other = None if theirs is None else run(notmuch.command("search", "--limit=20", theirs), notmuch.environ)
            if number >= 0:
                taken[0].append(mine)
                taken[1].extend([] if other is None else [other])
        everything += [each.wall for each in taken[0]]
        sides = [side for side in taken if side]
        print(
            f"{name:18}"
            + "".join(
                f"{spread([each.wall for each in side]):>26}{median([each.processor for each in side]):8.2f}"
                for side in sides
            ),
            flush=True,
        )
    return everything


def asking(ours: Archiver, query: str) -> list[str]:
    """Return the command line of a search; a query may begin with an option."""
    options = shlex.split(query) if query.startswith("--") else [query]
    return ours.command("search", *options)


def where_it_goes(ours: Archiver, runs: int) -> None:
    """Print what each phase of a search takes; Python's own end is with its start in the wall time, nowhere else."""
    arguments = [sys.executable, phases.__file__, "search", QUERIES[0][1]]
    taken: dict[str, list[tuple[float, float]]] = {}
    for number in range(-1, runs):
        done = run(arguments, ours.environ)
        told = [line.split(": ")[1:] for line in done.output.splitlines() if line.startswith("phase: ")]
        if number < 0:
            continue
        wall = processor = 0.0
        for phase, at, spent in told:
            taken.setdefault(phase, []).append((float(at) - wall, float(spent) - processor))
            wall, processor = float(at), float(spent)
        taken[phases.START][-1] = (done.wall - wall, taken[phases.START][-1][1])
    print(f"\nwhere it goes, median of {runs}:{'wall':>10}{'CPU, ms':>10}")
    for phase, seconds in taken.items():
        walls, processors = zip(*seconds, strict=True)
        print(f"  {phase:26}{median(walls) * 1000:10.1f}{median(processors) * 1000:10.1f}")


def slowest_imports(ours: Archiver) -> None:
    start, program = ours.command("search", QUERIES[0][1])[1:3]
    output = run(
        [sys.executable, "-X", "importtime", start, program, "search", QUERIES[0][1]], ours.environ
    ).output.splitlines()
    lines = [line.removeprefix("import time:").split("|") for line in output if line.startswith("import time:")]
    timed = [(int(own), name.strip()) for own, _, name in lines[1:]]
    print(f"\nimports: {len(timed)} modules, {sum(own for own, _ in timed) / 1000:.0f} ms; the slowest by themselves:")
    for own, name in sorted(timed, reverse=True)[:IMPORTS_SHOWN]:
        print(f"  {own / 1000:6.1f} ms  {name}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--messages", type=int, help="at most so many (default: the whole corpus, or 18000)")
    options.add_argument("--runs", type=int, default=20)
    options.add_argument("--synthetic", action="store_true", help="invented plain mail even where there is a corpus")
    options.add_argument("--scratch", type=Path, help="a folder on the disk to use (default: the temporary one)")
    options.add_argument("--keep", type=Path, help="keep archive and index here, and use those that are here already")
    chosen = options.parse_args()
    require("notmuch")
    with ExitStack() as stack:
        home = chosen.keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(dir=chosen.scratch, prefix="archiver-bench-"))
        )
        if not (home / "complete").exists():
            source, messages = corpus(chosen.messages, synthetic=chosen.synthetic)
            if source == "synthetic":
                messages = invented(chosen.messages or 18_000, bulk=True)
            count, octets = fill(home / "mail", messages)
            described = f"{count} messages, {octets / 1e6:.1f} MB ({source})"
        ours, notmuch, unlocked = build(home, home / "mail")
        if not (home / "complete").exists():
            (home / "complete").write_text(described)
        try:
            key = "an unlock session" if unlocked else "the machine key (no unlock session in this kernel)"
            print(f"{(home / 'complete').read_text()}, with {key}; {machine()}")
            walls = measure(ours, notmuch, chosen.runs)
            middle = median(walls)
            print(f"\narchiver search, median of all: {middle:.3f} s ({verdict(middle, TARGET)})")
            where_it_goes(ours, chosen.runs)
            slowest_imports(ours)
        finally:
            run(ours.command("lock"), ours.environ, expect=(0, 11))


if __name__ == "__main__":
    main()
