"""The clock of the real program."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

import pytest

from archiver.app import clocks

_TELL = """
import sys
from datetime import UTC, datetime, timedelta
from archiver.app import clocks
before = datetime.now(tz=UTC)
now = clocks.local_clock()
zone = now.tzinfo
print(timedelta(0) <= now.astimezone(UTC) - before < timedelta(minutes=1))
print(datetime(2025, 1, 15, tzinfo=zone).isoformat(), datetime(2025, 7, 15, tzinfo=zone).isoformat())
for hour in (0, 1):  # the hour that comes twice: in summer time, then in winter time
    print(datetime.fromtimestamp(1761436800 + 3600 * hour, tz=zone).isoformat())
"""


def test_a_machine_that_lost_its_clock_lives_in_1970_at_the_earliest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds before that could be written, and read by nobody: a delivery that never opens, a broken trail."""

    class Lost(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls(1969, 12, 31, 12, tzinfo=tz)

    assert abs(clocks.clock() - datetime.now(tz=UTC)) < timedelta(minutes=10)
    monkeypatch.setattr(clocks, "datetime", Lost)
    assert clocks.clock().timestamp() == 0


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("Europe/Brussels", ("+01:00", "+02:00", "2025-10-26T02:00:00+02:00", "2025-10-26T02:00:00+01:00")),
        ("Brussels-1", None),  # for the C library: an hour east, without summer
        ("UTC", ("+00:00", "+00:00", "2025-10-26T00:00:00+00:00", "2025-10-26T01:00:00+00:00")),
    ],
)
def test_the_local_clock_has_the_rules_of_its_zone(zone: str, told: tuple[str, ...] | None) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _TELL], capture_output=True, text=True, check=True, env={**os.environ, "TZ": zone}
    )
    right, days, *twice = done.stdout.splitlines()
    assert right == "True"
    if told is None:
        return
    assert days == f"2025-01-15T00:00:00{told[0]} 2025-07-15T00:00:00{told[1]}"
    assert tuple(twice) == told[2:]


def test_whoever_asks_for_the_time_alone_reads_no_rules() -> None:
    script = "import sys\nfrom archiver.app import clocks\nclocks.local_clock()\nprint('zoneinfo' in sys.modules)"
    environ = {name: value for name, value in os.environ.items() if name != "TZ"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environ)
    assert done.stdout == "False\n"
    asked = script.replace("local_clock()", "local_clock().utcoffset()")
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, env=environ)
    assert done.stdout == "True\n"
