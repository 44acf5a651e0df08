"""The installed program: runs `main` in a process of its own, quick to begin and quick to end.

A search takes a third of a second, of which Python's own housekeeping would be a fifth. Cycles are looked for seldom
while modules are loaded (they stay), and the end is an end: everything was closed and flushed by then, so that taking
each module and object apart again helps nobody. Who calls `main` from Python gets none of this.
"""

from __future__ import annotations

import gc
import os
import sys

_OBJECTS_BETWEEN_COLLECTIONS = 20_000
"""About 3 MB of garbage at most; Python's own 700 make 250 collections of nothing while a command is loaded."""


def run() -> int:
    """Run the command line and end the process with its exit code; returns only when something is still at work."""
    quicken()
    from archiver.cli.main import main

    code = main()
    import threading

    if threading.active_count() > 1:
        return code
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except (AttributeError, OSError, ValueError):
        return code  # closed or broken: Python's own end knows what to make of it
    os._exit(code)


def quicken() -> None:
    """Let cycles be looked for seldom, in the whole of this process."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])


if __name__ == "__main__":
    sys.exit(run())
