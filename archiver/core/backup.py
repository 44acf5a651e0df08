"""What a backup decides: which packs it lacks, which older generations go, and until when something erased lingers.

Pure: names, sizes and times in, decisions out. Knows no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct


class Retention(Struct, frozen=True):
    """How many generations of STATE are kept at most, and how old one may become in days."""

    keep: int = 7
    days: int = 30


def outdated(generations: Iterable[datetime], now: datetime, retention: Retention) -> list[datetime]:
    """Return the generations that go, oldest first; the newest always stays."""
    newest_first = sorted(generations, reverse=True)
    oldest = now - timedelta(days=retention.days)
    return sorted(at for number, at in enumerate(newest_first) if number and (number >= retention.keep or at < oldest))


def gone_by(now: datetime, retention: Retention) -> datetime:
    """Return when, at the latest, what is erased now is in no generation, if backups go on being made."""
    return now + timedelta(days=retention.days)


def lacking(archive: Mapping[str, int], backup: Mapping[str, int]) -> list[str]:
    """Return the packs (name to bytes) that the backup lacks, or has in another size; a pack is never changed."""
    return sorted(name for name, size in archive.items() if backup.get(name) != size)


def vanished(earlier: Iterable[str], archive: Iterable[str]) -> list[str]:
    """Return packs of the generation before that the archive has no longer."""
    return sorted(set(earlier).difference(archive))


def newest(generations: Sequence[datetime]) -> datetime | None:
    """Return the newest generation; None when there is none."""
    return max(generations, default=None)
