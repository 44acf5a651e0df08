"""A directory of backups: packs shared by all, and generations of STATE, each complete or not there at all.

    archiver-backup.json            whose backups these are
    packs/ab/<sha256>.pack          as in the archive
    state-<time>/                   a generation: STATE as it was, and backup.json, written last
    state-<time>.partial/           what a kill left; swept

Knows names, the order of writing, and how a generation is checked without a key. Knows nothing of which are to be kept.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from archiver.crypto.backup_file import MANIFEST, MARK, Manifest, create_mark, read_manifest, read_mark
from archiver.errors import DiskError, IntegrityError, UsageError, shortage
from archiver.store.durable import TEMPORARY_SUFFIX, Disk, publish, write_durably
from archiver.store.layout import ArchivePaths
from archiver.store.state_files import copy_file, digest_of

PARTIAL = ".partial"
_TIME = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"state-(\d{8}T\d{6}Z)")
_OURS = re.compile(
    r"packs|state-\d{8}T\d{6}Z(\.partial)?|archiver-backup\.json(\.tmp)?|backup\.(lock|wanted)|lost\+found"
)
_MARGIN = 16 << 20
"""Bytes that stay free beside what a backup needs."""

OnDone = Callable[[int, int], None]
"""Told after each pack how many are done and how many bytes it has."""


class Generation(Struct, frozen=True):
    """One generation of STATE: when it was made, and its directory, in which the packs are not."""

    at: datetime
    path: Path

    @property
    def name(self) -> str:
        """The name by which people call it."""
        return self.path.name.removeprefix("state-")

    def manifest(self) -> Manifest:
        """Read its backup.json; raises IntegrityError, FormatError."""
        try:
            octets = (self.path / MANIFEST).read_bytes()
        except OSError as error:
            raise shortage(error) or _bad(f"{self.path.name}/{MANIFEST}", "is missing or cannot be read") from error
        return read_manifest(octets)

    def check(self) -> Manifest:
        """Compare every file of STATE with the manifest; raises IntegrityError naming the first that differs."""
        manifest = self.manifest()
        for file in manifest.state:
            path = self.path / file.path
            if path.is_symlink() or not path.is_file():
                raise _bad(f"{self.path.name}/{file.path}", "is missing")
            if digest_of(path) != (file.size, file.sha256):
                raise _bad(f"{self.path.name}/{file.path}", "is not what was written")
        return manifest


class BackupPlace:
    """One directory of backups; nothing is touched by making one."""

    def __init__(self, root: Path, disk: Disk) -> None:
        self.root = root
        self._paths = ArchivePaths(root)
        self._disk = disk

    # --- what is there --------------------------------------------------------------------------------------------

    @property
    def lock(self) -> Path:
        """Held by whoever makes a backup here."""
        return self.root / "backup.lock"

    def is_backup(self) -> bool:
        """Tell whether this directory was made by `archiver backup`."""
        return (self.root / MARK).is_file()

    def archive_id(self) -> bytes:
        """Return whose backups these are; raises UsageError when this is no directory of backups, IntegrityError."""
        try:
            octets = (self.root / MARK).read_bytes()
        except OSError as error:
            if short := shortage(error):
                raise short from error
            if error.errno == errno.EIO:
                raise _bad(MARK, "cannot be read") from error
            raise UsageError(
                f"{self.root} holds no backup of archiver's", hint="name the directory that `archiver backup` wrote to"
            ) from error
        return read_mark(octets)

    def generations(self) -> list[Generation]:
        """Return the complete generations, newest first."""
        found = []
        for entry in self.root.iterdir():
            matched = _NAME.fullmatch(entry.name)
            if matched and entry.is_dir() and not entry.is_symlink():
                found.append(Generation(datetime.strptime(matched[1], _TIME).replace(tzinfo=UTC), entry))
        return sorted(found, key=lambda each: each.at, reverse=True)

    def generation(self, name: str | None) -> Generation:
        """Return the one of this name (or beginning of it), or the newest; raises UsageError naming those there are."""
        every = self.generations()
        wanted = "" if name is None else name.removeprefix("state-")
        found = [each for each in every if each.name.startswith(wanted)]
        if not found or (name is not None and len(found) > 1):
            there = ", ".join(each.name for each in every) or "none"
            raise UsageError(
                "there is no complete backup here" if not every else "no single generation is called that",
                hint=f"generations: {there}",
            )
        return found[0]

    def packs(self) -> dict[str, int]:
        """Return the packs that are here, with their bytes."""
        return sizes_of(self._paths)

    def check_pack(self, name: str) -> int:
        """Compare a pack with its name; return its bytes; raises IntegrityError."""
        path = self._paths.pack(name)
        try:
            size, digest = digest_of(path)
        except IntegrityError as error:
            raise _bad(f"pack {name[:12]}", "is missing or cannot be read") from error
        if digest != name:
            raise _bad(f"pack {name[:12]}", "is not what its name says")
        return size

    # --- making one -----------------------------------------------------------------------------------------------

    def prepare(self, archive: ArchivePaths, archive_id: bytes, now: datetime) -> None:
        """Make the directory ready for backups of this archive; raises DiskError, UsageError when it is for others."""
        root, source = self.root.resolve(), archive.root.resolve()
        if root.is_relative_to(source) or source.is_relative_to(root):
            raise UsageError(
                "a backup cannot lie inside the archive, nor the archive inside a backup",
                hint="name a directory on another disk",
            )
        if (self.root.exists() or self.root.is_symlink()) and not self.root.is_dir():
            raise UsageError(f"{self.root} is no directory", hint="name a directory, or mount the disk it is on")
        if not self.root.exists():
            missing = [path for path in (self.root, *self.root.parents) if not path.exists()]
            if len(missing) > 1:
                # A disk that is not mounted must not be replaced by a directory on this one.
                raise UsageError(
                    f"{self.root.parent} does not exist", hint="make it first, or see that the disk is mounted"
                )
            self._disk.make_directory(self.root)
            self._disk.sync_directory(self.root.parent)
        if not self.is_backup():
            self._take_possession(archive_id, now)
        if self.archive_id() != archive_id:
            raise UsageError(
                f"{self.root} holds backups of another archive", hint="name a directory of this archive's own"
            )
        self._disk.make_directory(self._paths.packs)
        self._disk.sync_directory(self.root)

    def _take_possession(self, archive_id: bytes, now: datetime) -> None:
        foreign = [entry.name for entry in self.root.iterdir() if not _OURS.fullmatch(entry.name)]
        if foreign or any((self.root / name).exists() for name in ("packs",)):
            raise UsageError(f"{self.root} holds something else than backups", hint="name a new or an empty directory")
        write_durably(self._disk, self.root / MARK, create_mark(archive_id, now))

    def sweep(self) -> None:
        """Delete what a killed backup left; only under the lock of this directory."""
        for entry in self.root.iterdir():
            if entry.name.endswith(PARTIAL) and entry.is_dir() and not entry.is_symlink():
                self._remove_directory(entry)
        for directory in [self._paths.packs, *self._paths.packs.iterdir()]:
            if directory.is_dir():
                for path in directory.iterdir():
                    if path.name.endswith(TEMPORARY_SUFFIX):
                        self._disk.remove(path)

    def require_room(self, octets: int) -> None:
        """Raise DiskError when so many bytes do not fit."""
        status = os.statvfs(self.root)
        free = status.f_bavail * status.f_frsize
        if free < octets + _MARGIN:
            raise DiskError(
                f"the backup needs {octets + _MARGIN:,} bytes and {free:,} are free",
                hint="make room, or name another disk; earlier backups are as they were",
            )

    def begin(self, at: datetime) -> Generation:
        """Make the directory of a new generation, not complete yet; its time is raised above every one there."""
        at = at.astimezone(UTC).replace(microsecond=0)
        if (there := self.generations()) and there[0].at >= at:
            at = there[0].at + timedelta(seconds=1)
        path = self.root / f"state-{at.strftime(_TIME)}{PARTIAL}"
        self._disk.make_directory(path)
        return Generation(at, path)

    def add_pack(self, archive: ArchivePaths, name: str) -> int:
        """Copy a pack, durable on return; return its bytes.

        Raises IntegrityError, and leaves what is here as it is, when the archive's own is damaged or gone.
        """
        target = self._paths.pack(name)
        if self._disk.make_directory(target.parent):
            self._disk.sync_directory(target.parent.parent)
        temporary = target.with_name(target.name + TEMPORARY_SUFFIX)
        size, digest = copy_file(archive.pack(name), temporary, self._disk)
        if digest != name:
            self._disk.remove(temporary)
            raise _bad(f"pack {name[:12]}", "is not what its name says")
        publish(self._disk, temporary, target)
        return size

    def complete(self, generation: Generation, manifest: Manifest) -> Generation:
        """Write backup.json and give the generation its name: from now on it counts."""
        write_durably(self._disk, generation.path / MANIFEST, manifest.to_bytes())
        final = generation.path.with_name(generation.path.name.removesuffix(PARTIAL))
        self._disk.rename(generation.path, final)
        self._disk.sync_directory(self.root)
        return Generation(generation.at, final)

    def remove(self, generation: Generation) -> None:
        """Delete a generation; a kill leaves it whole or not complete."""
        gone = generation.path.with_name(generation.path.name + PARTIAL)
        self._disk.rename(generation.path, gone)
        self._disk.sync_directory(self.root)
        self._remove_directory(gone)

    def _remove_directory(self, path: Path) -> None:
        try:
            shutil.rmtree(path)
        except OSError as error:
            raise DiskError(
                f"{path.name} cannot be deleted: {os.strerror(error.errno or 0)}", hint="delete it yourself"
            ) from error
        self._disk.sync_directory(self.root)


def sizes_of(paths: ArchivePaths) -> dict[str, int]:
    """Return the packs below a root, with their bytes; those that go meanwhile are left out."""
    found: dict[str, int] = {}
    for name in paths.pack_names():
        with contextlib.suppress(FileNotFoundError):
            found[name] = paths.pack(name).stat().st_size
    return found


def _bad(what: str, how: str) -> IntegrityError:
    return IntegrityError(
        f"{what} {how}", what=what, hint="`archiver backup --verify` tells what else; take another state"
    )
