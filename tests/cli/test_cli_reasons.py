"""Every finding has a sentence that a colleague understands."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from archiver.cli.reasons import decision_sentence, label, sentence, summary_sentence
from archiver.core.linking.mentions import licence_code, reference_code
from archiver.model.customer import Contact, Customer, CustomerRecord
from archiver.model.link import Decision, Link, Outcome, Reason, Rule, Standing, Verdict
from archiver.model.message import BlobId

NOTES = (
    "", "several-customers", "overruled", "own-address", "shared-domain", "public-suffix", "look-alike", "quoted-only",
    "unknown-address", "unlinked-by-hand", "forwarded-by-customer", "a-note-of-a-later-release",
)  # fmt: skip
PLACES = (
    "From", "Reply-To", "To", "Cc", "Bcc", "Sender", "subject or text", "forwarded message", "delivery report",
    "thread", "quoted text", "display name", "by hand",
)  # fmt: skip
AT = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


def record(identifier: int, reference: str, name: str, *, contact: str = "", domain: str = "") -> CustomerRecord:
    contacts = (Contact("Jan {Peeters}", (contact,)),) if contact else ()
    customer = Customer(reference, name, domains=(domain,) if domain else (), contacts=contacts, licences=("2204-12",))
    return CustomerRecord(identifier, customer, AT, AT)


NAMES = {
    1: record(1, "K1001", "Peeters Bouw", contact="jan@peeters.example", domain="peeters.example"),
    2: record(2, "K1002", "Acme", domain="acme.example"),
}
LINKED = Verdict((Link(1, Rule.CONTACT),))


def said(rule: Rule, outcome: Outcome, where: str, value: str, customers: tuple[int, ...] = (), note: str = "") -> str:
    return sentence(Reason(rule, outcome, where, value, customers, note), LINKED, NAMES)


@pytest.mark.parametrize("rule", Rule)
@pytest.mark.parametrize("outcome", Outcome)
def test_every_finding_is_one_whole_sentence_without_codes_or_gaps(rule: Rule, outcome: Outcome) -> None:
    for note, where, value, customers in product(
        NOTES, PLACES, ("jan@x{0}y.example", "BE0428759497"), ((), (1,), (1, 2), (9,))
    ):
        verdicts = (Verdict(), Verdict((Link(9, rule), Link(2, rule, Standing.SUGGESTED))))
        for verdict in verdicts:
            words = sentence(Reason(rule, outcome, where, value, customers, note), verdict, NAMES)
            assert words[0].isupper() or words.startswith((value, value.rpartition("@")[2])), words
            assert words.endswith("."), words
            assert "  " not in words, words
            assert not note or f" {note}" not in words, words
            if outcome is not Outcome.NOTHING:
                assert label(customers, NAMES) in words, words


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (
            (Rule.CONTACT, Outcome.LINKS, "From", "jan@peeters.example", (1,)),
            "Linked to K1001 Peeters Bouw: jan@peeters.example in From is a contact of theirs (Jan {Peeters}).",
        ),
        (
            (Rule.CONTACT, Outcome.LINKS, "To", "Jan+facturen@Peeters.example", (1,)),
            "Linked to K1001 Peeters Bouw: Jan+facturen@Peeters.example in To is a contact of theirs (Jan {Peeters}).",
        ),
        (
            (Rule.DOMAIN, Outcome.LINKS, "Cc", "peeters.example", (1,)),
            "Linked to K1001 Peeters Bouw: the domain peeters.example in Cc is theirs.",
        ),
        (
            (Rule.CONTACT, Outcome.LINKS, "From", "jan@peeters.example", (1,), "several-customers"),
            (
                "Linked to K1001 Peeters Bouw: jan@peeters.example in From is a contact of theirs (Jan {Peeters}); "
                "others have it too, but what else the message says decides."
            ),
        ),
        (
            (Rule.LICENCE, Outcome.LINKS, "subject or text", licence_code("2204-12"), (1,)),
            "Linked to K1001 Peeters Bouw: the licence number 2204-12 in the subject or text is theirs.",
        ),
        (
            (Rule.REFERENCE, Outcome.LINKS, "subject or text", reference_code("K1001"), (1,)),
            "Linked to K1001 Peeters Bouw: our number for them, K1001, stands in the subject or text.",
        ),
        (
            (Rule.VAT, Outcome.AMBIGUOUS, "subject or text", "NL123", (2,), "several-customers"),
            (
                "Perhaps K1002 Acme: the VAT number NL 123 in the subject or text is theirs, but others fit equally; a "
                "person has to say whose it is."
            ),
        ),
        (
            (Rule.FORWARD, Outcome.NOTHING, "forwarded message", "a@acme.example", (2,), "forwarded-by-customer"),
            (
                "Not linked to K1002 Acme: it forwards a message from a@acme.example, which is theirs, but it was "
                "K1001 Peeters Bouw who sent it on."
            ),
        ),
        (
            (Rule.THREAD, Outcome.NOTHING, "thread", "", (2,), "overruled"),
            "Others of the conversation belong to K1002 Acme, but this message says itself whose it is.",
        ),
        (
            (Rule.HAND, Outcome.REFUSED, "by hand", "els", (2,), "unlinked-by-hand"),
            "Not linked to K1002 Acme: els said by hand that the message is not theirs.",
        ),
        (
            (Rule.VAT, Outcome.SUGGESTS, "subject or text", "BE0428759497", (2,), "overruled"),
            (
                "Not linked to K1002 Acme: the VAT number BE 0428.759.497 in the subject or text is theirs, but a "
                "contact of K1001 takes part; listed as a candidate."
            ),
        ),
        (
            (Rule.FORWARD, Outcome.SUGGESTS, "forwarded message", "a@acme.example", (2,), "forwarded-by-customer"),
            (
                "Not linked to K1002 Acme: it forwards a message from a@acme.example, which is theirs, but it was "
                "K1001 Peeters Bouw who sent it on; listed as a candidate."
            ),
        ),
        (
            (Rule.REPORT, Outcome.LINKS, "delivery report", "jan@peeters.example", (1,)),
            "Linked to K1001 Peeters Bouw: it reports on a message to jan@peeters.example, which is theirs.",
        ),
        (
            (Rule.LICENCE, Outcome.AMBIGUOUS, "subject or text", "lnd 1", (1, 2), "several-customers"),
            (
                "Undecided between K1001 Peeters Bouw and K1002 Acme: the licence number LND 1 in the subject or text "
                "is that of each of them; a person has to say whose it is."
            ),
        ),
        (
            (Rule.DOMAIN, Outcome.REFUSED, "From", "acme.example", (2,), "unlinked-by-hand"),
            (
                "Not linked to K1002 Acme: the domain acme.example in From is theirs, but a colleague said that the "
                "message is not theirs."
            ),
        ),
        (
            (Rule.HAND, Outcome.LINKS, "by hand", "els", (2,)),
            "Linked to K1002 Acme: els said so by hand.",
        ),
        (
            (Rule.THREAD, Outcome.SUGGESTS, "thread", "", (2,)),
            "Might belong to K1002 Acme: others of the conversation are theirs; listed as a candidate.",
        ),
        (
            (Rule.DOMAIN, Outcome.NOTHING, "From", "jan@gmail.com", (), "shared-domain"),
            (
                "jan@gmail.com in From is no contact of a customer, and gmail.com is a mail provider: its domain says "
                "nothing about the customer."
            ),
        ),
        (
            (Rule.DOMAIN, Outcome.NOTHING, "From", "x@acrne.example", (2,), "look-alike"),
            (
                "x@acrne.example in From: acrne.example looks like acme.example of K1002 Acme, but is another domain: "
                "careful."
            ),
        ),
        (
            (Rule.DOMAIN, Outcome.NOTHING, "From", "x@co.uk", (), "public-suffix"),
            "co.uk, from x@co.uk in From, is nobody's own domain: it says nothing about the customer.",
        ),
        (
            (Rule.CONTACT, Outcome.NOTHING, "To", "info@ons.example", (), "own-address"),
            "info@ons.example in To is our own: it says nothing about the customer.",
        ),
        (
            (Rule.CONTACT, Outcome.NOTHING, "quoted text", "jan@peeters.example", (1,), "quoted-only"),
            (
                "The address jan@peeters.example of K1001 Peeters Bouw stands only in quoted text, which others wrote: "
                "it does not link."
            ),
        ),
        (
            (Rule.CONTACT, Outcome.NOTHING, "display name", "jan@peeters.example", (1,)),
            (
                "The address jan@peeters.example of K1001 Peeters Bouw stands only in the name beside another address, "
                "where anybody can write anything: it does not link."
            ),
        ),
        (
            (Rule.CONTACT, Outcome.NOTHING, "From", "x@y.example", (), "unknown-address"),
            "x@y.example in From is known of no customer, nor is its domain.",
        ),
        (
            (Rule.VAT, Outcome.NOTHING, "subject or text", "BE0428759497"),
            "The VAT number BE 0428.759.497 in the subject or text is known of no customer.",
        ),
    ],
    ids=lambda case: case if isinstance(case, str) else None,
)  # fmt: skip
def test_a_finding_reads_as_people_would_say_it(finding: tuple[Any, ...], words: str) -> None:
    assert said(*finding) == words


def test_a_candidate_says_what_beat_it() -> None:
    verdict = Verdict((Link(1, Rule.HAND), Link(2, Rule.DOMAIN, Standing.SUGGESTED)))
    reason = Reason(Rule.DOMAIN, Outcome.SUGGESTS, "Cc", "a@acme.example", (2,), "overruled")
    assert "but a colleague linked the message to K1001; listed as a candidate." in sentence(reason, verdict, NAMES)


def test_a_decision_by_hand_says_who_when_why_and_that_it_was_taken_back() -> None:
    decision = Decision(1, BlobId(bytes(32)), 2, links=False, who="els", at=AT, why="a private\nmatter")
    assert decision_sentence(decision, NAMES, zone=UTC) == (
        "els said on 2026-03-03 09:00 that it does not belong to K1002 Acme: a private matter."
    )
    undone = Decision(1, BlobId(bytes(32)), 2, links=True, who="els", at=AT, why="", undone_at=AT, undone_by="an")
    assert decision_sentence(undone, NAMES, zone=UTC) == (
        "els said on 2026-03-03 09:00 that it belongs to K1002 Acme. Taken back on 2026-03-03 09:00 by an."
    )


@pytest.mark.parametrize(
    ("links", "words"),
    [
        ((), "This message is linked to no customer."),
        (
            ((1, Standing.LINKED), (2, Standing.LINKED)),
            "This message is linked to K1001 Peeters Bouw and K1002 Acme.",
        ),
        (
            ((1, Standing.LINKED), (2, Standing.SUGGESTED)),
            "This message is linked to K1001 Peeters Bouw. It might belong to K1002 Acme too.",
        ),
        (
            ((1, Standing.AMBIGUOUS), (2, Standing.AMBIGUOUS)),
            "It fits K1001 Peeters Bouw and K1002 Acme equally, and waits for a decision.",
        ),
    ],
)
def test_the_outcome_is_told_in_a_sentence(links: tuple[tuple[int, Standing], ...], words: str) -> None:
    verdict = Verdict(tuple(Link(customer, Rule.DOMAIN, standing) for customer, standing in links))
    assert summary_sentence(verdict, NAMES) == words


def test_who_else_is_in_the_conversation_is_a_candidate_where_nothing_else_says_whose_it_is() -> None:
    reason = Reason(Rule.THREAD, Outcome.SUGGESTS, "thread", "", (2,))
    assert summary_sentence(Verdict((), (reason,)), NAMES) == "It might belong to K1002 Acme."
