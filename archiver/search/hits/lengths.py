"""How long messages are, in tokens, as FTS5 keeps it for its own ranking.

bm25() divides by the length of the whole message, the text of attachments included: a contract of thirty pages would
push the mail that it came with, which has the word in its subject, behind every short one. Here is what it takes to
undo that. Knows two of FTS5's tables, which its documentation describes: `mail_docsize` has a varint for each column of
a message, and record 1 of `mail_data` the number of messages, then the tokens of each column in all of them.
"""

# ruff: noqa: S608 - the statement is our own; rowids are bound

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from archiver.model.fields import INDEX_COLUMNS
from archiver.search.index import END
from archiver.search.rows import json_array

if TYPE_CHECKING:
    from archiver.core.ports import Connection

_ATTACHMENTS = INDEX_COLUMNS.index("attachments")
_K1, _B = 1.2, 0.75
"""FTS5's constants of BM25."""

_USUAL = 4.0
"""What a word that occurs counts in a message, about: once in the subject, or twice in the text."""

_LONG = 2.0
"""By how many usual messages attachments make a message longer, from which on it matters."""

_LOOKED_AT = 3_000
"""Messages with files that are looked at, the newest first."""


def lifts(connection: Connection, rowids: Collection[int]) -> dict[int, float]:
    """Return by how much a score without attachments must be multiplied, for rowids with long attachments alone."""
    usual = _usual_length(connection)
    if not rowids or usual <= 0:
        return {}
    found: dict[int, float] = {}
    for rowid, packed in connection.execute(
        f"SELECT d.id, d.sz FROM json_each(?) AS asked CROSS JOIN slots ON slots.slot = {END} - asked.value"
        " CROSS JOIN mail_docsize AS d ON d.id = asked.value"
        " WHERE slots.facts IN (SELECT id FROM facts WHERE types <> 0) LIMIT ?",
        (json_array(sorted(rowids)), _LOOKED_AT),
    ):
        sizes = list(_varints(packed)) if isinstance(packed, bytes) else []
        if len(sizes) <= _ATTACHMENTS or sizes[_ATTACHMENTS] < _LONG * usual or not isinstance(rowid, int):
            continue
        long, short = sum(sizes) / usual, (sum(sizes) - sizes[_ATTACHMENTS]) / usual
        found[rowid] = (_USUAL + _weight(long)) / (_USUAL + _weight(short))
    return found


def _weight(length: float) -> float:
    """Return what BM25 adds below the line for a message so many times as long as usual."""
    return _K1 * (1 - _B + _B * length)


def _usual_length(connection: Connection) -> float:
    row = next(connection.execute("SELECT block FROM mail_data WHERE id = 1"), None)
    numbers = list(_varints(row[0])) if row is not None and isinstance(row[0], bytes) else []
    return sum(numbers[1:]) / numbers[0] if numbers and numbers[0] else 0.0


def _varints(packed: bytes) -> Iterator[int]:
    """Decode SQLite's variable-length integers: seven bits an octet, the highest first, at most nine octets."""
    value = length = 0
    for octet in packed:
        length += 1
        if length == 9:
            value = value << 8 | octet
        else:
            value = value << 7 | octet & 0x7F
            if octet & 0x80:
                continue
        yield value
        value = length = 0
