"""Dates as people type them in queries, read as half-open intervals of time.

Knows days, months, years, words for today and yesterday in the four languages of the product, "3 days ago" and ranges.
Reads `31/12/2025` day first, as Europe does. Deliberately knows no month names. "Now" and its time zone come from the
caller; a day begins and ends at midnight in that zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

EXPECTED_DATE = "a date: 2025, 2025-03, 2025-03-31, today, yesterday, 7d or “3 weeks ago”"


@dataclass(frozen=True, slots=True)
class Interval:
    """`start` ≤ t < `end`, either open when None; with time zones."""

    start: datetime | None
    end: datetime | None


_TODAY = frozenset({"today", "vandaag", "aujourd'hui", "aujourdhui", "heute"})
_YESTERDAY = frozenset({"yesterday", "gisteren", "hier", "gestern"})
_ISO = re.compile(r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?")
_EUROPEAN = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_AGO = re.compile(r"(\d{1,5})\s*(d|days?|w|weeks?|m|months?|y|years?)(?:\s+ago)?")


def parse_date(text: str, now: datetime) -> Interval | None:
    """Read one date; None when it is none, or lies outside the years that a calendar knows."""
    word = " ".join(text.lower().replace("’", "'").split())
    try:
        return _days(word, now)
    except (ValueError, OverflowError):
        return None


def parse_range(text: str, now: datetime) -> Interval | None:
    """Read a date or `a..b`, `a..`, `..b`; both ends belong to it. None when an end is none, or b is before a."""
    if ".." not in text:
        return parse_date(text, now)
    first, _, last = text.partition("..")
    low = parse_date(first, now) if first.strip() else Interval(None, None)
    high = parse_date(last, now) if last.strip() else Interval(None, None)
    if low is None or high is None or (low.start is None and high.end is None):
        return None
    if low.start is not None and high.end is not None and high.end <= low.start:
        return None
    return Interval(low.start, high.end)


def _days(word: str, now: datetime) -> Interval | None:  # noqa: PLR0911 - one return for each way to write a date
    today = now.date()
    if word in _TODAY:
        return _interval(today, today + timedelta(1), now)
    if word in _YESTERDAY:
        return _interval(today - timedelta(1), today, now)
    if match := _AGO.fullmatch(word):
        day = _back(today, int(match[1]), match[2][0])
        return _interval(day, day + timedelta(1), now)
    if match := _EUROPEAN.fullmatch(word):
        day = date(int(match[3]), int(match[2]), int(match[1]))
        return _interval(day, day + timedelta(1), now)
    if match := _ISO.fullmatch(word):
        year, month, day_of_month = (int(part) if part else None for part in match.groups())
        if year is None:
            return None
        if month is None:
            return _interval(date(year, 1, 1), date(year + 1, 1, 1), now)
        if day_of_month is None:
            return _interval(date(year, month, 1), _months_later(date(year, month, 1), 1), now)
        day = date(year, month, day_of_month)
        return _interval(day, day + timedelta(1), now)
    return None


def _back(today: date, count: int, unit: str) -> date:
    match unit:
        case "d":
            return today - timedelta(days=count)
        case "w":
            return today - timedelta(weeks=count)
        case "m":
            return _months_later(today, -count)
        case _:
            return _months_later(today, -12 * count)


def _months_later(day: date, months: int) -> date:
    """Return the same day of another month, or that month's last: a month before 31 March is 28 or 29 February."""
    index = day.year * 12 + day.month - 1 + months
    first = date(index // 12, index % 12 + 1, 1)
    following = date((index + 1) // 12, (index + 1) % 12 + 1, 1)
    return min(first + timedelta(day.day - 1), following - timedelta(1))


def _interval(first: date, after: date, now: datetime) -> Interval:
    """Midnights in the zone of `now`: with a real zone, not a fixed offset, summer time is as it was on that day."""
    return Interval(
        datetime.combine(first, time(), tzinfo=now.tzinfo), datetime.combine(after, time(), tzinfo=now.tzinfo)
    )
