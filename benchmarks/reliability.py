"""Reliability: kills, power cuts, bad disks and lines, changed bytes, canaries, hostile mail, crowds, a long mixture.

    python -m benchmarks.reliability [--quick] [--only NAME …] [--soak MINUTES] [--write docs/reliability.md]

Runs the experiments of `benchmarks.apparatus.trials` one after another and prints a table; ends with 1 when anything
was lost, doubled, read as good or found in the open. About an hour on two idle cores, three minutes with --quick; every
size is an option. With ARCHIVER_CORPUS naming a folder of real mail that goes in and out as well. --results FILE keeps
the figures of each experiment, so that several runs make one page.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import traceback
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.apparatus.trials import COLUMNS, EXPERIMENTS, Line

SIZES = {
    "kills": (200, 8, "kills of each kind of run"),
    "signals": (20, 1, "signals to each of five commands"),
    "backups": (44, 4, "backups beside syncs, every other one killed"),
    "flips": (10_000, 300, "changed files"),
    "examples": (600, 20, "lying servers"),
    "messages": (5_000, 300, "messages of the big sync"),
    "attachments": (4_000, 100, "changed attachments"),
    "cuts": (600, 15, "places at which a whole sync is cut, about, four times"),
    "weathers": (40, 2, "seeds of faults at random"),
    "repairs": (1_000, 40, "damaged copies to repair"),
    "disk_every": (40, 1_500, "let every so-manieth call fail; 1: each of 28,000, some four a second and lane"),
    "disk_lanes": (2, 2, "processes that share these calls"),
    "disk_minutes": (240, 240, "begin with none of these calls after so many minutes"),
    "changes": (100_000, 12, "kills of each kind of change of a customer, at most one a statement"),
    "listed": (200_000, 20_000, "messages of the largest mailbox that is only listed"),
    "soak": (10, 1, "minutes of the mixture"),
}
"""By option: the usual size, the one of --quick, and what it counts."""
_PAGE = Path(__file__).with_name("apparatus") / "reliability.txt"


@dataclass(frozen=True)
class Row:
    """A line with when and where it was measured; what is kept between runs."""

    name: str
    what: str
    count: int
    unit: str
    figures: str
    bad: tuple[str, ...]
    cells: dict[str, int | None]
    seconds: float
    day: str
    commit: str


def measure(name: str, options: argparse.Namespace) -> Row:
    """Run one experiment; one that cannot be carried out is red, not absent."""
    began = time.monotonic()
    try:
        line = EXPERIMENTS[name](options)
    except Exception as error:  # noqa: BLE001 - the others still run
        traceback.print_exc()
        line = Line(name, 0, "", "", (f"the experiment itself ended with {type(error).__name__}: {error}",))
    return Row(
        name,
        line.what,
        line.count,
        line.unit,
        line.figures,
        line.bad,
        line.cells(),
        time.monotonic() - began,
        f"{datetime.now(tz=UTC):%Y-%m-%d}",
        _commit(),
    )


def page(rows: Iterable[Row]) -> str:
    """Return the whole of docs/reliability.md: a fixed text around the two tables."""
    rows = list(rows)
    head = "| experiment | done | " + " | ".join(COLUMNS) + " |\n|---|---|" + "---|" * len(COLUMNS) + "\n"
    table = head + "".join(
        f"| {row.what} | {row.count:,} {row.unit} | "
        + " | ".join("–" if row.cells[name] is None else str(row.cells[name]) for name in COLUMNS)
        + " |\n"
        for row in rows
    )
    figures = "".join(
        f"- **{row.what}** (`--only {row.name}`, {row.seconds:,.0f} s, {row.day}, {row.commit}): {row.figures}\n"
        for row in rows
    )
    bad = "".join(f"- {row.what}: `{each.splitlines()[0][:300]}`\n" for row in rows for each in row.bad if each)
    text = _PAGE.read_text()
    for mark, content in (
        ("@machine@", _machine()),
        ("@table@", table),
        ("@figures@", figures),
        ("@found@", bad or "Nothing.\n"),
    ):
        text = text.replace(mark, content.rstrip("\n"))
    return text


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, Linux {platform.release().split('-')[0]}, Python "
        f"{platform.python_version()}"
    )


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "no commit"


def _kept(path: Path | None) -> dict[str, Row]:
    if path is None or not path.exists():
        return {}
    lines = (json.loads(line) for line in path.read_text().splitlines())
    return {line["name"]: Row(**{**line, "bad": tuple(line["bad"])}) for line in lines}


def main() -> int:
    parser = argparse.ArgumentParser(description="Count what is lost, doubled, read as good or found in the open.")
    for name, (usual, _, what) in SIZES.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=float if name == "soak" else int, help=f"{what}: {usual}"
        )
    parser.add_argument(
        "--disk-record", type=Path, metavar="DIR", help="keep what came of each call here, and go on behind it"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, where none is given")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=sorted(EXPERIMENTS), default=list(EXPERIMENTS))
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page, after each experiment")
    parser.add_argument(
        "--results", type=Path, metavar="FILE", help="keep figures here, and have those of earlier runs"
    )
    options = parser.parse_args()
    for name, (usual, quick, _) in SIZES.items():
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else usual)
    rows = _kept(options.results)
    failed = False
    for name in options.only:
        row = rows[name] = measure(name, options)
        verdict = "BAD" if row.bad else "good"
        print(f"{row.what:32} {verdict:4}  {row.seconds:6.0f} s  {row.count:,} {row.unit}: {row.figures}")
        for each in row.bad:
            print(f"    {each}")
        sys.stdout.flush()
        failed = failed or bool(row.bad)
        if options.results:
            options.results.write_text("".join(json.dumps(asdict(each)) + "\n" for each in rows.values()))
        if options.write:
            options.write.write_text(page(rows[each] for each in EXPERIMENTS if each in rows))
    if options.write and not options.only:
        options.write.write_text(page(rows[each] for each in EXPERIMENTS if each in rows))  # of earlier runs alone
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
