"""`archiver backup`: a consistent copy while others work, and whether a copy is good.

STATE first, under the "archive" lock, which a running sync hands over between two deliveries; packs afterwards, with no
lock at all: they are written once, and every key that was copied names one that is there. Needs the collector's
credential or a key that opens the archive, for the MAC of the manifest, and reads no mail.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from msgspec import Struct

from archiver.app.clocks import clock
from archiver.app.unlocking import AskPassphrase, Keys, find_keys, read_credential, read_public, read_public_file
from archiver.config import Settings
from archiver.core.backup import Retention, gone_by, lacking, outdated, vanished
from archiver.core.progress import OnProgress, Progress, silent
from archiver.crypto.archive_file import read_archive_file
from archiver.crypto.backup_file import Manifest, PackFile, create_manifest
from archiver.crypto.collector import CollectorCredential
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.errors import (
    ArchiverError,
    ConfigurationError,
    DiskError,
    FormatError,
    IncompleteError,
    IntegrityError,
    LockedError,
    hint_for,
)
from archiver.store.backups import BackupPlace, Generation, sizes_of
from archiver.store.durable import Disk
from archiver.store.layout import ArchivePaths
from archiver.store.lock import writer_lock
from archiver.store.state_files import copy_state, state_size, sync_state

_LOCK_WAIT = 120.0
"""Seconds to wait for a writer: a sync hands the lock over when its delivery is done, others end."""


class BackupReport(Struct, frozen=True):
    """What a backup came to.

    `damaged` names packs of which neither archive nor backup has a good copy, `rescued` those that only the backup
    has one of; `mended` were damaged in the backup and are good again; `vanished` are those of the generation before
    that the archive has no longer, and the backup has.
    `erased_before`: what was erased before then is in no generation here. `erased_gone_by`: what is erased now is in
    none from then on, if backups go on being made.
    """

    generation: str
    created: datetime
    state_files: int
    state_octets: int
    packs: int
    copied: int
    octets: int
    damaged: tuple[str, ...]
    rescued: tuple[str, ...]
    mended: tuple[str, ...]
    vanished: tuple[str, ...]
    generations: tuple[str, ...]
    removed: tuple[str, ...]
    erased_before: datetime
    erased_gone_by: datetime
    seconds: float

    @property
    def exit_code(self) -> int:
        """Return 0, 30 when a pack of the archive is damaged, 4 when one has vanished: a repair may have moved it."""
        if self.damaged or self.rescued:
            return IntegrityError.exit_code
        return IncompleteError.exit_code if self.vanished else 0


def backup(
    settings: Settings,
    target: Path,
    *,
    keep: int | None = None,
    check_packs: bool = False,
    ask: AskPassphrase,
    on_progress: OnProgress = silent,
    bounds: KdfBounds = DEFAULT_BOUNDS,
) -> BackupReport:
    """Make a backup into a directory of backups, new or made by this; nobody is asked when the credential is at hand.

    Raises UsageError when the directory is for something else, DiskError (earlier backups are as they were),
    LockedError, IntegrityError when a file of STATE cannot be read.
    """
    with _still_there(target):
        return _backup(settings, target, keep, check_packs, ask, on_progress, bounds)


@contextmanager
def _still_there(target: Path) -> Iterator[None]:
    """Say it when the disk of the backups is taken away, or lets nobody in."""
    try:
        yield
    except OSError as error:
        if not str(error.filename or "").startswith(str(target)):
            raise
        raise DiskError(
            f"the directory of backups cannot be used: {os.strerror(error.errno or 0)}",
            hint=hint_for(error, "see that its disk is there and mounted; no new state was made, earlier ones stay"),
        ) from error


def _backup(
    settings: Settings,
    target: Path,
    keep: int | None,
    check_packs: bool,  # noqa: FBT001 - from the one function above
    ask: AskPassphrase,
    on_progress: OnProgress,
    bounds: KdfBounds,
) -> BackupReport:
    began = time.monotonic()
    paths, archive, _ = read_public(settings, bounds=bounds)
    credential, keys = _credential(settings, ask, bounds)
    place = BackupPlace(target, Disk())
    place.prepare(paths, archive.archive_id, clock())
    retention = Retention(keep or settings.backup.keep, settings.backup.keep_days)
    with writer_lock(place.lock, command="backup", now=clock()):
        place.sweep()
        present = place.packs()
        earlier = _earlier_packs(place)
        here = sizes_of(paths)
        place.require_room(state_size(paths) + sum(here[name] for name in lacking(here, present)))
        if keys is not None:
            _record(settings, keys, here)
        with writer_lock(paths.lock("archive"), command="backup", now=clock(), wait_seconds=_LOCK_WAIT):
            _complete_rotation(paths, bounds)
            generation = place.begin(clock())
            state = copy_state(paths, generation.path, Disk())
        sync_state(generation.path, state, Disk())
        # Listed behind the state: every pack that a key in it is for is among them, and newer ones do no harm.
        here = sizes_of(paths)
        wanted = lacking(here, present)
        bad = _damaged_here(place, here, present, on_progress) if check_packs else []
        refused = _copy_packs(place, paths, sorted({*wanted, *bad}), on_progress)
        rescued = [name for name in refused if _is_good(place, name)]
        damaged = sorted(set(refused) - set(rescued))
        now_present = place.packs()
        manifest = create_manifest(
            credential,
            created=generation.at,
            state=state,
            packs=tuple(PackFile(name, now_present[name]) for name in sorted(here.keys() - set(damaged))),
            damaged=tuple(damaged),
        )
        generation = place.complete(generation, manifest)
        removed = _expire(place, retention)
        kept = place.generations()
    return BackupReport(
        generation=generation.name,
        created=generation.at,
        state_files=len(state),
        state_octets=sum(file.size for file in state),
        packs=len(manifest.packs),
        copied=len(wanted) - len(set(refused).intersection(wanted)),
        octets=sum(here[name] for name in wanted if name not in refused),
        damaged=tuple(damaged),
        rescued=tuple(rescued),
        mended=tuple(name for name in bad if name not in refused),
        vanished=tuple(vanished(earlier, here)),
        generations=tuple(each.name for each in kept),
        removed=tuple(removed),
        erased_before=kept[-1].at,
        erased_gone_by=gone_by(generation.at, retention),
        seconds=time.monotonic() - began,
    )


def _credential(settings: Settings, ask: AskPassphrase, bounds: KdfBounds) -> tuple[CollectorCredential, Keys | None]:
    """Return the collector's credential, and the keys where they are at hand: from archive.db when the file is not."""
    archive = read_archive_file(read_public_file(ArchivePaths(settings.archive.path).archive_file))
    try:
        credential = read_credential(settings, archive)
    except ConfigurationError as error:
        keys = find_keys(settings, ask=ask, bounds=bounds)
        if keys is None:
            raise LockedError(
                f"a backup is signed with the collector's credential, and {error.message}",
                hint="name it in [archive] collector_key_file, or unlock the archive",
            ) from error
        from archiver.app.opening import stored_credential
        from archiver.store.catalogue import open_catalogue

        catalogue = open_catalogue(keys.paths, keys.secret.database_key, readonly=True)
        try:
            return stored_credential(catalogue), keys
        finally:
            catalogue.close()
    try:
        return credential, find_keys(settings, ask=_nobody, bounds=bounds)
    except ArchiverError:
        return credential, None  # only for the trail; what is wrong with the keys, the next command says


def _nobody() -> str | None:
    return None


def _record(settings: Settings, keys: Keys, packs: Iterable[str]) -> None:
    from archiver.app.auditing import record

    record(settings, keys, "backup", numbers={"packs": len(list(packs))})


def _complete_rotation(paths: ArchivePaths, bounds: KdfBounds) -> None:
    """Do what a rotation killed behind its commit point left, so that keyring and databases are of one epoch."""
    from archiver.crypto.keyring import read_keyring
    from archiver.store.rekeying import switch

    archive = read_archive_file(read_public_file(paths.archive_file))
    keyring = read_keyring(read_public_file(paths.keyring), archive_id=archive.archive_id, bounds=bounds)
    if keyring.epoch != archive.epoch:
        switch(paths, Disk())


def _earlier_packs(place: BackupPlace) -> list[str]:
    for generation in place.generations():
        try:
            return [pack.name for pack in generation.manifest().packs]
        except (IntegrityError, FormatError):
            continue
    return []


def _damaged_here(
    place: BackupPlace, here: dict[str, int], present: dict[str, int], on_progress: OnProgress
) -> list[str]:
    """Return packs of the backup that are not what their names say, of those that the archive has too."""
    found = []
    names = [name for name, size in present.items() if here.get(name) == size]
    for done, name in enumerate(names, start=1):
        try:
            place.check_pack(name)
        except IntegrityError:
            found.append(name)
        on_progress(Progress("verify", None, None, done=done, total=len(names)))
    return found


def _is_good(place: BackupPlace, name: str) -> bool:
    try:
        place.check_pack(name)
    except IntegrityError:
        return False
    return True


def _copy_packs(place: BackupPlace, paths: ArchivePaths, names: list[str], on_progress: OnProgress) -> list[str]:
    """Copy packs; return those that are damaged in the archive, or gone from it meanwhile."""
    bad: list[str] = []
    octets = 0
    for done, name in enumerate(names, start=1):
        try:
            octets += place.add_pack(paths, name)
        except IntegrityError:
            bad.append(name)
        on_progress(Progress("backup", None, None, done=done, total=len(names), octets=octets))
    return bad


def _expire(place: BackupPlace, retention: Retention) -> list[str]:
    generations = {each.at: each for each in place.generations()}
    gone = [generations[at] for at in outdated(generations, clock(), retention)]
    for each in gone:
        place.remove(each)
    return [each.name for each in gone]


# --- whether a backup is good -----------------------------------------------------------------------------------------


class GenerationCheck(Struct, frozen=True):
    """One generation: `messages` were opened and compared where a key was at hand, None where not."""

    generation: str
    created: datetime
    state_octets: int
    packs: int
    messages: int | None
    problems: tuple[str, ...]


class BackupCheck(Struct, frozen=True):
    """What was found; `unfinished` counts what killed backups left, which the next one sweeps."""

    archive_id: str
    packs: int
    octets: int
    generations: tuple[GenerationCheck, ...]
    problems: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """Return 0 or 30."""
        return IntegrityError.exit_code if self.problems else 0


def verify_backup(
    settings: Settings | None,
    target: Path,
    *,
    full: bool = False,
    ask: AskPassphrase,
    on_progress: OnProgress = silent,
    bounds: KdfBounds = DEFAULT_BOUNDS,
) -> BackupCheck:
    """Check every generation and every pack without a key; with `full`, open every message of the newest one too.

    Settings are for finding a key.

    Raises UsageError when there is no backup, LockedError when `full` and there is no key.
    """
    with _still_there(target):
        return _verify_backup(settings, target, full, ask, on_progress, bounds)


def _verify_backup(
    settings: Settings | None,
    target: Path,
    full: bool,  # noqa: FBT001 - from the one function above
    ask: AskPassphrase,
    on_progress: OnProgress,
    bounds: KdfBounds,
) -> BackupCheck:
    place = BackupPlace(target, Disk())
    archive_id = place.archive_id()
    present = place.packs()
    octets, bad = 0, dict[str, str]()
    for done, name in enumerate(present, start=1):
        try:
            octets += place.check_pack(name)
        except IntegrityError as error:
            bad[name] = error.message
        on_progress(Progress("verify", None, None, done=done, total=len(present), octets=octets))
    generations = place.generations()
    checks = []
    for number, generation in enumerate(generations):
        deep = None
        if full and settings is not None and not number:
            deep = partial(_open_all, settings, place, generation, ask, bounds)
        checks.append(_check_generation(generation, archive_id, present.keys() - bad.keys(), deep))
    problems = [*bad.values(), *(f"{each.generation}: {line}" for each in checks for line in each.problems)]
    if not generations:
        problems.append("there is no complete state")
    return BackupCheck(archive_id.hex(), len(present), octets, tuple(checks), tuple(problems))


def _check_generation(
    generation: Generation,
    archive_id: bytes,
    good: Iterable[str],
    deep: Callable[[Manifest], tuple[int, list[str]]] | None,
) -> GenerationCheck:
    problems: list[str] = []
    manifest, messages = None, None
    try:
        manifest = generation.check()
    except ArchiverError as error:
        problems.append(error.message)
        try:
            manifest = generation.manifest()
        except ArchiverError:
            manifest = None
    if manifest is not None:
        if manifest.archive_id != archive_id:
            problems.append("it is of another archive")
        good = frozenset(good)
        missing = [pack.name for pack in manifest.packs if pack.name not in good]
        if missing:
            problems.append(f"{len(missing)} of its packs are missing or damaged, the first is {missing[0][:12]}")
        if deep is not None and not problems:
            messages, found = deep(manifest)
            problems += found
    return GenerationCheck(
        generation.name,
        generation.at,
        0 if manifest is None else sum(file.size for file in manifest.state),
        0 if manifest is None else len(manifest.packs),
        messages,
        tuple(problems),
    )


def _open_all(
    settings: Settings,
    place: BackupPlace,
    generation: Generation,
    ask: AskPassphrase,
    bounds: KdfBounds,
    manifest: Manifest,
) -> tuple[int, list[str]]:
    """Open every message of a generation, in a copy of its state (encrypted as it stands) that goes again."""
    from archiver.app.backup_copies import absent, lay_out, of_generation, open_messages, opened, packs_of

    origin = of_generation(place, generation, manifest)
    with tempfile.TemporaryDirectory(prefix="archiver-check-") as scratch:
        root = Path(scratch) / "archive"
        lay_out(origin, root, Disk())
        try:
            with opened(settings, origin, root, ask=ask, bounds=bounds) as copy:
                missing = [name for name in absent(packs_of(copy), origin.packs) if name not in manifest.damaged]
                if missing:
                    return 0, [f"{len(missing)} packs that its keys are for are missing"]
                return open_messages(copy, origin.packs)
        except IntegrityError as error:
            return 0, [error.message]
