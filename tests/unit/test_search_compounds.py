from __future__ import annotations

import pytest

from archiver.search.words.compounds import is_compound

KNOWN = {"onderhoud", "licentie", "sleutel", "nummer", "contract", "news", "over", "prikklok", "lezer"}


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("onderhoud", "onderhoudscontract"),
        ("contract", "onderhoudscontract"),
        ("contract", "onderhoudscontracten"),
        ("sleutel", "licentiesleutels"),
        ("lezer", "prikkloklezers"),
        ("vertrag", "wartungsvertrag"),  # nothing is known of Wartung
        ("vertrag", "wartungsvertrage"),
        ("planning", "weekendplanning"),
    ],
)
def test_a_word_is_part_of_a_compound(part: str, whole: str) -> None:
    assert is_compound(part, whole, KNOWN.__contains__)


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("table", "acceptable"),  # five letters tell nothing of a rest that is no word
        ("station", "infestation"),
        ("action", "satisfaction"),
        ("porter", "supporter"),
        ("lezer", "voorlezers"),  # nothing is known of a rest before a short part, with an ending either
        ("letter", "booklet"),
        ("sleutel", "sleutelen"),
        ("contract", "xzqwrcontract"),
        ("contract", "demicontract"),
    ],
)
def test_what_merely_ends_like_a_word_is_none(part: str, whole: str) -> None:
    assert not is_compound(part, whole, KNOWN.__contains__)


@pytest.mark.parametrize(
    ("part", "whole", "is_one"),
    [
        ("code", "licentiecode", True),
        ("code", "licentiecodes", False),  # a last part of four letters has no ending
        ("lezer", "licentielezers", True),  # one of five has
        ("server", "klantserver", True),  # before six letters the rest may be unknown
        ("klant", "serverklant", False),  # before five it may not
        ("server", "mailserver", False),  # nor when it has four letters only: `mail` would have to be known
        ("sleutel", "a" + "b" * 23 + "sleutel", True),
        ("sleutel", "a" + "b" * 24 + "sleutel", True),
        ("sleutel", "a" + "b" * 25 + "sleutel", False),  # 33 letters
    ],
)
def test_how_many_letters_make_a_compound(part: str, whole: str, is_one: bool) -> None:
    assert is_compound(part, whole, KNOWN.__contains__) is is_one
