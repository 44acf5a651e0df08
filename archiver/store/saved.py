"""The saved searches of archive.db (port `SavedSearches`).

Knows that a name is one whatever its case. Knows nothing of what a query or a name must look like: both are checked
when they come.
"""

# ruff: noqa: S608 - statements are put together from constants; values are bound

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from archiver.model.search import SavedSearch
from archiver.store.linked import integer
from archiver.store.reading import epoch_seconds

if TYPE_CHECKING:
    from archiver.store.connection import StoreConnection

_COLUMNS = "name, query, saved"


class SqliteSavedSearches:
    """The saved searches over one connection; changes need a writer's."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def all(self) -> Sequence[SavedSearch]:
        """Return all, by name."""
        return [
            _search(*row) for row in self._connection.execute(f"SELECT {_COLUMNS} FROM saved_searches ORDER BY key")
        ]

    def get(self, name: str) -> SavedSearch | None:
        """Return one by its name, in whatever case."""
        row = self._connection.one(f"SELECT {_COLUMNS} FROM saved_searches WHERE key = ?", (name.casefold(),))
        return None if row is None else _search(*row)

    def put(self, search: SavedSearch) -> None:
        """Keep one, replacing the one of that name."""
        self._connection.execute(
            "INSERT OR REPLACE INTO saved_searches VALUES (?,?,?,?)",
            (search.name.casefold(), search.name, search.query, epoch_seconds(search.saved_at)),
        )

    def remove(self, name: str) -> bool:
        """Forget one; False when there is none of that name."""
        self._connection.execute("DELETE FROM saved_searches WHERE key = ?", (name.casefold(),))
        return bool(self._connection.changes())


def _search(name: object, query: object, saved: object) -> SavedSearch:
    return SavedSearch(str(name), str(query), datetime.fromtimestamp(integer(saved), UTC))
