"""The installed program: runs `main` in a process of its own, quick to begin and quick to end.

A search takes a third of a second, of which Python's own housekeeping would be a fifth. Cycles are looked for seldom
while modules are loaded (they stay), click does without the module `inspect`, of which it wants to remove indents from
help, and the end is an end: everything was closed and flushed by then, so that taking each module and object apart
again helps nobody. Who calls `main` from Python gets none of this.
"""

from __future__ import annotations

import gc
import os
import sys

from archiver.standins import stand_ins

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
    """Let cycles be looked for seldom in the whole of this process, and import click without `inspect`."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])
    with stand_ins({"inspect": {"cleandoc": _without_indents}}):
        import click  # noqa: F401


def _without_indents(text: str) -> str:
    """Do as inspect.cleandoc does; the help of an option is one line."""
    if "\n" not in text:
        return text.expandtabs().lstrip()
    import inspect

    return inspect.cleandoc(text)


if __name__ == "__main__":
    sys.exit(run())
