"""Invitations (text/calendar, RFC 5545) as a few readable lines.

Knows summary, time, place, people and description of the first events. Deliberately computes nothing: times are given
as they are written, with their time zone's name.
"""

from __future__ import annotations

import re

MAX_EVENTS = 20
_FOLD = re.compile(r"\n[ \t]")
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(?:\d{2})?(Z)?)?")
_ESCAPE = re.compile(r"\\([\\;,nN])")
_ZONE = re.compile(r';TZID="?([^";:]{1,80})', re.IGNORECASE)
_NAME = re.compile(r';CN=(?:"([^"]{0,200})"|([^";:]{0,200}))', re.IGNORECASE)
_LABELS = {"SUMMARY": "Summary", "DTSTART": "Start", "DTEND": "End", "LOCATION": "Location", "ORGANIZER": "Organizer",
           "ATTENDEE": "Attendee", "DESCRIPTION": "Description", "STATUS": "Status"}  # fmt: skip
_COMPONENTS = frozenset("VEVENT VTODO VJOURNAL".split())  # noqa: SIM905 - a table


def calendar_text(text: str) -> str:
    """Return lines such as "Summary: …" for the events, to-dos and journals of a calendar; "" when there is none."""
    out: list[str] = []
    inside = ""
    events = attendees = 0
    for line in _FOLD.sub("", text).split("\n"):
        name, _, value = line.partition(":")
        key = name.split(";", 1)[0].upper()
        if key == "METHOD" and not inside:
            out.append(f"Method: {value.strip()}")
        elif key == "BEGIN":
            if value.strip().upper() in _COMPONENTS and not inside:
                inside = value.strip().upper()
                events += 1
                attendees = 0
                if events > MAX_EVENTS:
                    break
        elif key == "END" and value.strip().upper() == inside:
            inside = ""
        elif inside and key in _LABELS and value.strip():
            attendees += key == "ATTENDEE"
            if attendees <= 100:
                out.append(f"{_LABELS[key]}: {_value(key, name, value)}")
    return "\n".join(out) if events else ""


def _value(key: str, name: str, value: str) -> str:
    if key in {"DTSTART", "DTEND"}:
        when = _DATE.match(value.strip())
        zone = _ZONE.search(name)
        if when is not None:
            text = f"{when[1]}-{when[2]}-{when[3]}"
            if when[4]:
                text += f" {when[4]}:{when[5]}" + (" UTC" if when[6] else "")
            return text + (f" ({zone[1]})" if zone else "")
    if key in {"ORGANIZER", "ATTENDEE"}:
        # A quoted parameter may hold the ":" at which the line was divided.
        whole = f"{name}:{value}"
        person = _NAME.search(whole)
        common = (person[1] or person[2] or "") if person else ""
        address = whole.lower().rpartition("mailto:")[2].strip() if "mailto:" in whole.lower() else ""
        return f"{common} <{address}>" if common and address else common or address or value.strip()
    return _ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], value).strip()
