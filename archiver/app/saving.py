"""Searches kept by name: saved and forgotten, under the writer's lock.

A search is run once before it is kept: one that cannot be understood, or that leads back to itself, is refused. Knows
what a name may look like.
"""

from __future__ import annotations

import unicodedata

from archiver.app.auditing import reason_for, record
from archiver.app.clocks import clock
from archiver.app.messages import Messages
from archiver.app.opening import open_unlocked
from archiver.app.searching import Searching
from archiver.app.unlocking import AskPassphrase, require_keys
from archiver.config import Settings
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.errors import UsageError
from archiver.model.search import SavedSearch

_LONGEST_NAME = 64
_PUNCTUATION = frozenset("._-")
_NEAR = 5


def save_search(
    settings: Settings, *, ask: AskPassphrase, name: str, query: str, bounds: KdfBounds = DEFAULT_BOUNDS
) -> SavedSearch | None:
    """Keep a query by its name; return the one that it replaced.

    Raises UsageError for a name that cannot be one, QueryError for a query that is wrong or leads back to itself,
    LockedError when another process writes for too long.
    """
    search = SavedSearch(_checked(name), query.strip(), clock())
    if not search.query:
        raise UsageError(
            "there is nothing to save", hint="give the words to search for, as `archiver search --save NAME WORDS`"
        )
    keys = require_keys(settings, ask=ask, bounds=bounds)
    reason_for(settings, "saved-change")
    with open_unlocked(settings, keys, write=True, command="search --save") as opened:
        from archiver.store.saved import SqliteSavedSearches

        saved = SqliteSavedSearches(opened.catalogue.connection)
        queries = {each.name: each.query for each in saved.all() if each.name.casefold() != search.name.casefold()}
        _ = opened.index  # one of another release, or none, becomes an empty one: the query can be tried on that
        searcher = Searching(settings, opened, Messages(settings, opened)).searcher(
            lambda: {**queries, search.name: search.query}
        )
        searcher.search(search.query, limit=1)
        replaced = saved.get(search.name)
        record(settings, opened.keys, "saved-change", query=search.query)
        saved.put(search)
        return replaced


def remove_search(settings: Settings, *, ask: AskPassphrase, name: str, bounds: KdfBounds = DEFAULT_BOUNDS) -> None:
    """Forget a saved search; raises UsageError that names the near ones when there is none."""
    keys = require_keys(settings, ask=ask, bounds=bounds)
    reason_for(settings, "saved-change")
    with open_unlocked(settings, keys, write=True, command="saved remove") as opened:
        from archiver.store.saved import SqliteSavedSearches

        record(settings, opened.keys, "saved-change")
        saved = SqliteSavedSearches(opened.catalogue.connection)
        if saved.remove(_normal(name)):
            return
        near = _near(name, [each.name for each in saved.all()])
    raise UsageError(
        "there is no saved search of that name",
        hint=f"near: {', '.join(near)}" if near else "`archiver saved` lists them",
    )


def _checked(name: str) -> str:
    """Return a name as it is kept; raises UsageError when it cannot be one."""
    plain = _normal(name)
    if not plain or len(plain) > _LONGEST_NAME or not all(c.isalnum() or c in _PUNCTUATION for c in plain):
        raise UsageError(
            "the name of a saved search is of letters, digits, dots, dashes and underscores, at most 64 of them",
            hint="name it open-offers, say, and search for saved:open-offers",
        )
    if not any(c.isalnum() for c in plain):
        raise UsageError("the name of a saved search has a letter or a digit", hint="name it open-offers, say")
    return plain


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip())


def _near(name: str, names: list[str]) -> list[str]:
    from difflib import get_close_matches

    folded = {each.casefold(): each for each in names}
    return [folded[each] for each in get_close_matches(_normal(name).casefold(), folded, n=_NEAR, cutoff=0.5)]
