"""Verify that everything promised to be kept is there, unchanged and readable.

Quick needs no key and runs on a backup host as well: every pack against its name, every record's header. Full opens
every message and compares its digest, and compares catalogue, packs, index and links with each other. What reads badly
is read again from the disk before it counts as damaged: a second reading that is good tells of a failing disk or
memory, not of lost mail. Nothing is repaired or deleted here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from msgspec import Struct

from archiver.core.ports import Catalogue, Index, Packs, Vault
from archiver.core.progress import OnProgress, Progress, silent
from archiver.errors import IntegrityError
from archiver.model.catalogue import Seen
from archiver.model.message import BlobId

if TYPE_CHECKING:
    from archiver.core.customer_ports import Links
    from archiver.core.linking.directory import Directory
    from archiver.model.delivery import SealedRecord

Kind = Literal[
    "pack", "message", "pending", "public", "database", "catalogue", "index", "collector", "links", "erasures", "audit",
    "credential",
    "sealed-in-vain", "temporary", "set-aside", "stray", "interrupted", "absent",
]  # fmt: skip
"""What a finding is about; those of the last line are no damage."""


class Problem(Struct, frozen=True):
    """One thing that was found: `what` names the file or object, `message` says how; never content of mail.

    Of a message there is besides, with a key, when it was sent (`at`, as it is sorted) and where it lay on a server.
    """

    what: str
    message: str
    blob_id: BlobId | None = None
    kind: Kind = "pack"
    at: datetime | None = None
    places: tuple[Seen, ...] = ()


class VerifyReport(Struct, frozen=True):
    """What was looked at, and what is wrong with it.

    `packs`, `records` and `octets` count what was read of packs, `messages` the messages opened. `unsteady` read badly
    once and well the next time; `remarks` are no damage: leftovers, files that are not ours. A sample has `subset` as
    it was asked for, and the `seed` that draws it again.
    """

    packs: int
    records: int
    octets: int
    checked_full: bool
    problems: tuple[Problem, ...] = ()
    unsteady: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()
    messages: int = 0
    packs_total: int = 0
    subset: str | None = None
    seed: int | None = None


class Strays(Protocol):
    """A store that checks what its own rows refer to."""

    def strays(self) -> Sequence[str]:
        """Say which rows name a message or a customer that is not there."""
        ...


Answer = TypeVar("Answer")


def steadily(attempt: Callable[[], Answer], again: Callable[[], object]) -> tuple[Answer, IntegrityError | None]:
    """Do something that reads; when it fails, call `again` and read once more.

    Returns the answer and what the first reading failed with, if it did; raises IntegrityError when both fail.
    """
    try:
        return attempt(), None
    except IntegrityError as error:
        first = error
    again()
    return attempt(), first


def verify_packs(packs: Packs, *, names: Sequence[str] | None = None, on_progress: OnProgress = silent) -> VerifyReport:
    """Check every pack file, or those named, without a key."""
    every = packs.names()
    chosen = every if names is None else names
    records = octets = 0
    problems: list[Problem] = []
    unsteady: list[Problem] = []
    for done, name in enumerate(chosen, start=1):
        try:
            (count, size), first = steadily(lambda name=name: packs.check(name), lambda name=name: packs.reread(name))  # type: ignore[misc]
        except IntegrityError as error:
            if packs.exists(name):  # else `repair` has moved it meanwhile; who needs it will say so
                problems.append(Problem(error.what, error.message))
        else:
            records += count
            octets += size
            if first is not None:
                unsteady.append(Problem(first.what, f"{first.message}; read again, it is good"))
        on_progress(Progress("verify", None, None, done=done, total=len(chosen), octets=octets))
    return VerifyReport(
        len(chosen),
        records,
        octets,
        checked_full=False,
        problems=tuple(problems),
        unsteady=tuple(unsteady),
        packs_total=len(every),
    )


class Opening:
    """Opens every message of a catalogue, and keeps what it found: `problems`, `unsteady`, how many were `opened`."""

    def __init__(
        self,
        catalogue: Catalogue,
        packs: Packs,
        vault: Vault,
        *,
        only: Collection[str] | None = None,
        on_progress: OnProgress = silent,
    ) -> None:
        """With `only`, the messages of these packs; the others are counted."""
        self._catalogue = catalogue
        self._packs = packs
        self._vault = vault
        self._only = only
        self._on_progress = on_progress
        self.problems: list[Problem] = []
        self.unsteady: list[Problem] = []
        self.opened = 0

    def run(self) -> None:
        """Open them all; each that does not open is looked up once more at the end, should it have moved meanwhile."""
        present = frozenset(self._packs.names())
        total = self._catalogue.counts().messages
        seen = octets = 0
        bad: list[tuple[BlobId, Problem]] = []
        for pack, record in self._catalogue.sealed_records():
            seen += 1
            if self._only is None or pack in self._only:
                found = self._opened(pack, record, present)
                if isinstance(found, Problem):
                    bad.append((record.blob_id, found))
                else:
                    octets += found
            self._on_progress(Progress("open", None, None, done=seen, total=total, octets=octets))
        for blob_id, problem in bad:
            if (after := self._once_more(blob_id, problem)) is not None:
                self.problems.append(after)
        if seen != total and seen != self._catalogue.counts().messages:
            self.problems.append(
                Problem(
                    "archive.db",
                    f"{total} messages in the catalogue, {seen} with a sealed record",
                    kind="catalogue",
                )
            )

    def _opened(self, pack: str, record: SealedRecord, present: Collection[str]) -> Problem | int:
        """Return the raw size of a message, or what is wrong with it."""
        if pack not in present and not self._packs.exists(pack):
            return Problem(f"pack {pack}", "the pack is missing", record.blob_id, kind="message")
        try:
            octets, first = steadily(lambda: self._vault.read(pack, record), lambda: self._packs.reread(pack))
        except IntegrityError as error:
            return Problem(error.what, error.message, record.blob_id, kind="message")
        self.opened += 1
        if first is not None:
            message = f"{first.message}; read again, it is good"
            self.unsteady.append(Problem(first.what, message, record.blob_id, kind="message"))
        return len(octets)

    def _once_more(self, blob_id: BlobId, problem: Problem) -> Problem | None:
        row = self._catalogue.row(blob_id)
        sealed = None if row is None else self._catalogue.sealed(row)
        if row is None or sealed is None:
            return None  # erased while we read
        again = self._opened(*sealed, present=())
        if not isinstance(again, Problem):
            return None
        details = self._catalogue.details(row)
        if details is None:
            return problem
        return Problem(
            again.what, again.message, blob_id, kind="message", at=details.summary.at, places=tuple(details.seen)
        )


def verify_messages(
    catalogue: Catalogue, packs: Packs, vault: Vault, index: Index, *, on_progress: OnProgress = silent
) -> Iterator[Problem]:
    """Open every message of the catalogue and count the index; yield what is wrong, naming each damaged message."""
    opening = Opening(catalogue, packs, vault, on_progress=on_progress)
    opening.run()
    yield from opening.problems
    yield from verify_index(catalogue, index)


def verify_index(catalogue: Catalogue, index: Index) -> Iterator[Problem]:
    """Compare how many messages are indexed, and up to which, with the catalogue."""
    messages = catalogue.counts().messages
    indexed = index.count()
    if index.watermark() > catalogue.last_sequence():
        yield Problem(
            "archive.db",
            f"archive.db is older than index.db: it has {messages} messages, of {indexed} that were indexed; "
            "`archiver sync` fetches what is missing",
            kind="catalogue",
        )
    elif indexed != messages:
        yield Problem(
            "index.db", f"{indexed} of {messages} messages are indexed; `archiver reindex` mends it", kind="index"
        )


def verify_links(store: Strays, links: Links, directory: Directory | None) -> Iterator[Problem]:
    """Check that links name what is there and, given a directory of the customers, that they are what the rules make.

    The directory is left out when the links are known to be of other rules: the next sync makes them anew.
    """
    from archiver.core.linking.relinking import differing

    for stray in store.strays():
        yield Problem("archive.db", stray, kind="links")
    if directory is not None and (count := sum(len(found) for found, _ in differing(links, directory))):
        yield Problem(
            "archive.db",
            f"{count} messages are linked otherwise than the rules say; `archiver relink` mends it",
            kind="links",
        )
