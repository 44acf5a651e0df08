"""Messages out of an mbox file, one at a time: flat memory, whatever the size of the file.

Knows the family of formats that share a separator line "From sender date" (RFC 4155 appendix A). What decides:

- A separator is a line "From …" with a date in it, after an empty line or at the beginning of the file, or with a full
  time and year anywhere; in each case a header field must follow. Anything else is text of the message.
- Quoting: of every line `>From `, `>>From ` and so on one ">" is taken away, which undoes mboxrd exactly and mboxo as
  far as it can be undone. A message that also has an unquoted "From " line within its body comes from a writer that
  does not quote (mboxcl2): its lines stay as they are.
- The one empty line that a writer puts after each message is taken away. All else stays octet for octet, CRLF or LF.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from archiver.mail.dates import field_date

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATED = re.compile(rb"From .*\b\d{1,2}:\d{2}\b.*\b(?:19|20)\d{2}\b|From .*\b(?:19|20)\d{2}\b.*\d{1,2}:\d{2}\b")
_LOOSE = re.compile(rb"From \S.*\d")
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:|>?From |[ \t]*\r?$")
_QUOTED = re.compile(rb"^>(?=>*From )", re.MULTILINE)
_UNQUOTED = re.compile(rb"^From ", re.MULTILINE)
_HEADER_END = re.compile(rb"\n\r?\n")


def is_mbox(beginning: bytes) -> bool:
    """Whether a file that begins with these octets is an mbox: a separator line, then a header field."""
    lines = beginning.lstrip(b"\r\n").split(b"\n", 2)
    return len(lines) > 1 and lines[0].startswith(b"From ") and _FIELD.match(lines[1]) is not None


def read_mbox(stream: BinaryIO) -> Iterator[tuple[datetime | None, bytes]]:
    """Yield (date of the separator line, octets) for each message; what stands before the first one is left out."""
    lines: list[bytes] = []
    received: datetime | None = None
    begun = False
    empty_before = True
    line = stream.readline()
    while line:
        following = stream.readline()
        if line.startswith(b"From ") and _separates(line, following, empty_before=empty_before):
            if begun:
                yield received, _message(lines)
            begun, received, lines = True, separator_date(line), []
        elif begun:
            lines.append(line)
        empty_before = line in {b"\n", b"\r\n"}
        line = following
    if begun:
        yield received, _message(lines)


def _separates(line: bytes, following: bytes, *, empty_before: bool) -> bool:
    pattern = _LOOSE if empty_before else _DATED
    return pattern.match(line[:500]) is not None and (not following or _FIELD.match(following[:200]) is not None)


def separator_date(line: bytes) -> datetime | None:
    """Return the date of a separator line, in UTC when it names no zone; None when there is none to be read."""
    text = line[5:300].decode("ascii", "replace").strip()
    _sender, _, date = text.partition(" ")
    return field_date(date.strip()) or field_date(text)


def _message(lines: list[bytes]) -> bytes:
    if lines and lines[-1] in {b"\n", b"\r\n"}:
        lines.pop()
    octets = b"".join(lines)
    if b"\n>" in octets and _QUOTED.search(octets):
        head = _HEADER_END.search(octets)
        if _UNQUOTED.search(octets, head.end() if head else 0) is None:
            octets = _QUOTED.sub(b"", octets)
    return octets


def as_internal_date(moment: datetime) -> str:
    """Write a date as servers write INTERNALDATE (RFC 3501 section 9); the month is English in any locale."""
    offset = moment.strftime("%z")[:5] or "+0000"
    return f"{moment.day:02d}-{MONTHS[moment.month - 1]}-{moment.year:04d} {moment:%H:%M:%S} {offset}"
