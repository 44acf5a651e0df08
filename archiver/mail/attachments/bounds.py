"""How much of attachments is read: characters, octets, members, nesting, time.

Knows numbers and a clock, no format. Every reader writes its text into a `Sink`, which charges the allowance and stops
the reader by an exception once that is used up; what was written before is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import Struct, field

from archiver.mail.charset import clean


class Bounds(Struct, frozen=True):
    """Of one attachment, unless it says otherwise; containers and all that is in them count as one attachment."""

    characters: int = 1 << 20
    message_characters: int = 2 << 20
    octets: int = 64 << 20
    """As attached; a larger one is not opened."""
    inflated: int = 128 << 20
    """Octets that come out of compressed members, counted as they come out, whatever the archive declares."""
    message_inflated: int = 256 << 20
    ratio: int = 250
    """How much larger a member of more than `RATIO_FROM` may be than its compressed form; deflate ends at 1,032."""
    members: int = 1000
    depth: int = 4
    """Containers within each other: an archive in an archive in a message is three."""
    pages: int = 3000
    seconds: float = 10.0
    message_seconds: float = 20.0


RATIO_FROM = 8 << 20


class UnreadError(Exception):
    """Reading an attachment ends here; `code` is the defect's, and what was read so far counts."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


ENCRYPTED, DAMAGED, LIMIT, TIMEOUT = (
    "attachment-encrypted",
    "attachment-damaged",
    "attachment-limit",
    "attachment-timeout",
)
MEMORY, CRASHED, UNSUPPORTED, NO_TEXT, FAILED = (
    "attachment-memory",
    "attachment-crashed",
    "attachment-unsupported",
    "attachment-no-text",
    "attachment-failed",
)


class Allowance(Struct):
    """What is left for one attachment, its members included."""

    characters: int
    inflated: int
    members: int
    pages: int
    depth: int
    ratio: int
    deadline: float
    clock: Callable[[], float] = time.monotonic

    def tick(self) -> None:
        """Raise UnreadError when the time is over."""
        if self.clock() > self.deadline:
            raise UnreadError(TIMEOUT)

    def inflate(self, octets: int) -> None:
        """Count octets that came out of something compressed; raises UnreadError when there were too many."""
        self.inflated -= octets
        if self.inflated < 0:
            raise UnreadError(LIMIT)
        self.tick()

    def member(self) -> None:
        """Count a member of a container."""
        self.members -= 1
        if self.members < 0:
            raise UnreadError(LIMIT)
        self.tick()


class Sink(Struct):
    """Takes the text of one attachment, or of one member, in pieces."""

    allowance: Allowance
    pieces: list[str] = field(default_factory=list)

    def write(self, text: str) -> None:
        """Keep a piece; raises UnreadError when there is no room for all of it."""
        room = self.allowance.characters
        if len(text) > room:
            self.pieces.append(text[:room])
            self.allowance.characters = 0
            raise UnreadError(LIMIT)
        self.allowance.characters = room - len(text)
        self.pieces.append(text)

    def text(self) -> str:
        """Return what was written, cleaned: no control characters, at most one empty line in a row."""
        kept: list[str] = []
        for line in clean("".join(self.pieces)).split("\n"):
            stripped = line.rstrip()
            if stripped or (kept and kept[-1]):
                kept.append(stripped)
        return "\n".join(kept).strip("\n")


class Account:
    """What is left for one message: hands out an allowance for each of its attachments."""

    __slots__ = ("_bounds", "_characters", "_clock", "_deadline", "_inflated", "_open")

    def __init__(self, bounds: Bounds, clock: Callable[[], float]) -> None:
        self._bounds = bounds
        self._clock = clock
        self._deadline: float | None = None  # the time begins with the first attachment
        self._characters = bounds.message_characters
        self._inflated = bounds.message_inflated
        self._open: Allowance | None = None

    def open(self) -> Allowance:
        """Begin an attachment; the one before is over, and what it used is gone."""
        self.settle()
        now = self._clock()
        if self._deadline is None:
            self._deadline = now + self._bounds.message_seconds
        bounds = self._bounds
        self._open = Allowance(
            characters=min(bounds.characters, self._characters),
            inflated=min(bounds.inflated, self._inflated),
            members=bounds.members,
            pages=bounds.pages,
            depth=bounds.depth,
            ratio=bounds.ratio,
            deadline=min(now + bounds.seconds, self._deadline),
            clock=self._clock,
        )
        return self._open

    def settle(self) -> None:
        """Charge what the attachment that is open used."""
        if self._open is not None:
            self._characters -= min(self._bounds.characters, self._characters) - max(0, self._open.characters)
            self._inflated -= min(self._bounds.inflated, self._inflated) - max(0, self._open.inflated)
            self._open = None
