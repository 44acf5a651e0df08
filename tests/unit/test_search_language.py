"""What a query means, and where a mistake in one is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import QueryError
from archiver.model.fields import QUERY_FIELDS, FieldKind, describe_fields, field_named, field_names
from archiver.search.dates import parse_date, parse_range
from archiver.search.language import MAX_CHARACTERS, MAX_DEPTH, MAX_WORDS, parse

NOW = datetime(2025, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a b", "(anywhere:a AND anywhere:b)"),
        ("a b OR c", "(anywhere:a AND (anywhere:b OR anywhere:c))"),
        ("a AND b OR c", "(((anywhere:a AND anywhere:b) OR anywhere:c))"),
        ("a -b", "(anywhere:a AND NOT anywhere:b)"),
        ("a NOT (b c)", "(anywhere:a AND NOT (anywhere:b AND anywhere:c))"),
        ("a-b", '(anywhere:"a b")'),
        ("and or not", "(anywhere:and AND anywhere:or AND anywhere:not)"),
        ('-from:"Jan Peeters"', '(NOT from:"jan peeters")'),
        ("subject:(a OR body:b)", "(((subject:a OR body:b)))"),
        ("SUBJ:Één", "(subject:een)"),
        ("„een twee“ «drie vier»", '(anywhere:"een twee" AND anywhere:"drie vier")'),
        ("contr*", "(anywhere:contr*)"),
        ("a & b – c", "(anywhere:a AND anywhere:b AND anywhere:c)"),
        ("direction:out has:attachments", "(direction:outgoing AND has:attachment)"),
        ("message-id:<A.b@c.example>", "(message-id:A.b@c.example)"),
    ],
)
def test_a_query_means(text: str, meaning: str) -> None:
    assert str(parse(text, NOW)) == meaning


@pytest.mark.parametrize(
    "text",
    [
        "http://example.be/a?b=c",
        "10:30",
        "Re: offerte",
        "C:\\temp",
        "jan@example.be",
        "mailto:jan@example.be",
        "std::map",
    ],
)
def test_a_colon_within_a_word_makes_no_field(text: str) -> None:
    assert "anywhere:" in str(parse(text, NOW))


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ('a "b', 2, 'a closing "'),
        ("a (b", 2, "a closing )"),
        ("a) b", 1, "an opening ("),
        ("a ()", 3, "a word"),
        ("a AND", 5, "a word"),
        ("OR a", 0, "a word"),
        ("a OR OR b", 4, "a word"),
        ("a NOT NOT b", 5, "a word"),
        ("(a OR) b", 5, "a word"),
        ("a from: jan", 7, "a value right after the colon"),
        ("from:", 5, "a value right after the colon"),
        ("a since:32", 8, "a date"),
        ("date:2025-03..2025-01", 5, "a range"),
        ("date:2025-02-30", 5, "a date"),
        ("has:wings", 4, "attachment"),
        ("direction:up", 10, "incoming or outgoing"),
        ("id:xyz", 3, "digits"),
        ('""', 0, "letters or digits"),
        ("subject:!!", 8, "letters or digits"),
        ("?", 0, "a word"),
        ("licence w*rd", 8, "the beginning of a word"),
        ("from:*jan", 5, "the beginning of a word"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_fits_there(text: str, position: int, expected: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, NOW)
    assert caught.value.position == position
    assert expected in (caught.value.expected or "")


def test_octets_that_are_no_text_are_separators() -> None:
    assert str(parse("a\udcffb message-id:x\udcff", NOW)) == '(anywhere:"a b" AND message-id:x?)'


def test_an_unknown_field_is_told_with_the_nearest_one() -> None:
    with pytest.raises(QueryError) as caught:
        parse("licence form:jan", NOW)
    assert caught.value.position == 8
    assert "from:" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "text",
    ["x" * (MAX_CHARACTERS + 1), "(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1), "a " * (MAX_WORDS + 1)],
)
def test_a_query_beyond_the_bounds_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text, NOW)


@given(st.text(alphabet="ab -()\":*@.éANDORT'„“\\&?\n", max_size=40))
def test_any_text_is_a_query_or_a_mistake_with_a_place_in_it(text: str) -> None:
    position = 0
    try:
        parse(text, NOW)
    except QueryError as error:
        position = error.position
    assert 0 <= position <= len(text)


@given(
    st.text(alphabet="secretword", min_size=8, max_size=12),
    st.sampled_from(['"{}', "({}", "{}x:{}", "since:{}", "id:{}"]),
)
def test_a_message_never_repeats_the_query(word: str, shape: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(shape.replace("{}", word), NOW)
    said = f"{caught.value.message} {caught.value.expected} {caught.value.hint}"
    assert word not in said


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


def test_a_range_may_be_open_on_one_side_but_not_on_both() -> None:
    since, until = parse_range("2025-02..", NOW), parse_range("..2025-02", NOW)
    assert since is not None
    assert until is not None
    assert (since.start, since.end) == (datetime(2025, 2, 1, tzinfo=UTC), None)
    assert (until.start, until.end) == (None, datetime(2025, 3, 1, tzinfo=UTC))
    assert parse_range("..", NOW) is None


@pytest.mark.parametrize("text", ["", "0000", "9999-99", "10000000 years ago", "99999y", "32", "2025-00", "9999"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_date(text, NOW) is None


def test_every_field_has_an_example_that_parses_and_no_name_twice() -> None:
    assert len(set(field_names())) == len(field_names())
    for field in QUERY_FIELDS:
        parse(field.example, NOW)
        assert field.example in describe_fields()
        assert field_named(field.name.upper()) is field
        assert bool(field.columns) == (field.kind in {FieldKind.TEXT, FieldKind.DOMAIN})
