"""Where a message stands in its conversation: its place, its copies, and what came after it.

Knows that a message is kept several times when several mailboxes got it, and counts it once.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from archiver.model.catalogue import Summary
from archiver.model.message import Direction

_ANSWERS = {Direction.INCOMING: Direction.OUTGOING, Direction.OUTGOING: Direction.INCOMING}


class Place(Struct, frozen=True):
    """Where a message stands in its conversation, copies of one message counted once; what came after it, if anything.

    `answer` is the first later message that went the other way, `newest` the last one.
    """

    position: int
    of: int
    copies: tuple[Summary, ...] = ()
    answer: Summary | None = None
    newest: Summary | None = None


def placed(thread: Sequence[Summary], summary: Summary) -> Place:
    """Return the place of a message in its thread, which is given oldest first."""
    own = identity(summary)
    first: dict[object, Summary] = {}
    for one in thread:
        first.setdefault(identity(one), one)
    if own not in first:
        return Place(1, 1)
    position = list(first).index(own)
    copies = tuple(one for one in thread if one.row != summary.row and identity(one) == own)
    after = list(first.values())[position + 1 :]
    answer = next((one for one in after if one.direction is _ANSWERS.get(summary.direction)), None)
    return Place(position + 1, len(first), copies, answer, after[-1] if after else None)


def identity(summary: Summary) -> object:
    """Return what copies of a message have in common: its Message-ID and its sender, for an id alone can be forged."""
    if not summary.message_id:
        return summary.row
    return summary.message_id, tuple(address.addr_spec.lower() for address in summary.from_)
