"""Repair: what still opens is brought out of damaged packs, and what does not is marked, so that it can come again.

Knows the order in which nothing is lost, whenever it stops: copies are durable before the catalogue names them, and a
file leaves its place only when nobody needs it there. Every step may be repeated. Knows no files, no SQL, no server:
who marks a message as damaged relies on the collector to fetch it, and on ingest to mend it in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Literal, Protocol, TypeVar

from msgspec import Struct

from archiver.core.ports import Packs
from archiver.core.progress import OnProgress, Progress, silent
from archiver.core.verify import Problem, VerifyReport
from archiver.errors import IntegrityError
from archiver.model.delivery import SealedRecord
from archiver.model.message import BlobId

OLD_ENOUGH = 3600.0
"""Seconds since a pack was written before it may count as sealed in vain."""

Action = Literal[
    "salvage",
    "fetch",
    "mark",
    "quarantine",
    "set-aside",
    "index",
    "collector",
    "database",
    "links",
    "erasures",
    "credential",
    "remove",
    "unmark",
]


class Step(Struct, frozen=True):
    """One thing to do, or done: about what, and in words."""

    action: Action
    what: str
    message: str


class RepairReport(Struct, frozen=True):
    """What a repair did, or would do (`dry_run`); `remaining` names each message that stays damaged, and why.

    `lost` are messages whose keys are gone, and which did not come again yet. `fetchable` counts what the next sync
    asks servers for: of those that remain, and of these.
    """

    steps: tuple[Step, ...] = ()
    remaining: tuple[Problem, ...] = ()
    fetchable: int = 0
    lost: frozenset[BlobId] = frozenset()
    dry_run: bool = False
    confirmed: bool = True

    @property
    def exit_code(self) -> int:
        """Return 0 when all is mended, or nothing was to be; 4 when something stays damaged or away, or is not done."""
        undone = self.steps and (self.dry_run or not self.confirmed)
        return 4 if self.remaining or self.fetchable or self.lost or undone else 0


class Found(Protocol):
    """A record that opens, and where that is only its maker knows."""

    @property
    def record(self) -> SealedRecord:
        """The record itself."""
        ...


Place = TypeVar("Place", bound=Found)


class Records(Protocol):
    """The records of the catalogue, as far as repair changes them."""

    def damaged(self) -> Mapping[BlobId, int]:
        """Return the messages that are marked, and their rows."""
        ...

    def records_of(self, pack: str) -> Sequence[SealedRecord]:
        """Return the records of messages in one pack, in the order of their places."""
        ...

    def settle(
        self, *, moved: Mapping[BlobId, tuple[str, int]], lost: Iterable[BlobId], found: Iterable[BlobId]
    ) -> None:
        """Record in one transaction where records are now, which do not open, and which open after all."""
        ...


class Rescue(Protocol[Place]):
    """The files of packs, good ones and bad."""

    def find(self, pack: str, records: Sequence[SealedRecord]) -> tuple[list[Place], list[SealedRecord]]:
        """Return the records of a pack that open, and those that do not, wherever in it they lie."""
        ...

    def find_elsewhere(self, records: Sequence[SealedRecord], unnamed: Iterable[str]) -> Mapping[BlobId, Place]:
        """Look for records in the quarantine, and in packs that nobody names."""
        ...

    def copy(self, sources: Sequence[Place], *, instead_of: str) -> Mapping[BlobId, tuple[str, int]]:
        """Copy records into new packs, durable on return; return pack and offset of each."""
        ...

    def quarantine(self, pack: str) -> bool:
        """Move a pack out of the way, durably; False when there is none."""
        ...

    def remove_in_vain(self, pack: str, *, kept: Callable[[Collection[BlobId]], bool]) -> bool:
        """Delete a pack when `kept` says so of the messages in it; a damaged one is moved out of the way."""
        ...


def messages(number: int) -> str:
    """Return a number of messages in words."""
    return "1 message" if number == 1 else f"{number:,} messages"


def suspects(report: VerifyReport, packs_of: Callable[[BlobId], str | None]) -> Sequence[str]:
    """Return the packs that a verification found something in, ascending; `packs_of` finds a message's pack."""
    found = {problem.what.removeprefix("pack ") for problem in report.problems if problem.kind == "pack"}
    for problem in report.problems:
        if problem.kind == "message" and problem.blob_id is not None:
            pack = packs_of(problem.blob_id)
            if pack is not None:
                found.add(pack)
    return sorted(found)


def mend_packs(
    names: Sequence[str],
    *,
    packs: Packs,
    records: Records,
    rescue: Rescue[Place],
    unnamed: Sequence[str],
    settle: Callable[[], object],
    on_progress: OnProgress = silent,
) -> Sequence[Step]:
    """Bring out of these packs what opens, mark what does not, and move the damaged files out of the way.

    For each pack: copies, durable; then one transaction that names them; then, once `settle` has moved it out of the
    log, the file. `unnamed` are packs that neither catalogue nor delivery names, and where a record may lie too.
    """
    steps: list[Step] = []
    first = {name: rescue.find(name, records.records_of(name)) for name in names}
    missed = [record for _, bad in first.values() for record in bad]
    elsewhere = rescue.find_elsewhere(missed, unnamed) if missed else {}
    for done, (name, (good, bad)) in enumerate(first.items(), start=1):
        brought = [elsewhere[record.blob_id] for record in bad if record.blob_id in elsewhere]
        lost = [record.blob_id for record in bad if record.blob_id not in elsewhere]
        steps += _mend_pack(name, good, brought, lost, packs=packs, records=records, rescue=rescue, settle=settle)
        on_progress(Progress("repair", None, None, done=done, total=len(names)))
    return steps


def _mend_pack(
    name: str,
    good: Sequence[Place],
    brought: Sequence[Place],
    lost: Sequence[BlobId],
    *,
    packs: Packs,
    records: Records,
    rescue: Rescue[Place],
    settle: Callable[[], object],
) -> Sequence[Step]:
    sound = _is_sound(packs, name)
    copied = [*brought] if sound else [*good, *brought]
    places = rescue.copy(copied, instead_of=name) if copied else {}
    marked = records.damaged()
    stay = [found.record.blob_id for found in good if found.record.blob_id not in places]
    records.settle(moved=places, lost=lost, found=stay)
    steps = []
    if copied:
        steps.append(Step("salvage", f"pack {name}", f"{messages(len(copied))} copied out of pack {name[:12]}"))
    if fresh := [blob_id for blob_id in lost if blob_id not in marked]:
        steps.append(Step("mark", f"pack {name}", f"{messages(len(fresh))} of pack {name[:12]} marked as damaged"))
    if healed := [blob_id for blob_id in (*places, *stay) if blob_id in marked]:
        steps.append(Step("unmark", f"pack {name}", f"{messages(len(healed))} of pack {name[:12]} open after all"))
    if not sound and all(name != pack for pack, _ in places.values()):
        settle()
        if rescue.quarantine(name):
            steps.append(Step("quarantine", f"pack {name}", f"pack {name[:12]} was moved to quarantine/"))
    return steps


def remove_sealed_in_vain(
    unnamed: Sequence[str], *, rescue: Rescue[Place], is_kept: Callable[[Collection[BlobId]], bool]
) -> Sequence[Step]:
    """Delete packs, old enough, whose keys nobody has, where every message in them is kept elsewhere, or was erased.

    One that holds anything else stays: a newer archive.db than this one may have the keys to it.
    """
    return [
        Step("remove", f"pack {name}", f"pack {name[:12]}, whose keys nobody has, is gone from packs/")
        for name in unnamed
        if rescue.remove_in_vain(name, kept=is_kept)
    ]


def _is_sound(packs: Packs, name: str) -> bool:
    try:
        packs.check(name)
    except IntegrityError:
        return False
    return True
