"""Verify that everything promised to be kept is there, unchanged and readable.

Quick needs no key and runs on a backup host as well: every pack against its name, every record's header. Full opens
every message and compares its digest, and compares catalogue, packs, index and links with each other. Nothing is
repaired or deleted here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from archiver.core.ports import Catalogue, Index, Packs, Vault
from archiver.core.progress import OnProgress, Progress, silent
from archiver.errors import IntegrityError
from archiver.model.message import BlobId

if TYPE_CHECKING:
    from archiver.core.customer_ports import Links
    from archiver.core.linking.directory import Directory


class Problem(Struct, frozen=True):
    """One thing that is wrong: `what` names the file or object, `message` says how; never content of mail."""

    what: str
    message: str
    blob_id: BlobId | None = None


class VerifyReport(Struct, frozen=True):
    """What was looked at, and what is wrong with it."""

    packs: int
    records: int
    octets: int
    checked_full: bool
    problems: tuple[Problem, ...] = ()


class Strays(Protocol):
    """The part of the links' store that checks what its rows refer to."""

    def strays(self) -> Sequence[str]:
        """Say which rows name a message or a customer that is not there."""
        ...


def verify_packs(packs: Packs, *, on_progress: OnProgress = silent) -> VerifyReport:
    """Check every pack file without a key."""
    names = packs.names()
    records = octets = 0
    problems: list[Problem] = []
    for done, name in enumerate(names, start=1):
        try:
            count, size = packs.check(name)
        except IntegrityError as error:
            problems.append(Problem(error.what, error.message))
        else:
            records += count
            octets += size
        on_progress(Progress("verify", None, None, done=done, total=len(names), octets=octets))
    return VerifyReport(len(names), records, octets, checked_full=False, problems=tuple(problems))


def verify_messages(
    catalogue: Catalogue, packs: Packs, vault: Vault, index: Index, *, on_progress: OnProgress = silent
) -> Iterator[Problem]:
    """Open every message of the catalogue; yield what is wrong, naming each damaged message."""
    present = frozenset(packs.names())
    counts = catalogue.counts()
    done = octets = 0
    for pack, record in catalogue.sealed_records():
        done += 1
        if pack not in present:
            yield Problem(f"pack {pack}", "the pack is missing", record.blob_id)
        else:
            try:
                octets += len(vault.read(pack, record))
            except IntegrityError as error:
                yield Problem(error.what, error.message, record.blob_id)
        on_progress(Progress("verify", None, None, done=done, total=counts.messages, octets=octets))
    if done != counts.messages:
        yield Problem("archive.db", f"{counts.messages} messages in the catalogue, {done} with a sealed record")
    indexed = index.count()
    if index.watermark() > catalogue.last_sequence():
        yield Problem(
            "archive.db",
            f"archive.db is older than index.db: it has {counts.messages} messages, of {indexed} that were indexed; "
            "`archiver sync` fetches what is missing",
        )
    elif indexed != counts.messages:
        yield Problem("index.db", f"{indexed} of {counts.messages} messages are indexed; `archiver reindex` mends it")


def verify_links(store: Strays, links: Links, directory: Directory | None) -> Iterator[Problem]:
    """Check that links name what is there and, given a directory of the customers, that they are what the rules make.

    The directory is left out when the links are known to be of other rules: the next sync makes them anew.
    """
    from archiver.core.linking.relinking import differing

    for stray in store.strays():
        yield Problem("archive.db", stray)
    if directory is not None and (count := sum(len(found) for found, _ in differing(links, directory))):
        yield Problem(
            "archive.db", f"{count} messages are linked otherwise than the rules say; `archiver relink` mends it"
        )
