"""What the full-text index keeps of a message.

Knows which header fields go together in one column, and nothing of how text is folded and cut: that is the index's own.
"""

from __future__ import annotations

from collections.abc import Iterable

from archiver.model.address import EmailAddress
from archiver.model.catalogue import IndexDocument
from archiver.model.message import Message


def document(row: int, message: Message) -> IndexDocument:
    """Return what the index keeps of a message."""
    return IndexDocument(
        row=row,
        subject=message.subject,
        from_=_names(message.from_ + message.sender + message.reply_to),
        to=_names(message.to + message.delivered_to),
        cc=_names(message.cc),
        bcc=_names(message.bcc),
        text=message.text,
        quoted=_quoted(message),
        filenames=" ".join(part.filename for part in message.parts if part.filename),
    )


def _quoted(message: Message) -> str:
    """Return what a message repeats of others, with what the messages attached to it say."""
    inside = not message.forwarded_text or message.forwarded_text in message.quoted
    return message.quoted if inside else f"{message.quoted}\n{message.forwarded_text}"


def _names(addresses: Iterable[EmailAddress]) -> str:
    return " ".join(dict.fromkeys(f"{address.name} {address.addr_spec}" for address in addresses))
