"""Snippets show the passage that was found, and mark the words as the message wrote them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.search.analysis import tokens
from archiver.search.hits import snippet as snippets
from archiver.search.hits.snippet import snippet


def _marked(text: str, terms: list[str], width: int = 160) -> list[str]:
    result = snippet(text, terms, width=width)
    return [result.text[start:end] for start, end in result.marks]


def test_words_are_marked_as_written_however_they_were_folded() -> None:
    assert _marked("Één STRASSE, Straße en cafe\u0301.", ["een", "strasse", "cafe"]) == [
        "Één",
        "STRASSE",
        "Straße",
        "cafe\u0301",
    ]


def test_a_star_marks_every_word_that_begins_so() -> None:
    assert _marked("contract, Contracten, subcontract", ["contr*"]) == ["contract", "Contracten"]
    assert _marked("Contrácten, subcontráct", ["contr*"]) == ["Contrácten"]


def test_single_characters_of_chinese_are_marked() -> None:
    assert _marked("我们在東京见面", ["東", "京"]) == ["東", "京"]


def test_the_window_holds_the_most_different_words() -> None:
    text = "alfa " + "x " * 300 + "alfa bravo charlie " + "y " * 300 + "bravo"
    result = snippet(text, ["alfa", "bravo", "charlie"])
    assert "alfa bravo charlie" in result.text
    assert result.text.startswith("…")
    assert result.text.endswith("…")


def test_a_window_with_the_word_as_typed_is_better_than_one_with_its_form() -> None:
    text = "de licenties " + "x " * 200 + "de licentie " + "y " * 200
    assert "de licentie y" in snippet(text, ["licentie", "licenties", "licentiesleutel"]).text


def test_forms_of_one_word_are_not_several_words() -> None:
    text = "licenties licentiesleutel licentie " + "x " * 200 + "betaling licenties " + "y " * 200
    assert "betaling licenties" in snippet(text, ["licentie", "betaling", "licenties", "licentiesleutel"]).text


def test_words_next_to_each_other_are_better_than_words_apart() -> None:
    text = "alfa en dan pas na een poos bravo " + "x " * 200 + "alfa bravo " + "y " * 200
    assert "alfa bravo" in snippet(text, ["alfa", "bravo"]).text


def test_a_form_is_marked_as_a_whole_word() -> None:
    assert _marked("Onze Licentiesleutels komen", ["licentie", "licentiesleutels"]) == ["Licentiesleutels"]


def test_the_window_of_a_beginning_of_a_word_is_found_in_a_long_text() -> None:
    result = snippet("z " * 200 + "de contracten liggen klaar " + "z " * 200, ["contr*"])
    assert [result.text[start:end] for start, end in result.marks] == ["contracten"]


def test_without_a_hit_it_is_the_beginning() -> None:
    result = snippet("Dear all,\n\n  hello " + "z " * 200, ["absent"])
    assert result.text.startswith("Dear all, hello z")
    assert result.marks == ()


@given(
    st.text(alphabet="abé ßﬁ東\u0301 \n-@…K", max_size=400),
    st.lists(st.text(alphabet="abe", min_size=1, max_size=3), max_size=4),
    st.integers(10, 80),
)
def test_marks_lie_within_the_snippet_and_never_overlap(text: str, terms: list[str], width: int) -> None:
    result = snippet(text, terms, width=width)
    assert len(result.text) <= width + 2
    end = 0
    for start, stop in result.marks:
        assert end <= start < stop <= len(result.text)
        end = stop
        assert any(token in terms for token in tokens(result.text[start:stop]))


_WORDS = r"[^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*"


@given(
    st.text(alphabet="aab1 é_.İKﬁ東京ᎠΣ\u0301\u00ad", max_size=50),
    st.lists(st.text(alphabet="ab1e東京iᎠσ", min_size=1, max_size=3), min_size=1, max_size=4, unique=True),
    st.booleans(),
)
def test_the_words_marked_are_those_whose_tokens_are_asked_for(text: str, terms: list[str], begin: bool) -> None:
    """However few accents a text has, and so whichever way it is looked at."""
    flat = " ".join(text.split())
    expected = []
    for match in re.finditer(_WORDS, flat):
        cut = tokens(match.group())
        meant = [at for at, token in enumerate(cut) if any(token.startswith(t) if begin else token == t for t in terms)]
        if meant and len(cut) == len(match.group()):
            expected += [(match.start() + at, match.start() + at + 1) for at in meant]
        elif meant:
            expected.append(match.span())
    assert list(snippet(text, [term + "*" * begin for term in terms], width=200).marks) == expected


@given(st.text(alphabet="ab é\u0301 ", max_size=60))
def test_every_word_asked_for_is_marked_in_a_short_text(text: str) -> None:
    for word in set(tokens(text)):
        assert snippet(text, [word]).marks


@given(
    st.lists(
        st.tuples(
            st.sampled_from((0, 5, 100, 400, 560, 590, 600, 650, 680, 690, 700, 720, 735, 741, 748)),
            st.sampled_from(("factuur", "facturen", "Factuur", "fáctuur", "factuurtjes")),
        ),
        max_size=5,
    ),
    st.sampled_from((" ", "\n ", " é ")),
)
def test_of_one_word_the_first_page_of_a_text_gives_what_the_whole_text_does(
    words: list[tuple[int, str]], gap: str
) -> None:
    text = "".join(f"{'abc' + gap}" * apart + word + gap for apart, word in words) + "slot " * 600
    terms = ["factuur", "facturen"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snippets, "_FIRST", len(text))
        whole = snippet(text, terms)
    assert snippet(text, terms) == whole
