"""Address fields to EmailAddress values, through mail-parser's structural recovery.

Knows which pieces of a field are independent, so that mail-parser (about 50 µs an address) reads each of the few
hundred addresses of a company's mail once. Deliberately never searches a display name for something like an address.
"""

from __future__ import annotations

import re
from functools import lru_cache

from archiver.mail.charset import one_line
from archiver.mail.defects import Defects
from archiver.mail.header import decode_words, unfolded
from archiver.model.address import EmailAddress

MAX_ADDRESSES = 2000
MAX_FIELD = 256 << 10
MAX_ITEM = 2000
"""Characters of one address that are read."""

# One list item: quoted strings and angle-addresses may hold commas. Each alternative begins with another character.
_ITEM = re.compile(r'(?:[^",<]|"(?:[^"\\]|\\.)*"|<[^<>"]*>)+')
_STRUCTURE = re.compile(r'[(;]|:(?=[^"]*(?:"[^"]*"[^"]*)*\Z)')
_ANGLE = re.compile(r"<\s*([^<>]*?)\s*>?\s*\Z")
_BARE = re.compile(r"[^\s<>\"',;:()\[\]]+@[^\s<>\"',;:()\[\]]+")


def read_addresses(raws: list[bytes], defects: Defects, hint: str | None = None) -> tuple[EmailAddress, ...]:
    """Return the addresses of all fields of one name, in order; groups are flattened, empty ones give nothing.

    `hint` names the charset of 8-bit octets that are not UTF-8.
    """
    found: list[EmailAddress] = []
    for raw in raws:
        if len(raw) > MAX_FIELD:
            defects.add("address-limit")
        text = unfolded(raw[:MAX_FIELD], defects, hint)
        for item in _items(text):
            addresses, sound = _read(item)
            if not sound:
                defects.add("address-syntax")
            found.extend(addresses)
            if len(found) >= MAX_ADDRESSES:
                defects.add("address-limit")
                return tuple(found[:MAX_ADDRESSES])
    return tuple(found)


def _items(text: str) -> list[str]:
    """Split at commas where nothing but quotes and angle brackets can hide one; otherwise return the field whole."""
    if "," not in text or "(" in text or ";" in text or ":" in text:
        return [text] if text else []
    if '"' not in text and "<" not in text:
        return [item for part in text.split(",") if (item := part.strip())]
    items = [item.strip() for item in _ITEM.findall(text)]
    return [item for item in items if item] if sum(map(len, items)) else [text]


def _read(item: str) -> tuple[tuple[EmailAddress, ...], bool]:
    """Read one piece; return its addresses and whether it followed the rules."""
    if len(item) <= MAX_ITEM:
        return _cached(item)
    return _cached.__wrapped__(item)


@lru_cache(maxsize=16384)
def _cached(item: str) -> tuple[tuple[EmailAddress, ...], bool]:
    from mailparser.utils import get_addresses

    diagnostics: list[dict[str, object]] = []
    pairs = get_addresses(item, defects=diagnostics)
    found = [_address(name, spec) for name, spec in pairs if spec]
    unread = [str(one["raw"]) for one in diagnostics if not one["recovered"]]
    sound = all(_is_plain(raw) for raw in unread)
    for raw in unread:
        found.extend(_recovered(raw))
    return tuple(found), sound or item.strip() == "<>"  # the null address of bounces (RFC 5321 section 4.5.5)


def _is_plain(raw: str) -> bool:
    """Whether what mail-parser declines is kept unchanged all the same, so that nothing was lost or guessed.

    A mere name ("root") is how local mail writes people; local parts with neighbouring dots ("j..doe@…") are in use.
    """
    angle = _ANGLE.search(raw)
    spec = angle[1] if angle is not None and raw.count("<") == 1 == raw.count(">") else raw.strip()
    return _BARE.fullmatch(spec) is not None or not any(mark in raw for mark in '<>@"')


def _address(name: str, spec: str) -> EmailAddress:
    name = one_line(decode_words(name)).strip()
    if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"":
        name = name[1:-1].strip()
    spec = one_line(spec)
    if len(spec) > 2 and spec[0] == spec[-1] == "'":
        spec = spec[1:-1]  # Outlook's: no domain ends so
    return EmailAddress("" if name == spec else name[:MAX_ITEM], spec[:MAX_ITEM])


def _recovered(raw: str) -> list[EmailAddress]:
    """Make the best of what mail-parser declines: an addr-spec in angle brackets, a lone one, or the words."""
    text = one_line(decode_words(raw[:MAX_ITEM]))
    angle = _ANGLE.search(text)
    if angle is not None:
        spec = angle[1].strip("\"' ")
        name = text[: angle.start()].strip(" \"'")
        return [_address(name, spec)] if spec or name else []
    bare = _BARE.findall(text)
    if bare:
        return [EmailAddress("", spec) for spec in bare]
    text = text.strip(" \"'<>;,")
    # `From: root` must stay findable (archiver.model.address); "undisclosed recipients" and the like are nobody.
    if not text or "undisclosed" in text.lower() or "unlisted" in text.lower():
        return []
    return [EmailAddress("", text)]
