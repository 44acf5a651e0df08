"""What a check of the set-up says."""

from __future__ import annotations

from msgspec import Struct


class Check(Struct, frozen=True):
    """One thing looked at; `ok` is None for something worth a look that works all the same."""

    name: str
    ok: bool | None
    message: str
    hint: str | None = None
