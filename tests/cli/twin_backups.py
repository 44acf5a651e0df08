"""What the twin answers about backups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

MADE = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
PACK = "3f" * 32


@dataclass(frozen=True)
class BackedUp:
    generation: str = "20260310T020000Z"
    created: datetime = MADE
    state_files: int = 6
    state_octets: int = 4_200_000
    packs: int = 120
    copied: int = 2
    octets: int = 3_100_000
    damaged: Sequence[str] = ()
    rescued: Sequence[str] = ()
    mended: Sequence[str] = ()
    vanished: Sequence[str] = ()
    generations: Sequence[str] = ("20260310T020000Z", "20260309T020000Z")
    removed: Sequence[str] = ("20260208T020000Z",)
    erased_before: datetime = MADE - timedelta(days=1)
    erased_gone_by: datetime = MADE + timedelta(days=30)
    seconds: float = 2.26
    exit_code: int = 0


@dataclass(frozen=True)
class GenerationChecked:
    generation: str = "20260310T020000Z"
    created: datetime = MADE
    state_octets: int = 4_200_000
    packs: int = 120
    messages: int | None = None
    problems: Sequence[str] = ()


@dataclass(frozen=True)
class Checked:
    archive_id: str = "ab" * 16
    packs: int = 120
    octets: int = 310_000_000
    generations: Sequence[GenerationChecked] = (GenerationChecked(),)
    problems: Sequence[str] = ()
    exit_code: int = 0


@dataclass(frozen=True)
class Revived:
    names: tuple[str, ...] = ()
    rotated: bool = False


@dataclass(frozen=True)
class Restored:
    origin: str = "20260310T020000Z"
    created: datetime | None = MADE
    messages: int = 17_000
    packs: int = 120
    octets: int = 310_000_000
    indexed: int = 17_000
    missing: int = 0
    lost: int = 0
    erased: int = 0
    erasures_known: bool = True
    erasures_unread: int = 0
    set_aside: Path | None = None
    credential: Literal["kept", "written", "missing", "unreadable"] = "kept"
    seconds: float = 21.3
    revived: Revived = field(default_factory=Revived)
    exit_code: int = 0


@dataclass
class Backups:
    made: BackedUp = field(default_factory=BackedUp)
    checked: Checked = field(default_factory=Checked)
    restored: Restored = field(default_factory=Restored)
