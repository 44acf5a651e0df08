"""A message's octets to `archiver.model.message.Message`.

Puts the other modules of this package together: header fields, the tree of parts, texts, quotes, and what links a
message to customers; then attachments, when the rest is known. Never raises, whatever the octets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from archiver.mail.addresses import read_addresses
from archiver.mail.authors import author
from archiver.mail.automatic import is_automatic
from archiver.mail.body import Body, Leaf
from archiver.mail.dates import field_date, received_date
from archiver.mail.defects import Defects
from archiver.mail.forwards import Forwards, read_forwards
from archiver.mail.header import Fields, first, unfolded, unstructured
from archiver.mail.identifiers import MAX_IDENTIFIERS, identifier, identifiers
from archiver.mail.languages import language_of
from archiver.mail.reports import Report, read_report
from archiver.mail.structure import Node, read
from archiver.mail.text import guarded, parse_body, release
from archiver.mail.vat import vat_numbers
from archiver.mail.wire import HEADER_OCTETS
from archiver.model.address import EmailAddress
from archiver.model.message import Defect, Message

if TYPE_CHECKING:
    from archiver.mail.attachments.bounds import Bounds

MAX_SUBJECT = 4000

OnAttachment = Callable[[Message, int, str], None]
"""Told before an attachment is read that is more than plain text: the message so far, which attachment that can be read
this is (from 0), and its path and kind as a defect would name them."""


def parse(
    octets: bytes, *, skip: int = 0, on_attachment: OnAttachment | None = None, bounds: Bounds | None = None
) -> Message:
    """Return what the catalogue and the index need to know of a message; never raises for any octets.

    Whatever was wrong is in `defects`. When a piece cannot be read because of a fault of ours, the rest still is, and
    the defect "parse-failed" names the piece. The first `skip` of the attachments that can be read are not.
    """
    defects = Defects()
    root, body = parse_body(octets, defects)
    if root is None:
        return Message(defects=defects.found())
    message = _message(root, body, defects)
    if len(body.leaves) > skip:
        message = _with_attachments(message, body.leaves, defects, skip, on_attachment, bounds)
    release(root)
    return message


def _with_attachments(
    message: Message,
    leaves: Sequence[Leaf],
    defects: Defects,
    skip: int,
    on_attachment: OnAttachment | None,
    bounds: Bounds | None,
) -> Message:
    """Read the attachments, of which each that fails leaves a defect, and the others untouched."""
    from archiver.mail.attachments.kinds import TEXT
    from archiver.mail.attachments.reading import Reading

    reading = Reading(bounds)

    def so_far() -> Message:
        return replace(message, attached=tuple(reading.texts), defects=defects.found())

    for number, leaf in enumerate(leaves[skip:], skip):
        if on_attachment is not None and leaf.kind != TEXT:
            on_attachment(so_far(), number, f"{leaf.path} {leaf.kind}")
        guarded(
            "attachments",
            lambda leaf=leaf: reading.read(  # type: ignore[misc]
                leaf.octets(), leaf.path, leaf.filename, leaf.content_type, leaf.charset
            ),
            None,
            defects,
        )
        for defect in reading.defects:
            defects.add(defect.code, defect.detail)
        reading.defects.clear()
    return so_far()


def parse_header(octets: bytes, *problems: Defect) -> Message:
    """Return the header of a message whose body must not be touched, with these defects in front."""
    defects = Defects()
    for problem in problems:
        defects.add(problem.code, problem.detail)
    head = octets[:HEADER_OCTETS]
    root = guarded("structure", lambda: read(_header_of(head), defects), None, defects)
    return _message(root, Body(), defects) if root is not None else Message(defects=defects.found())


def _header_of(head: bytes) -> bytes:
    """Cut the octets off at the end of their header, so that no structure is looked for."""
    ends = [at for at in (head.find(b"\n\n"), head.find(b"\n\r\n")) if at >= 0]
    return head[: min(ends) + 1] if ends else head


def _message(root: Node, body: Body, defects: Defects) -> Message:
    """Read the fields of the header, each guarded by itself."""
    fields = root.fields
    names = frozenset([name for name, _ in fields])  # most fields that are asked for are not there
    # Programs that put raw 8-bit octets into the header mostly use the body's charset for them.
    hint = next((found for node in root.walk() if (found := node.parameters.get("charset"))), None)

    def people(name: str) -> tuple[EmailAddress, ...]:
        if name not in names:
            return ()
        raws = [value for field, value in fields if field == name]
        return guarded(name, lambda: read_addresses(raws, defects, hint), (), defects)

    def text(name: str) -> str:
        raw = first(fields, name) if name in names else None
        return guarded(name, lambda: unstructured(raw, defects, hint), "", defects) if raw else ""

    def ids(name: str) -> tuple[str, ...]:
        return guarded(name, lambda: identifiers(_raw(fields, name)), (), defects) if name in names else ()

    subject = text("subject")[:MAX_SUBJECT]
    from_, to = people("from"), people("to")
    report = guarded(
        "report",
        lambda: read_report(
            root, from_, to, lambda: people("x-failed-recipients"), lambda: f"{body.text}\n{body.quoted}"
        ),
        Report(),
        defects,
    )
    returned = root.media == "multipart/report" or bool(report.reported)
    forwards = guarded(
        "forwards", lambda: read_forwards(root, subject, body, report=returned, from_=from_), Forwards(), defects
    )
    references = ids("references")
    if report.identifiers:
        references = tuple(dict.fromkeys(references + report.identifiers))[-MAX_IDENTIFIERS:]
    return Message(
        subject=subject,
        message_id=guarded("message-id", lambda: identifier(_raw(fields, "message-id")), None, defects),
        in_reply_to=ids("in-reply-to"),
        references=references,
        sent_at=guarded("date", lambda: _sent_at(fields, defects), None, defects),
        arrived_at=guarded("received", lambda: received_date(_raw(fields, "received")), None, defects),
        from_=from_,
        sender=people("sender"),
        reply_to=people("reply-to"),
        to=to,
        cc=people("cc"),
        bcc=people("bcc"),
        delivered_to=people("delivered-to") + people("x-original-to"),
        list_id=text("list-id")[:500] or None,
        auto_submitted=text("auto-submitted")[:100].lower() or None,
        author=guarded("author", lambda: author(fields, names, from_, people), (), defects),
        forwarded=forwards.people,
        reported=report.reported,
        vat_numbers=guarded("vat", lambda: vat_numbers((subject, body.text, forwards.text)), (), defects),
        automatic=guarded("automatic", lambda: is_automatic(root, names), otherwise=False, defects=defects),
        text=body.text,
        quoted=body.quoted,
        forwarded_text=forwards.text,
        language=guarded("language", lambda: language_of(body.text, subject, body.quoted), None, defects),
        parts=tuple(body.parts),
        defects=defects.found(),
    )


def _raw(fields: Fields, name: str) -> str:
    raw = first(fields, name)
    return unfolded(raw) if raw else ""


def _sent_at(fields: Fields, defects: Defects) -> datetime | None:
    raw = first(fields, "date")
    return field_date(unfolded(raw), defects) if raw else None
