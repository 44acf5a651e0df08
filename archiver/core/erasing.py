"""Erase messages for good: the order of the steps, each of which may be the last before a kill.

What is intended is recorded first; then the key is gone, and with it what any copy of the pack holds, and all that the
catalogue knows of the message; then its words in the index; then the older pages in the logs. What stays is a keyed
digest and a time, so that no sync, import, restore or repair brings it back. Whoever writes next goes on where a kill
left it. Knows nothing of SQL, of files, or of why something is erased.
"""

# ruff: noqa: D102 - the names of the steps say what they do

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from msgspec import Struct

from archiver.core.ports import Deliveries
from archiver.errors import IntegrityError
from archiver.model.message import BlobId


class Stage(IntEnum):
    """How far an erasure is; one that is finished has none."""

    INTENDED = 0
    TAKEN_OUT = 1
    """Key and rows are gone."""
    PURGED = 2
    """Its words are gone from the index."""
    SETTLED = 3
    """No log and no pending delivery holds anything of it; the collector has to be told."""


class Erasures(Protocol):
    """The catalogue's side of an erasure; each call is one transaction, durable on return."""

    def intend(self, blob_ids: Collection[BlobId], at: datetime) -> None: ...
    def under_way(self, *stages: Stage) -> Mapping[BlobId, datetime]: ...
    def take_out(self) -> int: ...
    def rows_to_purge(self) -> Sequence[int]: ...
    def reached(self, before: Stage, after: Stage) -> None: ...
    def finished(self) -> None: ...


class PurgedIndex(Protocol):
    """The index's side of it."""

    def remove(self, rows: Sequence[int]) -> None: ...
    def optimize(self) -> None:
        """Rewrite the index without what was removed."""
        ...


class ErasePorts(Struct, frozen=True):
    """What an open archive gives to erasing.

    `log` appends to the record that outlives archive.db; `settle` moves both logs into their databases and cuts them,
    False when readers hold that back; `known` returns those of some messages that are taken in.
    """

    erasures: Erasures
    index: PurgedIndex
    deliveries: Deliveries
    known: Callable[[Iterable[BlobId]], frozenset[BlobId]]
    log: Callable[[Mapping[BlobId, datetime]], None]
    settle: Callable[[], bool]


def erase(ports: ErasePorts, blob_ids: Collection[BlobId], at: datetime) -> bool:
    """Erase messages, those that are not here too: they never come. True once nothing of them is left.

    False means that a reader holds an older page in the log, or a delivery with a key of theirs waits to be taken in:
    the next writer completes it.
    """
    ports.erasures.intend(blob_ids, at)
    return complete(ports)


def complete(ports: ErasePorts) -> bool:
    """Bring everything that is under way as far as it can go; same answer as `erase`."""
    erasures = ports.erasures
    intended = erasures.under_way(Stage.INTENDED)
    if intended:
        ports.log(intended)
        erasures.take_out()
    # Before anything else is taken in: a row may be given to another message then.
    if rows := erasures.rows_to_purge():
        ports.index.remove(rows)
        ports.index.optimize()
    if erasures.under_way(Stage.TAKEN_OUT):
        erasures.reached(Stage.TAKEN_OUT, Stage.PURGED)
    purged = erasures.under_way(Stage.PURGED)
    if purged:
        if not (ports.settle() and _let_deliveries_go(ports, purged)):
            return False
        erasures.reached(Stage.PURGED, Stage.SETTLED)
    return True


def tell_collector(erasures: Erasures, mark: Callable[[Iterable[BlobId]], None]) -> None:
    """Have the collector mark what is settled, so that it counts as erased there; that ends an erasure."""
    settled = erasures.under_way(Stage.SETTLED)
    if settled:
        mark(settled)
        erasures.finished()


def _let_deliveries_go(ports: ErasePorts, erased: Collection[BlobId]) -> bool:
    """Delete deliveries that are taken in and hold a key of what was erased; False when one is not taken in yet."""
    gone = True
    for name in ports.deliveries.waiting():
        try:
            delivered = {record.blob_id for record in ports.deliveries.open(name).records}
        except (FileNotFoundError, IntegrityError):
            continue  # what does not open gives no key away
        if delivered.isdisjoint(erased):
            continue
        if ports.known(delivered) >= delivered:
            ports.deliveries.done(name)
        else:
            gone = False
    return gone
