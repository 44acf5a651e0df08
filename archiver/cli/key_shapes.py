"""What `archiver key` prints with `--json`."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING

from archiver.cli.shapes import Json, listing, moment, slot

if TYPE_CHECKING:
    from archiver.cli.key_answers import Drill, KeyList, Rotation


def keys(found: KeyList, zone: tzinfo | None) -> Json:
    """Return all slots, and the age of the keys behind them; `rotated` is null in the first epoch."""
    return {
        "epoch": found.epoch,
        "created": moment(found.created, zone),
        "rotated": moment(found.rotated, zone),
        **listing(len(found.slots), [slot(item, zone) for item in found.slots]),
    }


def rotation(done: Rotation, zone: tzinfo | None) -> Json:
    """Return what a rotation did."""
    return {
        "epoch": done.epoch,
        "slots": done.slots,
        "octets": done.octets,
        "seconds": round(done.seconds, 3),
        "session_until": moment(done.session_until, zone),
    }


def drill(done: Drill) -> Json:
    """Return what a drill opened; `id`, `octets` and `pack` are null in an archive without messages."""
    return {
        "opened": True,
        "kind": done.kind,
        "epoch": done.epoch,
        "messages": done.messages,
        "id": done.blob_id.hex() if done.blob_id is not None else None,
        "octets": done.octets,
        "pack": done.pack,
    }
