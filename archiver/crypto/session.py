"""The unlocked session: the epoch secret in the Linux user keyring, for a stated time (docs/format.md §4).

Standard library only (system calls through ctypes), because every `archiver search` reads it. It believes nothing it
reads: the keyring's `open_exported` checks. Where the kernel has no keyrings, or a container forbids them, everything
answers "not available" and commands ask each time.

The key lies in the user keyring (`@u`), not in a session keyring, so that it outlives the shell and serves the user's
later logins. Reading by *possession* would fail in logins whose session keyring is not linked to `@u`, so the key lets
the same user read it; root can anyway. It is made in the process keyring, given its time limit and permissions there,
and only then linked: at no moment does a key without a time limit lie in `@u`.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable
from datetime import datetime
from typing import Final

from archiver.crypto.epoch import SECRET_LENGTH, EpochSecret

# System call numbers: add_key, keyctl (arch/*/entry/syscalls, include/uapi/asm-generic/unistd.h).
_NUMBERS: Final = {
    "x86_64": (248, 250),
    "aarch64": (217, 219),
    "riscv64": (217, 219),
    "loongarch64": (217, 219),
    "ppc64le": (269, 271),
    "s390x": (278, 280),
    "armv7l": (309, 311),
}
# include/uapi/linux/keyctl.h
_PROCESS_KEYRING: Final = -2
_USER_KEYRING: Final = -4
_SETPERM, _LINK, _UNLINK, _SEARCH, _READ, _SET_TIMEOUT = 5, 8, 9, 10, 11, 15
# Possessor: everything; same user: view, read, search, and setattr so that it can be revoked; others: nothing.
_PERMISSIONS: Final = 0x3F2B0000

_PAYLOAD: Final = struct.Struct(f">BIQ{SECRET_LENGTH}s")
_VERSION: Final = 1

SystemCall = Callable[..., int]
"""Called as (number, arguments…); returns the result, or -1."""


def kernel_call(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    """Make a system call; -1 for any failure."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    converted = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return int(libc.syscall(ctypes.c_long(number), *converted))


class UnlockSession:
    """One archive's unlocked session for the user who runs this process."""

    def __init__(self, archive_id: bytes, *, clock: Callable[[], datetime], call: SystemCall = kernel_call) -> None:
        self._description = f"archiver:{archive_id.hex()}".encode("ascii")
        self._archive_id = archive_id
        self._clock = clock
        self._call = call
        self._add_key, self._keyctl = _NUMBERS.get(os.uname().machine, (0, 0))

    def available(self) -> bool:
        """Whether this kernel gives this process a user keyring."""
        # A size of 0 asks for the length of the user keyring's content and changes nothing.
        return self._keyctl != 0 and self._call(self._keyctl, _READ, _USER_KEYRING, 0, 0) >= 0

    def store(self, secret: EpochSecret, *, seconds: int) -> bool:
        """Keep the secret for so many seconds, in place of an earlier one; False when the kernel does not allow it."""
        if not self._keyctl or seconds <= 0 or secret.archive_id != self._archive_id:
            return False
        until = int(self._clock().timestamp()) + seconds
        payload = _PAYLOAD.pack(_VERSION, secret.epoch, until, secret.export())
        key = self._call(self._add_key, b"user", self._description, payload, len(payload), _PROCESS_KEYRING)
        if key < 0:
            return False
        try:
            return (
                self._call(self._keyctl, _SET_TIMEOUT, key, seconds) == 0
                and self._call(self._keyctl, _SETPERM, key, _PERMISSIONS) == 0
                and self._call(self._keyctl, _LINK, key, _USER_KEYRING) == 0
            )
        finally:
            self._call(self._keyctl, _UNLINK, key, _PROCESS_KEYRING)

    def read(self) -> tuple[int, bytes] | None:
        """Return (epoch, secret) for `Keyring.open_exported`, or None when locked, past its time or unavailable."""
        found = self._payload()
        return None if found is None else (found[0], found[2])

    def remaining(self) -> int | None:
        """Seconds until the session ends; None when there is none."""
        found = self._payload()
        return None if found is None else max(0, found[1] - int(self._clock().timestamp()))

    def forget(self) -> bool:
        """End the session; True when there was one. Other users' sessions are theirs."""
        key = self._find()
        return key >= 0 and self._call(self._keyctl, _UNLINK, key, _USER_KEYRING) == 0

    def _find(self) -> int:
        if not self._keyctl:
            return -1
        return self._call(self._keyctl, _SEARCH, _USER_KEYRING, b"user", self._description, 0)

    def _payload(self) -> tuple[int, int, bytes] | None:
        key = self._find()
        if key < 0:
            return None
        buffer = ctypes.create_string_buffer(_PAYLOAD.size + 1)
        length = self._call(self._keyctl, _READ, key, buffer, len(buffer))
        if length != _PAYLOAD.size:
            return None
        version, epoch, until, secret = _PAYLOAD.unpack(buffer.raw[:length])
        ctypes.memset(buffer, 0, len(buffer))
        if version != _VERSION or until <= self._clock().timestamp():
            return None
        return epoch, until, secret
