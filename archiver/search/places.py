"""Where in a message the words of a query stand: in which columns of the index, for the few messages of a page.

Knows the columns and nothing of the text: what is shown of a message is read from the message itself, and this says
which part of it is worth reading.
"""

# ruff: noqa: S608 - statements are put together from names of our own and question marks; words are bound

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from archiver.core.ports import Connection

Column = Literal["body", "quoted", "attachments"]


def rows_with(
    connection: Connection, terms: Sequence[str], columns: Sequence[Column], rows: Collection[int]
) -> frozenset[int]:
    """Return those of some catalogue rows that have any of these words in one of the columns.

    `terms` are folded, as `Searcher.terms` gives them; one that ends in `*` is the beginning of a word.
    """
    if not rows or not terms:
        return frozenset()
    words = " OR ".join(_word(term) for term in terms)
    asked = sorted(rows)
    found = connection.execute(
        "SELECT slots.row FROM slots CROSS JOIN mail ON mail.rowid = slots.slot"
        f" WHERE slots.row IN ({','.join('?' * len(asked))}) AND mail MATCH ?",
        (*asked, f"{{{' '.join(columns)}}} : ({words})"),
    )
    return frozenset(row for (row,) in found if isinstance(row, int))


def _word(term: str) -> str:
    """Quote a word as one FTS5 string: nothing in it is syntax any more."""
    beginning = len(term) > 1 and term.endswith("*")
    text = (term[:-1] if beginning else term).replace('"', '""').replace("\0", "")
    return f'"{text}" *' if beginning else f'"{text}"'
