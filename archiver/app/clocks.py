"""The clock of the real program, and this machine's time zone."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

_EARLIEST = datetime.fromtimestamp(0, tz=UTC)
"""What is kept counts from here on. A machine that lost its clock may say less: that could be written and not read."""


def clock() -> datetime:
    """Return the time of the real program, from 1970 on."""
    return max(_EARLIEST, datetime.now(tz=UTC))


def local_clock() -> datetime:
    """Return the time in this machine's zone, with its rules for summer: "yesterday" depends on them."""
    return datetime.now(tz=_local_zone())


def _local_zone() -> tzinfo:
    with suppress(OSError, ValueError):
        if name := os.environ.get("TZ", "").lstrip(":"):
            return ZoneInfo(name)
    with suppress(OSError, ValueError), Path("/etc/localtime").open("rb") as file:
        return ZoneInfo.from_file(file)
    return UTC
