"""Keys: from settings to an archive that is unlocked, and the files that keys come from.

The one place that decides where a key comes from: an unlock session in the kernel, then a machine key, then a person.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from archiver.app.clocks import clock
from archiver.config import Settings
from archiver.crypto.archive_file import ArchiveFile, read_archive_file
from archiver.crypto.collector import CollectorCredential
from archiver.crypto.epoch import EpochSecret
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds
from archiver.crypto.keyring import Keyring, read_keyring
from archiver.crypto.machine import MachineKey, check_private_file
from archiver.crypto.secret_file import open_at_once, read_up_to
from archiver.errors import (
    ArchiverError,
    ConfigurationError,
    DiskError,
    FormatError,
    IntegrityError,
    LockedError,
    NoArchiveError,
    UnreadableError,
    UsageError,
    WrongKeyError,
    shortage,
)
from archiver.store.durable import Disk, translated
from archiver.store.layout import ArchivePaths

_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})
"""What says that the disk cannot, not that somebody may not."""

_ROTATION_WAIT = 10.0
"""Seconds that a command waits for a rotation that is behind its commit point: it has milliseconds of work left."""

AskPassphrase = Callable[[], str | None]
"""Asks a person (or a file named by the environment) for a passphrase or recovery code; None when nobody can answer."""


Opener = Callable[[Keyring], EpochSecret | None]
"""Opens a keyring with what the archive was unlocked with; None when that is no longer at hand."""


class MixedEpochsError(IntegrityError):
    """archive.json and keyring.json are of different epochs, and what would complete a rotation is not there."""


class Keys(Struct, frozen=True):
    """An archive's public data, its key slots, the opened epoch secret, and how it was opened."""

    paths: ArchivePaths
    archive: ArchiveFile
    keyring: Keyring
    secret: EpochSecret
    opener: Opener

    def __repr__(self) -> str:
        return f"Keys(epoch={self.secret.epoch}, …)"

    @property
    def secrets(self) -> tuple[EpochSecret, ...]:
        """The current epoch and earlier ones whose deliveries may still wait."""
        return (self.secret, *self.keyring.earlier(self.secret))


def read_public(settings: Settings, *, bounds: KdfBounds = DEFAULT_BOUNDS) -> tuple[ArchivePaths, ArchiveFile, Keyring]:
    """Read archive.json and keyring.json; raises NoArchiveError, FormatError, IntegrityError.

    A rotation that was killed behind its commit point is completed first, and one at work is waited for: LockedError.
    """
    paths = ArchivePaths(settings.archive.path)
    return paths, *_read_public(paths, bounds)


def _read_public(paths: ArchivePaths, bounds: KdfBounds, *, locked: bool = False) -> tuple[ArchiveFile, Keyring]:
    """Read both files; `locked` says that the "archive" lock is held."""
    archive, keyring = _both(paths, bounds)
    if archive.epoch == keyring.epoch:
        return archive, keyring
    from contextlib import nullcontext

    from archiver.store.lock import writer_lock
    from archiver.store.rekeying import switch

    waiting = writer_lock(paths.lock("archive"), command="key", now=clock(), wait_seconds=_ROTATION_WAIT)
    with nullcontext() if locked else waiting:
        archive, keyring = _both(paths, bounds)
        if archive.epoch != keyring.epoch and _is_committed(paths, keyring):
            switch(paths, Disk())
            archive, keyring = _both(paths, bounds)
    if archive.epoch != keyring.epoch:
        raise MixedEpochsError(
            "archive.json and keyring.json are of different epochs: an older copy of one of the two was put back",
            what="keyring.json",
            hint="restore archive.json, keyring.json and archive.db from the same backup",
        )
    return archive, keyring


def _both(paths: ArchivePaths, bounds: KdfBounds) -> tuple[ArchiveFile, Keyring]:
    archive = read_archive_file(read_public_file(paths.archive_file))
    keyring = read_keyring(read_public_file(paths.keyring), archive_id=archive.archive_id, bounds=bounds)
    return archive, keyring


def _is_committed(paths: ArchivePaths, keyring: Keyring) -> bool:
    """Tell whether the files of the keyring's epoch wait for their names (docs/format.md §4, Rotation)."""
    following = paths.next(paths.archive_file)
    if not following.exists():
        return False
    archive = read_archive_file(read_public_file(following))
    return (archive.archive_id, archive.epoch) == (keyring.archive_id, keyring.epoch)


def renewed(keys: Keys, *, locked: bool = False) -> Keys:
    """Return keys that fit the files as they are now: the same ones, unless somebody changed slots or rotated.

    After a rotation the archive is opened again with what it was unlocked with. `locked` says that the "archive" lock
    is held. Raises LockedError when that opens it no longer.
    """
    archive, keyring = _read_public(keys.paths, keys.keyring.bounds, locked=locked)
    if keyring.fingerprint == keys.keyring.fingerprint:
        return keys
    if keyring.epoch == keys.secret.epoch:
        secret = keyring.open_exported(keys.secret.epoch, keys.secret.export())
        return Keys(keys.paths, archive, keyring, secret, keys.opener)
    try:
        opened = keys.opener(keyring)
    except WrongKeyError:
        opened = None
    if opened is None:
        raise LockedError(
            "the keys of this archive were changed while this command ran",
            hint="run `archiver unlock`, and then the command again",
        )
    archive.check(opened)
    return Keys(keys.paths, archive, keyring, opened, keys.opener)


def find_keys(settings: Settings, *, ask: AskPassphrase, bounds: KdfBounds = DEFAULT_BOUNDS) -> Keys | None:
    """Unlock with what is at hand; None when nothing is and nobody can be asked.

    A machine key that does not open the archive, or cannot be read, is warned of, and a person is asked. Raises
    WrongKeyError when something was given and does not open the archive; without a person, what is wrong with the
    machine's key.
    """

    def unattended(keyring: Keyring) -> EpochSecret | None:
        return _from_session(keyring) or _from_machine(settings, keyring)

    paths, archive, keyring = read_public(settings, bounds=bounds)
    opener: Opener = unattended
    refused = None
    try:
        secret = opener(keyring)
    except (WrongKeyError, FormatError, ConfigurationError, UnreadableError) as error:
        # Anything else says that keyring.json was tampered with: no way of unlocking is to be believed then.
        secret, refused = None, error
    if secret is None:
        secret, opener = _from_person(keyring, _warning(settings, ask, refused))
    if secret is None:
        if refused is not None:
            raise refused
        return None
    archive.check(secret)
    return Keys(paths, archive, keyring, secret, opener)


def _warning(settings: Settings, ask: AskPassphrase, refused: ArchiverError | None) -> AskPassphrase:
    """Return `ask`, which warns of a machine's key that was refused, once there is something else to open with."""
    warn = settings.purpose.warn
    if refused is None or warn is None:
        return ask

    def asked() -> str | None:
        given = ask()
        if given is not None:
            warn(f"the machine's key was passed over: {refused.message}")
        return given

    return asked


def require_keys(settings: Settings, *, ask: AskPassphrase, bounds: KdfBounds = DEFAULT_BOUNDS) -> Keys:
    """Unlock, or raise LockedError."""
    return _required(find_keys(settings, ask=ask, bounds=bounds))


def require_person(settings: Settings, *, ask: AskPassphrase, bounds: KdfBounds = DEFAULT_BOUNDS) -> Keys:
    """Unlock with a passphrase or recovery code only: what changes the keys wants more than a shell left unlocked.

    Raises LockedError when nobody can be asked.
    """
    paths, archive, keyring = read_public(settings, bounds=bounds)
    secret, opener = _from_person(keyring, ask)
    if secret is not None:
        archive.check(secret)
    return _required(None if secret is None else Keys(paths, archive, keyring, secret, opener))


def _required(keys: Keys | None) -> Keys:
    if keys is None:
        raise LockedError(
            "the archive is locked",
            hint="run `archiver unlock` on a terminal, or name a file in ARCHIVER_PASSPHRASE_FILE",
        )
    return keys


def unlock(settings: Settings, *, ask: AskPassphrase, seconds: int, bounds: KdfBounds = DEFAULT_BOUNDS) -> datetime:
    """Keep the archive unlocked for this user for so long; return until when. Raises LockedError where it cannot."""
    from archiver.app.auditing import record_alone
    from archiver.crypto.session import UnlockSession

    paths, archive, keyring = read_public(settings, bounds=bounds)
    secret = _from_person(keyring, ask)[0] or _from_machine(settings, keyring)
    if secret is None:
        raise LockedError(
            "no passphrase was given", hint="run `archiver unlock` on a terminal, or set ARCHIVER_PASSPHRASE_FILE"
        )
    archive.check(secret)
    record_alone(settings, paths, secret, "unlock")
    if not UnlockSession(archive.archive_id, clock=clock).store(secret, seconds=seconds):
        raise LockedError(
            "this system keeps no keys for its users (no kernel keyring)",
            hint="nothing is unlocked: every command asks for the passphrase",
        )
    return clock() + timedelta(seconds=seconds)


def lock(settings: Settings) -> bool:
    """Forget the unlock session; True when there was one, which is recorded once it is gone."""
    from archiver.app.auditing import record_alone
    from archiver.crypto.session import UnlockSession

    paths = ArchivePaths(settings.archive.path)
    archive = read_archive_file(read_public_file(paths.archive_file))
    session = UnlockSession(archive.archive_id, clock=clock)
    kept = session.read()
    if not session.forget():
        return False
    if kept is not None and kept[0] == archive.epoch:
        secret = EpochSecret(kept[1], archive_id=archive.archive_id, epoch=archive.epoch)
        archive.check(secret)  # what is in the kernel is not believed unseen
        record_alone(settings, paths, secret, "lock")
    return True


def _from_session(keyring: Keyring) -> EpochSecret | None:
    from archiver.crypto.session import UnlockSession

    kept = UnlockSession(keyring.archive_id, clock=clock).read()
    if kept is None:
        return None
    try:
        return keyring.open_exported(*kept)
    except WrongKeyError:
        return None  # the keys were rotated since: the passphrase is asked for again


def _from_machine(settings: Settings, keyring: Keyring) -> EpochSecret | None:
    path = settings.archive.machine_key_file
    if path is None or not path.exists():
        return None
    return keyring.open_machine(MachineKey.from_bytes(read_private(path)))


def _from_person(keyring: Keyring, ask: AskPassphrase) -> tuple[EpochSecret | None, Opener]:
    from archiver.crypto import recovery_code

    given = ask()

    def opener(keyring: Keyring) -> EpochSecret | None:
        if given is None:
            return None
        return keyring.open_recovery(given) if recovery_code.looks_like(given) else keyring.open_passphrase(given)

    return opener(keyring), opener


def read_private(path: Path) -> bytes:
    """Read a key file; raises ConfigurationError when it is missing or others may read it, UnreadableError."""
    try:
        descriptor = open_at_once(path)
        try:
            check_private_file(os.fstat(descriptor), str(path))
            return read_up_to(descriptor, 1 << 16)
        finally:
            os.close(descriptor)
    except OSError as error:
        if short := shortage(error):
            raise short from error
        if error.errno == errno.EIO:
            raise UnreadableError(
                f"the key file {path} cannot be read: {error.strerror}", what=path.name, hint="check the disk"
            ) from error
        raise ConfigurationError(
            f"the key file {path} cannot be read: {error.strerror}",
            problems=(f"{path}: {error.strerror}",),
            hint="name the right file in [archive], or run as the user who owns it",
        ) from error


def write_new_private(path: Path, octets: bytes) -> None:
    """Write a key file of mode 0600, durably; raises UsageError when it exists or may not be made, else DiskError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno in _OF_THE_DISK:
            raise DiskError(
                f"the key file {path} cannot be written: {error.strerror}", hint="free space or mend the disk"
            ) from error
        raise UsageError(
            f"the key file {path} cannot be written: {error.strerror}", hint="name a file that does not exist yet"
        ) from error
    try:
        with translated(path):
            with os.fdopen(descriptor, "wb") as file:
                file.write(octets)
                file.flush()
                os.fsync(file.fileno())
            Disk().sync_directory(path.parent)
    except DiskError:
        # It is ours, and opens nothing: in the next attempt it would be in the way.
        with suppress(OSError):
            path.unlink()
        raise


def read_public_file(path: Path) -> bytes:
    """Read archive.json or keyring.json; raises NoArchiveError when it is missing or out of reach, UnreadableError."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NoArchiveError(
            f"there is no archive at {path.parent}", hint="run `archiver init`, or check [archive] path"
        ) from None
    except OSError as error:
        if short := shortage(error):
            raise short from error
        if error.errno == errno.EIO:
            raise UnreadableError(
                f"{path.name} cannot be read: {error.strerror}", what=path.name, hint="check the disk, and run it again"
            ) from error
        raise NoArchiveError(
            f"the archive at {path.parent} cannot be read: {error.strerror}",
            hint="run archiver as the user who owns the archive",
        ) from error


def read_credential(settings: Settings, archive: ArchiveFile) -> CollectorCredential:
    """Read the collector's credential; raises ConfigurationError, and WrongKeyError when it is another archive's."""
    path = settings.archive.collector_key_file
    try:
        octets = read_private(path)
    except ConfigurationError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        raise ConfigurationError(
            f"the collector's credential {path} is missing",
            problems=error.problems,
            hint="name the right file in [archive], or have `archiver repair` write it again",
        ) from error.__cause__
    credential = CollectorCredential.from_bytes(octets)
    if credential.archive_id != archive.archive_id:
        raise WrongKeyError(
            f"{settings.archive.collector_key_file} belongs to another archive",
            hint="check collector_key_file in [archive]",
        )
    return credential
