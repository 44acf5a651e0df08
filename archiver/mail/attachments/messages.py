"""A message that is attached as a file (.eml, without message/rfc822), as text and further attachments.

Reads it as `archiver.mail.text` reads a message, and shows who wrote it to whom, when, about what.
"""

from __future__ import annotations

from collections.abc import Iterator

from archiver.mail.attachments.bounds import Sink
from archiver.mail.body import Leaf
from archiver.mail.defects import Defects
from archiver.mail.header import unstructured
from archiver.mail.text import parse_body, release

_SHOWN = ("from", "to", "cc", "date", "subject")


def read_message(octets: bytes, out: Sink) -> Iterator[tuple[str, Leaf]]:
    """Write the message's header and texts, then yield its own attachments with a name for each that has none."""
    octets = octets.lstrip(b"\r\n")
    if octets.startswith(b"From ") and b"\n" in octets:  # the line with which an mbox begins a message
        octets = octets[octets.index(b"\n") + 1 :]
    root, body = parse_body(octets, Defects())
    if root is None:
        return
    for name, value in root.fields:
        if name in _SHOWN:
            out.write(f"{name.title()}: {unstructured(value)[:1000]}\n")
    for text in (body.text, body.quoted):
        if text:
            out.write(f"\n{text}\n")
    for leaf in body.leaves:
        yield f"part {leaf.path}", leaf
    release(root)
