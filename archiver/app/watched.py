"""The messages of an unlocked archive, as they are shown: each access is in the audit trail before it is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archiver.errors import UsageError

if TYPE_CHECKING:
    from archiver.app.auditing import Trail
    from archiver.app.messages import Messages
    from archiver.model.catalogue import Details, Summary
    from archiver.model.message import BlobId, Message, Part
    from archiver.model.shown import Hyperlink, Passage


class WatchedMessages:
    """What `Messages` does, recorded. Raises DiskError, and shows nothing, when the trail cannot be written."""

    def __init__(self, messages: Messages, trail: Trail) -> None:
        self._messages = messages
        self._trail = trail

    def _shown(self, row: int, form: str | None = None) -> None:
        self._trail.shown(self._blob_id(row), form)

    def _blob_id(self, row: int) -> BlobId:
        return self._messages.details(row).summary.blob_id

    def resolve(self, prefix: str) -> int:
        """Return the row of the message whose id begins with this; raises UsageError when none or several do."""
        return self._messages.resolve(prefix)

    def short_id(self, blob_id: bytes) -> str:
        """Return the shortest beginning of an id, of eight digits or more, that is this message's alone."""
        return self._messages.short_id(blob_id)

    def details(self, row: int) -> Details:
        """Return all that the catalogue knows of a message."""
        details = self._messages.details(row)
        self._trail.named(details.summary.blob_id)
        return details

    def thread(self, row: int) -> Sequence[Summary]:
        """Return all messages of a message's thread, oldest first."""
        thread = self._messages.thread(row)
        own = next((each.blob_id for each in thread if each.row == row), None)
        if own is None or not self._trail.was_shown(own):  # what was shown says where in its thread it stands
            self._trail.record("thread", messages=[each.blob_id for each in thread])
        return thread

    def octets(self, row: int) -> bytes:
        """Return the message exactly as the server sent it."""
        self._shown(row, "raw")
        return self._messages.octets(row)

    def parsed(self, row: int) -> Message:
        """Return the message parsed again, for its text: what is in the header, the catalogue has (`details`)."""
        self._shown(row)
        return self._messages.parsed(row)

    def passages(self, row: int) -> Sequence[Passage]:
        """Return the message's text in the order written; that of one beyond its bounds as far as it could be read."""
        self._shown(row)
        return self._messages.passages(row)

    def links(self, row: int) -> Sequence[Hyperlink]:
        """Return where the links of the message's HTML go; none of a message beyond its bounds."""
        self._shown(row)
        return self._messages.links(row)

    def headers(self, row: int) -> Sequence[tuple[str, str]]:
        """Return the header fields in their order, decoded and unfolded."""
        self._shown(row, "headers")
        return self._messages.headers(row)

    def part(self, row: int, path: str) -> tuple[Part, bytes]:
        """Return one part and its decoded octets; raises UsageError naming the parts there are."""
        self._shown(row, _part_form(path))
        return self._messages.part(row, path)

    def part_text(self, row: int, path: str) -> str:
        """Return an attachment's text, read in a bounded process; raises UsageError that says why there is none."""
        self._shown(row, _part_form(path))
        return self._messages.part_text(row, path)

    def safe_html(self, row: int) -> str:
        """Return the message as one HTML file that loads nothing, runs nothing and has its images in it."""
        self._shown(row, "html")
        return self._messages.safe_html(row)


def _part_form(path: str) -> str:
    """Return how a part is recorded; a path is digits and dots, whatever somebody typed."""
    if len(path) > 64 or not set(path) <= set("0123456789."):
        raise UsageError("a part is named by its number", hint="`archiver show ID` lists the parts")
    return f"part {path}"
