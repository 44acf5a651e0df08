"""Whatever mail holds, nothing of it steers a terminal or hides from a reader."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.cli.escape import _UNSAFE, _plain, visible, visible_lines

ANY_TEXT = st.text(st.characters(codec=None, categories=None))
# Drawn with ink although they are format characters: signs that span numbers or verses.
INKED_FORMATS = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2}


def test_every_control_format_and_surrogate_code_point_is_escaped() -> None:
    left = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        and code not in INKED_FORMATS
        and visible(f"a{chr(code)}b") == f"a{chr(code)}b"
    ]
    assert left == []


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("invoice\u202efdp.exe", "invoice\\u202efdp.exe"),
        ("pay\u200bpal", "pay\\u200bpal"),
        ("one\r\ntwo\ttab", "one\\x0d\\x0atwo\\x09tab"),
        ("\ud83d alone", "\\ud83d alone"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("\u3164filler", "\\u3164filler"),
        ("e" + "\u0301" * 7, "e" + "\u0301" * 5 + "\\u0301\\u0301"),
    ],
)
def test_hostile_text_becomes_visible(hostile: str, shown: str) -> None:
    assert visible(hostile) == shown


@pytest.mark.parametrize(
    "honest",
    [
        "Jos\u00e9 \u65e5\u672c \u03a9",
        "\U0001f469\u200d\U0001f4bb",
        "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u2764\ufe0f",
    ],
)
def test_honest_text_of_any_script_stays_as_it_is(honest: str) -> None:
    assert visible(honest) == honest


@given(ANY_TEXT)
def test_what_was_made_visible_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(ANY_TEXT)
def test_lines_hold_no_control_character_whatever_came(text: str) -> None:
    assert all(unicodedata.category(c) not in {"Cc", "Cs"} for line in visible_lines(text) for c in line)


def test_a_body_breaks_at_line_feeds_only_and_keeps_other_breaks_visible() -> None:
    assert visible_lines("a\r\nb\nc\x0bd\u2028e") == ["a", "b", "c\\x0bd\\u2028e"]


def test_a_newsletters_hidden_preview_is_counted_rather_than_spelt_out() -> None:
    assert visible_lines("Hello " + "\u200c\u00a0" * 40) == ["Hello [40 invisible characters]\u00a0"]


def test_what_is_taken_as_plain_at_a_glance_is_never_unsafe() -> None:
    unsafe = re.compile(_UNSAFE)
    assert [character for character in _plain() if unsafe.search(character * 7)] == []
    everyday = "Één offerte voor “Brüssel” – œuvre, 30 € · Ελλάς, Москва …"
    assert _plain().issuperset(everyday)
    assert visible(everyday) == everyday
