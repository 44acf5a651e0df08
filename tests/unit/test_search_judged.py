"""A few of the judged questions, asked of a real archive in every run: forms of words, parts of them, ranking.

All of them are asked by `make bench-relevance`; these are those that nothing but the named ability answers.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.judged.asking import Asked, Judge, exactly, figures, judged_set, taken_in
from tests.judged.questions import EXTRACT

BACKGROUND = 150


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    with taken_in(tmp_path_factory.mktemp("judged"), judged_set(EXTRACT, messages=BACKGROUND)) as opened:
        yield opened


def test_what_answers_a_question_of_the_desk_is_found_and_stands_first(judge: Judge) -> None:
    asked = judge.ask()
    assert len(asked) >= 14
    assert not [_told(each) for each in asked if each.recall(10) < 1 or each.reciprocal_rank < 1]


def test_without_forms_of_words_and_ranking_the_same_questions_are_missed(judge: Judge) -> None:
    assert figures(judge.ask(query=exactly)).recall < 0.6
    assert figures(judge.ask(sort="date")).reciprocal_rank < 0.9


def _told(asked: Asked) -> str:
    return f"{asked.question.query} ({asked.question.kind}): {asked.found[:5]} {asked.said}"
