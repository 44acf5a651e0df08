"""The messages of an unlocked archive: found by the beginning of an id, opened, read, and taken to pieces.

Knows which messages may be read in this process and which want a bounded one of their own; nothing of searching.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from archiver.errors import UsageError
from archiver.model.catalogue import Details, Summary
from archiver.model.message import Message, Part, PartKind

if TYPE_CHECKING:
    from archiver.app.opening import Opened
    from archiver.config import Settings
    from archiver.model.shown import Hyperlink, Passage

_SHORTEST_ID = 4
_SHOWN_ID = 8

BEYOND_BOUNDS = ("parse-timeout", "parse-memory", "parse-crashed")
"""Defects of messages that are never read but in a process of their own."""
_HEX = frozenset("0123456789abcdef")


class Messages:
    """The messages of one opened archive. Raises IntegrityError for whatever turns out to be damaged."""

    def __init__(self, settings: Settings, opened: Opened) -> None:
        self._settings = settings
        self._opened = opened
        self._catalogue = opened.catalogue

    def resolve(self, prefix: str) -> int:
        """Return the row of the message whose id begins with this; raises UsageError when none or several do."""
        digits = prefix.strip().lower()
        if len(digits) < _SHORTEST_ID or not set(digits) <= _HEX:
            raise UsageError(
                "an id is at least four of the hexadecimal digits that `archiver search` shows",
                hint="copy it from the result of a search",
            )
        found = self._catalogue.resolve(digits)
        if not found:
            raise UsageError(f"no message has an id that begins with {digits}", hint="look it up with archiver search")
        if len(found) > 1:
            several = ", ".join(self.short_id(blob_id) for blob_id in found)
            raise UsageError(f"several messages have an id that begins with {digits}", hint=f"one of: {several}")
        row = self._catalogue.row(found[0])
        if row is None:
            raise UsageError(f"no message has an id that begins with {digits}")
        return row

    def short_id(self, blob_id: bytes) -> str:
        """Return the shortest beginning of an id, of eight digits or more, that is this message's alone."""
        digits = blob_id.hex()
        length = _SHOWN_ID
        while length < len(digits) and len(self._catalogue.resolve(digits[:length])) > 1:
            length += 4
        return digits[:length]

    def details(self, row: int) -> Details:
        """Return all that the catalogue knows of a message."""
        details = self._catalogue.details(row)
        if details is None:
            raise UsageError("this message is not in the archive")
        return details

    def thread(self, row: int) -> Sequence[Summary]:
        """Return all messages of a message's thread, oldest first."""
        return self._catalogue.thread(row)

    def octets(self, row: int) -> bytes:
        """Return the message exactly as the server sent it."""
        sealed = self._catalogue.sealed(row)
        if sealed is None:
            raise UsageError("this message is not in the archive")
        return self._opened.vault.read(*sealed)

    def parsed(self, row: int) -> Message:
        """Parse the message again, for its text: what is in the header, the catalogue has (`details`).

        One that went beyond its bounds when it was taken in is parsed within them again, in a process of its own.
        """
        from archiver.mail.text import parse_text

        octets = self.octets(row)
        return self._parsed_apart(octets) if self._went_beyond_bounds(row) else parse_text(octets)

    def _parsed_apart(self, octets: bytes) -> Message:
        """Parse in a bounded process of its own, attachments too."""
        from archiver.mail.workers import ParserPool

        sync = self._settings.sync
        with ParserPool(1, seconds=sync.parse_seconds, memory=sync.parse_memory_bytes) as pool:
            return next(iter(pool.parse([octets])))

    def _went_beyond_bounds(self, row: int) -> bool:
        return row in self.beyond_bounds([row])

    def beyond_bounds(self, rows: Collection[int]) -> frozenset[int]:
        """Return those of some messages that went beyond their bounds when they were taken in."""
        return self._catalogue.with_defects(rows, BEYOND_BOUNDS)

    def passages(self, row: int) -> Sequence[Passage]:
        """Return the message's text in the order written; that of one beyond its bounds as far as it could be read."""
        from archiver.mail.reading import shown_text

        if not self._went_beyond_bounds(row):
            return shown_text(self.octets(row))
        from archiver.model.shown import Passage

        message = self.parsed(row)
        pieces = (Passage(message.text), Passage(message.quoted, quoted=True))
        return tuple(piece for piece in pieces if piece.text.strip())

    def links(self, row: int) -> Sequence[Hyperlink]:
        """Return where the links of the message's HTML go; none of a message beyond its bounds."""
        from archiver.mail.reading import links

        return () if self._went_beyond_bounds(row) else links(self.octets(row))

    def part(self, row: int, path: str) -> tuple[Part, bytes]:
        """Return one part and its decoded octets; raises UsageError naming the parts there are."""
        from archiver.mail.extract import part_octets

        part = self._part(row, path)
        return part, part_octets(self.octets(row), path)

    def _part(self, row: int, path: str) -> Part:
        parts = {part.path: part for part in self.details(row).parts}
        if path not in parts:
            raise UsageError(f"the message has no part {path}", hint=f"its parts: {', '.join(parts) or 'none'}")
        return parts[path]

    def part_text(self, row: int, path: str) -> str:
        """Return an attachment's text, read in a bounded process; raises UsageError that says why there is none.

        What is inside of a container comes one after the other, each under its name.
        """
        from archiver.app.attached import text_of_part

        part = self._part(row, path)
        message = self._parsed_apart(self.octets(row))
        if part.kind in {PartKind.TEXT, PartKind.HTML}:
            return message.text if not message.quoted.strip() else f"{message.text}\n\n{message.quoted}".strip("\n")
        return text_of_part(message, part)

    def safe_html(self, row: int) -> str:
        """Return the message as one HTML file that loads nothing, runs nothing and has its images in it."""
        from archiver.mail.safe_html import safe_html

        return safe_html(self.octets(row))

    def headers(self, row: int) -> Sequence[tuple[str, str]]:
        """Return the header fields in their order, decoded and unfolded."""
        from archiver.mail.extract import header_lines

        return header_lines(self.octets(row))
