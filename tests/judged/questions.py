"""All questions of the judged set, and the few of them that every test run asks."""

from __future__ import annotations

from tests.judged import crowded, dutch, english, french, german

QUESTIONS = (*dutch.QUESTIONS, *french.QUESTIONS, *german.QUESTIONS, *english.QUESTIONS, *crowded.QUESTIONS)

_EVERY_RUN = {
    "factuur betwist",
    "congés reportés",
    "Urlaubstage verfallen",
    "refund duplicate payment",
    "sleutel dongle",
    "Erinnerung Zahlung",
    "licentie sleutel verlopen",
    "Ueberstunden auszahlen",
    "releve des presences",
    "calender~ feed broken",
    "sauvgarde corrompue",
    "garantie décennale",
    "ploegenstelsel weekendploeg",
    "brandoefening",
    "Dienstplan",
    "sociale verkiezingen",
    "grève transporteur",
    "the list of who is on leave for easter",
}

EXTRACT = tuple(question for question in QUESTIONS if question.query in _EVERY_RUN)
"""Questions of each ability, few enough for every test run."""
