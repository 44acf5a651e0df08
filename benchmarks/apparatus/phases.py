"""Runs `archiver` as its command line does, and says at the end, on the standard error output, when what was done.

    python benchmarks/apparatus/phases.py search energy

A line for each phase: seconds by the clock since this file began, and of the processor since the process did. The
command line imported, the archive about to be opened, opened, searched, everything printed. Knows which functions those
are; changes nothing of what they do.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_BEGAN = time.perf_counter()
_STARTED = time.process_time()
START = "Python itself"
PHASES = ("command line loaded", "command chosen", "archive opened", "searched", "printed")


def main() -> int:
    """Run the command of the arguments, from the program's beginning to its end."""
    from archiver.cli import program

    done: dict[str, tuple[float, float]] = {}

    def now() -> tuple[float, float]:
        return time.perf_counter() - _BEGAN, time.process_time()

    def command_line() -> int:
        done[PHASES[0]] = now()
        _watch(done, now)
        code = entry()
        done[PHASES[4]] = now()
        print(f"phase: {START}: 0: {_STARTED:.6f}", file=sys.stderr)
        for phase, (wall, processor) in done.items():
            print(f"phase: {phase}: {wall:.6f}: {processor:.6f}", file=sys.stderr)
        return code

    program.quicken()
    from archiver.cli import main as module

    entry, module.main = module.main, command_line  # type: ignore[assignment]
    return program.run()


def _watch(done: dict[str, tuple[float, float]], now: Callable[[], tuple[float, float]]) -> None:
    from archiver import app

    @contextmanager
    def open_archive(*arguments: Any, **named: Any) -> Iterator[Any]:
        done[PHASES[1]] = now()
        from archiver.app import reading

        searching = reading.OpenArchive.search

        def search(*given: Any, **more: Any) -> Any:
            found = searching(*given, **more)
            done[PHASES[3]] = now()
            return found

        reading.OpenArchive.search = search  # type: ignore[method-assign]
        with reading.open_archive(*arguments, **named) as archive:
            done[PHASES[2]] = now()
            yield archive

    app.open_archive = open_archive


if __name__ == "__main__":
    sys.exit(main())
