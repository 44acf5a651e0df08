"""What the application answers to `archiver key`. Only the type checker reads this."""

# ruff: noqa: D102 - the fields are described where they are made, in `archiver.app`

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from archiver.cli.answers import SlotInfo


class KeyList(Protocol):
    """All slots, and the age of the keys behind them."""

    @property
    def epoch(self) -> int: ...
    @property
    def created(self) -> datetime: ...
    @property
    def rotated(self) -> datetime | None: ...
    @property
    def slots(self) -> Sequence[SlotInfo]: ...


class Rotation(Protocol):
    """What a rotation did; `octets` were written anew."""

    @property
    def epoch(self) -> int: ...
    @property
    def slots(self) -> int: ...
    @property
    def octets(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def session_until(self) -> datetime | None: ...


class Drill(Protocol):
    """What was opened, and the message that was read back; None in an archive without messages."""

    @property
    def kind(self) -> str: ...
    @property
    def epoch(self) -> int: ...
    @property
    def messages(self) -> int: ...
    @property
    def blob_id(self) -> bytes | None: ...
    @property
    def octets(self) -> int | None: ...
    @property
    def pack(self) -> str | None: ...
