"""What `archiver doctor` says of who runs it and where: owner, keys at hand, memory, the walls of a service.

Changes nothing. Knows how Linux and systemd show these things; what makes a set-up safe is in docs/operations.md.
"""

from __future__ import annotations

import pwd
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

from archiver.app.checks import Check
from archiver.app.people import Person
from archiver.app.unlocking import read_private
from archiver.config import Settings
from archiver.crypto.hardening import core_dumps_are_forbidden
from archiver.crypto.keyring import Keyring
from archiver.crypto.machine import MachineKey
from archiver.errors import ArchiverError
from archiver.store.layout import ArchivePaths

_FIRST_PERSON = 1000
"""The first uid that Debian gives to a person (login.defs, UID_MIN); below are services."""
_NAMED = 5


def owner(paths: ArchivePaths, *, user: int) -> Check:
    """Tell whether the archive and all in it belong to the user who runs this."""
    holder = paths.root.stat().st_uid
    name = _user(holder)
    if holder != user:
        return Check(
            "owner",
            ok=False,
            message=f"the archive belongs to {name}, who could not use what {_user(user)} writes into it",
            hint=f"sudo -u {name} archiver doctor",
        )
    strange = sorted(
        {
            str(path.relative_to(paths.root))
            for directory in (paths.root, paths.packs, paths.pending, paths.audit)
            for path in _entries(directory)
            if path.lstat().st_uid != holder
        }
    )
    if strange:
        more = " and more" if len(strange) > _NAMED else ""
        return Check(
            "owner",
            ok=False,
            message=f"not of the archive's owner {name}: {', '.join(strange[:_NAMED])}{more}",
            hint=f"as root: chown -R {name}: {paths.root}",
        )
    return Check("owner", ok=True, message=f"the archive and all in it belong to {name}")


def _entries(directory: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError):
        yield from directory.iterdir()


def machine_key(settings: Settings, keyring: Keyring) -> Check | None:
    """Tell whether the machine's key opens the archive; None where there is neither a slot nor a key."""
    has_slot = any(slot.kind == "machine" for slot in keyring.slots)
    file = settings.archive.machine_key_file
    if file is None:
        message = "there is a machine slot, and its key is not at hand here: only a service may get it"
        return Check("machine key", ok=True, message=message) if has_slot else None
    try:
        keyring.open_machine(MachineKey.from_bytes(read_private(file)))
    except ArchiverError as error:
        hint = error.hint or "archiver key add --kind machine makes a new one"
        return Check("machine key", ok=False, message=error.message, hint=hint)
    return Check("machine key", ok=True, message=f"{file} opens the archive: whoever has it needs no passphrase")


def core_dumps() -> Check:
    """Tell whether a crash could write keys into a file."""
    if core_dumps_are_forbidden():
        return Check("core dumps", ok=True, message="off: a crash writes no keys into a file")
    return Check(
        "core dumps", ok=None, message="a crash could write keys into a file", hint="LimitCORE=0, or ulimit -c 0"
    )


def swap(listing: Path = Path("/proc/swaps")) -> Check | None:
    """Tell whether keys may reach a disk by way of swap; None where this cannot be seen, as within a service."""
    try:
        devices = listing.read_text().splitlines()[1:]
    except OSError:
        return None
    if any(not line.startswith(("/dev/dm-", "/dev/zram", "/dev/mapper/")) for line in devices):
        return Check(
            "swap",
            ok=None,
            message="swap is on and may not be encrypted: keys may reach the disk",
            hint="encrypt it, or turn it off; the services of deploy/ never swap",
        )
    return Check("swap", ok=True, message="none, or encrypted" if devices else "none")


def recorded_as(person: Person, *, login: int | None, user: int) -> Check:
    """Tell whom the audit trail would name for this."""
    if login is None and person.claimed is None and 0 < user < _FIRST_PERSON:
        return Check(
            "audit",
            ok=None,
            message=f"the trail would name {person.name}, which is no person",
            hint=f"let people log in as themselves and use sudo -u {person.name}, as deploy/sudoers.d allows",
        )
    acting = "" if person.name == person.user else f", acting as {person.user}"
    return Check("audit", ok=True, message=f"the trail would name {person.name}{acting}")


def service(environ: Mapping[str, str], *, status: Path = Path("/proc/self/status")) -> Check | None:
    """Tell, within a service that systemd gives credentials to, whether it is walled in; None elsewhere."""
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        return None
    names = ", ".join(sorted(path.name for path in _entries(Path(directory)))) or "none"
    missing = [f"{option}=" for field, option in _WALLS if not _is_set(status, field)]
    if missing:
        return Check(
            "service",
            ok=None,
            message=f"credentials: {names}; it runs without {' and '.join(missing)}",
            hint="compare the unit with those of deploy/systemd",
        )
    return Check("service", ok=True, message=f"walled in; credentials: {names}")


_WALLS: tuple[tuple[Literal["NoNewPrivs", "Seccomp"], str], ...] = (
    ("NoNewPrivs", "NoNewPrivileges"),
    ("Seccomp", "SystemCallFilter"),
)


def _is_set(status: Path, field: str) -> bool:
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return False
    return any(line.partition(":")[0] == field and line.partition(":")[2].strip() != "0" for line in lines)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
