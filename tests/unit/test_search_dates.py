"""Dates and sizes as people write them in queries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.search.query.amounts import parse_size, parse_sizes
from archiver.search.query.dates import date_words, parse_date, parse_range

NOW = datetime(2025, 11, 22, 12, 0, tzinfo=UTC)  # a Saturday


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2025", "2025-01-01", "2026-01-01"),
        ("2025-12", "2025-12-01", "2026-01-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("31/12/2025", "2025-12-31", "2026-01-01"),
        ("today", "2025-11-22", "2025-11-23"),
        ("Gisteren", "2025-11-21", "2025-11-22"),
        ("3 days ago", "2025-11-19", "2025-11-20"),
        ("2w", "2025-11-08", "2025-11-09"),
        ("9 months ago", "2025-02-22", "2025-02-23"),
        ("1y", "2024-11-22", "2024-11-23"),
        ("31.12.25", "2025-12-31", "2026-01-01"),
        ("31/12/99", "1999-12-31", "2000-01-01"),
        ("3/4", "2025-04-03", "2025-04-04"),
        ("31/12", "2024-12-31", "2025-01-01"),
        ("29/2", "2024-02-29", "2024-03-01"),
        ("12/2024", "2024-12-01", "2025-01-01"),
        ("2025/3/1", "2025-03-01", "2025-03-02"),
        ("20250331", "2025-03-31", "2025-04-01"),
        ("hier", "2025-11-21", "2025-11-22"),
        ("gestern", "2025-11-21", "2025-11-22"),
        ("aujourd’hui", "2025-11-22", "2025-11-23"),
        ("eergisteren", "2025-11-20", "2025-11-21"),
        ("3 weken geleden", "2025-11-01", "2025-11-02"),
        ("drie weken geleden", "2025-11-01", "2025-11-02"),
        ("il y a 3 semaines", "2025-11-01", "2025-11-02"),
        ("il y a une semaine", "2025-11-15", "2025-11-16"),
        ("vor 3 Wochen", "2025-11-01", "2025-11-02"),
        ("vor einem Jahr", "2024-11-22", "2024-11-23"),
        ("a month ago", "2025-10-22", "2025-10-23"),
        ("maart 2024", "2024-03-01", "2024-04-01"),
        ("mars", "2025-03-01", "2025-04-01"),
        ("March 2024", "2024-03-01", "2024-04-01"),
        ("März", "2025-03-01", "2025-04-01"),
        ("Maerz 2024", "2024-03-01", "2024-04-01"),
        ("décembre", "2024-12-01", "2025-01-01"),
        ("août 2024", "2024-08-01", "2024-09-01"),
        ("november", "2025-11-01", "2025-12-01"),
        ("12 mei 2024", "2024-05-12", "2024-05-13"),
        ("1er juin", "2025-06-01", "2025-06-02"),
        ("le 1er juin 2024", "2024-06-01", "2024-06-02"),
        ("12. Mai 2024", "2024-05-12", "2024-05-13"),
        ("May 12, 2024", "2024-05-12", "2024-05-13"),
        ("12th of May 2024", "2024-05-12", "2024-05-13"),
        ("maandag 12 mei 2025", "2025-05-12", "2025-05-13"),
        ("24 december", "2024-12-24", "2024-12-25"),
        ("last month", "2025-10-01", "2025-11-01"),
        ("vorige maand", "2025-10-01", "2025-11-01"),
        ("le mois dernier", "2025-10-01", "2025-11-01"),
        ("letzten Monat", "2025-10-01", "2025-11-01"),
        ("last year", "2024-01-01", "2025-01-01"),
        ("l'année dernière", "2024-01-01", "2025-01-01"),
        ("l’an passé", "2024-01-01", "2025-01-01"),
        ("letztes Jahr", "2024-01-01", "2025-01-01"),
        ("this year", "2025-01-01", "2026-01-01"),
        ("ce mois-ci", "2025-11-01", "2025-12-01"),
        ("deze week", "2025-11-17", "2025-11-24"),
        ("diese Woche", "2025-11-17", "2025-11-24"),
        ("la semaine dernière", "2025-11-10", "2025-11-17"),
        ("vorig kwartaal", "2025-07-01", "2025-10-01"),
        ("last 30 days", "2025-10-23", "2025-11-23"),
        ("afgelopen 2 weken", "2025-11-08", "2025-11-23"),
        ("les 3 derniers mois", "2025-08-22", "2025-11-23"),
        ("monday", "2025-11-17", "2025-11-18"),
        ("saturday", "2025-11-22", "2025-11-23"),
        ("last saturday", "2025-11-15", "2025-11-16"),
        ("vorige maandag", "2025-11-17", "2025-11-18"),
        ("letzten Freitag", "2025-11-21", "2025-11-22"),
        ("deze zondag", "2025-11-23", "2025-11-24"),
        ("last march", "2025-03-01", "2025-04-01"),
        ("vorige november", "2024-11-01", "2024-12-01"),
        ("Q1 2025", "2025-01-01", "2025-04-01"),
        ("2025-Q4", "2025-10-01", "2026-01-01"),
        ("T2 2024", "2024-04-01", "2024-07-01"),
        ("Q4", "2025-10-01", "2026-01-01"),
        ("2024-W07", "2024-02-12", "2024-02-19"),
        ("week 7", "2025-02-10", "2025-02-17"),
        ("KW 50", "2024-12-09", "2024-12-16"),
        ("semaine 7 2024", "2024-02-12", "2024-02-19"),
    ],
)
def test_a_date_is_an_interval(text: str, start: str, end: str) -> None:
    interval = parse_date(text, NOW)
    assert interval is not None
    assert interval.start == datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert interval.end == datetime.fromisoformat(end).replace(tzinfo=UTC)


def test_a_month_before_the_31st_is_the_last_of_that_month() -> None:
    interval = parse_date("1 month ago", datetime(2025, 3, 31, tzinfo=UTC))
    assert interval is not None
    assert interval.start == datetime(2025, 2, 28, tzinfo=UTC)


def test_a_day_begins_at_midnight_where_the_user_is() -> None:
    interval = parse_date("2025-01-01", NOW.astimezone(timezone(timedelta(hours=2))))
    assert interval is not None
    assert interval.start == datetime(2024, 12, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        (">2025-03", "2025-04-01", None),
        (">=2025-03", "2025-03-01", None),
        ("<2025-03", None, "2025-03-01"),
        ("<= maart 2025", None, "2025-04-01"),
        ("12 mei 2024..14 mei 2024", "2024-05-12", "2024-05-15"),
        ("2024..", "2024-01-01", None),
    ],
)
def test_a_bound_includes_its_date_only_with_an_equals_sign(text: str, start: str | None, end: str | None) -> None:
    interval = parse_range(text, NOW)
    assert interval is not None
    for found, expected in ((interval.start, start), (interval.end, end)):
        assert found == (expected and datetime.fromisoformat(expected).replace(tzinfo=UTC))


@pytest.mark.parametrize("text", ["2025-03..2025-01", "x..2025", "2025..x", ">", "<=", ">x", "..", ""])
def test_what_is_no_range_is_none(text: str) -> None:
    assert parse_range(text, NOW) is None


def test_a_range_may_be_open_on_one_side_but_not_on_both() -> None:
    since, until = parse_range("2025-02..", NOW), parse_range("..2025-02", NOW)
    assert since is not None
    assert until is not None
    assert (since.start, since.end) == (datetime(2025, 2, 1, tzinfo=UTC), None)
    assert (until.start, until.end) == (None, datetime(2025, 3, 1, tzinfo=UTC))
    assert parse_range("..", NOW) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0000",
        "9999-99",
        "10000000 years ago",
        "99999y",
        "32",
        "2025-00",
        "9999",
        "30 februari",
        "32 mei",
        "2025-W60",
        "Q5 2025",
        "maart de",
        "the",
        "last",
        "last of",
        "il y a",
        "vor",
        "3",
        "week",
        "31/13",
        "x" * 101,
        "vorige vorige maand",
        "2025-03/01",
        "29 feb 2025",
        "month",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_date(text, NOW) is None


_TOKEN = st.sampled_from(
    (*date_words(), "3", "12", "2024", "last", "le", "il", "y", "a", "vor", "ago", "geleden", "ci", "-")
)


@given(st.lists(_TOKEN, max_size=6).map(" ".join), st.integers(0, 40_000))
def test_whatever_is_read_as_a_date_is_an_interval_forwards(text: str, days: int) -> None:
    interval = parse_date(text, datetime(1990, 1, 1, tzinfo=UTC) + timedelta(days))
    assert interval is None or (interval.start and interval.end and interval.start < interval.end)


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("0", 0),
        ("1234", 1234),
        ("2k", 2000),
        ("2 MB", 2_000_000),
        ("1,5MB", 1_500_000),
        ("1.25 m", 1_250_000),
        ("3G", 3_000_000_000),
        ("2KiB", 2048),
        ("1Mi", 1_048_576),
        ("500 bytes", 500),
        ("500 octets", 500),
        ("20 Mo", 20_000_000),
    ],
)
def test_a_size_is_a_number_of_octets(text: str, octets: int) -> None:
    assert parse_size(text) == octets


@pytest.mark.parametrize("text", ["", "k", "2T", "1.2.3M", "-2k", "2ib", "2 3k", "1e3"])
def test_what_is_no_size_is_none(text: str) -> None:
    assert parse_size(text) is None


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (">2M", 2_000_001, None),
        (">= 2M", 2_000_000, None),
        ("<2M", None, 1_999_999),
        ("<=2M", None, 2_000_000),
        ("100k..5M", 100_000, 5_000_000),
        ("100k..", 100_000, None),
        ("..5 MB", None, 5_000_000),
    ],
)
def test_sizes_have_bounds(text: str, least: int | None, most: int | None) -> None:
    assert parse_sizes(text) == (least, most)


@pytest.mark.parametrize("text", ["2M", "..", "<0", ">", "x..2M", "2M..x", "5M..2M", "", "=2M"])
def test_what_is_no_bound_is_none(text: str) -> None:
    assert parse_sizes(text) is None
