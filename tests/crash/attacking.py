"""Attachments changed at random, by the thousand, and the judgement of what becomes of them and of any others.

Each goes the way of real mail, through worker processes with the bounds that a user has, in a message with words of its
own and a harmless file behind. Knows how to make such files and what must hold for each; counts how they ended. Made by
numbers from a seed: the same seed attacks in the same way.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import random
import struct
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from archiver.mail.attachments.bounds import Bounds
from archiver.mail.defects import CODES
from archiver.mail.workers import ParserPool
from archiver.model.message import Message
from tests.twins import office_files as files

MB = 1 << 20
SUBJECT, WORDS, BEHIND = "kept", "own words", "still read"
SECONDS, MEMORY = 30.0, 1 << 30
"""What a message may take, as `archiver.config` has it when nothing else is said."""
WAIT = 4 * SECONDS
"""Nothing holds up the next message for longer: three attachments may each end a worker, and then the rest is left."""

Made = tuple[str, bytes]
"""A file's name and its octets."""


@dataclass
class Outcome:
    """What came of it all. `resident` is the largest worker, in octets; `waited` the longest pause, in seconds."""

    files: int = 0
    unharmed: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    resident: int = 0
    waited: float = 0.0
    slowest: str = ""
    bad: list[str] = field(default_factory=list)


def mail(*attached: Made) -> bytes:
    """Return a message with these files and one more."""
    parts = b"".join(
        b"--B\r\nContent-Type: application/octet-stream; name=%s\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n"
        % (name.encode("ascii"), base64.encodebytes(octets))
        for name, octets in (*attached, ("behind.txt", BEHIND.encode()))
    )
    head = f"Subject: {SUBJECT}\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\n{WORDS}\r\n"
    return head.encode() + parts + b"--B--\r\n"


def attack(made: Iterator[tuple[str, Made]], *, workers: int = 2) -> Outcome:
    """Send all files through a pool, one message each, and judge what comes back."""
    outcome = Outcome()
    labels: list[str] = []

    def messages() -> Iterator[bytes]:
        for label, each in made:
            labels.append(label)
            yield mail(each)

    with ParserPool(workers, seconds=SECONDS, memory=MEMORY, in_flight=8) as pool, _watched(pool, outcome):
        before = time.monotonic()
        for number, message in enumerate(pool.parse(messages())):
            waited, before = time.monotonic() - before, time.monotonic()
            if waited > outcome.waited:
                outcome.waited, outcome.slowest = waited, labels[number]
            judge(labels[number], message, outcome)
    if outcome.files != len(labels):
        outcome.bad.append(f"{len(labels)} messages went in and {outcome.files} came back")
    if outcome.waited > WAIT:
        outcome.bad.append(f"{outcome.slowest}: took {outcome.waited:.0f} s")
    if outcome.resident > MEMORY:
        outcome.bad.append(f"a worker held {outcome.resident / MB:.0f} MB")
    return outcome


def judge(label: str, message: Message, outcome: Outcome) -> None:
    """Count what became of a message of `mail`, and note what must not be."""
    codes = {defect.code for defect in message.defects}
    outcome.files += 1
    outcome.codes.update(codes)
    outcome.unharmed += not codes
    if (message.subject, message.text) != (SUBJECT, WORDS):
        outcome.bad.append(f"{label}: the message's own words are lost, {sorted(codes)}")
    if unknown := codes - set(CODES) | codes & {"attachment-failed", "parse-failed"}:
        outcome.bad.append(f"{label}: {sorted(unknown)} {[defect.detail for defect in message.defects]}")
    if not any(one.text == BEHIND for one in message.attached) and "attachment-timeout" not in codes:
        outcome.bad.append(f"{label}: the file behind it is lost, {sorted(codes)}")
    if sum(len(one.text) for one in message.attached) > Bounds().message_characters:
        outcome.bad.append(f"{label}: more text than is kept")


class _watched:  # noqa: N801 a context
    """Looks at the memory of the pool's workers all the while, in a thread of its own."""

    def __init__(self, pool: ParserPool, outcome: Outcome) -> None:
        self._pool, self._outcome = pool, outcome
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            for worker in list(self._pool._workers):
                with suppress(OSError, StopIteration):
                    lines = Path(f"/proc/{worker.process.pid}/status").read_text().splitlines()
                    peak = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
                    self._outcome.resident = max(self._outcome.resident, peak)


# --- files changed at random ------------------------------------------------------------------------------------------


def whole_files() -> dict[str, bytes]:
    """Return a file of each kind that is read, whole."""
    texts = ["een licentie voor twee", "prijs 12,50"]
    return {
        "a.pdf": files.pdf(texts, title="titel"),
        "plain.pdf": files.pdf(texts, compressed=False),
        "locked.pdf": files.pdf(texts, password="w"),
        "scan.pdf": files.scanned_pdf(),
        "a.docx": files.docx(texts, header="kop", comment="opm", table=[["a", "b"]]),
        "a.xlsx": files.xlsx({"S": [["x", 1.5, "date:46084"]]}),
        "a.pptx": files.pptx([["een"], ["twee"]], notes="n"),
        "a.odt": files.odt(texts, annotation="a"),
        "a.ods": files.ods({"S": [["x", "y"]]}),
        "a.odp": files.odp([["een"]]),
        "a.rtf": files.rtf(["één", "twee"]),
        "a.zip": files.zipped({"a.txt": "tekst", "b/c.docx": files.docx(["x"]), "d.pdf": files.pdf(["y"])}),
        "stored.docx": _stored(files.docx(texts)),
        "stored.xlsx": _stored(files.xlsx({"S": [["x", 1.5]]})),
        "stored.odt": _stored(files.odt(texts)),
        "a.doc": files.encrypted_office(),
        "b.doc": files.compound({"WordDocument": bytes(range(256)) * 20, "1Table": bytes(5000)}),
        "a.xls": files.compound({"Workbook": b"\x09\x08\x10\x00" + bytes(range(256)) * 20}),
        "a.ppt": files.compound({"PowerPoint Document": b"\x0f\x00\xe8\x03" + bytes(range(256)) * 20}),
        "a.msg": files.compound(
            {"__properties_version1.0": bytes(64), "__substg1.0_0037001F": "kop".encode("utf-16-le"),
             "__substg1.0_1000001F": "tekst".encode("utf-16-le"),
             "__attach_version1.0_#00000000/__substg1.0_37010102": files.docx(["x"])}
        ),
        "a.html": b"<html><body><p>een <b>twee</b></p><table><tr><td>x</td></tr></table></body></html>",
        "a.csv": b"naam;prijs\r\nx;12\r\n" * 50,
        "a.xml": b"<?xml version='1.0'?><a><b>tekst</b></a>",
        "a.ics": b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:overleg\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        "a.vcf": b"BEGIN:VCARD\r\nFN:Jan\r\nEND:VCARD\r\n",
        "a.eml": mail(("b.docx", files.docx(["x"])), ("c.zip", files.zipped({"d.txt": "y"}))),
        "a.tar": tarred({"a.txt": b"tekst", "b.docx": files.docx(["x"])}),
        "a.tar.gz": gzip.compress(tarred({"a.txt": b"tekst"})),
        "a.txt.bz2": bz2.compress(b"tekst " * 50),
        "winmail.dat": struct.pack("<IH", 0x223E9F78, 1) + b"\x02" + bytes(range(256)) * 3,
    }  # fmt: skip


def _stored(package: bytes) -> bytes:
    """Return a package without compression, so that what is changed in it is changed in its XML."""
    import zipfile

    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        members: dict[str, bytes | str] = {name: archive.read(name) for name in archive.namelist()}
    return files.zipped(members, stored=list(members))


def tarred(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


_NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_PIECES = (
    b"<!DOCTYPE a [<!ENTITY % x SYSTEM 'file:///etc/passwd'> %x;]>", b"PK\x03\x04", b"PK\x05\x06", b"%PDF-1.7\n",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf1", b"\x1f\x8b\x08\x04", b"\xff\xfe", b"\x00" * 64, b"[" * 500,
    b"<<" * 200, b"<a>" * 300, b"{\\f" * 300, b"&#x110000;", b"/Kids [3 0 R 3 0 R]", b"/Length 99999999999",
    b"Content-Type: message/rfc822\r\n\r\n", b"9" * 400, b"\xed\xa0\x80",
)  # fmt: skip


def changed(seed: int, count: int) -> Iterator[tuple[str, Made]]:
    """Give whole files with some of their octets changed, cut out, put in, repeated, or with another's name."""
    whole = whole_files()
    names = sorted(whole)
    for number in range(count):
        pick = random.Random(f"{seed} {number}")
        name = names[number % len(names)]
        octets = bytearray(whole[name])
        done = []
        for _ in range(pick.choice((1, 1, 2, 3, 6, 20))):
            how = pick.choice(_CHANGES)
            how(octets, pick)
            done.append(how.__name__.strip("_"))
        shown = name
        if pick.random() < 0.15:
            shown = pick.choice(names)
        if pick.random() < 0.1:
            octets, shown = bytearray(files.zipped({shown: bytes(octets)})), "wrapped.zip"
        yield f"changed {seed} {number} {name} as {shown}: {' '.join(done)}", (shown, bytes(octets))


def _flip(octets: bytearray, pick: random.Random) -> None:
    if octets:
        octets[pick.randrange(len(octets))] ^= 1 << pick.randrange(8)


def _cut(octets: bytearray, pick: random.Random) -> None:
    start = pick.randrange(len(octets) + 1)
    del octets[start : start + pick.choice((1, 7, 64, 512, len(octets)))]


def _number(octets: bytearray, pick: random.Random) -> None:
    at = pick.randrange(len(octets) + 1)
    octets[at : at + 4] = struct.pack(pick.choice("<>") + "I", pick.choice(_NUMBERS))


def _piece(octets: bytearray, pick: random.Random) -> None:
    at = pick.randrange(len(octets) + 1)
    octets[at:at] = pick.choice(_PIECES)


def _repeat(octets: bytearray, pick: random.Random) -> None:
    start = pick.randrange(len(octets) + 1)
    piece = bytes(octets[start : start + pick.choice((4, 60, 700))])
    octets[start:start] = piece * pick.choice((2, 50, 1000))


def _digits(octets: bytearray, pick: random.Random) -> None:
    """Make a number that is written in digits another one: lengths, counts, references of PDF, RTF and headers."""
    places = [at for at, octet in enumerate(octets) if 48 <= octet <= 57]
    if places:
        at = pick.choice(places)
        octets[at : at + 1] = pick.choice((b"0", b"-1", b"99999999999", b"4294967295", b"2147483648", b"%d" % at))


_CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (_flip, _cut, _number, _piece, _repeat, _digits)
