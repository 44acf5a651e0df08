"""Header fields: found in octets, unfolded, decoded; and the parameters of MIME fields.

Knows RFC 5322 section 2.2, RFC 2047, RFC 2231 and RFC 6532, with the usual lies about each. Deliberately knows no
field's meaning: addresses, dates and identifiers have their own modules.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice

from archiver.mail.charset import clean, codec_name, decode, guess, one_line
from archiver.mail.defects import Defects

MAX_HEADER = 1 << 20
"""Octets of one header that are read."""

MAX_FIELDS = 5000

_EMPTY_LINE = re.compile(rb"\n\r*\n")
_FIELD_END = re.compile(rb"\n(?![ \t])")
_COMMON = 40  # octets of a field's name up to which it is remembered
_FIELD_NAME = re.compile(rb"[!-9;-~]+[ \t]*\Z")
_FOLD = re.compile(rb"[\r\n]+[ \t]*")
_KNOWN_FIELD = (
    rb"(?i)\n(?:content-[a-z-]+|from|to|cc|subject|date|message-id|mime-version|received|reply-to|return-path"
    rb"|in-reply-to|references|sender|x-[a-z-]+)[ \t]*:"
)
# An encoded-word, its text allowed to hold the spaces that some writers leave in; never across another word's end.
_WORD = r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*(?:\?(?!=)[^?]*)*)\?="
# What is no parameter is matched too, up to the next semicolon: else a row of them is gone through from each of them.
_PARAMETER = re.compile(r';[\s;]*+(?:([^=;\s"]{1,80})\s*+=\s*("(?:[^"\\]|\\.)*"?|[^;]*)|[^;]*+)', re.DOTALL)
_SECTION = r"(?s)(.+?)(?:\*(\d{1,3}))?(\*)?\Z"

Fields = list[tuple[str, bytes]]
"""(name in lower case, value as it stands in the octets, folds included), in order."""


def read_header(source: bytes, start: int, end: int, defects: Defects) -> tuple[Fields, int]:
    """Read the fields from `start`; return them and where the body begins.

    A line that is no field is skipped when known fields still follow before the empty line; otherwise the body begins
    with it. A first line "From …" (mbox) is skipped.
    """
    if source.startswith((b"From ", b">From "), start, end):
        line_end = source.find(b"\n", start, end)
        start = end if line_end < 0 else line_end + 1
    if source.startswith((b"\n", b"\r\n"), start, end):
        return [], source.index(b"\n", start) + 1
    stop = _EMPTY_LINE.search(source, start, end)
    head_end, body = (stop.start() + 1, stop.end()) if stop else (end, end)
    if head_end - start > MAX_HEADER:
        defects.add("header-limit")
        head_end = start + MAX_HEADER
    block = source[start:head_end]
    fields: Fields = []
    at = 0
    for line in _FIELD_END.split(block):
        name, colon, value = line.rstrip(b"\r").partition(b":")
        if colon and (known := _field_name(name)) is not None:
            fields.append((known, value))
            if len(fields) >= MAX_FIELDS:
                defects.add("header-limit")
                break
        elif line.strip():
            defects.add("header-syntax")
            at = block.find(line, at)
            delimiter = block.find(b"\n--", at)  # what follows a delimiter line is a part's header
            known_ones = re.compile(_KNOWN_FIELD)
            if not known_ones.search(block, at, delimiter if delimiter >= 0 else len(block)):
                return fields, start + at
    return fields, body


def _field_name(octets: bytes) -> str | None:
    """Return a field's name in lower case, or None when it cannot be one; the same hundred stand in every message."""
    return _common_name(octets) if len(octets) <= _COMMON else _name(octets)


def _name(octets: bytes) -> str | None:
    return octets.rstrip().decode("ascii").lower() if _FIELD_NAME.match(octets) else None


@lru_cache(maxsize=1024)
def _common_name(octets: bytes) -> str | None:
    return _name(octets)


def first(fields: Fields, name: str) -> bytes | None:
    """Return the first field of that name (lower case), or None."""
    for field, value in fields:
        if field == name:
            return value
    return None


def unfolded(raw: bytes, defects: Defects | None = None, hint: str | None = None) -> str:
    """Return a field's value without folds, not yet cleaned.

    8-bit octets are UTF-8 (RFC 6532), or else in the charset hinted at (the body's, say), or else Windows-1252.
    """
    if b"\n" in raw or b"\r" in raw:
        raw = _FOLD.sub(b" ", raw)
    raw = raw.strip()
    if raw.isascii():
        return raw.decode("ascii")
    if b"\x1b$" in raw and codec_name("iso-2022-jp"):
        return decode(raw, "iso-2022-jp")[0]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        if defects is not None:
            defects.add("header-charset")
        return guess(raw, hint)


def decode_words(text: str, defects: Defects | None = None) -> str:
    """Decode the encoded-words of RFC 2047 wherever they stand, also in quoted strings, where they must not be.

    Neighbouring words of one charset are joined as octets before decoding: many writers split inside a character.
    """
    if "=?" not in text:
        return text
    pieces: list[str] = []
    pending: list[bytes] = []
    charset = ""
    last = 0

    def flush() -> None:
        if pending:
            decoded, problem = decode(b"".join(pending), charset)
            if defects is not None and (problem is not None or codec_name(charset) is None):
                defects.add("header-word")
            pieces.append(decoded)
            pending.clear()

    for match in re.finditer(_WORD, text):
        between = text[last : match.start()]
        label = match[1].split("*", 1)[0].lower()
        octets = _word_octets(match[2], match[3])
        if not pending or between.strip() or label != charset:
            flush()
            # White space between two encoded-words is no part of the text (RFC 2047 section 6.2).
            if last == 0 or between.strip():
                pieces.append(between)
        charset = label
        pending.append(octets)
        last = match.end()
    flush()
    pieces.append(text[last:])
    return "".join(pieces)


def _word_octets(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(raw.replace(b" ", b"_"), header=True)
    raw = bytes(octet for octet in raw if octet in _BASE64)
    if len(raw) % 4 == 1:
        raw = raw[:-1]
    return binascii.a2b_base64(raw + b"=" * (-len(raw) % 4))


_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


def unstructured(raw: bytes, defects: Defects | None = None, hint: str | None = None) -> str:
    """Return an unstructured field (Subject, say) decoded, as one clean line."""
    return one_line(decode_words(unfolded(raw, defects, hint), defects))


def structured(raw: bytes) -> tuple[str, Mapping[str, str]]:
    """Return the value before the first ";" (as written) and the parameters (names in lower case) of a MIME field."""
    return _structured(raw) if len(raw) <= 512 else _structured.__wrapped__(raw[:65536])


@lru_cache(maxsize=4096)
def _structured(raw: bytes) -> tuple[str, Mapping[str, str]]:
    text = unfolded(raw)
    value, semicolon, _ = text.partition(";")
    found: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[bool, str]]] = {}
    matches = _PARAMETER.finditer(text, len(value)) if semicolon else ()
    for match in islice((each for each in matches if each[1] is not None), 200):
        name, given = match[1].lower(), match[2].strip()
        if given.startswith('"'):
            given = given[1:-1] if len(given) > 1 and given.endswith('"') else given[1:]
            if "\\" in given:
                given = re.sub(r"\\(.)", r"\1", given)
        if "*" in name and (section := re.match(_SECTION, name)) is not None:
            number = int(section[2] or 0)
            sections.setdefault(section[1], {}).setdefault(number, (bool(section[3]), given))
        else:
            found.setdefault(name, clean(decode_words(given)))
    for name, numbered in sections.items():
        found[name] = _joined(numbered)
    return value.strip(), found


def _joined(numbered: Mapping[int, tuple[bool, str]]) -> str:
    """Join the sections of a continued, possibly encoded parameter (RFC 2231 sections 3 and 4)."""
    from urllib.parse import unquote_to_bytes

    charset = ""
    octets = b""
    for position, number in enumerate(sorted(numbered)):
        encoded, given = numbered[number]
        if encoded and position == 0 and given.count("'") >= 2:
            charset, _, given = given.split("'", 2)
        octets += unquote_to_bytes(given) if encoded else given.encode("utf-8", "replace")
    # Words of RFC 2047 inside the sections of RFC 2231 exist, too.
    return clean(decode_words(decode(octets, charset or None)[0]))


def parameter(parameters: Mapping[str, str], name: str) -> str | None:
    """Return a parameter as one clean line, or None when it is absent or empty."""
    value = parameters.get(name)
    return one_line(value) or None if value else None
