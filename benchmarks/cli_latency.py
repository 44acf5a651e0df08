"""What a person waits for: `archiver search` as a whole process, unlocked, against `notmuch search`; alternating.

    python -m benchmarks.cli_latency [--messages 18000] [--runs 20]

Unlocked means a session in the kernel's keyring, as after `archiver unlock`; where there is none, the machine key is
used, which costs one more decapsulation, and that is said. Both programs have the same messages: archiver imports the
Maildir, notmuch indexes it. With 250,000 messages, importing takes a while. At the end: which imports take the time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.apparatus.post import corpus, fill, invented, require
from benchmarks.apparatus.programs import Archiver, Notmuch
from benchmarks.apparatus.running import Run, machine, median, run, spread, verdict

QUERIES = (
    ("one word", "energy", "energy"),
    ("two words", "invoice update", "invoice and update"),
    ("prefix", "contr*", "contr*"),
    ("sender and word", "from:support problem", "from:support and problem"),
    ("phrase", '"let me know"', '"let me know"'),
    ("nothing found", "xyzzyplugh", "xyzzyplugh"),
)
TARGET = 0.25
IMPORTS_SHOWN = 15


def build(home: Path, folder: Path) -> tuple[Archiver, Notmuch, bool]:
    ours, notmuch = Archiver(home / "archiver", None), Notmuch(home / "notmuch", folder)
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
            mine = run(ours.command("search", query), ours.environ)
            other = run(notmuch.command("search", "--limit=20", theirs), notmuch.environ)
            if number >= 0:
                taken[0].append(mine)
                taken[1].append(other)
        everything += [each.wall for each in taken[0]]
        print(
            f"{name:18}"
            + "".join(
                f"{spread([each.wall for each in side]):>26}{median([each.processor for each in side]):8.2f}"
                for side in taken
            )
        )
    return everything


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
    chosen = options.parse_args()
    require("notmuch")
    with tempfile.TemporaryDirectory(dir=chosen.scratch, prefix="archiver-bench-") as name:
        home = Path(name)
        source, messages = corpus(chosen.messages, synthetic=chosen.synthetic)
        if source == "synthetic":
            messages = invented(chosen.messages or 18_000, bulk=True)
        count, octets = fill(home / "mail", messages)
        ours, notmuch, unlocked = build(home, home / "mail")
        try:
            key = "an unlock session" if unlocked else "the machine key (no unlock session in this kernel)"
            print(f"{count} messages, {octets / 1e6:.1f} MB ({source}), with {key}; {machine()}")
            walls = measure(ours, notmuch, chosen.runs)
            middle = median(walls)
            print(f"\narchiver search, median of all: {middle:.3f} s ({verdict(middle, TARGET)})")
            slowest_imports(ours)
        finally:
            run(ours.command("lock"), ours.environ, expect=(0, 11))


if __name__ == "__main__":
    main()
