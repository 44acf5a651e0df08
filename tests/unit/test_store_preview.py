"""The beginning of a text, as listings show it."""

from __future__ import annotations

import pytest

from archiver.model.message import Message
from archiver.store.reading import PREVIEW_LENGTH, preview


def test_a_short_text_is_shown_whole_with_its_white_space_collapsed() -> None:
    assert preview(Message(text="Dag  Bert,\n\n ja.")) == "Dag Bert, ja."


@pytest.mark.parametrize("length", [PREVIEW_LENGTH + 1, PREVIEW_LENGTH + 7, 5 * PREVIEW_LENGTH])
def test_a_long_text_ends_between_words_with_an_ellipsis(length: int) -> None:
    text = ("twaalf woorden " * length)[:length].strip()
    short = preview(Message(text=text + " einde"))
    assert len(short) <= PREVIEW_LENGTH
    assert short.endswith("…")
    assert set(short[:-1].split()) <= {"twaalf", "woorden"}


def test_a_text_without_a_space_is_cut_all_the_same() -> None:
    assert preview(Message(text="x" * 500)) == "x" * (PREVIEW_LENGTH - 1) + "…"


def test_a_text_of_exactly_the_length_is_not_cut() -> None:
    assert preview(Message(text="y" * PREVIEW_LENGTH)) == "y" * PREVIEW_LENGTH


def test_quoted_text_stands_in_where_the_sender_wrote_nothing() -> None:
    assert preview(Message(text=" \n", quoted="> zie hieronder")) == "> zie hieronder"
