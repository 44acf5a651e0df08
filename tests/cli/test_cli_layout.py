"""Text fits the columns there are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from archiver.cli.layout import Span, cells, cut, pad, table, wrap, wrap_spans

PRINTABLE = st.text(st.sampled_from("ab é日本 -"), max_size=60)


@given(PRINTABLE, st.integers(2, 40))
def test_no_wrapped_line_is_wider_than_asked(text: str, width: int) -> None:
    assert all(cells(line.rstrip()) <= width for line in wrap(text, width))


@given(PRINTABLE, st.integers(2, 40))
def test_wrapping_loses_nothing_but_spaces(text: str, width: int) -> None:
    assert "".join("".join(wrap(text, width)).split()) == "".join(text.split())


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
