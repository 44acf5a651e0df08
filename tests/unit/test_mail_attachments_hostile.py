"""Attachments made to do harm: the mail is kept, its own words are read, the defect is named, the bounds hold.

Each file goes the way of real mail, through a worker process. What would take a reader minutes or gigabytes is asked
for here with bounds that are small in proportion, so that the suite stays quick.
"""

from __future__ import annotations

import base64
import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.mail.attachments.bounds import Bounds
from archiver.mail.attachments.reading import Reading
from archiver.mail.defects import CODES
from archiver.mail.parse import parse
from archiver.mail.workers import ParserPool
from archiver.model.message import AttachedText, Defect
from tests.twins import office_files as files

MB = 1 << 20


def mail(*attached: tuple[str, bytes]) -> bytes:
    parts = b"".join(
        b"--B\r\nContent-Type: application/octet-stream; name=%s\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n"
        % (name.encode("ascii"), base64.encodebytes(octets))
        for name, octets in attached
    )
    return (
        b"Subject: kept\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\nown words\r\n"
        + parts
        + b"--B--\r\n"
    )


def package(document: str | bytes) -> bytes:
    return files.zipped({"[Content_Types].xml": "x", "word/document.xml": document})


def overlapping(count: int, size: int) -> bytes:
    """Return a zip whose directory names the same compressed octets many times over."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = engine.compress(bytes(size)) + engine.flush()
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 0, 0, len(content), size, 5, 0) + b"a.txt"
    entry = struct.pack(
        "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 8, 0, 0, 0, len(content), size, 5, 0, 0, 0, 0, 0, 0
    )
    directory = (entry + b"a.txt") * count
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, len(directory), len(local) + len(content), 0)
    return local + content + directory + end


def in_each_other(times: int, width: int) -> bytes:
    inner = files.zipped({"z.txt": bytes(MB)})
    for _ in range(times):
        inner = files.zipped({f"{number}.zip": inner for number in range(width)})
    return inner


def pdf_with(content: bytes, resources: bytes = b"", *others: bytes) -> bytes:
    """Return a PDF of one page with this content stream (object 4) and further objects from 6 on."""
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> "
    return files.pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            page + resources + b" >> >>",
            content,
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            *others,
        ]
    )


def deflated(content: bytes) -> bytes:
    content = zlib.compress(content, 1)
    return b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(content), content)


def forms_within_forms(levels: int) -> bytes:
    """Return a PDF whose page shows ten forms, each of which shows ten …"""
    made = []
    for level in range(levels):
        body = b"/X Do " * 10
        made.append(
            b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X %d 0 R >> >> /Length %d >>"
            b"\nstream\n%s\nendstream" % (7 + level, len(body), body)
        )
    return pdf_with(b"<< /Length 5 >>\nstream\n/X Do\nendstream", b"/XObject << /X 6 0 R >>", *made)


def page_tree(count: int, kids: bytes) -> bytes:
    return files.pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count %d /Kids [%s] >>" % (count, kids),
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
        ]
    )


LAUGHS = (
    '<!DOCTYPE a [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + "]><w:p><w:t>&a11;</w:t></w:p>"
)
HOSTILE: dict[str, tuple[str, Callable[[], bytes], set[str]]] = {
    "one member, a thousand times its size": ("a.zip", lambda: files.zipped({"z": bytes(130 * MB)}), {"limit"}),
    "the same octets under many names": ("a.zip", lambda: overlapping(50_000, 4 * MB), {"limit"}),
    "archives in archives in archives": ("a.zip", lambda: in_each_other(7, 8), {"limit"}),
    "more members than anybody attaches": (
        "a.zip", lambda: files.zipped({f"{n}.txt": "x" for n in range(8000)}), {"limit"}),
    "gzip of zeros": ("a.gz", lambda: gzip.compress(bytes(130 * MB)), {"limit"}),
    "entities of entities": ("a.docx", lambda: package(LAUGHS), {"damaged"}),
    "elements in elements": ("a.docx", lambda: package("<w>" * (4 * MB)), {"limit"}),
    "an attribute without end": ("a.docx", lambda: package("<w a='" + "A" * (20 * MB)), {"damaged", "limit"}),
    "a document of nothing but paragraphs": (
        "a.docx", lambda: package("<w>" + "<p><t>x</t></p>" * MB + "</w>"), {"limit", "timeout"}),
    "a million pages that are one": ("a.pdf", lambda: page_tree(10**6, b"3 0 R " * 10**6), {"limit", "no-text"}),
    "more pages than it has": ("a.pdf", lambda: page_tree(10**9, b"3 0 R"), {"no-text", "damaged", "limit"}),
    "pages that hold themselves": ("a.pdf", lambda: page_tree(2, b"2 0 R 2 0 R"), {"damaged", "no-text"}),
    "a stream in a stream": (
        "a.pdf", lambda: pdf_with(deflated(zlib.compress(b"0 " * (20 * MB)))), {"no-text", "damaged", "crashed"}),
    "a form that shows itself": (
        "a.pdf",
        lambda: pdf_with(b"<< /Length 5 >>\nstream\n/X Do\nendstream", b"/XObject << /X 6 0 R >>",
            b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >> /Length 11 >>\n"
            b"stream\n/X Do /X Do\nendstream"), {"no-text", "damaged", "crashed", "timeout"}),
    "ten to the twelfth forms": (
        "a.pdf", lambda: forms_within_forms(12), {"timeout", "crashed", "no-text", "damaged", "memory"}),
    "a table of references that refers to itself": (
        "a.pdf", lambda: files.pdf(["x"]).replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev 9"), {"", "damaged"}),
    "brackets without end": ("a.pdf", lambda: b"%PDF-1.4\n1 0 obj\n" + b"[" * (MB // 4), {"damaged"}),
    "groups without end": ("a.rtf", lambda: b"{\\rtf1 " + b"{" * (3 * MB // 2), {"limit"}),
    "fonts without end": ("a.rtf", lambda: b"{\\rtf1{\\fonttbl" + b"\\f1 \\fcharset1 " * 20_000, {"damaged"}),
    "fonts that never end their names": (
        "a.rtf", lambda: b"{\\rtf1{\\fonttbl" + b"\\f1 \\fcharset1 " * 1000 + b"}}", {""}),
    "links that begin and never end": (
        "a.rtf", lambda: b"{\\rtf1" + b"{\\field{\\*\\fldinst{" * 20_000 + b' HYPERLINK "x"' * 500, {"", "damaged"}),
    "letters that are almost encoded data": ("a.txt", lambda: (b"A" * 199 + b" ") * (20 << 10), {"limit"}),
    "elements of HTML in each other": ("a.html", lambda: b"<html>" + b"<div>" * (100 << 10), {"limit"}),
    "a message in a message in a message": (
        "a.eml", lambda: b"From: a@b\nSubject: x\nReceived: y\nContent-Type: message/rfc822\n\n" * 5000, {""}),
}  # fmt: skip


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    with ParserPool(1, seconds=3.0, memory=1 << 29) as pool:
        yield pool


@pytest.mark.parametrize("what", HOSTILE)
def test_the_mail_is_kept_and_the_defect_named(what: str, pool: ParserPool) -> None:
    name, make, codes = HOSTILE[what]
    (message,) = pool.parse([mail((name, make()), ("good.txt", b"still read"))])
    assert (message.subject, message.text) == ("kept", "own words")
    found = {defect.code for defect in message.defects}
    # On a busy machine the time may end before another bound is reached.
    assert found <= {f"attachment-{code}" for code in codes} | {"attachment-timeout"}
    assert found or "" in codes
    if "attachment-timeout" not in found:
        assert AttachedText("3", "still read") in message.attached
    assert sum(len(one.text) for one in message.attached) <= Bounds().message_characters
    for worker in pool._workers:
        status = Path(f"/proc/{worker.process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmPeak"))
        assert peak <= (1 << 19) + 1024


WHOLE = {
    "a.pdf": files.pdf(["een licentie", "twee"], title="t"),
    "b.docx": files.docx(["een", "twee"], header="kop", comment="opm", table=[["a", "b"]]),
    "c.xlsx": files.xlsx({"S": [["x", 1.5, "date:46084"]]}),
    "d.pptx": files.pptx([["een"], ["twee"]], notes="n"),
    "e.odt": files.odt(["een"], annotation="a"),
    "f.ods": files.ods({"S": [["x", "y"]]}),
    "g.rtf": files.rtf(["één", "twee"]),
    "h.zip": files.zipped({"a.txt": "tekst", "b.docx": files.docx(["x"])}),
    "i.doc": files.encrypted_office(),
    "j.pdf": files.pdf(["x"], password="w"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_files_cut_off_anywhere_harm_nobody(name: str, pool: ParserPool) -> None:
    octets = WHOLE[name]
    cuts = range(1, len(octets), max(1, len(octets) // 40))
    for cut, message in zip(cuts, pool.parse(mail((name, octets[:cut])) for cut in cuts), strict=True):
        assert (message.subject, message.text) == ("kept", "own words")
        codes = {defect.code for defect in message.defects}
        assert codes <= set(CODES) - {"attachment-failed", "attachment-crashed", "attachment-timeout", "parse-failed"}
        # The end of a PDF or an RTF may be missed by nobody; of a container it always is.
        assert codes or cut < 6 or name in {"a.pdf", "g.rtf", "i.doc"}, cut


def test_what_was_whole_of_an_archive_that_is_cut_off_is_read() -> None:
    octets = files.zipped({"a.txt": "eerste", "b.txt": "tweede"})
    reading = Reading()
    reading.read(octets[: octets.index(b"b.txt") + 7], "2", "a.zip", "", None)
    assert reading.texts[0] == AttachedText("2>a.txt", "eerste")
    assert Defect("attachment-damaged", "2 zip") in reading.defects


def test_a_document_whose_end_is_lost_keeps_its_beginning() -> None:
    noise = random.Random(4).randbytes(40_000).hex()
    octets = files.zipped({"[Content_Types].xml": "x", "word/document.xml": f"<d><p><t>begin</t></p>{noise}"})
    reading = Reading()
    reading.read(octets[:-20_000], "2", "a.docx", "", None)
    assert reading.texts == [AttachedText("2", "begin")]
    assert reading.defects == [Defect("attachment-damaged", "2 docx")]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(WHOLE)).filter(lambda name: not name.endswith("pdf")),  # no native code in this process
    st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=0, max_size=6)), min_size=1, max_size=12),
)
def test_damaged_octets_never_raise_and_every_defect_is_known(name: str, damage: list[tuple[int, bytes]]) -> None:
    octets = bytearray(WHOLE[name])
    for where, replacement in damage:
        at = where % len(octets)
        octets[at : at + len(replacement)] = replacement
    message = parse(mail((name, bytes(octets))))
    assert message.text == "own words"
    assert not {defect.code for defect in message.defects} & {"attachment-failed", "parse-failed"}
    assert {defect.code for defect in message.defects} <= set(CODES)


@given(
    st.binary(max_size=400), st.sampled_from(["a.docx", "a.doc", "a.zip", "a.rtf", "a.xml", "a.eml", "a.gz", "a.tar"])
)
def test_any_octets_whatsoever_are_survived(octets: bytes, name: str) -> None:
    for magic in (
        b"",
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"{\\rtf",
        b"\x1f\x8b\x08",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"BZh9",
    ):
        reading = Reading()
        reading.read(magic + octets, "2", name, "", None)
        assert "attachment-failed" not in {defect.code for defect in reading.defects}


def test_time_ends_an_attachment_and_what_was_read_is_kept() -> None:
    ticks = iter(range(1000))
    reading = Reading(Bounds(seconds=40, message_seconds=60), clock=lambda: float(next(ticks)))
    reading.read(files.zipped({f"{n}.txt": f"tekst {n}" for n in range(200)}), "2", "a.zip", "", None)
    reading.read(b"een tekst", "3", "a.txt", "", None)
    first = [one.text for one in reading.texts if one.path.startswith("2")]
    assert 2 <= len(first) < 50
    assert first[:2] == ["tekst 0", "tekst 1"]
    assert reading.defects[0].code == "attachment-timeout"
    for number in range(4, 20):
        reading.read(files.zipped({"n.txt": "tekst"}), str(number), "a.zip", "", None)
    assert reading.defects[-1] == Defect("attachment-timeout", "19 zip")
    assert not any(one.path.startswith("19") for one in reading.texts)


def test_characters_and_octets_are_bounded_for_one_attachment_and_for_all() -> None:
    reading = Reading(Bounds(characters=10, message_characters=25, octets=100))
    for path in ("2", "3", "4"):
        reading.read(b"woord " * 9, path, "a.txt", "", None)
    reading.read(b"x" * 101, "5", "a.txt", "", None)
    assert [len(one.text) for one in reading.texts] == [10, 10, 5]
    assert {defect.code for defect in reading.defects} == {"attachment-limit"}
    assert reading.defects[-1] == Defect("attachment-limit", "5 text")


def test_a_small_archive_cannot_say_more_than_its_bound() -> None:
    reading = Reading(Bounds(inflated=MB))
    reading.read(files.zipped({f"{n}.bin": bytes(MB // 2) for n in range(9)}), "2", "a.zip", "", None)
    assert len(reading.texts) == 3
    assert reading.defects == [Defect("attachment-limit", "2>3")]


def test_members_are_bounded_whatever_else_there_is_room_for() -> None:
    reading = Reading(Bounds(members=5))
    reading.read(files.zipped({f"{n}.txt": "x" for n in range(9)}), "2", "a.zip", "", None)
    assert len(reading.texts) == 5
    assert [defect.code for defect in reading.defects] == ["attachment-limit"]


def test_what_comes_out_of_all_attachments_is_bounded_together() -> None:
    reading = Reading(Bounds(message_inflated=2 * MB))
    for path in range(2, 6):
        reading.read(files.zipped({"n.bin": bytes(MB * 3 // 4)}), str(path), "a.zip", "", None)
    assert [defect.detail for defect in reading.defects] == ["4>1", "5>1"]


def test_four_containers_within_each_other_are_opened_and_a_fifth_is_not() -> None:
    octets: bytes = b"tekst"
    for level in range(1, 6):
        octets = files.zipped({"x": octets})
        reading = Reading()
        reading.read(octets, "2", "a.zip", "", None)
        assert (reading.texts[-1].text == "tekst") == (level <= 4), level
    assert reading.defects == [Defect("attachment-limit", "2>1>1>1>1 zip")]


def test_an_office_file_that_declares_a_document_type_is_refused() -> None:
    reading = Reading()
    reading.read(package('<!DOCTYPE w SYSTEM "http://example.org/x"><w><t>x</t></w>'), "2", "a.docx", "", None)
    assert (reading.texts, reading.defects) == ([], [Defect("attachment-damaged", "2 docx")])


def test_names_in_an_archive_that_lead_elsewhere_are_only_names() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../../etc/a>b\n.txt", "tekst")
    reading = Reading()
    reading.read(out.getvalue(), "2", "a.zip", "", None)
    assert reading.texts == [AttachedText("2>../../etc/a_b .txt", "tekst")]
