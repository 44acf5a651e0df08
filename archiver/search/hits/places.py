"""Where in a message the words of a query stand: in which columns of the index, for the few messages of a page.

Knows the columns and nothing of the text: what is shown of a message is read from the message itself, and this says
which part of it is worth reading.
"""

# ruff: noqa: S608 - statements are put together from names of our own and question marks; words are bound

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Literal

from archiver.search.index import ROWID, SLOTS_OF_MAIL

if TYPE_CHECKING:
    from archiver.core.ports import Connection

_WALKED = 2_000
"""Messages that are walked over before each of a page is looked up by itself."""

Column = Literal["body", "quoted", "attachments"]


def rows_with(
    connection: Connection, terms: Sequence[str], columns: Sequence[Column], rows: Collection[int]
) -> frozenset[int]:
    """Return those of some catalogue rows that have any of these words in one of the columns.

    `terms` are folded, as `Searcher.terms` gives them; one that ends in `*` is the beginning of a word.
    """
    if not rows or not terms:
        return frozenset()
    asked = set(rows)
    matching = f"{{{' '.join(columns)}}} : ({' OR '.join(_word(term) for term in terms)})"
    marks = ",".join("?" * len(asked))
    # Looking a message up by itself opens the list of every term anew. A page is mostly of one time: then all that
    # match between its first and its last are walked once.
    ends = next(connection.execute(f"SELECT min({ROWID}), max({ROWID}) FROM slots WHERE row IN ({marks})", [*asked]))
    walked = list(
        connection.execute(
            f"SELECT slots.row FROM {SLOTS_OF_MAIL} WHERE mail MATCH ? AND mail.rowid BETWEEN ? AND ? LIMIT ?",
            (matching, *ends, _WALKED),
        )
    )
    if len(walked) < _WALKED:
        return frozenset(row for (row,) in walked if isinstance(row, int) and row in asked)
    found = connection.execute(
        f"SELECT slots.row FROM slots CROSS JOIN mail ON mail.rowid = {ROWID}"
        f" WHERE slots.row IN ({marks}) AND mail MATCH ?",
        (*sorted(asked), matching),
    )
    return frozenset(row for (row,) in found if isinstance(row, int))


def _word(term: str) -> str:
    """Quote a word as one FTS5 string: nothing in it is syntax any more."""
    beginning = len(term) > 1 and term.endswith("*")
    text = (term[:-1] if beginning else term).replace('"', '""').replace("\0", "")
    return f'"{text}" *' if beginning else f'"{text}"'
