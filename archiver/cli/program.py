"""The installed program: runs `main` in a process of its own, quick to begin and quick to end.

A search takes a quarter of a second, of which Python's own housekeeping would be a fifth. Cycles are looked for seldom
while modules are loaded (they stay), libraries are loaded without what pages of help need, and the end is an end:
everything was closed and flushed by then, so that taking each module and object apart again helps nobody. Who calls
`main` from Python gets none of this.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping

from archiver.standins import Functions, stand_ins

_OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""Python's own 700 make 250 collections of nothing while a command is loaded."""


def _without_indents(text: str) -> str:
    """Do as inspect.cleandoc does; the help of an option is one line."""
    if "\n" not in text:
        return text.expandtabs().lstrip()
    import inspect

    return inspect.cleandoc(text)


def _untranslated(text: str) -> str:
    return text


def _number(one: str, several: str, count: int) -> str:
    return one if count == 1 else several


_BALLAST: Mapping[str, Functions] = {
    "inspect": {"cleandoc": _without_indents},
    "gettext": {"gettext": _untranslated, "ngettext": _number},  # all else that we say is English too
    "platform": {"system": lambda: os.uname().sysname},  # for uuid, which click knows as a type of option
    "ntpath": (),  # for pathlib: paths of another system
    "urllib.parse": ("quote_from_bytes",),  # for pathlib: URIs
    "msgspec.inspect": (),  # it and the next describe types to programs that ask for that
    "msgspec._json_schema": ("schema", "schema_components"),
}
"""Modules, and what is called instead of their functions."""


def run() -> int:
    """Run the command line and end the process with its exit code; returns only when something is still at work."""
    try:
        quicken()
        from archiver.cli.main import main

        code = main()
    except KeyboardInterrupt:  # while modules are loaded: nothing was begun, and `main` answers for what it does
        code = 130
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
    """Let cycles be looked for seldom in the whole of this process, and import three libraries without ballast."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])
    with stand_ins(_BALLAST):
        import pathlib  # noqa: F401

        import click  # noqa: F401
        import msgspec  # noqa: F401


if __name__ == "__main__":
    sys.exit(run())
