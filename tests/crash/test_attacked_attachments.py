"""Files changed at random and files built to be a burden, through real workers with the bounds that users have.

`benchmarks/reliability.py` sends thousands; here are some of each.
"""

from __future__ import annotations

import os

import pytest

from tests.crash.attacking import Made, Outcome, attack, changed, judge, whole_files
from tests.crash.burdens import BURDENS

CHANGED = int(os.environ.get("ARCHIVER_ATTACHMENTS", "160"))
QUICK = (
    "docx: entities in UTF-16",
    "docx: parameter entities",
    "docx: entities in UTF-7",
    "zip: encrypted",
    "gzip: many members",
    "tar: a file of 8 GB that is not there",
    "pdf: an image of 60,000 by 60,000",
    "pdf: JBIG2 that is none",
    "pdf: fonts that descend from themselves",
    "pdf: scripts and launches",
    "doc: sectors that lead to themselves",
    "doc: tables of tables without end",
    "ods: repeated cells and rows",
    "odt: spaces without end",
    "two at once: a docx that is an image",
    "winmail.dat: a length of 2 GB",
    "nothing",
)
KINDS = {"attachment-damaged", "attachment-encrypted", "attachment-no-text", "attachment-unsupported"}


def test_whole_files_are_read_as_they_are() -> None:
    outcome = attack((name, (name, octets)) for name, octets in whole_files().items())
    assert outcome.bad == []
    assert outcome.files == len(whole_files())
    assert set(outcome.codes) == KINDS - {"attachment-damaged"} | {"tnef"}


@pytest.mark.timeout(120 + CHANGED)
def test_files_changed_at_random_cost_no_mail_its_words() -> None:
    outcome = attack(changed(CHANGED, CHANGED))
    assert outcome.bad == []
    assert outcome.files == CHANGED
    assert outcome.unharmed < CHANGED * 2 // 3, "most changes are seen to matter"
    assert outcome.codes.keys() >= {"attachment-damaged"}


@pytest.mark.timeout(1200)
def test_files_built_to_be_a_burden_end_within_their_bounds() -> None:
    labels = QUICK if CHANGED < 1000 else tuple(BURDENS)
    outcome = attack((label, BURDENS[label]()) for label in labels)
    assert outcome.bad == []
    assert outcome.files == len(labels)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"text": ""}, "own words are lost"),
        ({"subject": ""}, "own words are lost"),
        ({"attached": ()}, "the file behind it is lost"),
    ],
)
def test_what_is_lost_would_be_noticed(changes: dict[str, object], told: str) -> None:
    """The judge itself: without this, nothing bad would mean nothing."""
    from msgspec.structs import replace

    from archiver.mail.parse import parse
    from tests.crash.attacking import mail

    made: Made = ("a.csv", b"a;b")
    good, outcome = parse(mail(made)), Outcome()
    judge("x", good, outcome)
    assert outcome.bad == []
    judge("x", replace(good, **changes), outcome)
    assert told in outcome.bad[0]
