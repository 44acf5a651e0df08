"""The installed program: a real process that ends at once, and loses nothing of what it had to say."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENVIRON = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def program(script: str, *words: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", script, *words],
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
        cwd=ROOT,
        env=ENVIRON,
    )


RUN = "import sys; from archiver.cli.program import run; sys.exit(run())"
MAIN = "import sys; from archiver.cli.main import main; sys.exit(main())"


def test_the_package_starts_there() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert settings["project"]["scripts"] == {"archiver": "archiver.cli.program:run"}


def test_all_that_was_printed_arrives() -> None:
    done = program(RUN, "completion", "zsh")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"#compdef archiver")
    assert done.stdout.endswith(b"\n")


def test_the_exit_code_arrives() -> None:
    assert program(RUN, "search", "--limt", "3").returncode == 2


def test_a_full_disk_at_the_very_end_is_told() -> None:
    with Path("/dev/full").open("wb") as full:
        done = program(RUN, "completion", "zsh", stdout=full.fileno())
    assert done.returncode != 0
    assert b"No space left on device" in done.stderr


@pytest.mark.parametrize(("busy", "ended"), [(False, b""), (True, b"thread\nend\n")])
def test_python_is_taken_apart_only_while_something_is_at_work(busy: bool, ended: bytes) -> None:
    thread = "threading.Thread(target=lambda: (time.sleep(0.3), os.write(2, b'thread\\n'))).start()\n" if busy else ""
    script = (
        "import atexit, os, sys, threading, time\nfrom archiver.cli.program import run\n"
        f"{thread}atexit.register(lambda: os.write(2, b'end\\n'))\nsys.exit(run())"
    )
    assert program(script, "completion", "zsh").stderr == ended


def test_click_is_loaded_without_what_only_a_page_of_help_needs() -> None:
    script = (
        "before = {*sys.modules}\nfrom archiver.cli.program import quicken\nquicken()\n"
        "from archiver.cli.main import main\ncode = main(sys.argv[1:])\n"
        "ballast = {'inspect', 'gettext', 'platform', 'ipaddress'} & {*sys.modules} - before\n"
        "print(ballast, file=sys.stderr)\nsys.exit(code)"
    )
    # Development tools bring typing_extensions, which imports it; a user's Python has none, and neither has this.
    alone = "import sys\nsys.modules['typing_extensions'] = None\n"
    assert program(alone + script, "search", "--limit", "x").stderr.endswith(b"\nset()\n")
    helped = program(alone + script, "search", "--help")
    assert helped.stdout == program(RUN, "search", "--help").stdout == program(MAIN, "search", "--help").stdout
    assert b"Find mail." in helped.stdout
