"""When a server may be asked again, and what is remembered of a login."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.core.footing import (
    BUSY_FROM,
    BUSY_TO,
    LONGEST,
    UNREACHABLE_FROM,
    UNREACHABLE_TO,
    Footing,
    Setback,
    after_refusal,
    after_setback,
    rests_until,
)

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def most() -> float:
    return 1.0


def rests(setbacks: list[Setback], random: float = 1.0) -> list[timedelta]:
    """Return the rest after each of some runs."""
    footing, found = Footing(), []
    for setback in setbacks:
        footing = after_setback(footing, setback, NOW, lambda: random)
        found.append((rests_until(footing, NOW) or NOW) - NOW)
    return found


def test_one_run_that_reaches_nothing_is_no_reason_to_wait_and_later_ones_double_the_rest_to_a_bound() -> None:
    found = rests([Setback("gone")] * 9)
    minutes = [rest / timedelta(minutes=1) for rest in found]
    assert minutes == [0, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (timedelta(minutes=2), timedelta(hours=1)) == (UNREACHABLE_FROM, UNREACHABLE_TO)


def test_a_server_that_limits_the_account_rests_from_the_first_time_and_longer() -> None:
    found = rests([Setback("limited", busy=True)] * 7)
    assert [rest / BUSY_FROM for rest in found] == [1, 2, 4, 8, 16, 24, 24]
    assert timedelta(hours=6) == BUSY_TO


def test_the_time_that_a_server_names_is_kept_to_within_a_day() -> None:
    assert rests([Setback("limited", busy=True, wait=7200.0)]) == [timedelta(hours=2)]
    assert rests([Setback("limited", busy=True, wait=10.0)]) == [BUSY_FROM]
    assert rests([Setback("limited", busy=True, wait=1e12)]) == [LONGEST]


def test_mail_that_came_in_before_the_end_makes_it_a_first_setback() -> None:
    assert rests([Setback("gone")] * 5 + [Setback("gone", progressed=True)])[-1] == timedelta()


@given(st.floats(0, 1, exclude_max=True), st.booleans(), st.integers(2, 40))
def test_jitter_shortens_a_rest_by_a_quarter_at_most_and_lengthens_none(random: float, busy: bool, runs: int) -> None:
    longest = rests([Setback("no", busy=busy)] * runs)[-1]
    found = rests([Setback("no", busy=busy)] * runs, random)[-1]
    assert longest * 0.74 <= found <= longest


def test_a_time_beyond_a_day_comes_from_a_clock_that_was_wrong_and_is_not_waited_for() -> None:
    footing = after_setback(Footing(), Setback("limited", busy=True), NOW, most)
    assert rests_until(footing, NOW) is not None
    assert rests_until(footing, NOW - timedelta(days=3)) is None
    assert rests_until(footing, NOW + BUSY_FROM) is None


def test_a_refused_login_is_remembered_with_its_place_and_a_setback_means_that_it_was_not_refused() -> None:
    refused = after_refusal(Footing(place=b"p", failures=3), b"login", "the server refused the login")
    assert refused == Footing(place=b"p", reason="the server refused the login", refused=b"login")
    assert after_setback(refused, Setback("gone"), NOW, most).refused is None


@pytest.mark.parametrize(
    ("footing", "good"),
    [(Footing(), True), (Footing(place=b"p"), True), (Footing(failures=1), False), (Footing(refused=b"x"), False)],
)
def test_a_good_footing_has_nothing_to_remember(footing: Footing, good: bool) -> None:
    assert footing.good is good
