"""The clock of the real program."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

import pytest

from archiver.app import clocks


def test_a_machine_that_lost_its_clock_lives_in_1970_at_the_earliest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds before that could be written, and read by nobody: a delivery that never opens, a broken trail."""

    class Lost(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls(1969, 12, 31, 12, tzinfo=tz)

    assert abs(clocks.clock() - datetime.now(tz=UTC)) < timedelta(minutes=10)
    monkeypatch.setattr(clocks, "datetime", Lost)
    assert clocks.clock().timestamp() == 0
