"""What the full-text index keeps of a message.

Knows which header fields go together in one column, and nothing of how text is folded and cut: that is the index's own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise

from archiver.model.address import EmailAddress
from archiver.model.catalogue import IndexDocument
from archiver.model.files import FileType, file_type
from archiver.model.message import Direction, Message

MEMBER = ">"
"""Stands before the name of what is inside of an attachment, in the path of its text."""

_MARKS = "> \t\xa0"
"""What stands before a quoted line, and around any."""


def document(row: int, message: Message, direction: Direction) -> IndexDocument:
    """Return what the index keeps of a message that went this way."""
    return IndexDocument(
        row=row,
        subject=message.subject,
        from_=_names(message.from_ + message.sender + message.reply_to),
        to=_names(message.to + message.delivered_to),
        cc=_names(message.cc),
        bcc=_names(message.bcc),
        text=message.text,
        quoted=_quoted(message),
        filenames=" ".join(_file_names(message)),
        attachments="\n".join(attached.text for attached in message.attached if attached.text),
        direction=direction,
        language=message.language,
        types=file_types(message),
    )


def octets_held(document: IndexDocument) -> int:
    """Return how much memory the texts of a document take, names and addresses aside."""
    return _octets(document.text) + _octets(document.quoted) + _octets(document.attachments)


def octets_parsed(message: Message) -> int:
    """Return how much memory the texts of a message take, likewise."""
    return sum(map(_octets, (message.text, message.quoted, message.forwarded_text))) + sum(
        _octets(attached.text) for attached in message.attached
    )


def _octets(text: str) -> int:
    """Return octets, not characters: one sign beyond U+FFFF makes four octets of each in its text."""
    return len(text) if text.isascii() else sys.getsizeof(text)


def file_types(message: Message) -> frozenset[FileType]:
    """Return what kinds of files a reader would say are attached."""
    return frozenset(file_type(part.content_type, part.filename) for part in message.attachments)


def _file_names(message: Message) -> Iterator[str]:
    """Yield the names of files, and of what is within them: the members of a zip, say."""
    for part in message.parts:
        if part.filename:
            yield part.filename
    for attached in message.attached:
        yield from attached.path.split(MEMBER)[1:]


def _quoted(message: Message) -> str:
    """Return what a message repeats of others, with the lines of what it forwards that stand so nowhere else.

    The text of a forward is cut out of what is quoted, or out of the message's own text where no mark sets it apart:
    indexed whole, nearly all of it would be there twice. What was cut out of its middle made neighbours of other lines,
    and a number may be folded over two.
    """
    if not message.forwarded_text or message.forwarded_text in message.quoted:
        return message.quoted
    known: set[tuple[str, ...]] = set()
    for text in (message.quoted, message.text):
        lines = _lines(text)
        known.update(pairwise(lines), ((line,) for line in lines))
    lines = _lines(message.forwarded_text)
    wanted: Iterable[tuple[str, ...]] = pairwise(lines) if len(lines) > 1 else [tuple(lines)]
    new = ["\n".join(each) for each in wanted if each not in known]
    return "\n".join((message.quoted, *new)) if new else message.quoted


def _lines(text: str) -> list[str]:
    """Return the lines with anything on them, without the marks before quoted ones."""
    return [line for each in text.split("\n") if (line := each.strip(_MARKS))]


def _names(addresses: Iterable[EmailAddress]) -> str:
    return " ".join(dict.fromkeys(f"{address.name} {address.addr_spec}" for address in addresses))
