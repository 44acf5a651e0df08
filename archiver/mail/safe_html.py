"""A message as a page that can be opened in a browser, made in a process of its own within bounds of time and memory.

Knows processes; what the page is like is the business of `archiver.mail.safe_page`. A parser of HTML can be made to
work for minutes by a few megabytes, and it holds the interpreter all the while: only another process can end it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from archiver.errors import ArchiverError

SECONDS = 30.0
MEMORY = 1 << 30
MAX_PAGE = 128 << 20
"""Octets of a page; one with all its images stays far below."""

_STARTED_BY = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from archiver.mail.safe_html import main; sys.exit(main(sys.argv[1:]))"
)


def safe_html(octets: bytes, *, seconds: float = SECONDS, memory: int = MEMORY) -> str:
    """Return a message as one page that loads nothing, runs nothing, submits nothing, and has its images in it.

    Raises ArchiverError when that takes longer than `seconds` or more than `memory` octets.
    """
    import archiver

    root = str(Path(archiver.__file__).resolve().parent.parent)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-B", "-c", _STARTED_BY, root, str(memory), str(os.getpid())],
            input=octets,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            cwd="/",
            timeout=seconds,
            check=False,
        )
        if done.returncode == 0 and len(done.stdout) <= MAX_PAGE:
            return done.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        pass
    except OSError:
        raise ArchiverError(
            "the process that makes HTML safe cannot be started", hint="is there memory to spare?"
        ) from None
    raise ArchiverError(
        "this message's HTML cannot be made safe within its bounds of time and memory",
        hint="read its text without --html, or save it as it came with --raw --output FILE",
    )


def main(arguments: list[str]) -> int:
    """Read a message from standard input and write its page; arguments: memory bound in bytes, the parent's pid."""
    from archiver.mail.worker import shut_in

    shut_in(int(arguments[0]))
    if os.getppid() != int(arguments[1]):
        return 0
    from archiver.mail.safe_page import page

    try:
        octets = sys.stdin.buffer.read()
        sys.stdout.buffer.write(page(octets).encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    except (MemoryError, BrokenPipeError):
        return 1
    return 0
