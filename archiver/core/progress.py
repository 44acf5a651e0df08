"""What a long-running use case tells whoever watches; the core never prints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

Stage = Literal["collect", "ingest", "index", "verify", "open", "repair", "import", "link", "backup", "restore"]


class Progress(Struct, frozen=True):
    """How far a stage is: `done` and `total` count messages (packs, for a quick verify); total is None when unknown.

    While collecting, counts are per mailbox and `account` and `mailbox` name it; other stages count overall. `octets`
    is the raw size of what is done.
    """

    stage: Stage
    account: str | None
    mailbox: str | None
    done: int
    total: int | None
    octets: int = 0


OnProgress = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """Watch nothing."""
