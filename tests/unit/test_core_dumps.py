"""No process that holds keys or mail leaves its memory in a core dump; each kind of process is started and asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import archiver

ASKING = """
import atexit, ctypes, os, resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)

def tell():
    with open("/proc/self/limits") as file:
        (core,) = [line.split() for line in file if line.startswith("Max core file size")]
    dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)  # PR_GET_DUMPABLE
    os.write(2, f"\\ncore {core[4]} {core[5]} dumpable {dumpable}\\n".encode())

atexit.register(tell)
"""

KINDS = {
    "a command": "from archiver.cli.main import main\nmain(['--archive', '/nowhere/archive', 'key', 'list'])",
    "the collector": "from archiver.app.collector import main\nsys.argv[1:] = [str(os.getppid())]\nmain()",
    "a parse worker": "from archiver.mail.worker import main\nmain([str(1 << 30), '5', str(os.getppid())])",
    "a maker of pages": "from archiver.mail.safe_html import main\nmain([str(1 << 30), str(os.getppid())])",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_leaves_no_core_dump(kind: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASKING + KINDS[kind]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": str(Path(archiver.__file__).parent.parent),
        },
    )
    assert "core 0 0 dumpable 0" in done.stderr.splitlines(), done.stderr
