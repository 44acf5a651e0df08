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


def test_an_interruption_while_modules_are_loaded_shows_no_traceback() -> None:
    interrupted = "import sys\nfrom archiver.cli import program\ndef load(): raise KeyboardInterrupt\n"
    done = program(f"{interrupted}program.quicken = load\nsys.exit(program.run())", "status")
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_a_full_disk_at_the_very_end_is_told() -> None:
    with Path("/dev/full").open("wb") as full:
        done = program(RUN, "completion", "zsh", stdout=full.fileno())
    assert done.returncode != 0
    assert b"No space left on device" in done.stderr


@pytest.mark.parametrize(("busy", "ended"), [(False, b""), (True, b"thread\nend\n")])
def test_python_is_taken_apart_only_while_something_is_at_work(busy: bool, ended: bytes) -> None:
    work = "threading.main_thread().join(), os.write(2, b'thread\\n')"  # done when the main thread has come to its end
    thread = f"threading.Thread(target=lambda: ({work})).start()\n" if busy else ""
    script = (
        "import atexit, os, sys, threading\nfrom archiver.cli.program import run\n"
        f"{thread}atexit.register(lambda: os.write(2, b'end\\n'))\nsys.exit(run())"
    )
    assert program(script, "completion", "zsh").stderr == ended


def test_libraries_are_loaded_without_what_only_a_page_of_help_needs() -> None:
    script = (
        "before = {*sys.modules}\nfrom archiver.cli.program import quicken\nquicken()\n"
        "from archiver.cli.main import main\ncode = main(sys.argv[1:])\n"
        "ballast = {'inspect', 'gettext', 'platform', 'ipaddress', 'urllib.parse', 'ntpath', 'textwrap',"
        " 'msgspec.inspect', 'msgspec._json_schema'} & {*sys.modules} - before\n"
        "print(ballast, file=sys.stderr)\nsys.exit(code)"
    )
    # Development tools bring typing_extensions, which imports it; a user's Python has none, and neither has this.
    alone = "import sys\nsys.modules['typing_extensions'] = None\n"
    assert program(alone + script, "search", "--limit", "x").stderr.endswith(b"\nset()\n")
    helped = program(alone + script, "search", "--help")
    assert helped.stdout == program(RUN, "search", "--help").stdout == program(MAIN, "search", "--help").stdout
    assert b"Find mail." in helped.stdout


def test_what_was_left_out_is_there_when_it_is_asked_for() -> None:
    script = (
        "from archiver.cli.program import quicken\nquicken()\n"
        "import sys, msgspec, msgspec.json\nfrom pathlib import Path, PureWindowsPath\n"
        "assert Path('/a b').as_uri() == 'file:///a%20b' and PureWindowsPath('C:/a').drive == 'C:'\n"
        "assert msgspec.inspect.type_info(int) == msgspec.inspect.IntType()\n"
        "assert msgspec.json.schema(int) == {'type': 'integer'}\n"
        "import ntpath, urllib.parse\nassert ntpath.sep == chr(92) and urllib.parse.quote(' ') == '%20'\n"
        "from archiver.standins import stand_ins\n"
        "with stand_ins({'colorsys': ('rgb_to_hsv',)}):\n    from colorsys import hsv_to_rgb, rgb_to_hsv\n"
        "assert hsv_to_rgb(0, 0, 1) == rgb_to_hsv(1, 1, 1)[2:] * 3\n"
        "assert 'colorsys' in sys.modules and hsv_to_rgb is sys.modules['colorsys'].hsv_to_rgb\n"
    )
    assert program(script).stderr == b""
