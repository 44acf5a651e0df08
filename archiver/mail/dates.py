"""Dates of mail: the Date and Received fields, and INTERNALDATE; never naive, never outside 1970 to 2100.

Knows RFC 5322 sections 3.3 and 4.3 through mail-parser, and after it the other ways in which software has written
dates. Deliberately guesses no language's order of day and month: numbers alone are read only as ISO 8601.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from archiver.mail.defects import Defects

FIRST_YEAR, LAST_YEAR = 1970, 2100

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januari janvier januar jän ene enero gen gennaio",
            "feb february februari février fevrier fév février febr februar febrero febbraio",
            "mar march maart mrt mars mär märz marz mrz maa marzo",
            "apr april avril avr abr abril aprile",
            "may mei mai mayo mag maggio",
            "jun june juni juin junio giu giugno",
            "jul july juli juillet juil julio lug luglio",
            "aug august augustus août aout aoû ago agosto",
            "sep sept september septembre septiembre set settembre",
            "oct october okt oktober octobre octubre ott ottobre",
            "nov november novembre noviembre",
            "dec december décembre decembre déc dez dezember dic diciembre dicembre",
        ),
        1,
    )
    for name in names.split()
}
_ZONES = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "CET": 1, "MET": 1,
          "CEST": 2, "MEST": 2, "MEZ": 1, "MESZ": 2, "BST": 1, "WEST": 1, "EET": 2,
          "EEST": 3, "MSK": 3, "JST": 9}  # fmt: skip
_DAY_FIRST = re.compile(r"(\d{1,2})\.?[\s-]+([^\W\d_]{3,12})\.?,?[\s-]+(\d{2,4})(?!\d)")
_MONTH_FIRST = re.compile(r"([^\W\d_]{3,12})\.?\s+(\d{1,2}),?\s(?:.{0,40}?\s)?(\d{4})(?!\d)")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?=\D|$)")
_TIME = re.compile(r"(?<![\d:.])(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?!\d)(?:[.,]\d{1,9})?(?:\s*([AaPp])\.?[Mm]\b)?")
_OFFSET = re.compile(r"(?:GMT|UTC|[\s\d])\s?([+-])(\d{1,2}):?(\d{2})(?!\d)")
_ZONE_NAME = re.compile(r"\b([A-Z]{2,4})\b")
_INTERNAL = re.compile(r"\s*(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2})(?: ?([+-])(\d{2})(\d{2}))?\s*\Z")


def field_date(text: str, defects: Defects | None = None) -> datetime | None:
    """Return the instant of a Date field with the zone it names (UTC when it names none), or None and a defect."""
    from mailparser.dates import parse_mail_date

    text = text[:200]
    result = parse_mail_date(text)
    found: datetime | None = None
    if result.value is not None:
        try:
            found = result.value.astimezone(timezone(timedelta(hours=float(result.timezone))))
        except (ValueError, OverflowError):
            found = result.value
    else:
        found = _tolerant(text)
    if found is None:
        if defects is not None and text:
            defects.add("date-syntax")
        return None
    if not FIRST_YEAR <= found.astimezone(UTC).year <= LAST_YEAR:
        if defects is not None:
            defects.add("date-range")
        return None
    return found


def _tolerant(text: str) -> datetime | None:
    """Read ctime, ISO 8601, month names in other languages, dots for colons, and times without a zone."""
    day_first, month_first, iso = _DAY_FIRST.search(text), _MONTH_FIRST.search(text), _ISO.search(text)
    if iso is not None:
        year, month, day = int(iso[1]), int(iso[2]), int(iso[3])
        rest = " " + text[iso.end() :].lstrip("T ")
    elif day_first is not None and day_first[2].lower() in _MONTHS:
        year, month, day = int(day_first[3]), _MONTHS[day_first[2].lower()], int(day_first[1])
        rest = text[day_first.end() :]
    elif month_first is not None and month_first[1].lower() in _MONTHS:
        year, month, day = int(month_first[3]), _MONTHS[month_first[1].lower()], int(month_first[2])
        rest = text[: month_first.start()] + " " + text[month_first.start(2) :]
    else:
        return None
    if year < 100:
        # RFC 5322 section 4.3: two digits below 50 mean 20xx.
        year += 2000 if year < 50 else 1900
    elif year < 1000:
        year += 1900
    hour = minute = second = 0
    time = _TIME.search(rest)
    if time is not None:
        hour, minute, second = int(time[1]), int(time[2]), min(int(time[3] or 0), 59)
        if time[4] and hour <= 12:
            hour = hour % 12 + (12 if time[4] in "pP" else 0)
        rest = rest[time.end() - 1 :]
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=_zone(rest)).astimezone(_zone(rest))
    except (ValueError, OverflowError):
        return None


def _zone(rest: str) -> timezone:
    offset = _OFFSET.search(rest)
    if offset is not None:
        delta = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        if delta < timedelta(hours=24) and int(offset[3]) < 60:
            return timezone(-delta if offset[1] == "-" else delta)
        return UTC
    for name in _ZONE_NAME.findall(rest):
        if name in _ZONES:
            return timezone(timedelta(hours=_ZONES[name]))
    return UTC


def received_date(text: str) -> datetime | None:
    """Return the date of a Received field: what follows its last ";" (RFC 5321 section 4.4); None without one."""
    _, semicolon, date = text.rpartition(";")
    return field_date(date.strip()) if semicolon else None


def internal_date(text: str) -> datetime | None:
    """Return an INTERNALDATE such as "17-Jul-1996 02:44:25 -0700" (RFC 3501 section 9), or None.

    None for what servers without a date send ("00-Jan-0000 00:00:00 +0000") and for anything outside 1970 to 2100.
    Without a zone it is UTC.
    """
    match = _INTERNAL.match(text.strip('"'))
    if match is None:
        return None
    try:
        zone = UTC
        if match[7]:
            delta = timedelta(hours=int(match[8]), minutes=int(match[9]))
            zone = timezone(-delta if match[7] == "-" else delta)
        found = datetime(
            int(match[3]), _MONTHS[match[2].lower()], int(match[1]),
            int(match[4]), int(match[5]), min(int(match[6]), 59), tzinfo=zone,
        )  # fmt: skip
        return found if FIRST_YEAR <= found.astimezone(UTC).year <= LAST_YEAR else None
    except (KeyError, ValueError, OverflowError):
        return None
