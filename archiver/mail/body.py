"""The body parts of a message, listed and read: own text, quoted text, attachments.

Knows which parts are the text that a reader sees and which are beside it (RFC 2046, RFC 2183, RFC 3462). Deliberately
reads no attachment's text, but says which attachments have some.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field

from archiver.mail.charset import clean, decode, one_line
from archiver.mail.defects import Defects
from archiver.mail.header import parameter, read_header, unfolded, unstructured
from archiver.mail.quotes import split_quotes
from archiver.mail.structure import NESTED, Node
from archiver.mail.transfer import uu_block
from archiver.model.message import Part, PartKind

MAX_TEXT = 2 << 20
"""Characters of own text, and again of quoted text, that are kept."""

MAX_TEXT_OCTETS = 8 << 20
"""Octets of one text part that are read."""

_SIGNATURES = frozenset(
    (  # noqa: SIM905 - a table
        "application/pgp-signature application/pkcs7-signature application/x-pkcs7-signature application/pkcs7-mime "
        "application/x-pkcs7-mime application/pgp-encrypted application/pgp-keys"
    ).split()
)
_REPORTS = frozenset(
    (  # noqa: SIM905 - a table
        "message/delivery-status message/disposition-notification message/feedback-report "
        "message/global-delivery-status message/tracking-status text/rfc822-headers message/global-headers"
    ).split()
)
_CALENDARS = frozenset("text/calendar text/x-vcalendar application/ics".split())  # noqa: SIM905 - a table
_KINDS = {
    **dict.fromkeys(_SIGNATURES, PartKind.SIGNATURE),
    **dict.fromkeys(_REPORTS, PartKind.REPORT),
    **dict.fromkeys(_CALENDARS, PartKind.CALENDAR),
    "message/partial": PartKind.MESSAGE,
}
_NOT_SHOWN = frozenset({PartKind.ATTACHMENT, PartKind.INLINE, PartKind.SIGNATURE})
_TNEF = frozenset("application/ms-tnef application/vnd.ms-tnef".split())  # noqa: SIM905 - a table
_NO_TEXT = frozenset(
    (  # noqa: SIM905 - a table
        "text/calendar text/x-vcard text/vcard text/directory text/css text/csv text/x-amp-html text/javascript "
        "text/xml text/rtf text/x-vcalendar text/x-patch text/x-diff"
    ).split()
)


class Leaf(Struct, frozen=True):
    """An attachment that may hold text; `octets` gives them decoded, for as long as the tree of parts is kept."""

    path: str
    kind: str
    filename: str | None
    content_type: str
    charset: str | None
    octets: Callable[[], bytes]


class Body(Struct):
    """What was read of a message's body.

    `shown` are the texts of the message itself that quote something: each as it stands, then its own and its quoted
    text; `attached` is what the senders of attached messages wrote there, and `nested` says that there are some.
    `written` is all that was read, in its order and as it stands; with each text whether all of it is quoted.
    `leaves` are the attachments that may hold text, which nobody read yet.
    """

    text: str = ""
    quoted: str = ""
    parts: list[Part] = field(default_factory=list)
    shown: list[tuple[str, str, str]] = field(default_factory=list)
    attached: list[str] = field(default_factory=list)
    nested: bool = False
    written: list[tuple[str, bool]] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)


class _Reader(Struct):
    """Collects texts while the tree is walked; a cut is noted once."""

    defects: Defects
    attachments: bool = True
    own: list[str] = field(default_factory=list)
    quoted: list[str] = field(default_factory=list)
    own_size: int = 0
    quoted_size: int = 0
    parts: list[Part] = field(default_factory=list)
    shown: list[tuple[str, str, str]] = field(default_factory=list)
    attached: list[str] = field(default_factory=list)
    written: list[tuple[str, bool]] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)

    def add_leaf(self, part: Part, octets: bytes, again: Callable[[], bytes]) -> None:
        """Note an attachment that may hold text; `again` decodes it once more, so that not all are in memory."""
        from archiver.mail.attachments.kinds import sniff

        kind = sniff(octets, part.filename, part.content_type)
        if kind is not None:
            self.leaves.append(Leaf(part.path, kind, part.filename, part.content_type, part.charset, again))

    def add_shown(self, text: str, *, nested: bool) -> None:
        """Take in what a reader of a part sees, the sender's own text kept apart from what is quoted."""
        own, quoted = split_quotes(text)
        if nested:
            if own:
                self.attached.append(own)
        elif quoted:
            self.shown.append((text, own, quoted))
        self.written.append((text, nested))
        self._add(own, quoted, nested=nested)

    def add(self, text: str, *, nested: bool) -> None:
        """Take in text of the message that repeats nothing of others, or text of a nested message."""
        self.written.append((text, nested))
        self._add(text, "", nested=nested)

    def _add(self, own: str, quoted: str, *, nested: bool) -> None:
        """Take text in; all text of a nested message counts as quoted: findable, but weaker."""
        if nested:
            quoted = f"{own}\n\n{quoted}" if own and quoted else own or quoted
            own = ""
        if own:
            room = MAX_TEXT - self.own_size
            if len(own) > room:
                self.defects.add("text-limit")
                own = own[:room]
            self.own.append(own)
            self.own_size += len(own)
        if quoted:
            room = MAX_TEXT - self.quoted_size
            if len(quoted) > room:
                self.defects.add("text-limit")
                quoted = quoted[:room]
            self.quoted.append(quoted)
            self.quoted_size += len(quoted)


def read_body(root: Node, defects: Defects, *, attachments: bool = True) -> Body:
    """List all parts and read the texts among them; without `attachments` the list is of texts, which it takes to read.

    An attachment that has the message's text in it (winmail.dat) is read all the same.
    """
    reader = _Reader(defects, attachments)
    nested: set[int] = set()
    skipped = _other_versions(root)
    body_seen: set[int] = set()
    for node in root.walk():
        inside = node.parent is not None and (id(node.parent) in nested or node.parent.media in NESTED)
        if inside:
            nested.add(id(node))
        if node.is_multipart:
            if node.parent is not None and node.parent.media in NESTED:
                _read_nested_header(node, reader)
            continue
        if node.parent is not None and node.parent.media in NESTED:
            _read_nested_header(node, reader)
        if node.media in NESTED:
            reader.parts.append(_part(node, PartKind.MESSAGE, node.end - node.start))
            continue
        _read_leaf(node, reader, nested=inside, shown=id(node) not in skipped, first_text=not body_seen)
        if node.media.startswith("text/"):
            body_seen.add(id(node))
    text, quoted = "\n\n".join(reader.own), "\n\n".join(reader.quoted)
    return Body(text, quoted, reader.parts, reader.shown, reader.attached, bool(nested), reader.written, reader.leaves)


def _other_versions(root: Node) -> set[int]:
    """Return the leaves of multipart/alternative that say the same as a chosen one (by identity).

    Plain text is chosen when there is some; a stub ("your program cannot show HTML") beside a long HTML part is not.
    """
    skipped: set[int] = set()
    for node in root.walk():
        if node.media != "multipart/alternative":
            continue
        plain = [leaf for leaf in node.children if leaf.media == "text/plain"]
        html = [leaf for below in node.children for leaf in below.walk() if leaf.media == "text/html"]
        if not plain or not html:
            skipped.update(id(leaf) for leaf in html[1:])
            continue
        size = sum(leaf.end - leaf.start for leaf in plain)
        empty = all(not leaf.source[leaf.start : min(leaf.end, leaf.start + 4096)].strip() for leaf in plain)
        stub = empty or (size < 300 and sum(leaf.end - leaf.start for leaf in html) > 20 * size + 1000)
        skipped.update(id(leaf) for leaf in (plain if stub else html))
    return skipped


def _read_leaf(node: Node, reader: _Reader, *, nested: bool, shown: bool, first_text: bool) -> None:
    media = node.media
    kind = _kind(node, first_text=first_text)
    filename = node.filename
    is_tnef = media in _TNEF or (filename or "").lower() == "winmail.dat"
    if not reader.attachments and kind in _NOT_SHOWN and not is_tnef:
        return
    octets, sound = node.octets()
    if not sound:
        reader.defects.add("transfer-encoding", node.path)
    # An attachment's octets may be anything; only text that is read needs a charset.
    charset = parameter(node.parameters, "charset")
    part = _part(node, kind, len(octets), filename=filename, charset=charset)
    reader.parts.append(part)
    if is_tnef:
        _read_tnef(node, octets, reader, nested=nested)
    elif kind is PartKind.TEXT and shown:
        _read_text(node, octets, charset, reader, nested=nested)
    elif kind is PartKind.HTML and shown:
        _add_html(octets, charset, node.path, reader, nested=nested)
    elif kind is PartKind.CALENDAR:
        from archiver.mail.calendar import calendar_text

        text = calendar_text(_decoded(octets, charset, node.path, reader.defects))
        reader.add(text, nested=nested)
    elif kind is PartKind.REPORT:
        text = _decoded(octets, charset, node.path, reader.defects)
        if media == "text/rfc822-headers":
            _add_header(octets, reader)
        else:
            reader.add(text.strip(), nested=nested)
    elif kind is PartKind.ATTACHMENT and (filename is not None or not _is_alternative(node)):
        reader.add_leaf(part, octets, lambda: node.octets()[0])


def _is_alternative(node: Node) -> bool:
    """Whether this is another version of the text that is shown."""
    return node.parent is not None and node.parent.media == "multipart/alternative"


def _kind(node: Node, *, first_text: bool) -> PartKind:
    media = node.media
    attached = node.disposition == "attachment"
    special = _KINDS.get(media)
    if special is not None:
        return special
    if media.startswith("text/") and media not in _NO_TEXT and not attached and (first_text or node.filename is None):
        return PartKind.HTML if media in {"text/html", "text/xhtml"} else PartKind.TEXT
    if media.startswith("image/") and not attached:
        related = node.parent is not None and node.parent.media == "multipart/related"
        if node.content_id or node.disposition == "inline" or related:
            return PartKind.INLINE
    return PartKind.ATTACHMENT


def _part(node: Node, kind: PartKind, size: int, *, filename: str | None = None, charset: str | None = None) -> Part:
    return Part(
        path=node.path,
        content_type=node.media[:255],
        kind=kind,
        size=size,
        filename=filename or node.filename,
        content_id=node.content_id,
        charset=charset[:80] if charset else None,
    )


def _decoded(octets: bytes, charset: str | None, path: str, defects: Defects) -> str:
    if len(octets) > MAX_TEXT_OCTETS:
        defects.add("text-limit", path)
        octets = octets[:MAX_TEXT_OCTETS]
    text, problem = decode(octets, charset)
    if problem is not None:
        defects.add(problem, path)
    return text


def _read_text(node: Node, octets: bytes, charset: str | None, reader: _Reader, *, nested: bool) -> None:
    if b"begin" in octets:
        octets = _take_uuencoded(node, octets, reader)
    text = _decoded(octets, charset, node.path, reader.defects)
    if node.media in {"text/enriched", "text/richtext"}:
        text = _enriched(text)
    reader.add_shown(text, nested=nested)


def _enriched(text: str) -> str:
    """Drop the commands of text/enriched (RFC 1896), "<<" being a literal "<"."""
    import re

    text = re.sub(r"<param>[^<]{0,200}</param>", "", text, flags=re.IGNORECASE)
    return re.sub(r"<(?!<)/?[a-zA-Z-]{1,40}>", "", text).replace("<<", "<")


def _add_html(octets: bytes, charset: str | None, path: str, reader: _Reader, *, nested: bool) -> None:
    from archiver.mail.html import declared_charset, html_to_text

    text = _decoded(octets, charset or declared_charset(octets), path, reader.defects)
    lines, whole = html_to_text(text)
    if not whole:
        reader.defects.add("html-limit", path)
    reader.add_shown(clean(lines), nested=nested)


def _take_uuencoded(node: Node, octets: bytes, reader: _Reader) -> bytes:
    """List the uuencoded blocks in a text below its part, and return the text without them."""
    kept: list[bytes] = []
    at = number = 0
    while number < 100 and (block := uu_block(octets, at)) is not None:
        start, end, name, content, whole = block
        number += 1
        if not whole:
            reader.defects.add("uuencode", node.path)
        kept.append(octets[at:start])
        at = end
        part = Part(
            path=f"{node.path}.{number}",
            content_type="application/octet-stream",
            kind=PartKind.ATTACHMENT,
            size=len(content),
            filename=one_line(name).replace("\\", "/").rpartition("/")[2][:255] or None,
        )
        reader.parts.append(part)
        reader.add_leaf(part, content, lambda content=content: content)  # type: ignore[misc]
    kept.append(octets[at:])
    return b"".join(kept)


def _read_tnef(node: Node, octets: bytes, reader: _Reader, *, nested: bool) -> None:
    from archiver.mail.tnef import read_tnef

    found = read_tnef(octets)
    if found is None or not found.whole:
        reader.defects.add("tnef", node.path)
    if found is None:
        return
    for number, member in enumerate(found.members, 1):
        part = Part(
            path=f"{node.path}.{number}",
            content_type=one_line(member.content_type)[:255] or "application/octet-stream",
            kind=PartKind.ATTACHMENT,
            size=len(member.octets),
            filename=one_line(member.name).replace("\\", "/").rpartition("/")[2][:255] or None,
        )
        reader.parts.append(part)
        reader.add_leaf(part, member.octets, lambda member=member: member.octets)  # type: ignore[misc]
    if reader.own:
        return  # the body stands in the message's own text part, too
    if found.html:
        _add_html(found.html, None, node.path, reader, nested=nested)
    elif found.body:
        text = _decoded(found.body, found.codepage, node.path, reader.defects)
        reader.add_shown(text, nested=nested)


def _read_nested_header(node: Node, reader: _Reader) -> None:
    """Keep who, when and what of an attached message findable."""
    lines = [
        f"{name.title()}: {unstructured(value)[:1000]}"
        for name, value in node.fields
        if name in {"from", "to", "cc", "subject", "date"}
    ]
    reader.add("\n".join(lines[:20]), nested=True)


def _add_header(octets: bytes, reader: _Reader) -> None:
    fields, _ = read_header(octets, 0, len(octets), Defects())
    lines = [
        f"{name.title()}: {one_line(unfolded(value))[:1000]}"
        for name, value in fields
        if name in {"from", "to", "subject", "date"}
    ]
    reader.add("\n".join(lines[:20]), nested=True)
