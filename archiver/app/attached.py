"""Texts of attachments, read again when somebody wants to see them: in a bounded process, never in this one.

Knows how a text's path leads to its part, and how to say why there is none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from archiver.core.documents import MEMBER
from archiver.errors import UsageError
from archiver.model.message import Message, Part

if TYPE_CHECKING:
    from archiver.config import SyncSettings


def text_of_part(message: Message, part: Part) -> str:
    """Return what an attachment of a parsed message says; raises UsageError that says why there is nothing.

    What is inside of a container comes one after the other, each under its name.
    """
    path = part.path
    pieces = [each for each in message.attached if belongs(each.path, path) and each.text.strip()]
    if pieces:
        return "\n\n".join(
            each.text if each.path == path else f"{name_within(each.path)}:\n\n{each.text}" for each in pieces
        )
    raise UsageError(
        f"part {path} has no text to show: {_reason(message, part)}",
        hint="`archiver show ID --part N --output FILE` saves it as it is",
    )


def _reason(message: Message, part: Part) -> str:
    from archiver.mail.defects import CODES

    for defect in message.defects:
        if defect.code.startswith("attachment-") and belongs(defect.detail.partition(" ")[0], part.path):
            return CODES.get(defect.code, defect.code)
    return "files of this kind are not read, or there is none in it"


def belongs(path: str, part: str) -> bool:
    """Tell whether a path of a text or of a defect is a part's own, or of something inside of it."""
    return path == part or path.startswith((part + MEMBER, part + "."))


def name_within(path: str) -> str:
    """Return the name of what is inside of an attachment, as a path leads there; empty for the attachment itself."""
    return " > ".join(path.split(MEMBER)[1:])


def file_of(path: str, parts: Sequence[Part]) -> str | None:
    """Return the name of the file that a text is of: the attachment's, with the names of what is inside behind it."""
    within = path.split(MEMBER)[1:]
    named = max((part for part in parts if belongs(path, part.path)), key=lambda part: len(part.path), default=None)
    names = [*([named.filename] if named is not None and named.filename else []), *within]
    return " > ".join(names) or None


def read_apart(
    octets: Iterable[bytes], settings: SyncSettings, *, seconds: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[Message]:
    """Yield messages parsed with their attachments in one bounded process, in order, until the time is over.

    `octets` are asked for one at a time, each message has what is left of the time, and those that come too late are
    left out.
    """
    from archiver.mail.workers import ParserPool

    end = clock() + seconds
    with ParserPool(
        1, seconds=min(seconds, settings.parse_seconds), memory=settings.parse_memory_bytes, in_flight=1
    ) as pool:
        for each in octets:
            if clock() >= end:
                return
            yield from pool.parse([each])
