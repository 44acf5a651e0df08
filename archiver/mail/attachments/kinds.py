"""What an attached file is: told by its first octets, then by its name, then by the content type.

Deliberately not the same as `archiver.model.files`, which says what a sender claims; here wrong claims do no harm.
"""

from __future__ import annotations

import re

PDF, ZIP, COMPOUND, RTF, HTML, XML, TEXT = "pdf", "zip", "compound", "rtf", "html", "xml", "text"
MESSAGE, CARD, CALENDAR, GZIP, TAR, BZIP, PACKED, PGP = (
    "message",
    "card",
    "calendar",
    "gzip",
    "tar",
    "bzip2",
    "packed",
    "pgp",
)

_HEAD = 4096
_MAGIC: tuple[tuple[bytes, str | None], ...] = (
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"PK\x07\x08PK\x03\x04", ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", COMPOUND),
    (b"\x1f\x8b\x08", GZIP),
    (b"BZh", BZIP),
    (b"7z\xbc\xaf\x27\x1c", PACKED),
    (b"Rar!\x1a\x07", PACKED),
    (b"\xfd7zXZ\x00", PACKED),
    (b"\x28\xb5\x2f\xfd", PACKED),
    # Nothing that anybody expects text of: images, sound, video, programs, fonts.
    (b"\xff\xd8\xff", None),
    (b"\x89PNG", None),
    (b"GIF8", None),
    (b"II*\x00", None),
    (b"MM\x00*", None),
    (b"RIFF", None),
    (b"OggS", None),
    (b"ID3", None),
    (b"\x00\x00\x01\x00", None),
    (b"MZ", None),
    (b"\x7fELF", None),
    (b"wOFF", None),
)
_TEXT_ENDINGS = {
    "htm": HTML,
    "html": HTML,
    "xhtml": HTML,
    "xml": XML,
    "eml": MESSAGE,
    "vcf": CARD,
    "ics": CALENDAR,
    "vcs": CALENDAR,
}
_TEXT_TYPES = {
    "text/html": HTML,
    "application/xhtml+xml": HTML,
    "text/xml": XML,
    "application/xml": XML,
    "text/vcard": CARD,
    "text/x-vcard": CARD,
    "text/directory": CARD,
    "text/calendar": CALENDAR,
}
_NOT_READ = frozenset("text/css text/javascript application/javascript application/x-javascript".split())  # noqa: SIM905
_NOT_READ_ENDINGS = frozenset("css js svg p7s p7m asc sig pem crt cer key pgp".split())  # noqa: SIM905 - a table
_PLAIN_OCTETS = bytes(octet for octet in range(256) if octet >= 32 or octet in b"\t\n\r\x0c\x1b")
_HTML_START = re.compile(rb"\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_FIELD = re.compile(rb"(?:[!-9;-~]{1,60}[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*){2}")
_KNOWN_FIELD = re.compile(
    rb"^(?:from|received|return-path|message-id|mime-version|delivered-to|x-mozilla-status):",
    re.IGNORECASE | re.MULTILINE,
)
_PGP = re.compile(rb"-----BEGIN PGP MESSAGE-----")
_ARMOUR = re.compile(rb"\s*-----BEGIN [A-Z0-9 ]{3,40}-----")


def sniff(octets: bytes, filename: str | None, content_type: str) -> str | None:  # noqa: PLR0911 - a table
    """Return what kind of file this is, None for one that holds no text for a reader (or nothing at all)."""
    head = octets[:_HEAD]
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if b"%PDF-" in head[:1024]:
        return PDF
    if head.lstrip()[:5] == b"{\\rtf":
        return RTF
    if head[257:262] == b"ustar":
        return TAR
    ending = (filename or "").rpartition(".")[2].strip().lower()
    content_type = content_type.lower()
    if not head.strip() or content_type.startswith(("image/", "audio/", "video/", "font/")):
        return None
    if not is_text(head):
        return _claimed(ending, content_type)
    return _kind_of_text(head, ending, content_type)


def _claimed(ending: str, content_type: str) -> str | None:
    """Return what octets that are nothing known were to be: a reader expects text of these, and there is none."""
    if ending == "pdf" or content_type in {"application/pdf", "application/x-pdf"}:
        return PDF
    if ending in {"docx", "xlsx", "pptx", "odt", "ods", "odp", "zip", "docm", "xlsm", "pptm"}:
        return ZIP
    if ending in {"doc", "xls", "ppt", "msg"}:
        return COMPOUND
    return None


def _kind_of_text(head: bytes, ending: str, content_type: str) -> str | None:  # noqa: PLR0911 - a table
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _ARMOUR.match(start):
        return PGP if _PGP.match(start) else None
    if ending in _NOT_READ_ENDINGS or content_type in _NOT_READ:
        return None
    if start[:15].upper().startswith(b"BEGIN:VCARD"):
        return CARD
    if start[:15].upper().startswith(b"BEGIN:VCALENDAR"):
        return CALENDAR
    if _HTML_START.match(start):
        return HTML
    if start.startswith(b"<?xml"):
        return None if b"<svg" in head else HTML if b"<html" in head else XML
    kind = _TEXT_ENDINGS.get(ending) or _TEXT_TYPES.get(content_type)
    if kind == MESSAGE or (kind is None and not content_type.startswith("text/")):
        return MESSAGE if _is_message(start) else TEXT
    return kind or TEXT


def _is_message(start: bytes) -> bool:
    """Whether these octets begin as a message does: fields, one of which only messages have."""
    if start.startswith(b"From ") and b"\n" in start:
        start = start[start.index(b"\n") + 1 :]
    return _FIELD.match(start.replace(b"\r\n", b"\n")) is not None and _KNOWN_FIELD.search(start) is not None


def is_text(head: bytes) -> bool:
    """Whether octets look like text: no control characters, but for UTF-16 with its mark."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if b"\0" in head:
        return False
    strange = len(head.translate(None, _PLAIN_OCTETS))
    return strange * 50 <= len(head)
