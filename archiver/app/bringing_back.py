"""A damaged archive.db: a backup's takes its place, and what can still be read of the damaged one is added to it.

The packs are those that are there. Messages whose keys neither of the two has are fetched again by the next sync.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from archiver.app import known_keyring
from archiver.app.backup_copies import find_origin, lay_out, opened
from archiver.app.clocks import clock
from archiver.app.erasing import erase_from
from archiver.app.opening import Opened
from archiver.app.unlocking import AskPassphrase, Keys
from archiver.config import Settings
from archiver.core.ingest import take_in
from archiver.core.progress import OnProgress
from archiver.core.repairing import Step, messages
from archiver.crypto.kdf import KdfBounds
from archiver.errors import UsageError
from archiver.store.durable import TEMPORARY_SUFFIX, Disk
from archiver.store.erasure_log import erasure_log_of, read_erasures
from archiver.store.layout import ArchivePaths
from archiver.store.lock import writer_lock
from archiver.store.old_catalogue import DAMAGED_DATABASE, OldCatalogue, done_name, waiting_databases
from archiver.store.redelivery import HeldDeliveries

_SUFFIXES = ("", "-wal", "-shm")


def put_back(
    settings: Settings, keys: Keys, source: Path, *, ask: AskPassphrase, bounds: KdfBounds, wait: float
) -> Step:
    """Set archive.db aside and put the backup's in its place, with the deliveries that waited when it was made.

    Raises UsageError when the backup is of other keys, IntegrityError when it is damaged itself: nothing was touched.
    """
    paths, disk = keys.paths, Disk()
    origin = find_origin(source, None)
    building = paths.root / f"bringing-back{TEMPORARY_SUFFIX}"
    shutil.rmtree(building, ignore_errors=True)
    try:
        copy_paths = lay_out(origin, building, disk)
        with opened(settings, origin, building, ask=ask, bounds=bounds) as copy:
            if copy.keys.secret.database_key != keys.secret.database_key:
                raise UsageError(
                    "that backup was made before the keys were rotated, and its archive.db is under the old ones",
                    hint="`archiver restore --replace` brings all of it back; or take a later backup",
                )
            known_keyring.accept(copy.catalogue, keys.keyring)
        with (
            writer_lock(paths.lock("archive"), command="repair", now=clock(), wait_seconds=wait),
            writer_lock(paths.lock("collect"), command="repair", now=clock(), wait_seconds=wait),
        ):
            _exchange(paths, copy_paths, disk)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return Step("database", "archive.db", f"archive.db of the backup {origin.name} was put in place of the damaged one")


def _exchange(paths: ArchivePaths, copy: ArchivePaths, disk: Disk) -> None:
    for waiting in sorted(copy.pending.iterdir()):
        if not (paths.pending / waiting.name).exists():
            disk.sync_file(waiting)
            disk.rename(waiting, paths.pending / waiting.name)
    disk.sync_directory(paths.pending)
    if any(_with(paths.database, suffix).exists() for suffix in _SUFFIXES):
        aside = _aside(paths, disk)
        for suffix in reversed(_SUFFIXES):
            if (path := _with(paths.database, suffix)).exists():
                disk.rename(path, aside / path.name)
        disk.sync_directory(aside)
    disk.sync_file(copy.database)
    disk.rename(copy.database, paths.database)
    disk.sync_directory(paths.root)


def _aside(paths: ArchivePaths, disk: Disk) -> Path:
    if disk.make_directory(paths.quarantine):
        disk.sync_directory(paths.root)
    number = 1
    while any((paths.quarantine / f"{DAMAGED_DATABASE}{number}{end}").exists() for end in ("", ".done")):
        number += 1
    directory = paths.quarantine / f"{DAMAGED_DATABASE}{number}"
    disk.make_directory(directory)
    disk.sync_directory(paths.quarantine)
    return directory


def _with(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def take_over(opened: Opened, on_progress: OnProgress) -> Iterator[Step]:
    """Erase from the backup's archive.db what was erased since, and add what reads of those that were set aside."""
    paths = opened.keys.paths
    waiting = waiting_databases(paths.quarantine)
    if not waiting:
        return
    erased = read_erasures(erasure_log_of(paths), opened.credential.mac_key).erased if _logged(paths) else {}
    for blob_id, at in erased.items():
        if opened.catalogue.row(blob_id) is not None or blob_id not in opened.catalogue.known([blob_id]):
            erase_from(opened, [blob_id], at)
    for directory in waiting:
        old = OldCatalogue(directory / "archive.db", opened.keys.secret.database_key)
        deliveries = HeldDeliveries(old.deliveries(opened.catalogue.known))
        read = take_in(replace(opened.ingest_ports(), deliveries=deliveries), on_progress=on_progress)
        opened.catalogue.settle()
        with suppress(OSError):
            directory.rename(done_name(directory))
        yield Step("database", "archive.db", f"{messages(read.messages)} added from the damaged archive.db")


def _logged(paths: ArchivePaths) -> bool:
    return erasure_log_of(paths).is_file()
