"""Keeping keys out of core dumps (docs/threat-model.md, Memory). Linux; elsewhere it does what it can."""

from __future__ import annotations

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> bool:
    """Forbid core dumps of this process and its children, and attaching by others than root; True when all of it took.

    Called before the first key is derived. Never raises: a system that refuses is no reason not to read mail.
    """
    import ctypes
    import resource

    done = True
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        done = False
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        # Forked children inherit this, but a program they execute does not: it is the kernel's default again.
        return libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 and done
    except (OSError, AttributeError):
        return False


def core_dumps_are_forbidden() -> bool:
    """Tell whether `forbid_core_dumps` holds for this process; False where that cannot be seen."""
    import ctypes
    import resource

    try:
        libc = ctypes.CDLL(None)
        return resource.getrlimit(resource.RLIMIT_CORE) == (0, 0) and libc.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) == 0
    except (OSError, AttributeError):
        return False


def die_with_parent(parent: int) -> None:
    """Ask the kernel to end this process when process `parent` ends (PR_SET_PDEATHSIG), or end it now if it has.

    For a child that was started for one parent only; without Linux it does nothing.
    """
    import ctypes
    import os
    import signal

    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    except (OSError, AttributeError):
        return
    if os.getppid() != parent:
        raise SystemExit(1)
