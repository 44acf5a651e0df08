"""The demonstration runs from beginning to end, as `make demo` starts it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("archiver")


def demonstrate(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "demo", "--directory", directory, "--count", "60", *options],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.skipif(not PROGRAM.exists(), reason="archiver is not installed beside this Python (make venv installs it)")
def test_every_step_succeeds_and_the_last_words_are_commands_to_try(tmp_path: Path) -> None:
    done = demonstrate(tmp_path / "demo", "--seed", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    commands = [line.split()[2] for line in done.stdout.splitlines() if line.startswith("$ archiver ")]
    keeping, customers = ["init", "sync", *["search"] * 8, "thread"], ["customer", "customer", "history", "search"]
    assert commands == [*keeping, *customers, "why", "ambiguous", "unlinked", "waiting", "status"]
    assert re.search(r"in document [0-9-]+\.pdf: .*De opzegtermijn bedraagt", done.stdout)
    assert "Did you mean: archiver search licentiesleutel " in done.stdout
    assert "Saved: archiver search saved:offers\n" in done.stderr
    assert re.search(r"customers\n  K\d+ .*\n", done.stdout)
    assert "20 customers added." in done.stdout
    assert "export ARCHIVER_CONFIG=" in done.stdout
    assert "0 of them hold a word" in done.stdout
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "demo").iterdir() if path.suffix} == {0}


def test_a_directory_that_is_not_its_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x", encoding="utf-8")
    done = demonstrate(tmp_path)
    assert done.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]
