"""Office files, PDFs and archives made by hand: small, valid, and nobody's.

Knows just enough of each format that ordinary programs would open what comes out. Everything is deterministic.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

_WHEN = (2026, 3, 3, 10, 15, 0)
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_X = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_P = "http://schemas.openxmlformats.org/presentationml/2006/main"
_ODF = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
    'xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"'
)
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


# --- archives ---------------------------------------------------------------------------------------------------------


def zipped(members: Mapping[str, bytes | str], *, stored: Sequence[str] = ()) -> bytes:
    """Return a zip archive; members named in `stored` are not compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, _WHEN)
            info.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return out.getvalue()


def encrypted_zip(members: Mapping[str, bytes | str]) -> bytes:
    """Return a zip archive whose members claim to be encrypted (bit 0 of the flags, APPNOTE 4.4.4)."""
    octets = bytearray(zipped(members))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = 0
        while (at := octets.find(signature, at)) >= 0:
            octets[at + offset] |= 1
            at += 4
    return bytes(octets)


# --- Office Open XML --------------------------------------------------------------------------------------------------


def docx(
    paragraphs: Sequence[str],
    *,
    header: str = "",
    footnote: str = "",
    comment: str = "",
    deleted: str = "",
    table: Sequence[Sequence[str]] = (),
    title: str = "",
) -> bytes:
    """Return a word processor's file; `deleted` is a tracked deletion, which nobody should find."""
    body = "".join(f"<w:p><w:r><w:t>{escape(one)}</w:t></w:r></w:p>" for one in paragraphs)
    if deleted:
        body += f'<w:p><w:del w:id="1"><w:r><w:delText>{escape(deleted)}</w:delText></w:r></w:del></w:p>'
    if table:
        rows = "".join(
            "<w:tr>" + "".join(f"<w:tc><w:p><w:r><w:t>{escape(cell)}</w:t></w:r></w:p></w:tc>" for cell in row)
            + "</w:tr>"
            for row in table
        )  # fmt: skip
        body += f"<w:tbl>{rows}</w:tbl>"
    members = {
        "[Content_Types].xml": _content_types("wordprocessingml.document.main+xml", "/word/document.xml"),
        "_rels/.rels": _relations("word/document.xml"),
        "word/document.xml": f'{_XML}<w:document xmlns:w="{_W}"><w:body>{body}</w:body></w:document>',
    }
    for name, element, text in (("header1", "hdr", header), ("footnotes", "footnotes", footnote)):
        if text:
            inner = f"<w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p>"
            inner = f'<w:footnote w:id="2">{inner}</w:footnote>' if name == "footnotes" else inner
            members[f"word/{name}.xml"] = f'{_XML}<w:{element} xmlns:w="{_W}">{inner}</w:{element}>'
    if comment:
        members["word/comments.xml"] = (
            f'{_XML}<w:comments xmlns:w="{_W}"><w:comment w:id="0" w:author="A"><w:p><w:r><w:t>{escape(comment)}'
            "</w:t></w:r></w:p></w:comment></w:comments>"
        )
    return zipped(members | _core(title))


def xlsx(sheets: Mapping[str, Sequence[Sequence[str | float]]], *, inline: bool = False) -> bytes:
    """Return a spreadsheet; texts go into the shared strings, or with `inline` into their cells."""
    shared: list[str] = []
    members: dict[str, bytes | str] = {
        "[Content_Types].xml": _content_types("spreadsheetml.sheet.main+xml", "/xl/workbook.xml"),
        "_rels/.rels": _relations("xl/workbook.xml"),
    }
    names = ""
    for number, (name, rows) in enumerate(sheets.items(), 1):
        names += f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
        body = "".join("<row>" + "".join(_cell(one, shared, inline=inline) for one in row) + "</row>" for row in rows)
        members[f"xl/worksheets/sheet{number}.xml"] = (
            f'{_XML}<worksheet xmlns="{_X}"><sheetData>{body}</sheetData></worksheet>'
        )
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    members["xl/workbook.xml"] = (
        f'{_XML}<workbook xmlns="{_X}" xmlns:r="{relations}"><sheets>{names}</sheets></workbook>'
    )
    if shared:
        strings = "".join(f"<si><t>{escape(one)}</t></si>" for one in shared)
        members["xl/sharedStrings.xml"] = f'{_XML}<sst xmlns="{_X}">{strings}</sst>'
    # One format for dates, as programs write it: style 1 is the built-in format 14.
    members["xl/styles.xml"] = (
        f'{_XML}<styleSheet xmlns="{_X}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
        "</styleSheet>"
    )
    return zipped(members)


def _cell(value: str | float, shared: list[str], *, inline: bool) -> str:
    if not isinstance(value, str):
        return f"<c><v>{value!r}</v></c>"
    if value.startswith("date:"):  # days since 1899-12-30, with the style of a date
        return f'<c s="1"><v>{value[5:]}</v></c>'
    if inline:
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    shared.append(value)
    return f'<c t="s"><v>{len(shared) - 1}</v></c>'


def pptx(slides: Sequence[Sequence[str]], *, notes: str = "") -> bytes:
    """Return a presentation; each slide is its paragraphs, `notes` belong to the first."""
    members: dict[str, bytes | str] = {
        "[Content_Types].xml": _content_types("presentationml.presentation.main+xml", "/ppt/presentation.xml"),
        "_rels/.rels": _relations("ppt/presentation.xml"),
        "ppt/presentation.xml": f'{_XML}<p:presentation xmlns:p="{_P}"/>',
    }
    for number, paragraphs in enumerate(slides, 1):
        members[f"ppt/slides/slide{number}.xml"] = _slide("sld", paragraphs)
    if notes:
        members["ppt/notesSlides/notesSlide1.xml"] = _slide("notes", [notes])
    return zipped(members)


def _slide(element: str, paragraphs: Sequence[str]) -> str:
    body = "".join(f"<a:p><a:r><a:t>{escape(one)}</a:t></a:r></a:p>" for one in paragraphs)
    return (
        f'{_XML}<p:{element} xmlns:p="{_P}" xmlns:a="{_A}"><p:cSld><p:spTree><p:sp><p:txBody>{body}</p:txBody></p:sp>'
        f"</p:spTree></p:cSld></p:{element}>"
    )


def _content_types(kind: str, part: str) -> str:
    return (
        f'{_XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="{part}" ContentType="application/vnd.openxmlformats-officedocument.{kind}"/></Types>'
    )


def _relations(target: str) -> str:
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    return (
        f'{_XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{office}" Target="{target}"/></Relationships>'
    )


def _core(title: str) -> dict[str, bytes | str]:
    if not title:
        return {}
    return {
        "docProps/core.xml": (
            f'{_XML}<cp:coreProperties xmlns:cp="urn:cp" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<dc:title>{escape(title)}</dc:title></cp:coreProperties>"
        )
    }


# --- OpenDocument -----------------------------------------------------------------------------------------------------


def odt(paragraphs: Sequence[str], *, annotation: str = "", deleted: str = "", encrypted: bool = False) -> bytes:
    """Return a text in OpenDocument; `deleted` is a tracked deletion."""
    body = "".join(f"<text:p>{escape(one)}</text:p>" for one in paragraphs)
    if annotation:
        body += f"<text:p>x<office:annotation><text:p>{escape(annotation)}</text:p></office:annotation></text:p>"
    if deleted:
        region = f"<text:changed-region><text:deletion><text:p>{escape(deleted)}</text:p></text:deletion>"
        body = f"<text:tracked-changes>{region}</text:changed-region></text:tracked-changes>{body}"
    return _odf("text", f"<office:text>{body}</office:text>", encrypted=encrypted)


def ods(sheets: Mapping[str, Sequence[Sequence[str]]]) -> bytes:
    """Return a spreadsheet in OpenDocument, its cells as they are shown."""
    body = ""
    for name, rows in sheets.items():
        cells = "".join(
            "<table:table-row>"
            + "".join(f"<table:table-cell><text:p>{escape(one)}</text:p></table:table-cell>" for one in row)
            + "</table:table-row>"
            for row in rows
        )
        body += f"<table:table table:name={quoteattr(name)}>{cells}</table:table>"
    return _odf("spreadsheet", f"<office:spreadsheet>{body}</office:spreadsheet>")


def odp(slides: Sequence[Sequence[str]]) -> bytes:
    """Return a presentation in OpenDocument."""
    body = "".join(
        "<draw:page><draw:frame><draw:text-box>"
        + "".join(f"<text:p>{escape(one)}</text:p>" for one in paragraphs)
        + "</draw:text-box></draw:frame></draw:page>"
        for paragraphs in slides
    )
    return _odf("presentation", f"<office:presentation>{body}</office:presentation>")


def _odf(kind: str, body: str, *, encrypted: bool = False) -> bytes:
    media = f"application/vnd.oasis.opendocument.{kind}"
    content: bytes | str = (
        f"{_XML}<office:document-content {_ODF}><office:body>{body}</office:body></office:document-content>"
    )
    entry = '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"'
    entry += "><manifest:encryption-data/></manifest:file-entry>" if encrypted else "/>"
    if encrypted:
        content = bytes(range(256)) * 4
    return zipped(
        {
            "mimetype": media,
            "content.xml": content,
            "META-INF/manifest.xml": (
                f'{_XML}<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">{entry}'
                "</manifest:manifest>"
            ),
        },
        stored=["mimetype"],
    )


# --- RTF --------------------------------------------------------------------------------------------------------------


def rtf(paragraphs: Sequence[str]) -> bytes:
    """Return rich text in Windows-1252, other characters as Unicode escapes."""
    lines = [
        "".join(f"\\u{ord(one)}?" if ord(one) > 126 else "\\" + one if one in "\\{}" else one for one in paragraph)
        for paragraph in paragraphs
    ]
    body = "\\par\n".join(lines)
    return (
        "{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\fswiss\\fcharset0 Helvetica;}}\\f0\\fs20 " + body + "\\par}"
    ).encode("ascii")


# --- PDF --------------------------------------------------------------------------------------------------------------


def pdf(pages: Sequence[str], *, title: str = "", compressed: bool = True, password: str | None = None) -> bytes:
    """Return a PDF, each page the lines of a text in Helvetica (Windows-1252 only); with a password, 40-bit RC4."""
    objects: list[bytes] = [b"", b""]  # catalogue and page tree come first, once the pages have numbers
    font = len(objects) + 1
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    kids = []
    for text in pages:
        shown = b"".join(b"(%s) Tj T*\n" % _pdf_string(line) for line in text.split("\n")) if text else b""
        content = b"BT /F1 11 Tf 14 TL 50 780 Td\n" + shown + b"ET\n"
        objects.append(_stream(content, compressed=compressed))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 %d 0 R >> >> >>" % (len(objects), font)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    trailer = b""
    if title:
        objects.append(b"<< /Title (%s) >>" % _pdf_string(title))
        trailer = b" /Info %d 0 R" % len(objects)
    return pdf_of(objects, trailer, password=password)


def pdf_of(objects: Sequence[bytes], trailer: bytes = b"", *, password: str | None = None) -> bytes:
    """Return a PDF of these objects, numbered from 1; the first is the catalogue (ISO 32000-1 section 7.5)."""
    identity = hashlib.md5(b"archiver", usedforsecurity=False).digest()
    objects = list(objects)
    if password is not None:
        key, owner, user = _standard_security(password.encode("latin-1"), identity)
        objects = [_encrypted(one, number, key) for number, one in enumerate(objects, 1)]
        objects.append(
            b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>"
            % (owner.hex().encode("ascii"), user.hex().encode("ascii"))
        )
        hexed = identity.hex().encode("ascii")
        trailer += b" /Encrypt %d 0 R /ID [<%s> <%s>]" % (len(objects), hexed, hexed)
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, one in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(out)


def scanned_pdf(pages: int = 1) -> bytes:
    """Return a PDF that shows an image on each page, and no text at all."""
    pixels = zlib.compress(bytes(64 * 64))
    image = (
        b"<< /Type /XObject /Subtype /Image /Width 64 /Height 64 /ColorSpace /DeviceGray /BitsPerComponent 8"
        b" /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(pixels), pixels)
    )
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", image, _stream(b"q 500 0 0 700 40 60 cm /I1 Do Q")]
    kids = []
    for _ in range(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
            b" /Resources << /XObject << /I1 3 0 R >> >> >>"
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, b" ".join(kids))
    return pdf_of(objects)


def _stream(content: bytes, *, compressed: bool = True) -> bytes:
    if compressed:
        content = zlib.compress(content)
        return b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(content), content)
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)


def _pdf_string(text: str) -> bytes:
    octets = text.encode("cp1252")
    return octets.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


_PAD = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def _standard_security(password: bytes, identity: bytes) -> tuple[bytes, bytes, bytes]:
    """Return (key, O, U) of the standard security handler, revision 2 (ISO 32000-1 section 7.6.3)."""
    padded = (password + _PAD)[:32]
    owner = _rc4(hashlib.md5(padded, usedforsecurity=False).digest()[:5], padded)
    rights = struct.pack("<i", -4)
    key = hashlib.md5(padded + owner + rights + identity, usedforsecurity=False).digest()[:5]
    return key, owner, _rc4(key, _PAD)


def _encrypted(one: bytes, number: int, key: bytes) -> bytes:
    """Encrypt the stream of an object (its strings, none of which is text, stay as they are)."""
    head, begin, rest = one.partition(b"\nstream\n")
    if not begin:
        return one
    content, end, tail = rest.rpartition(b"\nendstream")
    salted = key + struct.pack("<I", number)[:3] + b"\0\0"
    own = hashlib.md5(salted, usedforsecurity=False).digest()[:10]
    return head + begin + _rc4(own, content) + end + tail


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    other = 0
    for at in range(256):
        other = (other + state[at] + key[at % len(key)]) & 255
        state[at], state[other] = state[other], state[at]
    out = bytearray()
    at = other = 0
    for octet in data:
        at = (at + 1) & 255
        other = (other + state[at]) & 255
        state[at], state[other] = state[other], state[at]
        out.append(octet ^ state[(state[at] + state[other]) & 255])
    return bytes(out)


# --- compound files (legacy Office, encrypted Office Open XML, Outlook) -----------------------------------------------


def compound(streams: Mapping[str, bytes]) -> bytes:
    """Return a compound file ([MS-CFB], version 3) of these streams; "a/b" is stream b in storage a."""
    names = sorted({name.rpartition("/")[0] for name in streams if "/" in name})
    entries: list[tuple[str, int, bytes]] = [("Root Entry", 5, b"")]
    children: dict[str, list[int]] = {"": []}
    for storage in names:
        children[""].append(len(entries))
        children[storage] = []
        entries.append((storage, 1, b""))
    for name, content in streams.items():
        storage, _, own = name.rpartition("/")
        children[storage].append(len(entries))
        # Below 4,096 octets a stream would belong into the mini stream; padding it keeps this writer small.
        entries.append((own, 2, content))
    sectors: list[bytes] = []
    table: list[int] = []
    placed: list[tuple[int, int]] = []
    for _, kind, content in entries:
        size = max(len(content), 4096) if kind == 2 else 0
        placed.append((_place(content.ljust(size, b"\0"), sectors, table) if size else 0xFFFFFFFE, size))
    directory = b"".join(
        _entry(entry, placed[number], number, entries, children) for number, entry in enumerate(entries)
    )
    directory_start = _place(directory.ljust(-(-len(directory) // 512) * 512, b"\0"), sectors, table)
    fat_sectors = 1
    while fat_sectors * 128 < len(table) + fat_sectors:
        fat_sectors += 1
    fat_at = len(sectors)
    table += [0xFFFFFFFD] * fat_sectors
    table += [0xFFFFFFFF] * (fat_sectors * 128 - len(table))
    sectors += [struct.pack("<128I", *table[at : at + 128]) for at in range(0, len(table), 128)]
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6,
        0, fat_sectors, directory_start, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0,
    )  # fmt: skip
    header += b"".join(struct.pack("<I", fat_at + n if n < fat_sectors else 0xFFFFFFFF) for n in range(109))
    return header + b"".join(sectors)


def _place(content: bytes, sectors: list[bytes], table: list[int]) -> int:
    start = len(sectors)
    pieces = [content[at : at + 512].ljust(512, b"\0") for at in range(0, len(content), 512)]
    sectors += pieces
    table += [start + n + 1 for n in range(len(pieces) - 1)] + [0xFFFFFFFE]
    return start


def _entry(
    entry: tuple[str, int, bytes],
    placed: tuple[int, int],
    number: int,
    entries: Sequence[tuple[str, int, bytes]],
    children: Mapping[str, Sequence[int]],
) -> bytes:
    """Return a directory entry; siblings hang to the right of each other, which is a tree, if no balanced one."""
    name, kind, _ = entry
    encoded = (name + "\0").encode("utf-16-le")
    right = 0xFFFFFFFF
    for siblings in children.values():
        if number in siblings and siblings.index(number) + 1 < len(siblings):
            right = siblings[siblings.index(number) + 1]
    below = children["" if kind == 5 else name] if kind in {1, 5} else ()
    child = below[0] if below else 0xFFFFFFFF
    assert number < len(entries)
    start, size = placed
    return encoded.ljust(64, b"\0") + struct.pack(
        "<HBBIII16xI16xIQ", len(encoded), kind, 1, 0xFFFFFFFF, right, child, 0, start, size
    )


def encrypted_office() -> bytes:
    """Return what Office makes of a file with a password: a compound file around the encrypted package."""
    return compound({"EncryptionInfo": bytes(64), "EncryptedPackage": bytes(range(256)) * 8})
