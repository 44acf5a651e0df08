"""Text of Office files before 2007 (.doc, .xls, .ppt) and of Outlook messages (.msg), out of their streams.

Knows just so much of [MS-DOC], [MS-XLS], [MS-PPT] and [MS-OXMSG] that words are found: pieces of a text, strings and
numbers of cells, atoms of text, properties. Deliberately knows nothing of formats, fields and formulas, and reads no
Word before 97 and no Excel before 97.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from archiver.mail.attachments.bounds import DAMAGED, ENCRYPTED, UNSUPPORTED, Sink, UnreadError
from archiver.mail.attachments.compound import CompoundFile
from archiver.mail.charset import guess

_FIELD_CODE = re.compile("\x13[^\x13\x14\x15]{0,2000}(?:\x14|(?=\x15))")
_WORD_MARKS = str.maketrans(
    {"\r": "\n", "\x07": "\t", "\x0b": "\n", "\x0c": "\n", "\x1e": "-"} | dict.fromkeys("\x1f\x15\x14\x13\x01\x08")
)
_MAX_RECORDS = 2_000_000


def legacy_kind(file: CompoundFile) -> str | None:
    """Return "doc", "xls", "ppt", "msg", "encrypted", or None for anything else."""
    for name, kind in (
        ("encryptedpackage", "encrypted"), ("worddocument", "doc"), ("workbook", "xls"), ("book", "xls"),
        ("powerpoint document", "ppt"), ("__properties_version1.0", "msg"),
    ):  # fmt: skip
        if name in file:
            return kind
    return None


def read_legacy(file: CompoundFile, kind: str | None, out: Sink) -> None:
    """Write the text; raises UnreadError."""
    try:
        if kind == "encrypted":
            raise UnreadError(ENCRYPTED)
        if kind == "doc":
            _word(file, out)
        elif kind == "xls":
            _excel(file, out)
        elif kind == "ppt":
            _powerpoint(file, out)
        else:
            raise UnreadError(UNSUPPORTED)
    except (struct.error, IndexError, ValueError):
        raise UnreadError(DAMAGED) from None


def _word(file: CompoundFile, out: Sink) -> None:
    """Follow the piece table ([MS-DOC] section 2.9.177) over the main text, footnotes, headers, comments."""
    stream = file.stream("worddocument")
    magic, version, flags = struct.unpack_from("<HH6xH", stream)
    if magic != 0xA5EC or version < 0xC1:
        raise UnreadError(UNSUPPORTED)
    if flags & 0x0100:
        raise UnreadError(ENCRYPTED)
    table = file.stream("1table" if flags & 0x0200 else "0table")
    start, size = struct.unpack_from("<II", stream, 0x01A2)  # fcClx, lcbClx
    clx = table[start : start + size]
    at = 0
    while at < len(clx) and clx[at] == 1:  # properties come before the pieces
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    if at >= len(clx) or clx[at] != 2:
        raise UnreadError(DAMAGED)
    pieces = clx[at + 5 : at + 5 + struct.unpack_from("<I", clx, at + 1)[0]]
    count = (len(pieces) - 4) // 12
    positions = struct.unpack_from(f"<{count + 1}I", pieces)
    for number in range(count):
        out.allowance.tick()
        length = positions[number + 1] - positions[number]
        (offset,) = struct.unpack_from("<I", pieces, 4 * (count + 1) + 8 * number + 2)
        if length < 0:
            raise UnreadError(DAMAGED)
        if offset & 0x40000000:
            offset = (offset & 0x3FFFFFFF) // 2
            text = stream[offset : offset + length].decode("cp1252", "replace")
        else:
            text = stream[offset : offset + 2 * length].decode("utf-16-le", "replace")
        out.write(_FIELD_CODE.sub("", text).translate(_WORD_MARKS))


def _excel(file: CompoundFile, out: Sink) -> None:
    """Go through the records of BIFF8 ([MS-XLS] section 2.1.4): names of sheets, shared strings, cells row by row."""
    stream = file.stream("workbook") or file.stream("book")
    shared: list[str] = []
    row = -1
    records = _records(stream)
    for kind, pieces in records:
        data = pieces[0]
        if kind == 0x0809 and struct.unpack_from("<H", data)[0] != 0x0600:
            raise UnreadError(UNSUPPORTED)  # Excel 95
        if kind == 0x002F:
            raise UnreadError(ENCRYPTED)
        if kind == 0x0085:  # BoundSheet8
            out.write(_short_string(data, 6) + "\n")
        elif kind == 0x00FC:
            shared = list(_shared_strings(pieces, out))
        elif kind in {0x00FD, 0x0203, 0x027E, 0x0204, 0x00BD}:
            out.allowance.tick()
            (this_row,) = struct.unpack_from("<H", data)
            out.write("\t" if this_row == row else "\n")
            row = this_row
            out.write(_cell(kind, data, shared))


def _records(stream: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Yield (type, data with what continues it)."""
    at = 0
    kind, pieces = 0, list[bytes]()
    for _ in range(_MAX_RECORDS):
        if at + 4 > len(stream):
            break
        following, length = struct.unpack_from("<HH", stream, at)
        data = stream[at + 4 : at + 4 + length]
        at += 4 + length
        if following == 0x003C and pieces:
            pieces.append(data)
            continue
        if pieces:
            yield kind, pieces
        kind, pieces = following, [data]
    if pieces:
        yield kind, pieces


def _short_string(data: bytes, at: int) -> str:
    length, wide = data[at], data[at + 1] & 1
    return data[at + 2 : at + 2 + length * (1 + wide)].decode("utf-16-le" if wide else "latin-1", "replace")


def _shared_strings(pieces: list[bytes], out: Sink) -> Iterator[str]:
    """Read the table of strings; one that runs on into the next record says there again how wide it is."""
    (count,) = struct.unpack_from("<I", pieces[0], 4)
    piece, at = 0, 8
    kept = 0
    for number in range(min(count, 1 << 20)):
        if not number % 1000:
            out.allowance.tick()
        while piece < len(pieces) and at >= len(pieces[piece]):
            piece, at = piece + 1, at - len(pieces[piece])
        if piece >= len(pieces) or kept > 8 << 20:
            return
        length, flags = struct.unpack_from("<HB", pieces[piece], at)
        at += 3
        runs = extension = 0
        if flags & 8:
            (runs,) = struct.unpack_from("<H", pieces[piece], at)
            at += 2
        if flags & 4:
            (extension,) = struct.unpack_from("<I", pieces[piece], at)
            at += 4
        found: list[str] = []
        wide = flags & 1
        while length > 0 and piece < len(pieces):
            octets = pieces[piece][at : at + length * (1 + wide)]
            found.append(octets.decode("utf-16-le" if wide else "latin-1", "replace"))
            length -= max(1, len(octets) // (1 + wide)) if octets else 0
            at += len(octets)
            if length > 0:
                piece += 1
                if piece < len(pieces) and pieces[piece]:
                    wide, at = pieces[piece][0] & 1, 1
        at += 4 * runs + extension
        kept += sum(map(len, found))
        yield "".join(found)


def _cell(kind: int, data: bytes, shared: list[str]) -> str:
    if kind == 0x00FD:  # LabelSst
        (number,) = struct.unpack_from("<I", data, 6)
        return shared[number] if number < len(shared) else ""
    if kind == 0x0204:  # Label
        length, wide = struct.unpack_from("<HB", data, 6)
        return data[9 : 9 + length * (1 + (wide & 1))].decode("utf-16-le" if wide & 1 else "latin-1", "replace")
    if kind == 0x0203:
        return f"{struct.unpack_from('<d', data, 6)[0]:.12g}"
    if kind == 0x027E:
        return _packed_number(struct.unpack_from("<I", data, 6)[0])
    return "\t".join(  # MulRk
        _packed_number(struct.unpack_from("<I", data, at + 2)[0]) for at in range(4, len(data) - 6, 6)
    )


def _packed_number(packed: int) -> str:
    """Return an RkNumber ([MS-XLS] section 2.5.217)."""
    if packed & 2:
        value = float((packed >> 2) - (1 << 30 if packed & 0x80000000 else 0))
    else:
        value = struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))[0]
    return f"{value / 100 if packed & 1 else value:.12g}"


def _powerpoint(file: CompoundFile, out: Sink) -> None:
    """Write the atoms of text of the slides and their notes ([MS-PPT] sections 2.9.42, 2.9.43, 2.9.23)."""
    if "encryptedsummary" in file:
        raise UnreadError(ENCRYPTED)
    stream = file.stream("powerpoint document")
    at = 0
    for number in range(_MAX_RECORDS):
        if at + 8 > len(stream):
            return
        if not number % 1000:
            out.allowance.tick()
        version, kind, length = struct.unpack_from("<HHI", stream, at)
        at += 8
        if version & 15 == 15:
            continue  # a container: what it holds comes next
        data = stream[at : at + length]
        at += length
        if kind == 0x0FA0:
            out.write(data.decode("utf-16-le", "replace").translate(_WORD_MARKS) + "\n")
        elif kind == 0x0FA8:
            out.write(data.decode("cp1252", "replace").translate(_WORD_MARKS) + "\n")


_SUBJECT, _BODY, _SENDER, _SENDER_ADDRESS, _TO, _HTML, _NAME, _SHORT_NAME, _DATA = (
    "0037", "1000", "0c1a", "0c1f", "0e04", "1013", "3707", "3704", "3701",
)  # fmt: skip


def read_outlook(file: CompoundFile, out: Sink) -> Iterator[tuple[str, bytes]]:
    """Write who wrote what to whom, then yield (name, octets) of the attachments ([MS-OXMSG] section 2)."""
    for label, key in (("From", _SENDER), ("From", _SENDER_ADDRESS), ("To", _TO), ("Subject", _SUBJECT)):
        if value := _property(file, "", key).strip():
            out.write(f"{label}: {value}\n")
    body = _property(file, "", _BODY)
    if body.strip():
        out.write(f"\n{body}\n")
    elif html := file.stream(f"__substg1.0_{_HTML}0102"):
        from archiver.mail.attachments.plain import read_html

        read_html(html, None, out)
    folders = {name.partition("/")[0] for name in file.names if name.startswith("__attach_version1.0_")}
    for folder in sorted(folders):
        prefix = folder + "/"
        name = _property(file, prefix, _NAME) or _property(file, prefix, _SHORT_NAME) or "attachment"
        yield name, file.stream(f"{prefix}__substg1.0_{_DATA}0102")


def _property(file: CompoundFile, prefix: str, key: str) -> str:
    octets = file.stream(f"{prefix}__substg1.0_{key}001f")
    if octets:
        return octets.decode("utf-16-le", "replace").rstrip("\0")
    return guess(file.stream(f"{prefix}__substg1.0_{key}001e").rstrip(b"\0"))
