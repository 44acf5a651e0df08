"""One Dovecot for the live tests, and one certificate authority."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from tests.live.authority import make_authority
from tests.live.dovecot import DOVECOT, Authority, Dovecot

USERS = tuple(f"user{number}" for number in range(1, 41))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies here as live; the summary tells in one loud line when it was skipped."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.live)
            if DOVECOT is None:
                item.add_marker(pytest.mark.skip(reason="Debian's dovecot-imapd is not installed"))


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Say that real mail was not tried, where there is none."""
    if not os.environ.get("ARCHIVER_CORPUS"):
        terminalreporter.write_line("Real mail was not tried: ARCHIVER_CORPUS names no folder with a corpus.")


@pytest.fixture(scope="session")
def dovecot_home() -> Iterator[Path]:
    """A short path: Dovecot's sockets lie below it, and their names have a limit of 108 bytes."""
    home = Path(tempfile.mkdtemp(prefix="dc"))
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def authority(dovecot_home: Path) -> Authority:
    return make_authority(dovecot_home / "ca")


@pytest.fixture(scope="session")
def dovecot(dovecot_home: Path, authority: Authority) -> Iterator[Dovecot]:
    server = Dovecot(dovecot_home / "main", USERS, authority)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _numbers() -> Iterator[int]:
    return iter(range(len(USERS)))


@pytest.fixture
def user(_numbers: Iterator[int]) -> str:
    """An account that no other test uses."""
    return USERS[next(_numbers)]
