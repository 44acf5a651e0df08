"""Small, valid files to attach: PDF, DOCX, PNG, CSV and a log, made of some lines of text and nothing random.

Knows just enough of each format that a reader opens it; the same text always gives the same octets.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from xml.sax.saxutils import escape

TYPES = {
    "pdf": ("application", "pdf"),
    "docx": ("application", "vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "png": ("image", "png"),
    "csv": ("text", "csv"),
    "log": ("application", "octet-stream"),
}


def make(kind: str, text: str) -> bytes:
    """Make a file of one of the kinds in TYPES that holds `text`."""
    return {"pdf": _pdf, "docx": _docx, "png": _png, "csv": _csv, "log": _log}[kind](text)


def _pdf(text: str) -> bytes:
    """Make one page (ISO 32000-1 §7.5), with a correct cross-reference table."""
    lines = [
        line.encode("cp1252", "replace").replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")
        for line in text.split("\n")
    ]
    content = b"BT /F1 12 Tf 18 TL 60 760 Td " + b" ".join(b"(%s) Tj T*" % line for line in lines) + b" ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F1 5 0 R >> >>",
    )
    file = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    file += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(file)


def _docx(text: str) -> bytes:
    """Make a document of a paragraph a line (ECMA-376 part 2), its members dated 1980: the octets never change."""
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    paragraphs = "".join(
        f'<w:p><w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r></w:p>' for line in text.split("\n")
    )
    members = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{word}"><w:body>{paragraphs}</w:body></w:document>',
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{member}')
    return file.getvalue()


def _png(text: str) -> bytes:
    """Make a grey picture of 32 × 32 whose shades come from the text (W3C PNG §5)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    shades = (text.encode() * (32 * 32 // max(1, len(text)) + 1))[: 32 * 32]
    rows = b"".join(b"\0" + shades[row * 32 : (row + 1) * 32] for row in range(32))
    header = struct.pack(">IIBBBBB", 32, 32, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _csv(text: str) -> bytes:
    rows = "".join(f'{number};"{text} {number}";{number % 7 + 1},95;21\r\n' for number in range(1, 25))
    return ("number;description;price;vat\r\n" + rows).encode()


def _log(text: str) -> bytes:
    steps = "".join(f"{number:02d}:00 step {number} of 10 done\n" for number in range(1, 9))
    return f"{text}\n{steps}09:00 ERROR disk full while writing block 8812\n".encode()
