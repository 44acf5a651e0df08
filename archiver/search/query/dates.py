"""Dates as people type them in queries, in four languages, read as half-open intervals of time.

Days, months, quarters, weeks (ISO 8601, Monday first) and years; names of months and weekdays; `3 weeks ago`, `vorige
maand`, `les 3 derniers mois`; ranges and bounds. What is ambiguous is read as Europe reads it: `3/4/2025` is 3 April.
A month, day or weekday without its year is the latest that has begun. "Now" and its time zone come from the caller; a
day begins and ends at midnight in that zone. Words are compared without case and accents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from msgspec import Struct

EXPECTED_DATE = "a date: 2025, 2025-03, 2025-03-31, march 2025, yesterday, 7d or 3 weeks ago"

_MAX_CHARACTERS = 100


class Interval(Struct, frozen=True):
    """`start` ≤ t < `end`, either open when None; with time zones."""

    start: datetime | None
    end: datetime | None


_Days = tuple[date, date]
"""The first day, and the day after the last."""


def _words(*texts: str) -> frozenset[str]:
    return frozenset(word for text in texts for word in text.split())


_MONTHS = (
    "january januari janvier januar janner jan janv", "february februari fevrier februar feb febr fev fevr",
    "march maart mars marz maerz mar mrt", "april avril apr avr", "may mei mai", "june juni juin jun",
    "july juli juillet jul juil", "august augustus aout aug", "september septembre sep sept",
    "october oktober octobre oct okt", "november novembre nov", "december decembre dezember dec dez",
)  # fmt: skip
_ENGLISH_MONTHS = _words(
    "january february march april may june july august september october november december jan feb mar apr jun",
    "jul aug sep sept oct nov dec",
)
_WEEKDAYS = (
    "monday maandag lundi montag", "tuesday dinsdag mardi dienstag", "wednesday woensdag mercredi mittwoch",
    "thursday donderdag jeudi donnerstag", "friday vrijdag vendredi freitag",
    "saturday zaterdag samedi samstag sonnabend", "sunday zondag dimanche sonntag",
)  # fmt: skip
_UNITS = {
    "d": "d day days dag dagen jour jours tag tage tagen", "w": "w wk week weeks weken semaine semaines woche wochen",
    "m": "m month months maand maanden mnd mois monat monate monaten",
    "y": "y year years jaar jaren annee annees an ans jahr jahre jahren",
    "q": "quarter quarters kwartaal kwartalen trimestre trimestres quartal quartale quartalen",
}  # fmt: skip
_NUMBERS = (
    "a an one een un une ein eine einem einer einen", "two twee deux zwei", "three drie trois drei",
    "four vier quatre", "five vijf cinq funf fuenf", "six zes sechs",
)  # fmt: skip
_DAYS_BACK = {
    "today": 0, "vandaag": 0, "aujourd'hui": 0, "aujourdhui": 0, "heute": 0,
    "yesterday": 1, "gisteren": 1, "hier": 1, "gestern": 1,
    "eergisteren": 2, "avant-hier": 2, "vorgestern": 2,
}  # fmt: skip
_LAST = _words(
    "last past previous vorige vorig verleden afgelopen voorbije laatste dernier derniere derniers dernieres",
    "passe passee letzte letzten letzter letztes letztem vorigen voriger voriges vergangene vergangenen",
    "vergangener vergangenes",
)
_THIS = _words(
    "this current deze dit huidige ce cet cette diese diesen dieser dieses diesem",
)
_FILLERS = _words(
    "the of de het op du le la les der den dem am im",
)
_WEEK_WORDS = frozenset(("week", "wk", "kw", "semaine", "woche"))


def date_words() -> tuple[str, ...]:
    """Return the words that dates are made of, for suggestions."""
    names = " ".join((*_MONTHS, *_WEEKDAYS, *_UNITS.values())).split()
    return (*_DAYS_BACK, *(name for name in names if len(name) > 3))


def parse_date(text: str, now: datetime) -> Interval | None:
    """Read one date; None when it is none, or lies outside the years that a calendar knows."""
    try:
        days = _days(_plain(text), now.date()) if len(text) <= _MAX_CHARACTERS else None
        return None if days is None else _interval(days, now)
    except (ValueError, OverflowError):
        return None


def parse_range(text: str, now: datetime) -> Interval | None:
    """Read a date, `a..b`, `a..`, `..b`, `>a`, `>=a`, `<b` or `<=b`; the ends of `..` belong to it.

    None when an end is none, or b is before a. `>2025-03` begins where March ends, `<2025-03` ends where it begins.
    """
    text = text.strip()
    if text[:1] in {"<", ">"}:
        return _bound(text, now)
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


def _bound(text: str, now: datetime) -> Interval | None:
    included = text[1:2] == "="
    day = parse_date(text[1 + included :], now)
    if day is None:
        return None
    if text[0] == ">":
        return Interval(day.start if included else day.end, None)
    return Interval(None, day.end if included else day.start)


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    return " ".join("".join(c for c in text if not unicodedata.combining(c)).split())


def _days(text: str, today: date) -> _Days | None:
    if text in _DAYS_BACK:
        day = today - timedelta(_DAYS_BACK[text])
        return day, day + timedelta(1)
    for pattern, read in _IN_DIGITS:
        if match := re.fullmatch(pattern, text):
            return read(match, today)
    words = text.replace("l'", "").replace(",", " ").split()
    if not words or words[-1] in _FILLERS:
        return None
    return _ago(words, today) or _relative(words, today) or _named([w for w in words if w not in _FILLERS], today)


# --- in digits -------------------------------------------------------------------------------------------------------


def _iso(match: re.Match[str], _today: date) -> _Days:
    year = int(match["y"])
    if match["m"] is None:
        return date(year, 1, 1), date(year + 1, 1, 1)
    if match["d"] is None:
        return _month(year, int(match["m"]))
    return _day(year, int(match["m"]), int(match["d"]))


def _european(match: re.Match[str], today: date) -> _Days:
    day, month = int(match["d"]), int(match["m"])
    return _latest_day(day, month, today) if match["y"] is None else _day(_year(match["y"]), month, day)


def _month_first(match: re.Match[str], _today: date) -> _Days:
    return _month(int(match["y"]), int(match["m"]))


def _quarter(match: re.Match[str], today: date) -> _Days:
    number, year = int(match["q"]), match["y"]
    if year is not None:
        return _three_months(int(year), number)
    quarter = _three_months(today.year, number)
    return quarter if quarter[0] <= today else _three_months(today.year - 1, number)


def _week(match: re.Match[str], today: date) -> _Days:
    number, year = int(match["w"]), match["y"]
    if year is not None:
        return _seven_days(date.fromisocalendar(int(year), number, 1))
    monday = date.fromisocalendar(today.isocalendar().year, number, 1)
    return _seven_days(monday if monday <= today else date.fromisocalendar(today.isocalendar().year - 1, number, 1))


def _compact(match: re.Match[str], today: date) -> _Days:
    day = _back(today, int(match["n"]), match["unit"])
    return day, day + timedelta(1)


_IN_DIGITS: tuple[tuple[str, Callable[[re.Match[str], date], _Days]], ...] = (
    (r"(?P<y>\d{4})(?:(?P<s>[-/.])(?P<m>\d{1,2})(?:(?P=s)(?P<d>\d{1,2}))?)?", _iso),
    (r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)", _iso),
    (r"(?P<d>\d{1,2})(?P<s>[-/.])(?P<m>\d{1,2})(?:(?P=s)(?P<y>\d{4}|\d\d))?", _european),
    (r"(?P<m>\d{1,2})[-/.](?P<y>\d{4})", _month_first),
    (r"[qt](?P<q>[1-4])(?:[ -/]?(?P<y>\d{4}))??", _quarter),
    (r"(?P<y>\d{4})[ -/]?[qt](?P<q>[1-4])?", _quarter),
    (r"(?P<y>\d{4})-?w(?P<w>\d\d?)", _week),
    (r"(?P<n>\d{1,5})(?P<unit>[dwmy])", _compact),
)


# --- in words --------------------------------------------------------------------------------------------------------


def _ago(words: list[str], today: date) -> _Days | None:
    """Read `3 weeks`, `3 weeks ago`, `3 weken geleden`, `il y a 3 semaines`, `vor 3 Wochen`: that one day."""
    if words[:3] == ["il", "y", "a"]:
        words = words[3:]
    elif words[0] == "vor":
        words = words[1:]
    elif words[-1] in {"ago", "geleden"}:
        words = words[:-1]
    elif not words[0].isdigit():
        return None
    match words:
        case [number, unit]:
            count, kind = _number(number), _UNIT_OF.get(unit)
            if count is None or kind is None:
                return None
            day = _back(today, count, kind)
            return day, day + timedelta(1)
    return None


def _relative(words: list[str], today: date) -> _Days | None:
    """Read `last month`, `this week`, `le mois dernier`, `last 30 days`, `vorige maandag`."""
    words = [w for w in words if w not in _FILLERS]
    last, this = (sum(w in names for w in words) for names in (_LAST, _THIS))
    if last + this != 1:
        return None
    rest = [w for w in words if w not in _LAST and w not in _THIS]
    if this and rest[-1:] == ["ci"]:
        rest = rest[:-1]
    match rest:
        case [name] if name in _WEEKDAY_OF:
            return _weekday(_WEEKDAY_OF[name], today, before=bool(last), this=bool(this))
        case [name] if last and name in _MONTH_OF:
            return _latest_month(_MONTH_OF[name], _first_of_month(today) - timedelta(1))
        case [unit] if (kind := _UNIT_OF.get(unit.removesuffix("-ci"))) is not None:
            return _whole(kind, today, back=last)
        case [number, unit] if last and (count := _number(number)) and (kind := _UNIT_OF.get(unit)):
            return _back(today, count, kind), today + timedelta(1)
    return None


def _named(words: list[str], today: date) -> _Days | None:  # noqa: PLR0911 - one return for each way to write a date
    match words:
        case [name] if name in _MONTH_OF:
            return _latest_month(_MONTH_OF[name], today)
        case [name] if name in _WEEKDAY_OF:
            return _weekday(_WEEKDAY_OF[name], today)
        case [name, year] if name in _MONTH_OF and _is_year(year):
            return _month(int(year), _MONTH_OF[name])
        case [day, name] if name in _MONTH_OF and (number := _ordinal(day)):
            return _latest_day(number, _MONTH_OF[name], today)
        case [day, name, year] if name in _MONTH_OF and (number := _ordinal(day)) and _is_year(year):
            return _day(int(year), _MONTH_OF[name], number)
        case [name, day] if name in _ENGLISH_MONTHS and (number := _ordinal(day)):
            return _latest_day(number, _MONTH_OF[name], today)
        case [name, day, year] if name in _ENGLISH_MONTHS and (number := _ordinal(day)) and _is_year(year):
            return _day(int(year), _MONTH_OF[name], number)
        case [week, number, *year] if week in _WEEK_WORDS and number.isdigit() and len(year) <= 1:
            if match := re.fullmatch(r"(?P<w>\d\d?)(?: (?P<y>\d{4}))?", " ".join((number, *year))):
                return _week(match, today)
        case [weekday, *rest] if weekday in _WEEKDAY_OF and rest:
            return _named(rest, today)
    return None


def _by_name(names: tuple[str, ...], first: int) -> dict[str, int]:
    return {name: number for number, spelled in enumerate(names, first) for name in spelled.split()}


_MONTH_OF = _by_name(_MONTHS, 1)
_WEEKDAY_OF = _by_name(_WEEKDAYS, 0)
_NUMBER_OF = _by_name(_NUMBERS, 1)
_UNIT_OF = {name: unit for unit, spelled in _UNITS.items() for name in spelled.split()}


def _number(word: str) -> int | None:
    return int(word) if re.fullmatch(r"\d{1,5}", word) else _NUMBER_OF.get(word)


def _ordinal(word: str) -> int | None:
    match = re.fullmatch(r"(\d{1,2})(?:\.|er|st|nd|rd|th|e|de|ste)?", word)
    return int(match[1]) if match else None


def _is_year(word: str) -> bool:
    return re.fullmatch(r"\d{4}", word) is not None


def _year(digits: str) -> int:
    """Read two digits as people mean them in mail: 70 to 99 are of the century before."""
    year = int(digits)
    return year if len(digits) > 2 else year + (1900 if year >= 70 else 2000)


# --- the calendar ----------------------------------------------------------------------------------------------------


def _day(year: int, month: int, day: int) -> _Days:
    first = date(year, month, day)
    return first, first + timedelta(1)


def _seven_days(monday: date) -> _Days:
    return monday, monday + timedelta(7)


def _month(year: int, month: int) -> _Days:
    first = date(year, month, 1)
    return first, _months_later(first, 1)


def _three_months(year: int, quarter: int) -> _Days:
    first = date(year, 3 * quarter - 2, 1)
    return first, _months_later(first, 3)


def _first_of_month(day: date) -> date:
    return day.replace(day=1)


def _latest_month(month: int, today: date) -> _Days:
    return _month(today.year if month <= today.month else today.year - 1, month)


def _latest_day(day: int, month: int, today: date) -> _Days:
    """Return that day of the latest year in which it is not yet to come; 29 February of the latest leap year."""
    for year in range(today.year, today.year - 9, -1):
        try:
            found = _day(year, month, day)
        except ValueError:
            continue
        if found[0] <= today:
            return found
    raise ValueError(day)


def _weekday(number: int, today: date, *, before: bool = False, this: bool = False) -> _Days:
    """Return the latest such day up to today, or before today, or the one of this week."""
    back = (today.weekday() - number) % 7
    if before and not back:
        back = 7
    if this:
        back = today.weekday() - number
    day = today - timedelta(back)
    return day, day + timedelta(1)


def _whole(unit: str, today: date, *, back: int) -> _Days:
    """Return the day, week, month, quarter or year that is under way, or `back` before it."""
    match unit:
        case "d":
            day = today - timedelta(back)
            return day, day + timedelta(1)
        case "w":
            return _seven_days(today - timedelta(today.weekday() + 7 * back))
        case "m":
            first = _months_later(_first_of_month(today), -back)
            return first, _months_later(first, 1)
        case "q":
            first = _months_later(date(today.year, (today.month - 1) // 3 * 3 + 1, 1), -3 * back)
            return first, _months_later(first, 3)
        case _:
            return date(today.year - back, 1, 1), date(today.year - back + 1, 1, 1)


def _back(today: date, count: int, unit: str) -> date:
    match unit:
        case "d":
            return today - timedelta(days=count)
        case "w":
            return today - timedelta(weeks=count)
        case "m":
            return _months_later(today, -count)
        case "q":
            return _months_later(today, -3 * count)
        case _:
            return _months_later(today, -12 * count)


def _months_later(day: date, months: int) -> date:
    """Return the same day of another month, or that month's last: a month before 31 March is 28 or 29 February."""
    index = day.year * 12 + day.month - 1 + months
    first = date(index // 12, index % 12 + 1, 1)
    following = date((index + 1) // 12, (index + 1) % 12 + 1, 1)
    return min(first + timedelta(day.day - 1), following - timedelta(1))


def _interval(days: _Days, now: datetime) -> Interval:
    """Midnights in the zone of `now`: with a real zone, not a fixed offset, summer time is as it was on that day."""
    start, end = (datetime.combine(day, time(), tzinfo=now.tzinfo) for day in days)
    return Interval(start, end)
