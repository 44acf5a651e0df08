"""What to ask for in one FETCH command: pure arithmetic over a mailbox listing.

Sizes are RFC822.SIZE, which servers get wrong: good enough to keep batches even, never used to judge what arrives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from archiver.model.mailbox import MessageEntry, Uid, UidSet

BATCH_BYTES = 4 << 20
BATCH_MESSAGES = 500
COMMAND_BYTES = 7 << 10
"""Length of a sequence-set: whole commands stay below 8 KiB, which every server takes (RFC 7162 §4)."""
CHUNKED_FROM = 32 << 20
"""Messages bigger than this are fetched in parts, so that a broken connection costs one part."""
CHUNK = 1 << 20


class Batch(Struct, frozen=True):
    """UIDs for one command, and the bytes expected."""

    uids: tuple[Uid, ...]
    octets: int

    def sequence_set(self) -> bytes:
        """Ascending ranges: some servers refuse anything else."""
        return UidSet.of(self.uids).imap().encode("ascii")


def batches(entries: Iterable[MessageEntry]) -> list[Batch]:
    """Split into batches of at most 4 MiB and 500 messages, ascending by UID; a bigger message is alone in its own."""
    made: list[Batch] = []
    uids: list[Uid] = []
    octets = set_length = 0
    for entry in sorted(entries, key=lambda entry: entry.uid):
        # Counted as if ranges never merged: at most a little early, never too long.
        cost = 0 if uids and entry.uid == uids[-1] + 1 else len(str(entry.uid)) * 2 + 2
        size = max(0, entry.size)
        full = octets + size > BATCH_BYTES or len(uids) >= BATCH_MESSAGES or set_length + cost > COMMAND_BYTES
        if uids and full:
            made.append(Batch(tuple(uids), octets))
            uids, octets, set_length = [], 0, 0
        uids.append(entry.uid)
        octets += size
        set_length += cost
    if uids:
        made.append(Batch(tuple(uids), octets))
    return made


def split_big(
    entries: Sequence[MessageEntry], also: frozenset[int] = frozenset()
) -> tuple[list[MessageEntry], list[MessageEntry]]:
    """Return (entries to fetch whole, entries to fetch in parts); `also` names UIDs that did not come through whole."""
    whole: list[MessageEntry] = []
    parts: list[MessageEntry] = []
    for entry in entries:
        in_parts = entry.size > CHUNKED_FROM or (entry.uid in also and entry.size > 2 * CHUNK)
        (parts if in_parts else whole).append(entry)
    return whole, parts
