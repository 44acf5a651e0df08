"""What was meant by a query with mistakes, by the words of the archive."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.search.correction import corrected
from archiver.search.query.language import parse
from archiver.search.words.spelling import slips, sound
from archiver.search.words.vocabulary import Vocabulary
from tests.twins.whoosh_oracle import Mail, world
from tests.unit.test_search_vocabulary import ALL, indexed

NOW = datetime(2025, 11, 22, tzinfo=UTC)
MARCH = 1_740_787_200  # 2025-03-01
OFTEN = "licentie licentiesleutel abonnement factuur verlenging kundigung resiliation invoice contract meeting betaald"
TEXTS = (*[OFTEN] * 12, "contarct zomaar", *["sleutel rekening nummer"] * 5)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("abonnemant", "abonnement"),
        ("contarct", "contract"),  # occurs, but in one message only
        ("factur", None),  # a form of what is there
        ("factuur", None),
        ("verlanging", "verlenging"),
        ("Kündigugn", "kundigung"),
        ("subject:abonnemant^3 -contarct", "subject:abonnement^3 -contarct"),
        ("(abonnemant OR invioce) factuur", "(abonnement OR invoice) factuur"),
        ("l'abonnemant", "l'abonnement"),
        ('"abonnemant"', None),
        ("abonnemant*", None),
        ("from:abonnemant@example.be", None),
        ("licentie sleutel", "licentiesleutel"),
        ("licentie subject:sleutel", None),
        ("licentie OR sleutel", None),
        ("rekeningnummer", "rekening nummer"),
        ("rekeningsnummer", "rekening nummer"),
        ("subject:rekeningnummer", None),
        ("zzzzzz", None),
        ("abonnemant zzzzzz", "abonnement"),  # with it nothing would be found
        ("zzzzzz abonnemant factuur", "abonnement factuur"),
        ("(zzzzzz OR abonnemant) qqqqqq factuur", "(zzzzzz OR abonnement) factuur"),
        ("(zzzzzz qqqqqq) abonnemant", "(zzzzzz qqqqqq) abonnement"),
        ("abonnemant -zzzzzz", "abonnement -zzzzzz"),
        ("abonnemant subject:zzzzzz", "abonnement subject:zzzzzz"),
        ("factuur zzzzzz", None),
        ("2025", None),
        ("ab", None),
        ("", None),
    ],
)
def test_a_query_is_put_right(asked: str, meant: str | None) -> None:
    with indexed(*TEXTS) as (_, connection):
        assert corrected(asked, parse(asked, NOW), Vocabulary(connection, ALL)) == meant


PEOPLE = (
    *[Mail(at=MARCH + n, sender="Mia Jansen mia@acme.example", body="contract factuur") for n in range(20)],
    *[
        Mail(at=MARCH + n, sender="Bo Peeters bo@other.example", recipient="Mia Jansen", body="jansma")
        for n in range(20, 70)
    ],
)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("from:jansne", "from:jansen"),  # jansma is as near and more frequent, but nobody's name
        ("from:Jansens contract", "from:jansen contract"),
        ("from:(jansne contract)", None),
        ("to:jansne contarct", None),  # nobody wrote to him of that
        ("to:jansne", "to:jansen"),
        ("cc:jansne", None),
        ("from:jansen", None),
        ('from:"jansne"', None),
        ("from:jansne@acme.example", None),
        ("from:jansne contarct", "from:jansen contract"),
        ("from:jansne qqqqqq", "from:jansen"),
        ("-from:jansne qqqqqq", None),
    ],
)
def test_a_misspelt_name_is_looked_for_among_the_names(tmp_path: Path, asked: str, meant: str | None) -> None:
    with world(tmp_path, PEOPLE) as w:
        assert w.searcher.suggestion(asked) == meant


def test_of_two_near_words_the_frequent_one_is_suggested_first_and_the_rare_one_not_at_all() -> None:
    with indexed(*["bestand verband"] * 9, *["verbond"] * 3, "verbund") as (_, connection):
        found = Vocabulary(connection, ()).suggestions("verbend", 5)
        assert found[0] == "verband"
        assert "verbend" not in found


def test_suggestions_are_words_that_some_message_still_has() -> None:
    with indexed(*["licentie"] * 3) as (index, connection):
        vocabulary = Vocabulary(connection, ALL)
        assert vocabulary.suggestions("lisentie", 3) == ("licentie",)
        rows = [int(str(row)) for (row,) in connection.execute("SELECT row FROM slots")]
        index.remove(rows)
        assert vocabulary.suggestions("lisentie", 3) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [("meit", "meid"), ("wijk", "weik"), ("foto", "photo"), ("strase", "strasse")],
)
def test_what_sounds_alike_is_a_smaller_slip_than_another_letter(one: str, other: str) -> None:
    assert sound(one) == sound(other)
    assert slips(one, other) - (0.75 if one[0] != other[0] else 0) < slips("maan", "main")


def test_changed_places_and_neighbouring_keys_are_smaller_slips() -> None:
    assert slips("contarct", "contract") < slips("contralt", "contract")
    assert slips("cintract", "contract") < slips("cantract", "contract")
    assert slips("vontract", "contract") > slips("cobtract", "contract")


def test_letters_that_changed_places_are_put_back_before_one_is_left_out() -> None:
    with indexed(*["contract contact john"] * 9, *["contact"] * 9) as (_, connection):
        assert Vocabulary(connection, ALL).suggestions("contarct", 2) == ("contract", "contact")
        assert Vocabulary(connection, ALL).suggestions("jhon", 1) == ("john",)


def test_in_a_short_word_a_letter_far_off_is_another_word() -> None:
    with indexed(*["faut facteur"] * 20) as (_, connection):
        assert Vocabulary(connection, ALL).suggestions("fact", 3) == ()
