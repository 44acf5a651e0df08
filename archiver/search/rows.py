"""Catalogue rows: how they carry the date, as the store makes them, and how many are given to one statement."""

from __future__ import annotations

from collections.abc import Iterable

ROW_BITS = 20
"""A catalogue row is (Unix seconds << ROW_BITS) + a sequence within the second."""


def json_array(numbers: Iterable[int]) -> str:
    """Return numbers as `json_each` takes them; the module json would take longer to load than a search has."""
    return f"[{','.join(map(str, numbers))}]"
