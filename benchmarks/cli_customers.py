"""What staff wait for at the desk: the commands that read and change customers, each as a whole process, unlocked.

    python -m benchmarks.cli_customers [--customers 2000] [--runs 10] [--own DOMAIN]

The mail is imported first; customers are made of the outside domains and addresses in it, as in `benchmarks.linking`,
and entered in one go. Then each command is run again and again, in turn, so that a busy moment hits all of them.
`search` is measured twice: before there are any customers, and with them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from archiver import app
from archiver.config import load
from benchmarks.apparatus.post import corpus, fill, invented
from benchmarks.apparatus.programs import Archiver
from benchmarks.apparatus.running import Run, machine, median, run, spread, verdict
from benchmarks.linking import customers_of, valid

TARGETS = {"find by name": 0.4, "find by address": 0.4, "find by telephone": 0.4}


def build(home: Path, folder: Path, own: str) -> tuple[Archiver, bool]:
    ours = Archiver(home / "archiver", None, own=own)
    ours.clear()
    taken = run(ours.command("import", str(folder)), ours.environ)
    print(f"import without customers: {taken.wall:.1f} s, processor {taken.processor:.1f} s")
    environ = {**ours.environ, "ARCHIVER_PASSPHRASE_FILE": str(ours.home / "passphrase")}
    unlocked = "until" in run(ours.command("unlock"), environ, expect=(0, 11)).output
    return ours, unlocked


def enter_customers(ours: Archiver, most: int) -> int:
    """Make customers of the mail that fits nobody, and enter them; return how many."""
    settings = load(ours.home / "config.toml", {})
    passphrase = (ours.home / "passphrase").read_text()
    with app.open_archive(settings, ask=lambda: passphrase) as archive:
        customers = tuple(valid(customers_of(archive.unlinked(limit=most).items), settings))
    with app.change_customers(settings, ask=lambda: passphrase, command="benchmark") as editor:
        began = time.perf_counter()
        changes = editor.import_(customers)
        links = sum(count for _, count in changes.links.gained)
        print(f"{len(customers):,} customers entered, {links:,} links: {time.perf_counter() - began:.1f} s")
    return len(customers)


def commands(ours: Archiver) -> dict[str, tuple[str, ...]]:
    """Return the commands to be timed, about a customer in the middle of the list and a message of theirs."""
    listed = json.loads(run(ours.command("search", "--json", "--limit", "400", "customer:C0100"), ours.environ).output)
    message = str(listed["items"][0]["id"])
    return {
        "find by name": ("customer", "find", "customer 512"),
        "find by address": ("customer", "find", "info@nobody-has-this.example"),
        "find by telephone": ("customer", "find", "+32 2 555 12 12"),
        "customer show": ("customer", "show", "C0100"),
        "customer list": ("customer", "list"),
        "history": ("history", "C0001"),
        "waiting": ("waiting",),
        "unlinked": ("unlinked",),
        "search": ("search", "contract"),
        "search customer:": ("search", "customer:C0001 contract"),
        "show a linked message": ("show", message),
        "why": ("why", message),
        "edit: a licence more": ("customer", "edit", "C0100", "--add-licence"),
    }


def measure(ours: Archiver, timed: dict[str, tuple[str, ...]], runs: int) -> None:
    taken: dict[str, list[Run]] = {name: [] for name in timed}
    for number in range(-1, runs):
        for name, arguments in timed.items():
            more = (f"LIC-{number + 7:04d}-XYZ",) if name.startswith("edit") else ()
            once = run(ours.command(*arguments, *more), ours.environ, expect=(0, 1))
            if number >= 0:
                taken[name].append(once)
    print(f"\n{'':24}{'wall s':>26}{'CPU s':>8}")
    for name, some in taken.items():
        walls = [each.wall for each in some]
        said = f"   {verdict(median(walls), TARGETS[name])}" if name in TARGETS else ""
        print(f"{name:24}{spread(walls):>26}{median([each.processor for each in some]):8.2f}{said}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--messages", type=int, help="at most so many (default: the whole corpus, or 18000)")
    options.add_argument("--customers", type=int, default=2000, help="customers to make of the mail at most")
    options.add_argument("--own", default="example.be", help="the domain of the corpus's own company")
    options.add_argument("--runs", type=int, default=10)
    options.add_argument("--synthetic", action="store_true", help="invented plain mail even where there is a corpus")
    options.add_argument("--scratch", type=Path, help="a folder on the disk to use (default: the temporary one)")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.scratch, prefix="archiver-bench-") as name:
        home = Path(name)
        source, messages = corpus(chosen.messages, synthetic=chosen.synthetic)
        if source == "synthetic":
            messages = invented(chosen.messages or 18_000, bulk=True)
        count, octets = fill(home / "mail", messages)
        ours, unlocked = build(home, home / "mail", chosen.own)
        try:
            key = "an unlock session" if unlocked else "the machine key (no unlock session in this kernel)"
            print(f"{count} messages, {octets / 1e6:.1f} MB ({source}), with {key}; {machine()}")
            search = [run(ours.command("search", "contract"), ours.environ) for _ in range(chosen.runs + 1)][1:]
            print(f"search before there were customers: {spread([each.wall for each in search])}")
            print(f"  of which processor: {median([each.processor for each in search]):.2f} s")
            enter_customers(ours, chosen.customers)
            measure(ours, commands(ours), chosen.runs)
        finally:
            run(ours.command("lock"), ours.environ, expect=(0, 11))


if __name__ == "__main__":
    main()
