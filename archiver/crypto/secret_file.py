"""A secret from a file, a pipe or a program that somebody named: bounded in length and in time.

A pipe that nobody writes into, or a program that writes for ever, must neither hold up a timer's run nor fill memory.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from pathlib import Path

SECONDS = 30.0
"""That whoever writes into a pipe may take."""


def open_at_once(path: Path) -> int:
    """Open for reading; return the descriptor, also of a pipe that nobody writes into yet. Raises OSError."""
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def read_up_to(descriptor: int, limit: int, *, seconds: float = SECONDS) -> bytes:
    """Read to the end, or so many octets; raises OSError, TimeoutError when what is no plain file takes longer."""
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        with os.fdopen(os.dup(descriptor), "rb") as file:
            return file.read(limit)
    end = time.monotonic() + seconds
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    octets = b""
    while len(octets) < limit:
        if not poll.poll(max(0.0, end - time.monotonic()) * 1000):
            raise TimeoutError(errno.ETIMEDOUT, f"nothing more came within {seconds:g} s")
        piece = os.read(descriptor, limit - len(octets))
        if not piece:
            break
        octets += piece
    return octets
