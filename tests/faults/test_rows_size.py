"""Rows 38 and 61 of `rows.py` at size: what the program's memory is when a message, or a mailbox, is very large.

The real program in a process of its own, told to collect only; the server sends what it is asked for, holding nothing.
"""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

from tests.crash.program import Program, set_up
from tests.fakes.imap_server import Asked, FakeImapServer, uids_asked

MB = 1 << 20
BIG_MB = int(os.environ.get("ARCHIVER_BIG_MB", "40"))
LISTED = int(os.environ.get("ARCHIVER_LISTED", "50000"))
"""Half of what the names say, in the suite; `benchmarks/reliability.py --only rows` takes 100 MB and 200,000."""


_AT_THE_END = """
import os, pathlib, re
_end = os._exit
def _tell(code):
    found = re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())
    pathlib.Path({place!r}).write_text(found[1])
    _end(code)
os._exit = _tell  # with which the program ends
"""


def peak(program: Program) -> int:
    """Run `archiver sync --collect-only` and return the largest resident size it had, in bytes."""
    place = program.home / "peak"
    # Told by the process itself: what wait4 gives counts the parent's size before exec too.
    measured = dataclasses.replace(program, prelude=_AT_THE_END.format(place=str(place)))
    measured.run("sync", "--collect-only")
    return int(place.read_text()) * 1024


def test_row_38_a_message_of_a_hundred_megabytes_goes_through_little_memory(tmp_path: Path) -> None:
    size = BIG_MB * MB
    block = os.urandom(MB)
    server = FakeImapServer(exists=1)
    server.on(b"UID FETCH .*RFC822", b"* 1 FETCH (UID 1 RFC822.SIZE 5 FLAGS ())\r\n%T OK done\r\n")
    server.on(b"UID FETCH .*BODY", b"* 1 FETCH (UID 1 BODY[] {5}\r\nsmall)\r\n%T OK done\r\n")
    program = set_up(tmp_path / "home", server.port, ["info"])
    try:
        before = peak(program)

        def part(asked: Asked) -> bytes:
            found = re.search(rb"<(\d+)\.(\d+)>", asked.line)
            assert found, asked.line
            start = int(found[1])
            length = max(0, min(int(found[2]), size - start))
            piece = (b"%015d\n" % start + block)[:length]
            return b"* 2 FETCH (UID 2 BODY[]<%d> {%d}\r\n%b)\r\n%%T OK done\r\n" % (
                start,
                length,
                piece.replace(b"%T", b"%t"),
            )

        server.exists = 2
        server.on(b"UID FETCH .*RFC822", b"* 2 FETCH (UID 2 RFC822.SIZE %d FLAGS ())\r\n%%T OK done\r\n" % size)
        server.on(b"UID FETCH 2 .*BODY", part)
        after = peak(program)
    finally:
        server.close()
    assert sum(path.stat().st_size for path in (program.archive / "packs").rglob("*.pack")) > size
    print(f"{size // MB} MB message: {before // MB} MB before, {after // MB} MB with it")
    assert after - before < 60 * MB


def test_row_61_a_mailbox_of_two_hundred_thousand_messages_is_listed_in_little_memory(tmp_path: Path) -> None:
    count = LISTED
    server = FakeImapServer(exists=1)

    def listing(asked: Asked) -> bytes:
        low, _, high = asked.line.split(b" ")[2].partition(b":")
        last = count if high == b"*" else min(int(high), count)
        # Larger than the account takes: what is measured is the listing, and nothing is fetched.
        line = b'* %d FETCH (UID %d RFC822.SIZE 9000 INTERNALDATE "01-Mar-2025 09:00:00 +0000" FLAGS (\\Seen))\r\n'
        return b"".join(line % (uid, uid) for uid in range(int(low), min(last, server.exists) + 1)) + b"%T OK done\r\n"

    server.on(b"UID FETCH .*RFC822", listing)
    program = set_up(tmp_path / "home", server.port, ["info"], account="max_message_bytes = 1024")
    try:
        before = peak(program)
        server.exists = count
        after = peak(program)
    finally:
        server.close()
    (status,) = program.status().accounts
    assert (status.server, status.excluded, status.complete) == (count, count, True)
    spans = [uids_asked(Asked(b"", line, 1)) for line in server.said(rb"UID FETCH \d+:\d+ ")]
    assert max(len(span) for span in spans) <= 5000
    print(f"{count} listed: {before // MB} MB before, {after // MB} MB with them")
    assert after - before < 40 * MB + 500 * count
