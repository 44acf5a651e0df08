"""Dates as mail programs have written them."""

from __future__ import annotations

import pytest

from archiver.mail.dates import field_date, internal_date, received_date
from archiver.mail.defects import Defects
from archiver.mail.mbox import as_internal_date


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Tue, 03 Mar 2026 10:15:00 +0100", "2026-03-03T10:15:00+01:00"),
        ("3 Mar 2026 10:15 (comment) GMT", "2026-03-03T10:15:00+00:00"),
        ("Tue, 3 Mar 98 10:15:00 EST", "1998-03-03T10:15:00-05:00"),
        ("Tue, 3 Mar 26 10:15:00 -0000", "2026-03-03T10:15:00+00:00"),
        ("Tue, 03 Mar 2026 10:15:00", "2026-03-03T10:15:00+00:00"),
        ("Tue, 03 Mar 2026 10.15.00 +0100", "2026-03-03T10:15:00+01:00"),
        ("Tue Mar  3 10:15:00 2026", "2026-03-03T10:15:00+00:00"),
        ("Tue Mar  3 10:15:00 PST 2026", "2026-03-03T10:15:00-08:00"),
        ("Tue, 03 Mar 2026 10:15:00 GMT+02:00", "2026-03-03T10:15:00+02:00"),
        ("Tue, 03 Mar 2026 10:15:00 -600", "2026-03-03T10:15:00-06:00"),
        ("2026-03-03T10:15:00Z", "2026-03-03T10:15:00+00:00"),
        ("2026-03-03 10:15:00+02:00", "2026-03-03T10:15:00+02:00"),
        ("di, 3 mrt 2026 10:15:00 +0100", "2026-03-03T10:15:00+01:00"),
        ("mar., 3 mars 2026 10:15:00 +0100", "2026-03-03T10:15:00+01:00"),
        ("Di, 3 März 2026 10:15:00 +0100", "2026-03-03T10:15:00+01:00"),
        ("Tuesday, March 3, 2026 3:15 PM", "2026-03-03T15:15:00+00:00"),
    ],
)
def test_a_date_is_read_and_always_has_a_zone(written: str, expected: str) -> None:
    found = field_date(written)
    assert found is not None
    assert found.isoformat() == expected


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("soon", "date-syntax"),
        ("Tue, 32 Mar 2026 10:15:00 +0100", "date-syntax"),
        ("3 Mar 1902 10:15:00 +0000", "date-range"),
        ("3 Mar 9999 23:59:59 -2359", "date-range"),
    ],
)
def test_a_date_that_is_none_is_a_defect(written: str, code: str) -> None:
    defects = Defects()
    assert field_date(written, defects) is None
    assert [defect.code for defect in defects.found()] == [code]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("17-Jul-1996 02:44:25 -0700", "1996-07-17T02:44:25-07:00"),
        (" 7-Jul-1996 02:44:25 +0000", "1996-07-07T02:44:25+00:00"),
        ('"17-Jul-1996 02:44:25 -0700"', "1996-07-17T02:44:25-07:00"),
        ("17-Jul-1996 02:44:25", "1996-07-17T02:44:25+00:00"),
    ],
)
def test_internal_dates_are_read(written: str, expected: str) -> None:
    found = internal_date(written)
    assert found is not None
    assert found.isoformat() == expected
    assert internal_date(as_internal_date(found)) == found


@pytest.mark.parametrize(
    "written",
    [
        "00-Jan-0000 00:00:00 +0000",
        "",
        "17-Foo-1996 02:44:25 -0700",
        "17-Jul-1896 02:44:25 -0700",
        "17-Jul-1996 25:44:25 -0700",
        "17-Jul-1996 02:44:25 -9900",
    ],
)
def test_an_internal_date_that_is_none_is_none(written: str) -> None:
    assert internal_date(written) is None


def test_the_date_of_a_received_field_follows_its_last_semicolon() -> None:
    found = received_date("from a (b; c) by d; Tue, 03 Mar 2026 09:15:04 +0000")
    assert found is not None
    assert found.hour == 9
    assert received_date("from a by b") is None
