"""Members of TNEF (winmail.dat), as Exchange and Outlook send them to those who cannot read them.

Knows the attribute stream of [MS-OXTNEF] section 2.1 as far as names, attachments and a plain or HTML body go.
Deliberately reads no compressed RTF and no messages embedded as objects; checksums are not verified, since damage is
visible anyway.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from msgspec import Struct, field

SIGNATURE = b"\x78\x9f\x3e\x22"
MAX_MEMBERS = 200
MAX_PROPERTIES = 5000

_TITLE, _DATA, _RENDERING, _ATTACHMENT, _BODY, _PROPERTIES, _CODEPAGE = (
    0x00018010, 0x0006800F, 0x00069002, 0x00069005, 0x0002800C, 0x00069003, 0x00069007,
)  # fmt: skip
_LONG_NAME, _NAME, _BINARY, _TEXT, _HTML, _MIME_TYPE = 0x3707, 0x3704, 0x3701, 0x1000, 0x1013, 0x370E
_FIXED = {0x0001: 0, 0x0002: 4, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8, 0x000A: 4, 0x000B: 4, 0x0014: 8,
          0x0040: 8, 0x0048: 16}  # fmt: skip
_VARIABLE = frozenset({0x000D, 0x001E, 0x001F, 0x0102})


class Member(Struct):
    """A file within; the name as its sender gave it, possibly empty."""

    name: str = ""
    content_type: str = ""
    octets: bytes = b""


class Tnef(Struct):
    """What a winmail.dat holds; `body` and `html` are octets in `codepage`."""

    members: list[Member] = field(default_factory=list)
    body: bytes = b""
    html: bytes = b""
    codepage: str = "cp1252"
    whole: bool = True


def read_tnef(octets: bytes) -> Tnef | None:
    """Read a TNEF stream; None when it is none. Never raises; `whole` tells whether it ended where it should."""
    if not octets.startswith(SIGNATURE):
        return None
    found = Tnef()
    try:
        _read(octets, found)
    except (struct.error, ValueError, IndexError):
        found.whole = False
    return found


def _read(octets: bytes, found: Tnef) -> None:
    at = 6
    while at < len(octets):
        _level, attribute, length = struct.unpack_from("<BII", octets, at)
        at += 9
        data = octets[at : at + length]
        if len(data) < length:
            found.whole = False
            return
        at += length + 2
        if attribute == _CODEPAGE and length >= 4:
            found.codepage = f"cp{struct.unpack_from('<I', data)[0]}"
        elif attribute == _BODY:
            found.body = data.rstrip(b"\0")
        elif attribute == _PROPERTIES:
            for key, kind, value in _properties(data):
                if key == _TEXT:
                    found.body = (
                        value.decode("utf-16-le", "replace").encode("utf-8") if kind == 0x1F else value.rstrip(b"\0")
                    )
                    found.codepage = "utf-8" if kind == 0x1F else found.codepage
                elif key == _HTML:
                    found.html = value.rstrip(b"\0")
        elif attribute == _RENDERING:
            if len(found.members) >= MAX_MEMBERS:
                found.whole = False
                return
            found.members.append(Member())
        elif found.members:
            _attachment(found, found.members[-1], attribute, data)


def _attachment(found: Tnef, member: Member, attribute: int, data: bytes) -> None:
    if attribute == _TITLE:
        member.name = member.name or _string(data, 0x1E, found.codepage)
    elif attribute == _DATA:
        member.octets = data
    elif attribute == _ATTACHMENT:
        for key, kind, value in _properties(data):
            if key == _LONG_NAME or (key == _NAME and not member.name):
                member.name = _string(value, kind, found.codepage) or member.name
            elif key == _MIME_TYPE:
                member.content_type = _string(value, kind, found.codepage).lower()
            elif key == _BINARY and not member.octets and kind == 0x0102:
                member.octets = value


def _string(value: bytes, kind: int, codepage: str) -> str:
    if kind == 0x1F:
        return value.decode("utf-16-le", "replace").rstrip("\0")
    try:
        return value.rstrip(b"\0").decode(codepage, "replace")
    except LookupError:
        return value.rstrip(b"\0").decode("cp1252", "replace")


def _properties(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (id, type, value) of MAPI properties; of several values the last. Raises struct.error where data ends."""
    (count,) = struct.unpack_from("<I", data)
    at = 4
    for _ in range(min(count, MAX_PROPERTIES)):
        kind, key = struct.unpack_from("<HH", data, at)
        at += 4
        if key >= 0x8000:
            (named,) = struct.unpack_from("<I", data, at + 16)
            at += 20
            if named == 0:
                at += 4
            else:
                (length,) = struct.unpack_from("<I", data, at)
                at += 4 + (length + 3 & ~3)
        several, kind = kind & 0x1000, kind & 0x0FFF
        if kind in _VARIABLE:
            (values,) = struct.unpack_from("<I", data, at)
            at += 4
            value = b""
            for _ in range(min(values, MAX_PROPERTIES)):
                (length,) = struct.unpack_from("<I", data, at)
                value = data[at + 4 : at + 4 + length]
                at += 4 + (length + 3 & ~3)
        elif kind in _FIXED:
            values = 1
            if several:
                (values,) = struct.unpack_from("<I", data, at)
                at += 4
            value = data[at : at + _FIXED[kind]]
            at += _FIXED[kind] * values
        else:
            raise ValueError(kind)
        yield key, kind, value
