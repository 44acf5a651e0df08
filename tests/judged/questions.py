"""All questions of the judged set, and the few of them that every test run asks."""

from __future__ import annotations

from tests.judged import crowded, dutch, english, french, german

QUESTIONS = (*dutch.QUESTIONS, *french.QUESTIONS, *german.QUESTIONS, *english.QUESTIONS, *crowded.QUESTIONS)
