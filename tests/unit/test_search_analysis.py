"""How text is folded: what people type without accents, strokes and ligatures finds what others wrote with them."""

from __future__ import annotations

import pytest

from archiver.search.analysis import MAX_TOKEN, tokens


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Één", "een"),
        ("Straße", "strasse"),
        ("Verträge", "vertrage"),
        ("Łódź", "lodz"),
        ("Søren", "soren"),
        ("Đorđe", "dorde"),
        ("œuvre", "oeuvre"),
        ("Ærø", "aero"),
        ("Þór", "thor"),
        ("Iğdır", "igdir"),
        ("\ufb01che", "fiche"),
        ("ﾃｽﾄ", "テスト"),
        ("soft\u00adware", "software"),
        ("Ελλάδα", "ελλαδα"),
    ],
)
def test_letters_are_compared_without_case_accents_and_strokes(written: str, typed: str) -> None:
    assert tokens(written) == tokens(typed)
    assert "".join(tokens(written)) == "".join(tokens(typed.upper()))


def test_letters_that_differ_by_more_than_an_accent_stay_apart() -> None:
    assert tokens("ä") != tokens("ae")
    assert tokens("か") != tokens("が")
    assert tokens("ο") != tokens("o")


def test_what_is_written_without_spaces_is_cut_into_its_signs() -> None:
    assert tokens("請求書 en 한국") == ["請", "求", "書", "en", "한", "국"]


def test_a_word_that_is_too_long_keeps_its_beginning() -> None:
    assert tokens("x" * (MAX_TOKEN + 9) + " y") == ["x" * MAX_TOKEN, "y"]
