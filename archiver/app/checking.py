"""`archiver doctor`: whether this set-up works and is as safe as it was meant to be. Changes nothing."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from archiver.app import standing
from archiver.app.checks import Check
from archiver.app.clocks import clock
from archiver.app.collector import open_source
from archiver.app.people import this_login, this_person
from archiver.app.unlocking import read_credential, read_public
from archiver.config import Settings
from archiver.crypto.spool import EncryptedSpool
from archiver.errors import READ_ONLY, ArchiverError
from archiver.model.account import Account
from archiver.store.deliveries import waiting_names
from archiver.store.layout import ArchivePaths

_LITTLE_SPACE = 1 << 30  # bytes
_MANY_WAITING = 100


def _good(name: str, message: str) -> Check:
    return Check(name, ok=True, message=message)


def _warning(name: str, message: str, hint: str | None = None) -> Check:
    return Check(name, ok=None, message=message, hint=hint)


def _bad(name: str, message: str, hint: str | None) -> Check:
    return Check(name, ok=False, message=message, hint=hint)


def doctor(settings: Settings, *, connect: bool = True) -> Sequence[Check]:
    """Check the configuration, the archive's files, this machine and, with `connect`, every account."""
    checks = [_configuration(settings)]
    checks += [_warning("configuration", warning) for warning in settings.warnings]
    checks += _archive(settings)
    checks += _machine(settings)
    if connect:
        checks += [_account(settings, account) for account in settings.accounts]
    return checks


def _configuration(settings: Settings) -> Check:
    if settings.source is None:
        return _warning("configuration", "no file: only reading works", "write one from config.example.toml")
    count = len(settings.accounts)
    return _good("configuration", f"{settings.source}: {count} account{'' if count == 1 else 's'}")


def _archive(settings: Settings) -> Iterator[Check]:
    try:
        paths, archive, keyring = read_public(settings)
    except ArchiverError as error:
        yield _bad("archive", error.message, error.hint)
        return
    yield _good("archive", f"{paths.root}: id {archive.archive_id.hex()[:8]}, made {archive.created:%Y-%m-%d}")
    yield _tried("collector", lambda: _credential(settings))
    kinds = {slot.kind for slot in keyring.slots}
    if "recovery" in kinds:
        yield _good("keys", f"{len(keyring.slots)} key slots, a recovery code among them")
    else:
        yield _warning("keys", "no recovery code", "run `archiver key add --recovery` and keep it off this machine")
    machine_key = standing.machine_key(settings, keyring)
    if machine_key is not None:
        yield machine_key
    yield standing.owner(paths, user=os.geteuid())
    yield _modes(paths)
    waiting = len(waiting_names(paths))
    batches = f"{waiting} batch{'' if waiting == 1 else 'es'} of sealed mail waiting to be taken in"
    if waiting >= _MANY_WAITING:
        yield _warning("pending", batches, "run any reading command unlocked to take them in")
    else:
        yield _good("pending", batches)


def _credential(settings: Settings) -> str:
    _, archive, _ = read_public(settings)
    credential = read_credential(settings, archive)
    archive.recipient_for_collector(credential)
    return f"{settings.archive.collector_key_file} fits this archive"


def _modes(paths: ArchivePaths) -> Check:
    others = stat.S_IRWXG | stat.S_IRWXO
    exposed = [path.name for path in (paths.root, *paths.root.iterdir()) if path.stat().st_mode & others]
    if exposed:
        return _warning(
            "modes", f"others can read {', '.join(exposed)} (sealed all the same)", f"chmod -R go= {paths.root}"
        )
    return _good("modes", "only the owner can read the archive's files")


def _machine(settings: Settings) -> Iterator[Check]:
    place = settings.archive.path
    while not place.exists() and place != place.parent:
        place = place.parent
    yield _disk(place)
    from archiver.crypto.session import UnlockSession

    service = standing.service(os.environ)
    if UnlockSession(b"\0" * 16, clock=clock).available():
        yield _good("unlock", "the kernel can keep the archive unlocked")
    elif service is not None:
        yield _good("unlock", "this service cannot get at what people unlocked")
    else:
        yield _warning("unlock", "no kernel keyring: every command asks for the passphrase")
    yield standing.core_dumps()
    if service is None:
        yield standing.recorded_as(this_person(), login=this_login(), user=os.geteuid())
    yield from (found for found in (service, standing.swap()) if found is not None)


def _disk(place: Path) -> Check:
    if os.statvfs(place).f_flag & os.ST_RDONLY:
        return _bad("disk", f"{place} is on a file system that is read-only", READ_ONLY)
    free = shutil.disk_usage(place).free
    space = f"{free / (1 << 30):.1f} GiB free"
    return _good("disk", space) if free >= _LITTLE_SPACE else _warning("disk", space, "make room before the next sync")


def _account(settings: Settings, account: Account) -> Check:
    if account.password_credential is not None and account.password_file is None:
        return _warning(
            f"account {account.name}",
            "not tried: systemd gives its password to services only",
            "as root: systemctl start archiver-doctor, then journalctl -u archiver-doctor -o cat",
        )

    def connect() -> str:
        source = open_source(
            account, lambda: EncryptedSpool(ArchivePaths(settings.archive.path).spool, random=os.urandom), patient=False
        )
        try:
            mailboxes = source.mailboxes()
        finally:
            source.close()
        return f"logged in over {account.security}: {len(mailboxes)} mailboxes chosen"

    return _tried(f"account {account.name}", connect)


def _tried(name: str, action: Callable[[], str]) -> Check:
    try:
        return _good(name, action())
    except ArchiverError as error:
        return _bad(name, error.message, error.hint)
