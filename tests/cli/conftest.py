"""The fixture that every test of the command line starts from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.harness import Cli


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """The command line over an empty twin, into a pipe, 80 columns, no configuration file."""
    return Cli(monkeypatch, tmp_path)
