"""Where everything lies in an archive's directory, and how that directory comes to be.

Knows names and modes (directories 0700, files 0600). Knows nothing of what is in the files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from archiver.errors import DiskError, NoArchiveError, UsageError
from archiver.store.durable import TEMPORARY_SUFFIX, Disk, write_durably

_CACHEDIR_TAG = (
    b"Signature: 8a477f597d28d172789f06886806bc55\n"
    b"# archiver keeps messages here for a moment, encrypted under a key that is only in memory.\n"
    b"# https://bford.info/cachedir/\n"
)
NEXT_SUFFIX = ".next"
_PACK_NAME = re.compile(r"[0-9a-f]{64}")


class ArchivePaths(Struct, frozen=True):
    """The paths below an archive's root; nothing is touched by making one."""

    root: Path

    @property
    def archive_file(self) -> Path:
        """The public data: format, archive id, ingest key."""
        return self.root / "archive.json"

    @property
    def keyring(self) -> Path:
        """The key slots."""
        return self.root / "keyring.json"

    @property
    def database(self) -> Path:
        """The catalogue."""
        return self.root / "archive.db"

    @property
    def index(self) -> Path:
        """The full-text index."""
        return self.root / "index.db"

    @property
    def collect_database(self) -> Path:
        """The collector's cursors and digests."""
        return self.root / "collect.db"

    @property
    def packs(self) -> Path:
        """Sealed packs, in 256 directories named by the first two digits."""
        return self.root / "packs"

    @property
    def pending(self) -> Path:
        """Deliveries that wait for an unlocked archive."""
        return self.root / "pending"

    @property
    def spool(self) -> Path:
        """Where big messages wait, encrypted under a key that is only in memory."""
        return self.root / "spool"

    def next(self, path: Path) -> Path:
        """Return where a rotation writes the next epoch's file, until it takes this one's name."""
        return path.with_name(path.name + NEXT_SUFFIX)

    @property
    def audit(self) -> Path:
        """The audit trail's directory, made when the first record is."""
        return self.root / "audit"

    @property
    def checkpoint(self) -> Path:
        """The trail's newest checkpoint, and which anchors have it."""
        return self.audit / "checkpoint.json"

    def audit_log(self, epoch: int) -> Path:
        """Return the file of one epoch's audit records."""
        return self.audit / f"{epoch:08}.log"

    @property
    def quarantine(self) -> Path:
        """What `archiver repair` took out of the way, as it was."""
        return self.root / "quarantine"

    def lock(self, name: str) -> Path:
        """Return the lock file of one writer: "collect", "archive" or "audit"."""
        return self.root / f"{name}.lock"

    def pack(self, name: str) -> Path:
        """Return the file of a pack; raises ValueError for what is no SHA-256 in hex, before it becomes a path."""
        if not _PACK_NAME.fullmatch(name):
            raise ValueError("a pack is named by 64 hex digits")
        return self.packs / name[:2] / f"{name}.pack"

    def pack_names(self) -> Iterator[str]:
        """Yield the names of the packs on disk, ascending; files that are no packs are passed over."""
        if not self.packs.is_dir():
            return
        for directory in sorted(self.packs.iterdir()):
            if directory.is_dir() and len(directory.name) == 2:
                for path in sorted(directory.iterdir()):
                    if path.suffix == ".pack" and _PACK_NAME.fullmatch(path.stem) and path.stem[:2] == directory.name:
                        yield path.stem

    def require(self) -> None:
        """Raise NoArchiveError when there is no archive here."""
        if not self.archive_file.is_file():
            raise NoArchiveError(
                "there is no archive at the path configured", hint="run `archiver init`, or check [archive] path"
            )


MAKING = "making" + TEMPORARY_SUFFIX
"""The file that lies in the directory of an archive until its creation is complete; it holds the archive's id."""


def create_layout(paths: ArchivePaths, disk: Disk) -> None:
    """Make the directories of a new archive, durable, in a directory that is new or empty.

    Raises UsageError when something is there already: an archive never moves in with other files.
    """
    root = paths.root
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UsageError(
            "the archive's directory is not empty", hint="give `init` a new directory, or empty this one yourself"
        )
    if not root.exists():
        _make_parents(root, disk)
    root.chmod(0o700)
    for directory in (paths.packs, paths.pending, paths.spool):
        disk.make_directory(directory)
    # A tag speaks for its whole directory, so none may ever stand beside archive.db; index.db is marked by a flag.
    write_durably(disk, paths.spool / "CACHEDIR.TAG", _CACHEDIR_TAG)
    disk.sync_directory(root)


def complete_layout(paths: ArchivePaths, disk: Disk) -> None:
    """Make the directories anew that a copy of the archive may lack; only under the "collect" lock.

    Raises DiskError where the packs have gone: what is missing is mail, and what comes would lie beside its place.
    """
    if not paths.packs.is_dir():
        raise DiskError(
            "the folder of the packs is missing",
            hint="mount the disk that it is on, or bring packs/ back from a backup, then run it again",
        )
    if not paths.pending.is_dir() and disk.make_directory(paths.pending):
        disk.sync_directory(paths.root)
    if not paths.spool.is_dir() and disk.make_directory(paths.spool):
        write_durably(disk, paths.spool / "CACHEDIR.TAG", _CACHEDIR_TAG)
        disk.sync_directory(paths.root)


def sweep_temporary(paths: ArchivePaths, disk: Disk) -> int:
    """Delete what a killed writer left unfinished; only under the "collect" lock. Return how many files went."""
    swept = 0
    directories = [paths.pending, paths.spool, paths.packs]
    if paths.packs.is_dir():
        directories += [entry for entry in paths.packs.iterdir() if entry.is_dir()]
    for directory in directories:
        if not directory.is_dir():
            continue
        for path in directory.iterdir():
            if path.name.endswith(TEMPORARY_SUFFIX):
                disk.remove(path)
                swept += 1
    if (paths.root / MAKING).is_file():
        disk.remove(paths.root / MAKING)
        swept += 1
    return swept


def _make_parents(root: Path, disk: Disk) -> None:
    missing = [path for path in (root, *root.parents) if not path.exists()]
    for path in reversed(missing):
        disk.make_directory(path)
        disk.sync_directory(path.parent)
