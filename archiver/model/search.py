"""What a search is asked and what it gives: hits, pages of them, counts by customer, year, direction and type."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from archiver.model.files import FileType
from archiver.model.message import Direction

Sort = Literal["date", "relevance"]
"""Newest first, or best first."""


class Hit(Struct, frozen=True):
    """A message found: its row, and a score that is higher for better, 0.0 when sorted by date.

    `copies` are rows of the same message as other mailboxes got it (the sent and the received one, say), which are not
    hits of their own. `others` counts further hits of its thread that are folded into this one.
    """

    row: int
    score: float = 0.0
    copies: tuple[int, ...] = ()
    others: int = 0


class Found(Struct, frozen=True):
    """Some hits in their order; `more` says that others follow. `offset` and `limit` count hits, folded ones as one."""

    hits: tuple[Hit, ...] = ()
    more: bool = False


class Facets(Struct, frozen=True):
    """How many messages that match are of each customer (by internal id), year, direction, type and language.

    Each most first, years newest first. A message with two customers, or files of two types, counts for both; one
    without any for none. `customers` has at most as many as were asked for.
    """

    total: int = 0
    customers: tuple[tuple[int, int], ...] = ()
    years: tuple[tuple[int, int], ...] = ()
    directions: tuple[tuple[Direction, int], ...] = ()
    types: tuple[tuple[FileType, int], ...] = ()
    languages: tuple[tuple[str, int], ...] = ()


class SavedSearch(Struct, frozen=True):
    """A query with a name, for `saved:NAME`. `name` is of letters, digits, dots, dashes and underscores."""

    name: str
    query: str
    saved_at: datetime
