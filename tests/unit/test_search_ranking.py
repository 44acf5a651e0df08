"""Best first: words as typed before their forms, own text before quoted, words near each other, boosts, ties."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.search.hits import ranking
from tests.twins.whoosh_oracle import Mail, world

MARCH = 1_740_787_200  # 2025-03-01
DAY = 86_400
OTHERS = tuple(Mail(at=MARCH - DAY * n, body=f"heel iets anders nummer {n} sleutel") for n in range(1, 40))


def ranked(mails: list[Mail], text: str, **options: object) -> list[int]:
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), [*mails, *OTHERS]) as w:
        return w.found(text, sort="relevance", **options)


@given(
    rare=st.integers(0, 3),
    common=st.integers(0, 12),
    form=st.sampled_from(["licenties", "licentiesleutel"]),
    field=st.sampled_from(["subject", "body", "quoted", "attachments"]),
    older=st.integers(0, 4_000),
)
def test_of_two_alike_the_one_with_the_word_as_typed_is_first(
    rare: int, common: int, form: str, field: str, older: int
) -> None:
    """However rare the other form is, and however much older the message."""
    more = [Mail(at=MARCH - n, body=f"een {form} en nog wat") for n in range(rare)]
    more += [Mail(at=MARCH - 100 - n, body="een licentie en nog wat") for n in range(common)]
    alike = [
        Mail(at=MARCH - older * DAY, **{field: "over een licentie gesproken"}),  # type: ignore[arg-type]
        Mail(at=MARCH, **{field: f"over een {form} gesproken"}),  # type: ignore[arg-type]
    ]
    order = ranked([*alike, *more], "licentie")
    assert order.index(0) < order.index(1)


def test_a_form_of_the_word_comes_before_a_compound_of_it() -> None:
    mails = [Mail(at=MARCH + n, body=f"over de {word}") for n, word in enumerate(("licenties", "licentiesleutel"))]
    assert ranked(mails, "licentie") == [0, 1]


def test_of_two_words_the_message_with_one_as_typed_is_before_that_with_none() -> None:
    mails = [
        Mail(at=MARCH, body="de licentie en de sleutels"),
        Mail(at=MARCH + 1, body="de licenties en de sleutels"),
        Mail(at=MARCH - DAY, body="de licentie en de sleutel"),
    ]
    assert ranked(mails, "licentie sleutel") == [2, 0, 1]


def test_own_words_are_before_quoted_ones_and_subjects_before_both() -> None:
    mails = [
        Mail(at=MARCH + 2, quoted="over licenties", body="goed"),
        Mail(at=MARCH + 1, body="over licenties goed"),
        Mail(at=MARCH, subject="over licenties", body="goed"),
    ]
    assert ranked(mails, "licentie") == ranked(mails, '"licenties"') == [2, 1, 0]


def test_a_form_in_the_subject_is_before_the_word_as_typed_in_quoted_text() -> None:
    mails = [Mail(at=MARCH, quoted="de licentie", body="goed"), Mail(at=MARCH, subject="de licenties", body="goed")]
    assert ranked(mails, "licentie") == [1, 0]


def test_words_next_to_each_other_are_before_words_apart_but_not_when_they_are_quoted() -> None:
    apart = "alfa " + "en zo verder " * 5 + "bravo"
    together = "alfa bravo " + "en zo verder " * 5
    assert ranked([Mail(at=MARCH, body=together), Mail(at=MARCH, body=apart)], "alfa bravo") == [0, 1]
    assert ranked([Mail(at=MARCH, body=apart), Mail(at=MARCH, body=together)], "alfa bravo") == [1, 0]
    assert ranked([Mail(at=MARCH, quoted=together), Mail(at=MARCH, quoted=apart)], "alfa bravo") == [1, 0]


def test_a_boost_moves_what_it_is_on() -> None:
    mails = [Mail(at=MARCH, body="alfa anders"), Mail(at=MARCH, body="bravo anders")]
    for text, order in {"alfa^3 OR bravo": [0, 1], "alfa OR bravo^3": [1, 0], "(bravo)^4 OR alfa": [1, 0]}.items():
        assert ranked(mails, text) == order, text
    assert ranked(mails[::-1], "alfa^3 OR bravo") == [1, 0]


def test_what_is_recent_is_ahead_of_its_like_and_of_equals_the_newer() -> None:
    mails = [Mail(at=MARCH - n * 300 * DAY, body="over de licentie") for n in range(4)]
    assert ranked(mails, "licentie") == [0, 1, 2, 3]
    same = [Mail(at=0, body="over de licentie"), Mail(at=0, body="over de licentie")]
    assert ranked(same, "licentie") == [1, 0]


def test_what_is_recent_is_ahead_of_what_is_a_little_better_but_not_of_what_is_much_better() -> None:
    old, new = "over de licentie", "over de licentie gesproken"
    long_ago = MARCH - 3_000 * DAY
    assert ranked([Mail(at=long_ago, body=old), Mail(at=long_ago + DAY, body=new)], "licentie") == [0, 1]
    assert ranked([Mail(at=long_ago, body=old), Mail(at=MARCH, body=new)], "licentie") == [1, 0]
    best = Mail(at=long_ago, subject="licentie", body=old)
    assert ranked([best, Mail(at=MARCH, body=new)], "licentie") == [0, 1]


def test_what_is_recent_is_among_those_that_are_ranked_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "KEPT", 1)
    mails = [
        Mail(at=MARCH - 3_000 * DAY, body="over de licentie"),
        Mail(at=MARCH, body="over de licentie gesproken"),
    ]
    assert ranked(mails, "licentie", limit=1) == [1]


def test_own_words_are_before_those_of_an_attachment() -> None:
    mails = [
        Mail(at=MARCH + 2, attachments="over de licentie", body="goed", types=("pdf",)),
        Mail(at=MARCH + 1, attachments="goed", body="over de licentie", types=("pdf",)),
        Mail(at=MARCH, filenames="licentie", attachments="over", body="de goed", types=("pdf",)),
    ]
    assert ranked(mails, "licentie") == ranked(mails, '"licentie"') == [2, 1, 0]


def test_words_near_each_other_are_before_words_further_apart() -> None:
    filler = "en zo verder maar weer "
    near = f"alfa en toen nog bravo {filler * 5}"
    apart = f"alfa {filler * 5} en toen nog bravo"
    assert ranked([Mail(at=MARCH, body=near), Mail(at=MARCH, body=apart)], "alfa bravo") == [0, 1]
    assert ranked([Mail(at=MARCH, body=apart), Mail(at=MARCH, body=near)], "alfa bravo") == [1, 0]


def test_a_word_of_a_mail_with_a_long_attachment_is_not_lost_behind_quoted_ones() -> None:
    long = " ".join(f"bladzijde{n}" for n in range(3_000))
    mails = [
        Mail(at=MARCH, subject="het contract", body="in de bijlage", attachments=long, types=("pdf",)),
        Mail(at=MARCH, quoted="ooit een contract", body="ja"),
        Mail(at=MARCH, body="dit", attachments=f"een contract {long}", types=("pdf",)),
    ]
    assert ranked(mails, "contract") == [0, 1, 2]


def test_scores_fall_and_are_the_same_on_every_page(tmp_path: Path) -> None:
    mails = [Mail(at=MARCH - n * DAY, body="licentie " * (n % 5 + 1) + "licenties " * (n % 3)) for n in range(30)]
    with world(tmp_path, [*mails, *OTHERS]) as w:
        hits = w.searcher.search("licentie", limit=99, sort="relevance").hits
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        assert all(hit.score > 0 for hit in hits)
        for at in range(0, 30, 7):
            assert w.searcher.search("licentie", limit=7, offset=at, sort="relevance").hits == hits[at : at + 7]


def test_mail_of_a_customer_is_ranked_like_all_mail() -> None:
    mails = [
        Mail(at=MARCH + n, body="licentie " * n + "en meer", links=((1, 0),) if n % 2 else ()) for n in range(1, 8)
    ]
    order = ranked(mails, "licentie")
    assert ranked(mails, "licentie customer:k1") == [n for n in order if n % 2 == 0]


def test_words_are_neighbours_across_a_word_that_was_left_out(tmp_path: Path) -> None:
    together = Mail(at=MARCH, body="ons mot de passe is weg vandaag")
    apart = Mail(at=MARCH, body="ons passe is weg de mot vandaag")
    with world(tmp_path, [together, apart]) as w:
        assert w.found("mot de passe", sort="relevance") == [0, 1]
        best, other = w.searcher.search("mot de passe", limit=2, sort="relevance").hits
        assert best.score > 1.1 * other.score


def test_a_word_that_nearly_every_message_has_still_ranks() -> None:
    mails = [Mail(at=MARCH - n, body="beste licentie groeten") for n in range(60)]
    order = ranked([*mails, Mail(at=MARCH - 99, subject="licentie", body="licentie licentie")], "licentie")
    assert order[0] == 60


def test_when_many_have_the_word_as_typed_those_with_other_forms_follow_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "KEPT", 7)
    mails = [Mail(at=MARCH - n, body="licentie") for n in range(7)]
    with world(tmp_path, [*mails, Mail(at=MARCH + 1, subject="licenties")]) as w:
        assert w.found("licentie", sort="relevance", limit=9) == [0, 1, 2, 3, 4, 5, 6, 7]
        last = w.searcher.search("licentie", sort="relevance", limit=9, offset=6)
        assert [(w.rows.index(hit.row), hit.score > 0) for hit in last.hits] == [(6, True), (7, False)]
        assert not last.more
