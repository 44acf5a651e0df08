"""The clock of the real program, and this machine's time zone.

The rules of the zone are read when a time of another day is asked for. A search for words asks for none.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path

_EARLIEST = datetime.fromtimestamp(0, tz=UTC)
"""What is kept counts from here on. A machine that lost its clock may say less: that could be written and not read."""


def clock() -> datetime:
    """Return the time of the real program, from 1970 on."""
    return max(_EARLIEST, datetime.now(tz=UTC))


def local_clock() -> datetime:
    """Return the time in this machine's zone, with its rules for summer: "yesterday" depends on them."""
    if "TZ" in os.environ:  # the C library knows forms of it that Python's zones do not, and would mean another time
        return datetime.now(tz=_HERE)
    return datetime.now().replace(tzinfo=_HERE)  # noqa: DTZ005 - both read /etc/localtime


class _Here(tzinfo):
    """This machine's zone, read when first asked."""

    def utcoffset(self, instant: datetime | None) -> timedelta | None:
        return _rules().utcoffset(instant)

    def dst(self, instant: datetime | None) -> timedelta | None:
        return _rules().dst(instant)

    def tzname(self, instant: datetime | None) -> str | None:
        return _rules().tzname(instant)

    def fromutc(self, instant: datetime) -> datetime:
        rules = _rules()
        return rules.fromutc(instant.replace(tzinfo=rules)).replace(tzinfo=self)


_HERE = _Here()


@cache
def _rules() -> tzinfo:
    from zoneinfo import ZoneInfo

    with suppress(OSError, ValueError, KeyError):  # KeyError: a zone that nobody knows
        if name := os.environ.get("TZ", "").lstrip(":"):
            return ZoneInfo(name)
    with suppress(OSError, ValueError), Path("/etc/localtime").open("rb") as file:
        return ZoneInfo.from_file(file)
    return UTC
