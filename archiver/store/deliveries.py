"""Pending deliveries: sealed keys on their way from the collector to the catalogue.

Knows their names and their order. A name is `<nanoseconds, 16 hex>-<pack name or 8 random hex>.pending`: sortable by
time, and it tells without any key which pack is accounted for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from datetime import datetime

from archiver.crypto.epoch import EpochSecret
from archiver.errors import IntegrityError, UnreadableError, shortage
from archiver.model.delivery import Delivery
from archiver.store.durable import Disk
from archiver.store.layout import ArchivePaths

SUFFIX = ".pending"
_CHECK = "check the disk, and run it again: nothing was set aside"
_NAME = re.compile(r"([0-9a-f]{16})-([0-9a-f]{64}|[0-9a-f]{8})\.pending")


class DeliveryNames:
    """Gives out names that sort after all that are there, even when the clock steps back."""

    def __init__(self, paths: ArchivePaths, *, clock: Callable[[], datetime], random: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._random = random
        self._last = max((_order(name) for name in waiting_names(paths)), default=0)

    def next(self, pack: str | None) -> str:
        """Return a new name for the delivery of a pack, or of locations only."""
        self._last = max(self._last + 1, int(self._clock().timestamp() * 1e9))
        return f"{self._last:016x}-{pack or self._random(4).hex()}{SUFFIX}"


def waiting_names(paths: ArchivePaths) -> list[str]:
    """Return names of pending deliveries, oldest first; needs no key."""
    if not paths.pending.is_dir():
        return []
    return sorted(entry.name for entry in paths.pending.iterdir() if _NAME.fullmatch(entry.name))


def pack_of(name: str) -> str | None:
    """Return the pack whose keys a delivery carries, as its name tells; None for locations only."""
    matched = _NAME.fullmatch(name)
    return matched[2] if matched is not None and len(matched[2]) == 64 else None


def sealed_in(paths: ArchivePaths, name: str) -> int | None:
    """Return the epoch that a delivery was sealed in, as its header tells; None when that cannot be read."""
    from archiver.crypto.pending import PENDING_HEADER_LENGTH, epoch_of

    try:
        with (paths.pending / name).open("rb") as file:
            return epoch_of(file.read(PENDING_HEADER_LENGTH))
    except OSError:
        return None


class PendingDeliveries:
    """Port `Deliveries` over the files of pending/; `secrets` are the current epoch's and those still kept."""

    def __init__(self, paths: ArchivePaths, *, secrets: Sequence[EpochSecret], disk: Disk) -> None:
        self._paths = paths
        self._secrets = secrets
        self._disk = disk

    def waiting(self) -> Sequence[str]:
        """Return names of pending deliveries, oldest first."""
        return waiting_names(self._paths)

    def open(self, name: str) -> Delivery:
        """Open one; raises IntegrityError naming it when it is damaged, FileNotFoundError when it is gone.

        One that the disk does not give back is an UnreadableError: it may be whole.
        """
        try:
            octets = (self._paths.pending / name).read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise shortage(error) or UnreadableError(
                f"{name} cannot be read: {os.strerror(error.errno or 0)}", what=f"pending/{name}", hint=_CHECK
            ) from error
        from archiver.crypto.pending import open_delivery  # a search only looks whether any wait

        delivery = open_delivery(octets, name=name, secrets=self._secrets)
        if delivery.pack != pack_of(name):
            raise _damaged(name)
        return delivery

    def set_aside(self, name: str) -> None:
        """Rename a damaged one, durably, so that nothing waits for it; nothing is deleted."""
        path = self._paths.pending / name
        if path.exists():
            self._disk.rename(path, path.with_name(name + ".damaged"))
            self._disk.sync_directory(self._paths.pending)

    def done(self, name: str) -> None:
        """Delete one after its contents are durable in the catalogue; no error when it is gone already."""
        self._disk.remove(self._paths.pending / name)


def _order(name: str) -> int:
    matched = _NAME.fullmatch(name)
    return int(matched[1], 16) if matched is not None else 0


def _damaged(name: str) -> IntegrityError:
    return IntegrityError(
        f"pending delivery {name[:16]} is damaged",
        what=f"pending/{name}",
        hint="the next `archiver sync` fetches its messages again, where the server still has them",
    )
