"""Where crash tests work: on a disk in memory where there is one; what is durable is modelled, or does not matter."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = "/dev/shm"


@pytest.fixture
def quick_path(tmp_path: Path) -> Iterator[Path]:
    """A temporary directory on a disk in memory, or an ordinary one."""
    yield from _quick(tmp_path)


@pytest.fixture(scope="module")
def quick_module_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same for all tests of a module."""
    yield from _quick(tmp_path_factory.mktemp("module"))


def _quick(ordinary: Path) -> Iterator[Path]:
    if not os.access(MEMORY, os.W_OK):
        yield ordinary
        return
    folder = Path(tempfile.mkdtemp(prefix="archiver-test-", dir=MEMORY))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
