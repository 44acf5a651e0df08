"""A trial of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.trial import Trial


@pytest.fixture
def trial() -> Iterator[Trial]:
    made = Trial()
    yield made
    made.close()
