"""`archiver restore`: a backup becomes an archive again, beside whatever is there, and takes its place at the very end.

Everything is checked and built in a directory next to the target; the last step gives it the target's name. An archive
that is replaced is moved aside and never deleted. What was erased after the backup was made is erased from it again,
before anybody can open it.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path
from typing import Literal

from msgspec import Struct, structs

from archiver.app.auditing import reason_for, record
from archiver.app.backup_copies import Copy, Origin, at, find_origin, lay_out, opened, packs_of
from archiver.app.clocks import clock
from archiver.app.opening import Opened, open_unlocked, stored_credential
from archiver.app.revived_keys import RevivedKeys, revived_keys
from archiver.app.unlocking import AskPassphrase, Keys, find_keys, write_new_private
from archiver.config import Settings
from archiver.core.progress import OnProgress, Progress, silent
from archiver.crypto.collector import CollectorCredential
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.errors import (
    ArchiverError,
    ConfigurationError,
    DiskError,
    IntegrityError,
    ShortageError,
    UsageError,
    WrongKeyError,
)
from archiver.model.message import BlobId
from archiver.store.durable import TEMPORARY_SUFFIX, Disk, publish
from archiver.store.erasure_log import erasure_log_of, merged, read_erasures
from archiver.store.layout import ArchivePaths
from archiver.store.lock import writer_lock
from archiver.store.state_files import copy_file

_BUILDING = ".restoring"
_ASIDE = ".replaced-"
_MARK = "restoring.tmp"
"""Says that a directory was made by a restore, so that the next one may delete it."""
_MARGIN = 64 << 20


Fate = Literal["kept", "written", "missing", "unreadable"]
"""What became of the collector's credential."""


class RestoreReport(Struct, frozen=True):
    """What a restore came to.

    `origin` is the generation, or "copy" of a plain copy; `missing` counts packs that were not there, with `lost`
    messages in them; `erased` counts messages erased again; `erasures_known` says whether any record of later erasures
    was found, `erasures_unread` counts lines of them that are damaged, or another archive's; `set_aside` is where the
    archive that was there is now; `revived` says who opens the archive again.
    """

    origin: str
    created: datetime | None
    messages: int
    packs: int
    octets: int
    indexed: int
    missing: int
    lost: int
    erased: int
    erasures_known: bool
    erasures_unread: int
    set_aside: Path | None
    credential: Fate
    seconds: float
    revived: RevivedKeys

    @property
    def exit_code(self) -> int:
        """Return 0, or 30 when packs were missing."""
        return IntegrityError.exit_code if self.missing else 0


def restore(
    settings: Settings,
    source: Path,
    *,
    generation: str | None = None,
    replace: bool = False,
    incomplete: bool = False,
    erasures: Path | None = None,
    write_collector_key: bool = False,
    ask: AskPassphrase,
    on_progress: OnProgress = silent,
    bounds: KdfBounds = DEFAULT_BOUNDS,
) -> RestoreReport:
    """Restore into the archive's path: of a directory of backups the newest generation, or the one named.

    Raises UsageError when something is in the way, IntegrityError before anything is touched when the backup is
    damaged, LockedError and WrongKeyError when it does not open, DiskError.
    """
    began = time.monotonic()
    target = settings.archive.path
    if target.is_symlink():
        target = target.resolve()  # it stands where the link says, and not where the link is
    ask = _remembering(ask)
    reason_for(settings, "restore")
    _clear_mark(target)
    _refuse_what_is_in_the_way(target, source, replace=replace)
    origin = find_origin(source, generation)
    disk = Disk()
    with ExitStack() as stack:
        if _in_use(target):
            # Held to the end: nobody writes into what is about to be moved aside.
            for name in ("collect", "archive"):
                stack.enter_context(writer_lock(ArchivePaths(target).lock(name), command="restore", now=clock()))
        building = _building_place(target, disk)
        stack.callback(_discard, building)
        root = building / "archive"
        paths = lay_out(origin, root, disk)
        with opened(settings, origin, root, ask=ask, bounds=bounds) as copy:
            keys, credential, needed = copy.keys, copy.credential, packs_of(copy)
            credential_state = _check_credential(settings, credential, write=write_collector_key)
            found = _good_packs(origin, needed)
            missing = needed - found.keys()
            lost = _messages_in(copy, missing)
        if missing and not incomplete:
            raise IntegrityError(
                f"{len(missing)} packs of the backup are missing or damaged, with {lost} messages in them",
                what="packs",
                hint="try an older state (--from STATE), or restore all the rest with --incomplete",
            )
        _require_room(building, sum(found.values()))
        _copy_packs(origin, paths, sorted(found), disk, on_progress)
        records, unread = _records_of_erasures(settings, origin, credential, erasures, ask, bounds)
        messages, indexed, erased = _bring_to_life(settings, keys, credential, merged(records), on_progress)
        _make_durable(paths, disk)
        if credential_state == "written":
            write_new_private(settings.archive.collector_key_file, credential.to_bytes())
        revived = revived_keys(keys.keyring, _later_keys(target, origin), bounds)
        aside = _put_in_place(root, target, disk)
    record(settings, structs.replace(keys, paths=ArchivePaths(target)), "restore", numbers={"messages": messages})
    return RestoreReport(
        origin=origin.name,
        created=None if origin.manifest is None else origin.manifest.created,
        messages=messages,
        packs=len(found),
        octets=sum(found.values()),
        indexed=indexed,
        missing=len(missing),
        lost=lost,
        erased=erased,
        erasures_known=bool(records),
        erasures_unread=unread,
        set_aside=aside,
        credential=credential_state,
        seconds=time.monotonic() - began,
        revived=revived,
    )


# --- before anything is touched ---------------------------------------------------------------------------------------


def _refuse_what_is_in_the_way(target: Path, source: Path, *, replace: bool) -> None:
    inner, outer = target.resolve(), source.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise UsageError("the archive cannot be restored into its own backup", hint="check [archive] path")
    if not target.parent.is_dir():
        raise UsageError(f"{target.parent} does not exist", hint="make it first, or check [archive] path")
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is no directory", hint="check [archive] path")
    if target.is_dir() and any(target.iterdir()) and not replace:
        raise UsageError(
            f"{target} is not empty",
            hint="--replace moves what is there aside (nothing is deleted), or choose another [archive] path",
        )


def _check_credential(settings: Settings, credential: CollectorCredential, *, write: bool) -> Fate:
    """Say what is to become of the collector's credential; raises when another archive's is at its place."""
    path = settings.archive.collector_key_file
    try:
        there = CollectorCredential.from_bytes(path.read_bytes())
    except FileNotFoundError:
        if path.resolve().is_relative_to(settings.archive.path.resolve()):
            raise ConfigurationError(
                "the collector's credential would lie inside the archive", hint="check collector_key_file in [archive]"
            ) from None
        return "written" if write else "missing"
    except (OSError, ArchiverError):
        return "unreadable"
    if there != credential:
        raise WrongKeyError(
            f"{path} is the collector's credential of another archive", hint="move it away, or check collector_key_file"
        )
    return "kept"


def _good_packs(origin: Origin, needed: frozenset[str]) -> dict[str, int]:
    """Return the packs that are there in the size they had, with their bytes; contents are compared when copied."""
    sizes = {} if origin.manifest is None else {pack.name: pack.size for pack in origin.manifest.packs}
    found = {}
    for name in needed:
        with suppress(OSError):
            size = origin.packs.pack(name).stat().st_size
            if sizes.get(name, size) == size and _is_good(origin.packs.pack(name), name):
                found[name] = size
    return found


def _is_good(path: Path, name: str) -> bool:
    from archiver.store.state_files import digest_of

    try:
        return digest_of(path)[1] == name
    except IntegrityError:
        return False


def _messages_in(copy: Copy, packs: frozenset[str]) -> int:
    return sum(pack in packs for pack, _ in copy.catalogue.sealed_records()) if packs else 0


def _require_room(place: Path, octets: int) -> None:
    status = os.statvfs(place)
    free = status.f_bavail * status.f_frsize
    if free < octets + _MARGIN:
        raise DiskError(
            f"the archive needs {octets + _MARGIN:,} bytes more, and {free:,} are free",
            hint="make room; nothing was changed",
        )


# --- building ---------------------------------------------------------------------------------------------------------


def _building_place(target: Path, disk: Disk) -> Path:
    """Make the directory in which the archive is built; one that a killed restore left goes first."""
    path = target.with_name(target.name + _BUILDING)
    if path.exists():
        if not (path / _MARK).is_file() and any(path.iterdir()):
            raise UsageError(f"{path} is in the way", hint="move it elsewhere: it was not made by a restore")
        _discard(path)
    disk.make_directory(path)
    disk.create(path / _MARK, b"a restore is being built here; it may be deleted\n")
    return path


def _clear_mark(target: Path) -> None:
    """Remove an empty building place: left when the disk failed once the archive had been taken out of it."""
    path = target.with_name(target.name + _BUILDING)
    with suppress(OSError):
        if [each.name for each in path.iterdir()] == [_MARK]:
            _discard(path)


def _discard(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)


def _copy_packs(origin: Origin, paths: ArchivePaths, names: list[str], disk: Disk, on_progress: OnProgress) -> None:
    octets = 0
    for done, name in enumerate(names, start=1):
        path = paths.pack(name)
        disk.make_directory(path.parent)
        temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
        size, digest = copy_file(origin.packs.pack(name), temporary, disk)
        if digest != name:
            raise IntegrityError(f"pack {name[:12]} of the backup is damaged", what=f"pack {name}")
        publish(disk, temporary, path)
        octets += size
        on_progress(Progress("restore", None, None, done=done, total=len(names), octets=octets))


def _records_of_erasures(
    settings: Settings,
    origin: Origin,
    credential: CollectorCredential,
    named: Path | None,
    ask: AskPassphrase,
    bounds: KdfBounds,
) -> tuple[list[Mapping[BlobId, datetime]], int]:
    """Return every record of erasures in reach: the old archive's, moved-aside ones', later generations', a file's.

    The second value counts lines that cannot be believed.
    """
    places = [settings.archive.path, *_moved_aside(settings.archive.path)]
    logs = [*(erasure_log_of(ArchivePaths(place)) for place in places), *origin.later]
    if named is not None and not named.is_file():
        raise UsageError(f"{named} is no file", hint="name a copy of erasures.log")
    logs += [] if named is None else [named]
    read = [read_erasures(log, credential.mac_key) for log in logs if log.is_file()]
    if named is not None and read[-1].damaged and not read[-1].erased:
        raise UsageError(f"{named} is no record of erasures of this archive", hint="name a copy of its erasures.log")
    records = [log.erased for log in read]
    # The log is written first, so the catalogue knows no more; but one of the two may be gone.
    try:
        if ArchivePaths(settings.archive.path).database.is_file():
            records.append(_tombstones(settings, ask, bounds, credential))
    except ShortageError:
        raise
    except (ArchiverError, OSError):
        pass
    return records, sum(log.damaged for log in read)


def _moved_aside(target: Path) -> list[Path]:
    return sorted(each for each in target.parent.iterdir() if each.name.startswith(target.name + _ASIDE))


def _later_keys(target: Path, origin: Origin) -> list[ArchivePaths]:
    places = [target, *(log.parent for log in origin.later), *reversed(_moved_aside(target))]
    return [ArchivePaths(place) for place in places]


def _tombstones(
    settings: Settings, ask: AskPassphrase, bounds: KdfBounds, credential: CollectorCredential
) -> Mapping[BlobId, datetime]:
    from archiver.store.catalogue import open_catalogue
    from archiver.store.erasures import SqliteErasures

    keys = find_keys(settings, ask=ask, bounds=bounds)
    if keys is None or keys.archive.archive_id != credential.archive_id:
        raise WrongKeyError("another archive lies there")
    catalogue = open_catalogue(keys.paths, keys.secret.database_key, readonly=True)
    try:
        if stored_credential(catalogue) != credential:
            raise WrongKeyError("another archive lies there")
        return dict(SqliteErasures(catalogue.connection).erased())
    finally:
        catalogue.close()


def _bring_to_life(
    settings: Settings,
    keys: Keys,
    credential: CollectorCredential,
    erased: Mapping[BlobId, datetime],
    on_progress: OnProgress,
) -> tuple[int, int, int]:
    """Erase what was erased since, take in what waited, index, make collect.db.

    Return how many messages there are, how many are indexed, and how many were erased again.
    """
    from archiver.app.erasing import complete_erasures, erase_from
    from archiver.core.ingest import take_in

    with open_unlocked(at(settings, keys.paths.root), keys, write=True, command="restore") as unlocked:
        before = unlocked.catalogue.counts().messages
        known = {blob_id for blob_id, _ in unlocked.erasures.erased()}
        by_time: dict[datetime, list[BlobId]] = {}
        for blob_id, moment in erased.items():
            if blob_id not in known or unlocked.catalogue.row(blob_id) is not None:
                by_time.setdefault(moment, []).append(blob_id)
        for moment, blob_ids in sorted(by_time.items()):
            erase_from(unlocked, blob_ids, moment)
        gone = before - unlocked.catalogue.counts().messages
        report = take_in(unlocked.ingest_ports(), on_progress=on_progress)
        complete_erasures(unlocked)
        unlocked.tidy(report.indexed)
        _seed_collector(unlocked, credential)
        return unlocked.catalogue.counts().messages, unlocked.index.count(), gone


def _seed_collector(unlocked: Opened, credential: CollectorCredential) -> None:
    """Make collect.db with the digests of what is kept and of what was erased: no mail is stored a second time."""
    from archiver.store.collect import open_collect_store

    archive = unlocked.keys.archive
    store = open_collect_store(
        unlocked.keys.paths,
        credential=credential,
        recipient=archive.recipient_for_collector(credential),
        epoch=archive.epoch,
        disk=Disk(),
        clock=clock,
        random=os.urandom,
    )
    try:
        store.seed(unlocked.kept())
        store.mark_erased([blob_id for blob_id, _ in unlocked.erasures.erased()])
    finally:
        store.close()
    unlocked.erasures.finished()


# --- the last step ----------------------------------------------------------------------------------------------------


def _make_durable(paths: ArchivePaths, disk: Disk) -> None:
    for directory, _, names in os.walk(paths.root, topdown=False):
        for name in names:
            disk.sync_file(Path(directory) / name)
        disk.sync_directory(Path(directory))


def _in_use(target: Path) -> bool:
    return target.is_dir() and any(target.iterdir())


def _put_in_place(root: Path, target: Path, disk: Disk) -> Path | None:
    """Give the new archive the target's name; what had it is moved aside."""
    if not _in_use(target):
        disk.rename(root, target)
        disk.sync_directory(target.parent)
        return None
    aside = _free_name(target, clock())
    # The new one takes the name that the old one is to have, and both change places: there is an archive at any moment.
    disk.rename(root, aside)
    disk.sync_directory(target.parent)
    if not disk.exchange(aside, target):
        disk.rename(aside, root)
        disk.rename(target, aside)
        disk.sync_directory(target.parent)
        disk.rename(root, target)
    disk.sync_directory(target.parent)
    return aside


def _free_name(target: Path, now: datetime) -> Path:
    path = target.with_name(f"{target.name}{_ASIDE}{now:%Y%m%dT%H%M%SZ}")
    number = 1
    while path.exists():
        number += 1
        path = target.with_name(f"{target.name}{_ASIDE}{now:%Y%m%dT%H%M%SZ}-{number}")
    return path


def _remembering(ask: AskPassphrase) -> AskPassphrase:
    """Ask a person once, however many archives are opened."""
    answers: list[str | None] = []

    def asked() -> str | None:
        if not answers:
            answers.append(ask())
        return answers[0]

    return asked
