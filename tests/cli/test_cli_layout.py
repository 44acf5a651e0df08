"""Text fits the columns there are."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from archiver.cli.escape import visible
from archiver.cli.layout import Span, cells, cut, pad, table, wrap, wrap_spans
from tests.twins.awkward import awkward

PRINTABLE = st.text("ab é日本 -1#\u0301\ufe0f\u200d\u2764\U0001f469", max_size=60) | awkward(60).map(visible)
HEART = "\u2764\ufe0f"
"""Narrow without its variation selector, wide with it."""
CODER = "\U0001f469\u200d\U0001f4bb"
"""Two emoji joined to one."""


@example("1\ufe0f" * 9, 8)
@example("een\u200d twee", 8)
@example(" " * 20 + "een", 8)
@example("een twee   ", 8)
@given(PRINTABLE, st.integers(2, 40))
def test_no_wrapped_line_is_wider_than_asked(text: str, width: int) -> None:
    assert all(cells(line) <= width for line in wrap(text, width))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("een twee" + HEART, ["een", "twee" + HEART]),
        ("vier" + HEART * 3, ["vier" + HEART, HEART * 2]),
        ("een ver 1\ufe0f\u20e3 weg", ["een ver", "1\ufe0f\u20e3 weg"]),
        (CODER * 2 + "aa bb", [CODER * 2 + "aa", "bb"]),
        ("e\u0301e\u0301n twee", ["e\u0301e\u0301n", "twee"]),
        ("een  twee    ", ["een", "twee"]),
        ("een    ", ["een"]),
        ("          ", [""]),
    ],
)  # fmt: skip
def test_what_takes_its_columns_together_is_never_cut_apart_nor_too_wide(text: str, lines: list[str]) -> None:
    assert wrap(text, 6 + (" ver " in text)) == lines


def test_a_cluster_that_lies_in_two_spans_has_the_style_of_its_beginning() -> None:
    assert wrap_spans([Span("aaaa\u2764", "hit"), Span("\ufe0fb")], 6) == [[Span("aaaa" + HEART, "hit")], [Span("b")]]


@given(PRINTABLE, st.integers(2, 40))
def test_wrapping_loses_nothing_but_spaces(text: str, width: int) -> None:
    assert "".join("".join(wrap(text, width)).split()) == "".join(text.split())


@example("1\ufe0f" * 9, 8)
@given(PRINTABLE, st.integers(1, 40))
def test_cut_text_fits(text: str, width: int) -> None:
    assert cells(cut(text, width)) <= width


def test_words_are_broken_at_spaces_and_only_long_ones_inside() -> None:
    assert wrap("one two three", 8) == ["one two", "three"]
    assert wrap("abcdefghij", 4) == ["abcd", "efgh", "ij"]


def test_indentation_is_no_place_to_break() -> None:
    assert wrap("    indented words", 14) == ["    indented", "words"]


def test_wide_characters_take_two_columns() -> None:
    assert wrap("日本語", 4) == ["日本", "語"]
    assert pad("日本", 6) == "日本  "


def test_every_character_has_the_columns_that_rich_gives_it_in_the_middle_of_a_line() -> None:
    for character in map(chr, [*range(0xA0, 0x3100), *range(0x1F600, 0x1F650)]):
        assert cells(f"a{character}b") == cell_len(f"a{character}b"), hex(ord(character))


def test_styles_survive_wrapping() -> None:
    lines = wrap_spans([Span("find the "), Span("licence key", "hit"), Span(" here")], 12)
    assert lines == [[Span("find the")], [Span("licence key", "hit")], [Span("here")]]


def test_a_table_too_wide_gives_up_its_widest_text_first() -> None:
    lines = table(("", "n"), [[Span("a very long name of a mailbox"), Span("12")]], width=20, numbers=(1,))
    assert ["".join(span.text for span in line) for line in lines] == ["                   n", "a very long nam…  12"]


def test_numbers_stand_right() -> None:
    lines = table(("", "n"), [[Span("a"), Span("1")], [Span("b"), Span("100")]], width=80, numbers=(1,))
    assert ["".join(span.text for span in line) for line in lines] == ["     n", "a    1", "b  100"]
