"""Two writer locks: "collect" (collect.db, packs, pending) and "archive" (archive.db, index.db).

flock(2) decides, so a killed process never leaves one behind; what the file says is only for people, and stale text in
it is harmless. Whoever waits holds a shared lock on a second file, so that a long run can see it and step aside.
Readers take no lock. Not for file systems whose flock is a fiction (some network mounts).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from archiver.errors import DiskError, LockedError, hint_for, shortage
from archiver.store.durable import opened

_POLL_SECONDS = 0.05


@contextlib.contextmanager
def writer_lock(
    path: Path,
    *,
    command: str,
    now: datetime,
    wait_seconds: float = 0.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Hold the lock while the block runs; raise LockedError naming the holder when it cannot be had in time.

    `command` is the name of our command ("sync"), never its arguments: they may hold a query.
    """
    descriptor = _acquired(path, wait_seconds, sleep)
    try:
        _sign(descriptor, command, now)
        yield
    finally:
        os.close(descriptor)


def _acquired(path: Path, wait_seconds: float, sleep: Callable[[float], None]) -> int:
    while True:
        descriptor = _open(path)
        try:
            if not _try(descriptor):
                _wait(descriptor, path, wait_seconds, sleep)
            if _is_at(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # a restore moved the archive aside meanwhile: this was the old one's lock


def _is_at(path: Path, descriptor: int) -> bool:
    """Tell whether the file that is open is the one that has the name now."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def is_held(path: Path) -> bool:
    """Tell whether somebody works under a lock, for who only looks; a file that cannot be opened is nobody's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def is_wanted(path: Path) -> bool:
    """Tell whoever holds a lock whether somebody waits for it."""
    descriptor = _open(_wanted(path))
    try:
        return not _try(descriptor)
    finally:
        os.close(descriptor)


def _wanted(path: Path) -> Path:
    return path.with_suffix(".wanted")


def _open(path: Path) -> int:
    try:
        return opened(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise shortage(error) or DiskError(
            f"{path.name}: {os.strerror(error.errno or 0)}",
            hint=hint_for(error, "check the owner and the mode of the archive"),
        ) from error


def _wait(descriptor: int, path: Path, wait_seconds: float, sleep: Callable[[float], None]) -> None:
    if wait_seconds <= 0:
        raise _locked(descriptor, path)
    wanting = _open(_wanted(path))
    try:
        fcntl.flock(wanting, fcntl.LOCK_SH)
        waited = 0.0
        while not _try(descriptor):
            if waited >= wait_seconds:
                raise _locked(descriptor, path)
            sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
    finally:
        os.close(wanting)


def _locked(descriptor: int, path: Path) -> LockedError:
    return LockedError(_holder(descriptor, path.stem), hint="wait until it has ended, then try again")


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(descriptor: int, command: str, now: datetime) -> None:
    text = json.dumps(
        {
            "pid": os.getpid(),
            "host": os.uname().nodename,
            "command": command,
            "since": now.isoformat(timespec="seconds"),
        }
    )
    # The name of the holder is a courtesy: a full disk must not keep anybody from working.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)


def _holder(descriptor: int, name: str) -> str:
    what = "collecting" if name == "collect" else "writing"
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        who = f"`archiver {holder['command']}` (pid {int(holder['pid'])} on {holder['host']}, since {holder['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        who = "another process"
    return f"{who} is {what} in this archive"
