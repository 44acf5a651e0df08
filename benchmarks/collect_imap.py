"""Collecting from a real Dovecot, durable and sealed, against mbsync: whole processes, plain and TLS, in the same run.

    python -m benchmarks.collect_imap [--messages 18000] [--rounds 5]

`archiver sync --collect-only` lists, fetches, digests, compresses, seals and makes durable; mbsync writes files, once
without fsync into memory (the fastest it can be) and once as it comes, with fsync, onto a disk. Rounds alternate, after
one that warms the server and is not counted. Mail comes from ARCHIVER_CORPUS, else it is invented.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.apparatus.post import Served, corpus, require, serve, server_processor_seconds
from benchmarks.apparatus.programs import Archiver, Mbsync
from benchmarks.apparatus.running import Run, machine, median, run, spread, verdict

MEMORY = Path("/dev/shm")


def measure(served: Served, disk: Path, memory: Path, rounds: int) -> None:
    rows: dict[str, tuple[Callable[[], Run], list[Run]]] = {}
    for kind, tls in (("plain", False), ("TLS", True)):
        ours = Archiver(disk / f"archiver-{kind}", served, tls=tls)
        fast = Mbsync(memory / f"mbsync-{kind}", served, fsync=False, tls=tls)
        safe = Mbsync(disk / f"mbsync-{kind}", served, fsync=True, tls=tls)
        rows[f"{kind}: archiver, sealed, durable, disk"] = (partial(collect, ours), [])
        rows[f"{kind}: mbsync, FSync no, memory"] = (partial(pull, fast, served.mail.count), [])
        rows[f"{kind}: mbsync, FSync yes, disk"] = (partial(pull, safe, served.mail.count), [])
    server: dict[str, float] = {}
    for number in range(-1, rounds):
        for name, (once, runs) in rows.items():
            before = server_processor_seconds(served.dovecot)
            taken = once()
            if number >= 0:
                runs.append(taken)
                server[name] = server_processor_seconds(served.dovecot) - before
    report(served, {name: runs for name, (_, runs) in rows.items()}, server)


def collect(ours: Archiver) -> Run:
    ours.clear()
    return run(ours.command("sync", "--collect-only"), ours.environ)


def pull(mbsync: Mbsync, count: int) -> Run:
    mbsync.clear()
    taken = run(mbsync.command())
    if mbsync.pulled() != count:
        raise SystemExit(f"mbsync pulled {mbsync.pulled()} of {count} messages")
    mbsync.clear()
    return taken


def report(served: Served, rows: dict[str, list[Run]], server: dict[str, float]) -> None:
    mail = served.mail
    print(f"\n{mail.count} messages, {mail.octets / 1e6:.1f} MB ({mail.source}), Maildir; {machine()}\n")
    print(f"{'':40}{'wall s, median':>24}{'msg/s':>9}{'MB/s':>8}{'CPU s':>8}{'server CPU s':>14}")
    for name, runs in rows.items():
        walls = [each.wall for each in runs]
        wall = median(walls)
        print(
            f"{name:40}{spread(walls):>24}{mail.count / wall:9.0f}{mail.octets / wall / 1e6:8.1f}"
            f"{median([each.processor for each in runs]):8.2f}{server[name]:14.2f}"
        )
    for kind, target in (("plain", 1.5), ("TLS", 1.1)):
        mine, fast, safe = (
            median([each.wall for each in runs]) for name, runs in rows.items() if name.startswith(kind)
        )
        print(
            f"\n{kind}: {fast / mine:.2f} x mbsync's rate without fsync ({verdict(fast / mine, target, at_least=True)})"
        )
        print(f"{kind}: {safe / mine:.2f} x mbsync's rate with fsync")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--messages", type=int, help="at most so many (default: the whole corpus, or 18000)")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--synthetic", action="store_true", help="invented mail even where there is a corpus")
    options.add_argument("--scratch", type=Path, help="a folder on the disk to measure (default: the temporary one)")
    chosen = options.parse_args()
    require("dovecot", "mbsync")
    fast = MEMORY if os.access(MEMORY, os.W_OK) else chosen.scratch
    with (
        tempfile.TemporaryDirectory(dir=chosen.scratch, prefix="archiver-bench-") as disk,
        tempfile.TemporaryDirectory(dir=fast, prefix="archiver-bench-") as memory,
        serve(Path(disk) / "server", *corpus(chosen.messages, synthetic=chosen.synthetic)) as served,
    ):
        measure(served, Path(disk), Path(memory), chosen.rounds)


if __name__ == "__main__":
    main()
