"""Files built to be a burden to whoever reads them: bombs, loops, false sizes, depths, crowds, two kinds at once.

Each comes from a few lines, so that it says itself what is wrong with it; none is larger than mail may be.
"""

from __future__ import annotations

import bz2
import gzip
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator

from tests.crash.attacking import MB, Made, mail, tarred
from tests.twins import office_files as files


def _package(document: bytes | str, name: str = "word/document.xml") -> bytes:
    return files.zipped({"[Content_Types].xml": "x", name: document})


def _page(content: bytes, resources: bytes = b"", *others: bytes) -> bytes:
    """Return a PDF of one page with this stream object (4) and further objects from 6 on."""
    return files.pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> "
            + resources + b" >> >>",
            content,
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            *others,
        ]
    )  # fmt: skip


def _stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), entries, content)


def _deflated(content: bytes, entries: bytes = b"") -> bytes:
    return _stream(zlib.compress(content, 9), b"/Filter /FlateDecode " + entries)


def _image(entries: bytes, content: bytes = b"\x00" * 64) -> bytes:
    """Return a PDF that shows an image of these entries and then says a word."""
    shown = _stream(b"q 9 0 0 9 0 0 cm /I Do Q BT /F 9 Tf 9 9 Td (woord) Tj ET")
    return _page(shown, b"/XObject << /I 6 0 R >>", _stream(content, b"/Type /XObject /Subtype /Image " + entries))


def _font(entries: bytes, *others: bytes) -> bytes:
    shown = _stream(b"BT /G 9 Tf 9 9 Td (woord) Tj ET")
    return _page(shown, b"", b"<< /Type /Font %s >>" % entries, *others).replace(b"/F 5 0 R", b"/G 6 0 R")


def _laughs(levels: int, *, parameters: bool = False, encoding: str = "utf-8") -> bytes:
    mark, sign = ("% ", "%") if parameters else ("", "&")
    entities = f'<!ENTITY {mark}a0 "ha">' + "".join(
        f'<!ENTITY {mark}a{n} "{f"{sign}a{n - 1};" * 10}">' for n in range(1, levels)
    )
    head = "" if encoding == "utf-8" else f'<?xml version="1.0" encoding="{encoding}"?>'
    used = f"%a{levels - 1};" if parameters else ""
    return f"{head}<!DOCTYPE a [{entities}{used}]><w><p><t>&a{levels - 1};</t></p></w>".encode(encoding)


def _quine(levels: int) -> bytes:
    inner = files.zipped({"z.txt": bytes(4 * MB)})
    for level in range(levels):
        inner = files.zipped({f"{level}-{number}.zip": inner for number in range(4)})
    return inner


def _many_members(count: int) -> bytes:
    """Return a zip that lists so many members, all at one place."""
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 0, 0, 0, 0, 1, 1, 1, 0) + b"ax"
    entry = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = entry * count
    return local + directory + struct.pack(
        "<4sHHHHIIH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, len(directory), len(local), 0
    )  # fmt: skip


def _looped(octets: bytes, at: int, value: int) -> bytes:
    """Return a compound file with a number of its header, or of its first sector table, made another."""
    changed_octets = bytearray(octets)
    changed_octets[at : at + 4] = struct.pack("<I", value)
    return bytes(changed_octets)


def _tables_of_loops() -> bytes:
    """Return a compound file all of whose sectors lead to themselves."""
    octets = bytearray(files.compound({"WordDocument": bytes(40_000), "1Table": bytes(5000)}))
    first = struct.unpack_from("<I", octets, 76)[0]
    start = 512 * (first + 1)
    for number in range(128):
        octets[start + 4 * number : start + 4 * number + 4] = struct.pack("<I", number)
    return bytes(octets)


def _sparse_tar(size: int) -> bytes:
    entry = tarfile.TarInfo("big.txt")
    entry.size = size
    return entry.tobuf(tarfile.GNU_FORMAT) + bytes(2048)


def _nested_mail(levels: int) -> bytes:
    inner = b"Subject: x\r\n\r\nwoord"
    for level in range(levels):
        inner = (
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\nContent-Type: message/rfc822\r\n\r\n"
            % (level, level)
        ) + inner + b"\r\n--b%d--\r\n" % level  # fmt: skip
    return inner


def _bomb(megabytes: int) -> bytes:
    return files.zipped({"z": bytes(megabytes * MB)})


def _form(shown: int, times: int) -> bytes:
    """Return a form that shows another, or itself, so many times."""
    resources = b"/Resources << /XObject << /X %d 0 R >> >>" % shown
    return _stream(b"/X Do " * times, b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] " + resources)


_SCRIPT = b"<< /S /JavaScript /JS (while\\(1\\);) >>"


BURDENS: dict[str, Callable[[], Made]] = {
    "zip: a thousand times its size": lambda: ("a.zip", files.zipped({"z": bytes(200 * MB)})),
    "zip: archives in archives": lambda: ("a.zip", _quine(6)),
    "zip: a million members": lambda: ("a.zip", _many_members(1_000_000)),
    "zip: 65,535 members": lambda: ("a.zip", _many_members(65_535)),
    "zip: sizes of 4 GB declared": lambda: (
        "a.zip", files.zipped({"a.txt": "x" * 99}).replace(struct.pack("<I", 99), b"\xff\xff\xff\xff")),
    "zip: names of 60,000 letters": lambda: ("a.zip", files.zipped({f"{n}{'n' * 60_000}": "x" for n in range(40)})),
    "zip: encrypted": lambda: ("a.zip", files.encrypted_zip({"a.txt": "x"})),
    "zip: a bomb in each of many": lambda: (
        "a.zip", files.zipped({f"{n}.zip": _bomb(30) for n in range(20)})),
    "gzip: zeros": lambda: ("a.gz", gzip.compress(bytes(300 * MB))),
    "gzip: zeros in zeros": lambda: ("a.gz", gzip.compress(gzip.compress(bytes(300 * MB)))),
    "gzip: many members": lambda: ("a.gz", gzip.compress(b"x") * 200_000),
    "bzip2: zeros": lambda: ("a.bz2", bz2.compress(bytes(300 * MB))),
    "tar: a file of 8 GB that is not there": lambda: ("a.tar", _sparse_tar(8 << 30)),
    "tar: a hundred thousand empty files": lambda: (
        "a.tar", b"".join(tarfile.TarInfo(f"{n}.txt").tobuf() for n in range(20_000)) * 5 + bytes(1024)),
    "tar.gz: many zeros": lambda: ("a.tgz", gzip.compress(tarred({"a.txt": bytes(200 * MB)}))),
    "docx: entities of entities": lambda: ("a.docx", _package(_laughs(12))),
    "docx: entities in UTF-16": lambda: ("a.docx", _package(_laughs(12, encoding="utf-16"))),
    "docx: parameter entities": lambda: ("a.docx", _package(_laughs(12, parameters=True))),
    "docx: entities in UTF-7": lambda: ("a.docx", _package(_laughs(12, encoding="utf-7"))),
    "docx: one entity of a megabyte, many times": lambda: (
        "a.docx", _package(f'<!DOCTYPE a [<!ENTITY a "{"x" * MB}">]><w><p><t>{"&a;" * 9999}</t></p></w>')),
    "docx: a megabyte of attributes": lambda: (
        "a.docx", _package("<w " + " ".join(f'a{n}="1"' for n in range(100_000)) + "/>")),
    "docx: ten million paragraphs": lambda: ("a.docx", _package("<w>" + "<p/>" * 10_000_000 + "</w>")),
    "docx: namespaces without end": lambda: (
        "a.docx", _package("".join(f'<n{n}:w xmlns:n{n}="u:{n}">' for n in range(100_000)))),
    "docx: one text of 100 MB": lambda: ("a.docx", _package("<w><p><t>" + "woord " * (16 * MB) + "</t></p></w>")),
    "xlsx: rows without end": lambda: (
        "a.xlsx", files.zipped({"[Content_Types].xml": "x", "xl/workbook.xml": "<w/>",
            "xl/worksheets/sheet1.xml": "<w><sheetData>" + "<row><c><v>1</v></c></row>" * 2_000_000})),
    "xlsx: cells of one long shared string": lambda: (
        "a.xlsx", files.zipped({"[Content_Types].xml": "x", "xl/workbook.xml": "<w/>",
            "xl/sharedStrings.xml": f"<sst><si><t>{'x' * 900_000}</t></si></sst>",
            "xl/worksheets/sheet1.xml": "<w><sheetData>" + '<row><c t="s"><v>0</v></c></row>' * 500_000})),
    "xlsx: ten thousand sheets": lambda: (
        "a.xlsx", files.zipped({"[Content_Types].xml": "x", "xl/workbook.xml": "<w/>",
            **{f"xl/worksheets/sheet{n}.xml": "<w/>" for n in range(10_000)}})),
    "odt: spaces without end": lambda: (
        "a.odt", files.zipped({"mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": '<o xmlns:text="t"><text:p>' + '<text:s text:c="2147483647"/>' * 1000 + "</text:p></o>"})),
    "ods: repeated cells and rows": lambda: (
        "a.ods", files.zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": '<o xmlns:table="t" xmlns:text="x"><table:table><table:table-row '
            'table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384"><text:p>x'
            "</text:p></table:table-cell></table:table-row></table:table></o>"})),
    "pdf: a million pages that are one": lambda: ("a.pdf", files.pdf_of(
        [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 1000000 /Kids [" + b"3 0 R " * 10**6 + b"] >>",
         b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"])),
    "pdf: page trees in page trees": lambda: ("a.pdf", files.pdf_of(
        [b"<< /Type /Catalog /Pages 2 0 R >>",
         *(b"<< /Type /Pages /Count 99999 /Kids [%d 0 R %d 0 R] >>" % (n + 3, n + 3) for n in range(5000)),
         b"<< /Type /Page /MediaBox [0 0 9 9] >>"])),
    "pdf: forms that show themselves": lambda: ("a.pdf", _page(
        _stream(b"/X Do"), b"/XObject << /X 6 0 R >>", _form(6, 2))),
    "pdf: ten to the twelfth forms": lambda: ("a.pdf", _page(
        _stream(b"/X Do"), b"/XObject << /X 6 0 R >>",
        *(_form(number + 7, 10) for number in range(12)))),
    "pdf: an image of 60,000 by 60,000": lambda: ("a.pdf", _image(
        b"/Width 60000 /Height 60000 /BitsPerComponent 8 /ColorSpace /DeviceRGB")),
    "pdf: an image of 2 GB, deflated": lambda: ("a.pdf", _image(
        b"/Width 30000 /Height 30000 /BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /FlateDecode",
        zlib.compress(bytes(200 * MB), 9))),
    "pdf: JBIG2 that is none": lambda: ("a.pdf", _image(
        b"/Width 30000 /Height 30000 /BitsPerComponent 1 /ColorSpace /DeviceGray /Filter /JBIG2Decode",
        b"\x00\x00\x00\x00\x30\x00\x01\x00\x00\x00\x13\xff\xff\xff\xff\xff\xff\xff\xff" + bytes(99))),
    "pdf: JPEG 2000 that is none": lambda: ("a.pdf", _image(
        b"/Width 30000 /Height 30000 /Filter /JPXDecode", b"\xff\x4f\xff\x51" + b"\xff" * 999)),
    "pdf: fax without end": lambda: ("a.pdf", _image(
        b"/Width 60000 /Height 60000 /BitsPerComponent 1 /ColorSpace /DeviceGray /Filter /CCITTFaxDecode "
        b"/DecodeParms << /K -1 /Columns 60000 /Rows 60000 >>")),
    "pdf: filters upon filters": lambda: ("a.pdf", _page(_stream(
        b"x" * 99, b"/Filter [" + b"/ASCIIHexDecode " * 5000 + b"]"))),
    "pdf: runs of runs": lambda: ("a.pdf", _page(_stream(b"\x81x" * (2 * MB), b"/Filter /RunLengthDecode"))),
    "pdf: LZW that is none": lambda: ("a.pdf", _page(_stream(b"\x80\x0b\x60\x50" * MB, b"/Filter /LZWDecode"))),
    "pdf: a predictor of a million columns": lambda: ("a.pdf", _page(_deflated(
        bytes(50 * MB), b"/DecodeParms << /Predictor 15 /Columns 1000000 /Colors 32 /BitsPerComponent 16 >>"))),
    "pdf: text of 200 MB": lambda: ("a.pdf", _page(_deflated(
        b"BT /F 9 Tf 9 9 Td " + b"(woord woord woord) Tj " * (9 * MB) + b"ET"))),
    "pdf: a function that never ends": lambda: ("a.pdf", _page(
        _stream(b"/P sh"), b"/Shading << /P << /ShadingType 1 /ColorSpace /DeviceGray /Function 6 0 R >> >>",
        _stream(b"{" * 100_000, b"/FunctionType 4 /Domain [0 1 0 1] /Range [0 1]"))),
    "pdf: a font that is none": lambda: ("a.pdf", _font(
        b"/Subtype /TrueType /BaseFont /X /FontDescriptor 7 0 R",
        b"<< /Type /FontDescriptor /FontName /X /Flags 4 /FontFile2 8 0 R >>",
        _stream(b"\x00\x01\x00\x00\xff\xff" + b"glyf" * 50_000))),
    "pdf: letters that mean a million others": lambda: ("a.pdf", _font(
        b"/Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [5 0 R] /ToUnicode 7 0 R",
        _stream(b"1 begincodespacerange <00> <ff> endcodespacerange\n"
                + b"1 beginbfrange <0000> <ffff> <0041> endbfrange\n" * 50_000))),
    "pdf: fonts that descend from themselves": lambda: ("a.pdf", _font(
        b"/Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [6 0 R]")),
    "pdf: form fields of form fields": lambda: ("a.pdf", files.pdf_of(
        [b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>",
         b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
         b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Annots [4 0 R] >>",
         b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (x) /Rect [0 0 9 9] /Kids [4 0 R 4 0 R] /Parent 4 0 R >>"])),
    "pdf: scripts and launches": lambda: ("a.pdf", files.pdf_of(
        [b"<< /Type /Catalog /Pages 2 0 R /OpenAction %s /AA << /O << /S /Launch /F (/bin/sh) >> >> >>" % _SCRIPT,
         b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
         b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /AA << /O %s >> >>" % _SCRIPT])),
    "pdf: references that refer to themselves": lambda: ("a.pdf", files.pdf(["x"]).replace(
        b"/Root 1 0 R", b"/Root 1 0 R /Prev 9")),
    "pdf: a length that is its own stream": lambda: ("a.pdf", _page(b"<< /Length 4 0 R >>\nstream\nx\nendstream")),
    "pdf: brackets without end": lambda: ("a.pdf", b"%PDF-1.4\n1 0 obj\n" + b"[" * (4 * MB)),
    "rtf: groups without end": lambda: ("a.rtf", b"{\\rtf1 " + b"{" * (8 * MB)),
    "rtf: fonts without end": lambda: ("a.rtf", b"{\\rtf1{\\fonttbl" + b"\\f1 \\fcharset1 " * 300_000),
    "rtf: escapes without end": lambda: ("a.rtf", b"{\\rtf1 " + b"\\u-32768?\\'" * MB),
    "rtf: pictures in hex": lambda: ("a.rtf", b"{\\rtf1{\\pict " + b"00" * (20 * MB) + b"}}"),
    "rtf: objects in objects": lambda: ("a.rtf", b"{\\rtf1" + b"{\\object{\\*\\objdata 01" * 100_000),
    "doc: sectors that lead to themselves": lambda: ("a.doc", _tables_of_loops()),
    "doc: a directory that is everywhere": lambda: (
        "a.doc", _looped(files.compound({"WordDocument": bytes(9000)}), 48, 0xFFFFFFFE)),
    "doc: tables of tables without end": lambda: (
        "a.doc", _looped(_looped(files.compound({"WordDocument": bytes(9000)}), 68, 0), 72, 0xFFFFFFF0)),
    "xls: records of 64 KB": lambda: ("a.xls", files.compound({"Workbook": b"\xfc\x00\xff\xff" * (2 * MB)})),
    "ppt: records in records": lambda: (
        "a.ppt", files.compound({"PowerPoint Document": b"\x0f\x00\xe8\x03\xff\xff\xff\x7f" * MB})),
    "msg: thirty bombs": lambda: (
        "a.msg", files.compound({"__properties_version1.0": bytes(64), **{
            f"__attach_version1.0_#{n:08X}/__substg1.0_37010102": _bomb(20) for n in range(30)}})),
    "html: elements in elements": lambda: ("a.html", b"<html>" + b"<div>" * MB),
    "html: tables in tables": lambda: ("a.html", b"<table><tr><td>" * 300_000),
    "html: an attribute of 50 MB": lambda: ("a.html", b"<html><p title='" + b"x" * (50 * MB) + b"'>woord"),
    "html: formatting that is never closed": lambda: ("a.html", b"<html>" + b"<b><i><a href=x><p>" * 200_000),
    "xml: entities of entities": lambda: ("a.xml", _laughs(12)),
    "xml: entities in UTF-16": lambda: ("a.xml", _laughs(12, encoding="utf-16")),
    "text: 60 MB without a space": lambda: ("a.txt", b"A" * (60 * MB)),
    "text: letters that are almost encoded": lambda: ("a.txt", (b"A" * 199 + b" ") * (200 << 10)),
    "text: marks upon marks": lambda: ("a.txt", ("a" + "\u0301" * 5_000_000).encode()),
    "text: ligatures that become eighteen letters": lambda: ("a.txt", ("\ufdfa" * 4_000_000).encode()),
    "csv: a line of 30 MB": lambda: ("a.csv", b'"' + b'""' * (15 * MB)),
    "ics: lines folded without end": lambda: ("a.ics", b"BEGIN:VCALENDAR\r\nSUMMARY:x\r\n" + b" x\r\n" * (5 * MB)),
    "vcf: a picture of 40 MB": lambda: (
        "a.vcf", b"BEGIN:VCARD\r\nPHOTO;ENCODING=b:" + b"A" * (40 * MB) + b"\r\nEND:VCARD"),
    "eml: messages in messages": lambda: ("a.eml", _nested_mail(300)),
    "eml: a hundred thousand parts": lambda: (
        "a.eml", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 100_000),
    "eml: a header of 20 MB": lambda: ("a.eml", b"Subject: " + b"x\r\n " * (5 * MB) + b"\r\n\r\nx"),
    "eml: five hundred bombs": lambda: ("a.eml", mail(*[("z.zip", files.zipped({"z": bytes(5 * MB)}))] * 500)),
    "winmail.dat: a length of 2 GB": lambda: (
        "winmail.dat", struct.pack("<IH", 0x223E9F78, 1) + b"\x02" + struct.pack("<II", 0x0006800F, 0x7FFFFFFF)),
    "two at once: a PDF that is a zip": lambda: ("a.pdf", files.pdf(["x"]) + files.zipped({"z": bytes(200 * MB)})),
    "two at once: a zip that is a PDF": lambda: ("a.zip", files.pdf(["x"])),
    "two at once: a docx that is an image": lambda: ("a.docx", b"\x89PNG\r\n\x1a\n" + bytes(99) + files.docx(["x"])),
    "two at once: HTML that is RTF": lambda: ("a.html", b"{\\rtf1<html>" + b"{" * MB),
    "nothing": lambda: ("a.pdf", b""),
    "one octet": lambda: ("a.docx", b"P"),
}  # fmt: skip


def burdens() -> Iterator[tuple[str, Made]]:
    """Give each file that is built to be a burden."""
    for label, make in BURDENS.items():
        yield label, make()
