"""Forms of one word, and parts of compounds, by the rules for two words alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.search.words.compounds import is_compound
from archiver.search.words.stems import same_word

ALL = ("nl", "fr", "en", "de")

FORMS = {
    "nl": """factuur facturen, factuur factuurtje, offerte offertes, licentie licenties, bestelling bestellen,
        bestelling besteld, betalen betaald, betaald betaalt, betaling betaald, leveren geleverd, levering geleverd,
        levert leveren, jaar jaren, naam namen, week weken, vraag vragen, mail mailtje,
        aanvragen aangevraagd, aanvraag aangevraagd, opzeggen opgezegd, verlengen verlengd, sturen gestuurd,
        tekenen getekend, prijs prijzen, sleutel sleutels, storing storingen, probleem problemen""",
    "de": """rechnung rechnungen, liefern lieferung, lieferung geliefert, liefern geliefert, vertrag vertrage,
        vertrag vertraege, vertragen vertraegen, kundigung kuendigung, kundigen gekundigt, kuendigung gekundigt,
        zahlung gezahlt, anfrage angefragt, buchung gebucht, anderung geaendert, ubergabe uebergabe, loschen loeschen,
        losung loesungen, konnen koennen, lizenz lizenzen, angebot angeboten, bestellt bestellen""",
    "fr": """facture factures, facture facturer, facture facturee, facture facturation, resilier resilie,
        resilier resiliation, resilie resiliees, journal journaux, commande commander, commandee commander,
        abonnement abonnements, livraison livraisons, payer paye, renouvellement renouveler, contrat contrats""",
    "en": """invoice invoiced, invoices invoicing, company companies, renewal renewals, cancelled cancel,
        cancellation cancel, delivery deliveries, delivery delivered, install installed, payment payments""",
}
PAIRS = [(language, *pair.split()) for language, pairs in FORMS.items() for pair in pairs.split(",")]


@pytest.mark.parametrize(("language", "one", "other"), PAIRS)
def test_forms_of_a_word_are_the_same_word_in_its_language_and_among_all(language: str, one: str, other: str) -> None:
    assert same_word(one, other, (language,))
    assert same_word(one, other, ALL)
    assert same_word(other, one, ALL)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("maart", "maar"),  # March is not but
        ("later", "laten"),
        ("groeten", "groten"),  # oe is a vowel of its own in Dutch
        ("horen", "hoeren"),
        ("stoelen", "stolen"),
        ("boek", "bok"),
        ("vragen", "aangevraagd"),  # to ask and to ask for
        ("de", "den"),
        ("kat", "katten"),  # too short to have forms
        ("licentie", "licentiesleutel"),
        ("2024", "2025"),
        ("kosten", "kostenlos"),
        ("organ", "organisatie"),
    ],
)
def test_words_that_only_look_alike_are_not_the_same(one: str, other: str) -> None:
    assert not same_word(one, other, ALL)


def test_without_languages_a_word_is_only_itself() -> None:
    assert same_word("factuur", "factuur", ())
    assert not same_word("factuur", "facturen", ())
    assert not same_word("factuur", "facturen", ("tlh",))


def test_without_dutch_every_oe_may_be_an_umlaut() -> None:
    assert same_word("stolen", "stoelen", ("de",))


_WORDS = st.text("abdeghinoprstuvz", min_size=1, max_size=12)


@given(_WORDS, _WORDS)
def test_being_the_same_word_is_mutual(one: str, other: str) -> None:
    for a, b in ((one, other), (one, "ge" + one), (one, one + "en"), ("an" + one, "ange" + one + "t")):
        assert same_word(a, b, ALL) == same_word(b, a, ALL)


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("sleutel", "licentiesleutel"),
        ("licentie", "licentiesleutel"),
        ("licentie", "licentiesleutels"),  # the other part has an ending
        ("rechnung", "rechnungsnummer"),
        ("nummer", "rechnungsnummer"),
        ("nummer", "btwnummer"),
        ("schlussel", "lizenzschlussel"),
        ("mail", "webmail"),
        ("klant", "klantennummer"),
    ],
)
def test_a_word_is_a_part_of_a_compound(part: str, whole: str) -> None:
    known = {"licentie", "sleutel", "rechnung", "nummer", "lizenz", "schlussel", "mail", "web", "klant", "btw"}
    assert is_compound(part, whole, known.__contains__)


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("art", "startart"),  # too short
        ("sleutel", "sleutel"),
        ("sleutel", "sleutels"),  # a form, no compound
        ("able", "available"),  # avail is unknown
        ("mogelijk", "mogelijkheid"),  # an ending is no part, though mail may hold it as a token
        ("position", "composition"),
        ("sleutel", "x" * 30 + "sleutel"),
    ],
)
def test_a_word_in_another_is_not_a_part_of_it_by_that_alone(part: str, whole: str) -> None:
    assert not is_compound(part, whole, {"star", "s", "com", "heid", "mogelijk", "x" * 30, "avai"}.__contains__)


@pytest.mark.parametrize(
    ("noun", "adjective"), [("termination", "terminal"), ("generations", "generale"), ("location", "locally")]
)
def test_nouns_in_ation_and_adjectives_in_al_are_strangers(noun: str, adjective: str) -> None:
    assert not same_word(noun, adjective, ALL)
    assert not same_word(adjective, noun, ALL)


@pytest.mark.parametrize("other", ["terminations", "terminate", "terminated"])
def test_a_noun_in_ation_has_the_forms_of_its_verb(other: str) -> None:
    assert same_word("termination", other, ALL)
