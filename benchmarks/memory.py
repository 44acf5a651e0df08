"""The memory of a first sync: flat over very many messages, and over very large ones.

    python -m benchmarks.memory [--messages 100000]

Every process of `archiver sync` is looked at ten times a second: the sum of their proportional sizes (PSS) over time,
and the largest resident size of each. First invented plain mail, made and written one message at a time; then one
message of 60 MB; then twenty of 10 MB. Flat means that the second half of the run needs at most a fifth more than the
first, in which the caches (bounded, 16 MiB for each database) fill; that wants 30,000 messages at least.
"""

from __future__ import annotations

import argparse
import base64
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.apparatus.post import invented, require, serve
from benchmarks.apparatus.programs import ROLES, Archiver
from benchmarks.apparatus.running import Watched, machine, verdict, watch

MEBI = 2**20
LIMIT = 300


def large(count: int, octets: int) -> Iterator[bytes]:
    """Give messages with an attachment that does not compress, `octets` long when encoded."""
    source = random.Random(11)
    for number in range(count):
        head = (
            f"From: a@example.org\nTo: b@example.be\nSubject: large {number}\nMessage-ID: <{number}@example.org>\n"
            "Date: Mon, 6 Jan 2025 10:00:00 +0100\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=limit\n\n"
            "--limit\nContent-Type: text/plain\n\nSee below.\n--limit\nContent-Type: application/octet-stream\n"
            "Content-Disposition: attachment; filename=data.bin\nContent-Transfer-Encoding: base64\n\n"
        )
        yield head.encode() + base64.encodebytes(source.randbytes(octets * 57 // 77)) + b"--limit--\n"


def first_sync(home: Path, name: str, messages: Iterator[bytes]) -> Watched:
    """Serve the messages, sync them into a new archive while watching, and print what it took."""
    with serve(home / f"server-{name}", "synthetic", messages) as served:
        ours = Archiver(home / f"archiver-{name}", served)
        ours.clear()
        began = time.perf_counter()
        watched = watch(ours.command("sync"), ROLES, ours.environ)
        seconds = time.perf_counter() - began
        mail = served.mail
    print(f"\n{name}: {mail.count} messages, {mail.octets / 1e6:.0f} MB in {seconds:.0f} s; {machine()}")
    for process in sorted(watched.processes.values(), key=lambda one: -one.resident):
        print(f"  {process.role:12}{process.resident / MEBI:8.0f} MiB at most{process.processor:9.1f} s of processor")
    together, largest = watched.together / MEBI, watched.largest / MEBI
    print(
        f"  together {together:.0f} MiB ({verdict(together, LIMIT)}), "
        f"largest {largest:.0f} MiB ({verdict(largest, LIMIT)})"
    )
    return watched


def tenths(watched: Watched) -> list[float]:
    """Return the largest size in each tenth of the run, in MiB."""
    last = watched.over_time[-1][0]
    largest = [0.0] * 10
    for moment, octets in watched.over_time:
        slot = min(9, int(10 * moment / last))
        largest[slot] = max(largest[slot], octets / MEBI)
    return largest


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--messages", type=int, default=30_000)
    options.add_argument("--only", choices=("many", "large"), help="one half of it")
    options.add_argument("--scratch", type=Path, help="a folder on the disk to use (default: the temporary one)")
    chosen = options.parse_args()
    require("dovecot")
    with tempfile.TemporaryDirectory(dir=chosen.scratch, prefix="archiver-bench-") as name:
        home = Path(name)
        if chosen.only != "large":
            sizes = tenths(first_sync(home, "many", invented(chosen.messages, bulk=True)))
            print("  MiB in each tenth of the run: " + " ".join(f"{size:.0f}" for size in sizes))
            growth = max(sizes[5:]) / max(sizes[:5])
            print(f"  second half / first half: {growth:.2f} ({verdict(growth, 1.2)})")
        if chosen.only != "many":
            first_sync(home, "one-of-60-MB", large(1, 60_000_000))
            first_sync(home, "twenty-of-10-MB", large(20, 10_000_000))


if __name__ == "__main__":
    main()
