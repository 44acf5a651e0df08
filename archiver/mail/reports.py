"""Delivery reports: whom the message that came back was for, and which message it was.

Knows RFC 3464 and RFC 6522, complaints that name a recipient (RFC 5965), receipts (RFC 8098), and the bounces that
qmail, Postfix, Exim, Sendmail and Exchange write without any of them. Deliberately tells no failure from a delay or a
success: whom a report is about does not depend on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import unquote

from msgspec import Struct

from archiver.mail.addresses import read_addresses
from archiver.mail.defects import Defects
from archiver.mail.header import Fields, first, read_header, unfolded
from archiver.mail.identifiers import identifiers
from archiver.mail.structure import NESTED, Node
from archiver.model.address import EmailAddress

MAX_REPORTED = 50
"""Recipients that are kept of one report."""

_MAX_OCTETS = 256 << 10
_MAX_GROUPS = 500
_MAX_LINES = 300

_STATUS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_COMPLAINTS = frozenset({"message/feedback-report"})
_RECEIPTS = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
_HEADERS = frozenset({"text/rfc822-headers", "message/global-headers"})
_DAEMONS = re.compile(r"(?:mailer-?daemon|post-?master|mail-?daemon|mdaemon|microsoftexchange[0-9a-f]{20,})(?:\Z|[+@])")

# What a program writes before the copy of the message that it returns; no address below it is the report's.
_COPY = re.compile(
    r"\s*(?:-{2,}.{0,20}(?:this (?:line )?is (?:below )?a copy|below this line is a copy|the header of the original"
    r"|original message|returned message|unsent message|message (?:follows|header)|undelivered message)"
    r"|(?:return-path|received|message-id|from|reporting-mta|delivered-to|x-[a-z-]+)\s*:"
    r"|original message (?:follows|headers?)|diagnostic information for administrators)",
    re.IGNORECASE,
)
_ALONE = re.compile(
    r"\s*(?:to:\s*)?<?([^\s<>@,;:\"()]{1,64}@[^\s<>@,;:\"()]{1,255})>?\s*(?::.*|\s(?:on|op|le|am)\s.*)?\Z"
)
_BRACKETED = re.compile(r"\s*<([^\s<>@,;\"()]{1,64}@[^\s<>@,;:\"()]{1,255})>\s*(?::|\.\.\.|\(|\Z)")
_SAID = re.compile(
    r"(?:your|uw|votre|ihre) (?:message|bericht|e-?mail|nachricht) (?:to|aan|à|an) "
    r"<?([^\s<>@,;:\"()]{1,64}@(?:[\w-]{1,63}\.){1,10}[\w-]{2,63})(?![\w@-])",
    re.IGNORECASE,
)
_RETURNED_ID = re.compile(r"^\s*message-id\s*:\s*(<[^<>\s]{3,500}>)", re.IGNORECASE | re.MULTILINE)
_UNITEXT = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")


class Report(Struct, frozen=True):
    """Whom a report is about, and the identifiers of the message that it reports on (mostly one)."""

    reported: tuple[EmailAddress, ...] = ()
    identifiers: tuple[str, ...] = ()


def is_from_daemon(from_: Iterable[EmailAddress]) -> bool:
    """Whether a program that delivers mail is the sender (RFC 3464 section 2, RFC 2142 section 4)."""
    return any(_DAEMONS.match(one.key) for one in from_)


def read_report(
    root: Node,
    from_: tuple[EmailAddress, ...],
    to: tuple[EmailAddress, ...],
    failed: Callable[[], tuple[EmailAddress, ...]],
    texts: Callable[[], str],
) -> Report:
    """Return what a message reports on; an empty report when it is none.

    `failed` gives what stands in X-Failed-Recipients, `texts` all the text of the message; that is asked for only when
    a daemon reports without the parts of RFC 6522. A report inside a forwarded message is not this message's.
    """
    daemon = is_from_daemon(from_)
    if root.media != "multipart/report" and not daemon:
        return Report()
    parts = list(_own_parts(root))
    status = [node for node in parts if node.media in _STATUS | _COMPLAINTS]
    receipts = [node for node in parts if node.media in _RECEIPTS]
    if receipts and not status:
        # A receipt comes from whom it is about: only the message is found by it.
        return Report(identifiers=tuple(one for node in receipts for one in _receipt(node)))
    if not daemon and not status:
        return Report()  # anything else that calls itself a report
    returned = [fields for node in parts if (fields := _returned(node)) is not None][:3]
    found = [one for node in status for one in _recipients(node)]
    if not found and not daemon and all(node.media in _COMPLAINTS for node in status):
        return Report()
    found = found or list(failed())
    ids = [one for fields in returned for one in identifiers(_raw(fields, "message-id"))[:1]]
    if not found or not ids:
        text = texts()[:_MAX_OCTETS] if daemon else ""
        if not found and text:
            found = list(addresses_in_words(text))
        if not ids and text:
            ids = [one for match in _RETURNED_ID.findall(text)[:1] for one in identifiers(match)]
    if not found:
        found = [one for fields in returned for one in _people(fields, "to") + _people(fields, "cc")]
    # Whoever got the report sent what it is about, and is not whom it was for.
    not_these = {one.key for one in (*from_, *to)}
    reported = {one.key: one for one in reversed(found) if one.domain and one.key not in not_these}
    return Report(tuple(reversed(reported.values()))[:MAX_REPORTED], tuple(dict.fromkeys(ids)))


def _own_parts(root: Node) -> Iterator[Node]:
    """Yield the parts of the message itself, not what a message in it holds."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if node.media not in NESTED:
            stack.extend(reversed(node.children))


def _recipients(node: Node) -> Iterator[EmailAddress]:
    """Yield whom the groups of fields of a delivery status (RFC 3464 section 2.3) or a complaint name."""
    octets = node.octets()[0][:_MAX_OCTETS].replace(b"\r\n", b"\n")
    for number, group in enumerate(re.split(rb"\n[ \t]*\n", octets)):
        if number >= _MAX_GROUPS:
            return
        fields, _ = read_header(group.lstrip(b"\n"), 0, len(group), Defects())
        for name in ("original-recipient", "final-recipient", "original-rcpt-to"):
            for one in _typed(_raw(fields, name)):
                yield EmailAddress("", one)


def _typed(value: str) -> list[str]:
    """Return the address in "rfc822; x@y" (RFC 3464 section 2.1.2) without escapes (RFC 3461 section 4, RFC 6533)."""
    kind, semicolon, spec = value.partition(";")
    if not semicolon:
        spec, kind = kind, "rfc822"
    kind = kind.strip().lower()
    if kind not in {"rfc822", "utf-8", "smtp", "internet", "unknown"}:
        return []
    spec = spec.strip().strip("<>").strip()
    if kind == "rfc822" and _XTEXT.search(spec):
        decoded = unquote(_XTEXT.sub(r"%\1", spec.replace("%", "%25")))
        spec = decoded if decoded.isprintable() and decoded.count("@") == 1 else spec
    if kind == "utf-8":
        decoded = _UNITEXT.sub(lambda match: chr(min(int(match[1], 16), 0x10FFFF)), spec)
        spec = decoded if decoded.isprintable() else spec
    return [spec] if spec.count("@") == 1 and not re.search(r"\s", spec) else []


def _receipt(node: Node) -> Iterator[str]:
    """Yield the message that a receipt is about (RFC 8098 section 3.2.5)."""
    octets = node.octets()[0][:_MAX_OCTETS].replace(b"\r\n", b"\n").strip()
    for group in re.split(rb"\n[ \t]*\n", octets)[:5]:
        fields, _ = read_header(group, 0, len(group), Defects())
        yield from identifiers(_raw(fields, "original-message-id"))[:1]


def _returned(node: Node) -> Fields | None:
    """Return the header of the message that came back, when this part holds it."""
    if node.media in NESTED and node.children:
        return node.children[0].fields
    if node.media in _HEADERS:
        octets = node.octets()[0][:_MAX_OCTETS]
        return read_header(octets, 0, len(octets), Defects())[0]
    return None


def _people(fields: Fields, name: str) -> tuple[EmailAddress, ...]:
    return read_addresses([value for field, value in fields if field == name], Defects())


def _raw(fields: Fields, name: str) -> str:
    raw = first(fields, name)
    return unfolded(raw) if raw else ""


def addresses_in_words(text: str) -> Iterator[EmailAddress]:
    """Yield the addresses that stand on their own in a daemon's words, down to the copy of the message."""
    for line in text.split("\n")[:_MAX_LINES]:
        if len(line) > 600:
            continue
        if "@" not in line:
            if _COPY.match(line):
                return
            continue
        match = _BRACKETED.match(line) or _ALONE.match(line) or _SAID.search(line)
        if match is not None:
            yield EmailAddress("", match[1].rstrip("."))
        elif _COPY.match(line):
            return
