"""Dates, sizes, counts and people, as short words for people.

English throughout and the same in every locale, so that a transcript means the same to everybody. JSON has its own,
exact forms in `archiver.cli.shapes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from archiver.cli.escape import visible
from archiver.errors import UsageError
from archiver.model.address import EmailAddress
from archiver.model.catalogue import Summary
from archiver.model.message import Direction

if TYPE_CHECKING:
    from archiver.model.customer import CustomerRecord

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_ARROWS = {Direction.INCOMING: "←", Direction.OUTGOING: "→", Direction.INTERNAL: "↔", Direction.OTHER: "·"}
_PLAIN_ARROWS = {Direction.INCOMING: "<", Direction.OUTGOING: ">", Direction.INTERNAL: "=", Direction.OTHER: "-"}
ARROWS = "←→↔·…"
"""Characters that need more than ASCII; without them `arrow` has plain ones."""


def short_date(at: datetime, *, now: datetime, zone: tzinfo | None) -> str:
    """Return a date in at most 15 columns: today and yesterday by name, the year only when it is another."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    time = f"{local:%H:%M}"
    if local.date() == today.date():
        return f"today {time}"
    if local.date() == today.date() - timedelta(days=1):
        return f"yesterday {time}"
    day = f"{local.day} {_MONTHS[local.month - 1]}"
    return f"{day} {time}" if local.year == today.year else f"{day} {local.year}"


def long_date(at: datetime, *, zone: tzinfo | None) -> str:
    """Return a date with weekday, year, time and offset."""
    local = at.astimezone(zone)
    offset = f"{local:%z}"
    return f"{calendar_day(at, zone=zone)}, {local:%H:%M} ({offset[:3]}:{offset[3:5]})"


def calendar_day(at: datetime, *, zone: tzinfo | None) -> str:
    """Return the day alone, with weekday and year."""
    local = at.astimezone(zone)
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year}"


def day(at: datetime, *, now: datetime, zone: tzinfo | None) -> str:
    """Return a whole day, as the heading over what happened on it."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    near = {today: " (today)", today - timedelta(days=1): " (yesterday)"}
    return calendar_day(at, zone=zone) + near.get(local.date(), "")


def clock_time(at: datetime, *, zone: tzinfo | None) -> str:
    """Return hours and minutes, where the day is told already."""
    return f"{at.astimezone(zone):%H:%M}"


def age(passed: timedelta) -> str:
    """Return how long ago, in the one unit that people would say it in; nothing is older than it says."""
    minutes = max(0, int(passed.total_seconds() // 60))
    for length, name in ((1440, "day"), (60, "hour")):
        if minutes >= length:
            return count(minutes // length, name)
    return count(minutes, "minute")


def ago(at: datetime, *, now: datetime, zone: tzinfo | None) -> str:
    """Return how long ago a day was, as people say it: by days, then weeks, months and years."""
    days = (now.astimezone(zone).date() - at.astimezone(zone).date()).days
    if days < 0:
        return "in the future"
    if days < 2:
        return ("today", "yesterday")[days]
    for length, name, until in ((1, "day", 14), (7, "week", 61), (30.44, "month", 730), (365.25, "year", None)):
        if until is None or days < until:
            return f"{count(int(days / length), name)} ago"
    raise AssertionError  # pragma: no cover - years have no end


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 // 10 != 1 else "th"
    return f"{number:,}{ending}"


def size(octets: int) -> str:
    """Return a size in powers of 1000, as disks are sold."""
    if octets < 1000:
        return f"{octets} B"
    value, units = octets / 1000, ["kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        del units[0]
    return f"{value:.1f} {units[0]}" if value < 9.95 else f"{value:.0f} {units[0]}"


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun, thousands separated."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def span_of_time(seconds: float) -> str:
    """Return a duration, coarse."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def seconds_in(text: str) -> int:
    """Read a duration such as 30m, 8h, 1d or 1h30m; raises UsageError, also for nothing and for zero."""
    total, digits = 0, ""
    for character in text.strip().lower():
        if character.isascii() and character.isdigit():
            digits += character
        elif character in _UNITS and digits:
            total, digits = total + int(digits) * _UNITS[character], ""
        else:
            total = 0
            break
    if digits or not total or total > 366 * 86400:
        raise UsageError("not a duration that can be used", hint="write it as 30m, 8h or 1d (at most 366d)")
    return total


def person(address: EmailAddress) -> str:
    """Return name and address; a name that is itself an address is left out, so that it cannot pose as the sender."""
    name = address.name.strip()
    if not name or "@" in name:
        return address.addr_spec.strip() or name
    return f"{name} <{address.addr_spec.strip()}>"


def bare_person(address: EmailAddress) -> str:
    """Return the name alone, where a list would be buried under addresses; the address where it gives no name."""
    name = address.name.strip()
    return name if name and "@" not in name else address.addr_spec.strip()


def people(addresses: Sequence[EmailAddress]) -> str:
    """Return all of them, separated by commas."""
    return ", ".join(person(address) for address in addresses)


def correspondents(summary: Summary, *, bare: bool = False) -> str:
    """Return whom a message was with: the sender, or for outgoing mail those it went to; `bare` for names alone."""
    from_, to = summary.from_, summary.to or summary.cc
    if summary.direction is Direction.OUTGOING and to:
        return _first(to, bare=bare)
    if summary.direction is Direction.INTERNAL and to:
        return f"{_first(from_, bare=bare)} to {_first(to, bare=bare)}"
    return _first(from_, bare=bare)


def arrow(direction: Direction, *, plain: bool) -> str:
    """Return one column that shows which way a message went."""
    return (_PLAIN_ARROWS if plain else _ARROWS)[direction]


def subject_of(summary: Summary) -> str:
    """Return the subject, visible, or words where there is none."""
    return visible(summary.subject.strip()) or "(no subject)"


def customers_of(summary: Summary) -> str:
    """Return the references of a message's customers, and those it might belong to with a question mark; "" if none."""
    return "  ".join([*summary.customers, *(f"{reference}?" for reference in summary.candidates)])


def names_of(records: Iterable[CustomerRecord]) -> Mapping[str, str]:
    """Return the customers' names by reference, without case, former references included."""
    return {
        reference.casefold(): record.customer.name
        for record in records
        for reference in (*record.customer.former_references, record.customer.reference)
    }


def named(reference: str, names: Mapping[str, str]) -> str:
    """Return a customer as people know it: reference and name."""
    name = names.get(reference.casefold(), "")
    return f"{reference} {name}" if name else reference


def listed(words: Iterable[str], *, last: str = "and") -> str:
    """Return "a", "a and b", "a, b and c"."""
    every = list(words)
    return f" {last} ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every)


def _first(addresses: Sequence[EmailAddress], *, bare: bool) -> str:
    if not addresses:
        return "(nobody named)"
    more = f" +{len(addresses) - 1}" if len(addresses) > 1 else ""
    return (bare_person if bare else person)(addresses[0]) + more
