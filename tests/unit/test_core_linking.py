"""The rules of linking, one situation at a time: who takes part, what the text names, what stands in for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from archiver.core.linking.directory import Directory
from archiver.core.linking.rules import Identifiers, decide, evidence_of, explain, identifiers_of, touched_by
from archiver.model.address import EmailAddress
from archiver.model.customer import Contact, Customer, CustomerRecord
from archiver.model.identity import Identity
from archiver.model.link import Decision, Evidence, Outcome, Reason, Rule, Standing
from archiver.model.message import BlobId, Direction, Message

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
A, B, C = 1, 2, 3

ACME = {"emails": ["jan@acme.be", "info@acme-shop.be"], "domains": ["acme.be"], "vat": "BE0428759497"}
BOLT = {"emails": ["els@bolt.nl"], "domains": ["bolt.nl"], "vat": "NL001786999B01", "licences": ["BOLT-2210-XY"]}
CORK = {"emails": ["kim@gmail.com"], "licences": ["CORK-7788-ZZ"], "reference": "CORK77"}


def directory(
    *customers: dict[str, Any], merged: dict[int, int] | None = None, shared: tuple[str, ...] = ()
) -> Directory:
    """Customers numbered from 1, of a company that owns ours.example."""
    records = []
    for number, given in enumerate(customers, 1):
        facts: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in given.items()
        }
        emails = facts.pop("emails", ())
        facts.setdefault("reference", f"K-{number:03}x9")
        customer = Customer(name=f"Customer {number}", contacts=(Contact(emails=tuple(emails)),), **facts)
        records.append(CustomerRecord(number, customer, NOON, NOON, (merged or {}).get(number)))
    identity = Identity(domains=("ours.example", "ours.be"), addresses=("support@partner.example",))
    return Directory(records, identity=identity, shared_domains=shared)


def at(*addresses: str) -> tuple[EmailAddress, ...]:
    return tuple(EmailAddress("", address) for address in addresses)


def mail(direction: Direction = Direction.INCOMING, /, **fields: Any) -> Evidence:
    """An incoming message to us unless said otherwise; addresses as one text with spaces between."""
    if direction is Direction.INCOMING:
        fields.setdefault("to", "info@ours.example")
    elif direction is Direction.OUTGOING:
        fields.setdefault("from_", "info@ours.example")
    found: dict[str, Any] = {
        name: at(*value.split()) if isinstance(value, str) else value for name, value in fields.items()
    }
    return Evidence(direction, **found)


def hand(customer: int, *, links: bool, hours: int = 0, undone: bool = False) -> Decision:
    when = NOON + timedelta(hours=hours)
    return Decision(hours + 1, BlobId(b"x" * 32), customer, links, "an", when, "", when if undone else None)


def came_to(evidence: Evidence, customers: Directory) -> set[tuple[int, Rule, Standing]]:
    verdict = decide(evidence, customers)
    assert verdict.links == explain(evidence, customers).links
    assert [link.customer for link in verdict.links] == sorted({link.customer for link in verdict.links})
    return {(link.customer, link.rule, link.standing) for link in verdict.links}


def linked(*pairs: tuple[int, Rule]) -> set[tuple[int, Rule, Standing]]:
    return {(customer, rule, Standing.LINKED) for customer, rule in pairs}


def ambiguous(*pairs: tuple[int, Rule]) -> set[tuple[int, Rule, Standing]]:
    return {(customer, rule, Standing.AMBIGUOUS) for customer, rule in pairs}


def suggested(*pairs: tuple[int, Rule]) -> set[tuple[int, Rule, Standing]]:
    return {(customer, rule, Standing.SUGGESTED) for customer, rule in pairs}


def notes(evidence: Evidence, customers: Directory, message: Message | None = None) -> set[tuple[str, str]]:
    """What `explain` says did not fit, as (note, value)."""
    verdict = explain(evidence, customers, message=message)
    return {(reason.note, reason.value) for reason in verdict.reasons if reason.outcome is Outcome.NOTHING}


class TestContact:
    @pytest.mark.parametrize(
        "address",
        [
            "jan@acme.be", "JAN@Acme.BE", " jan@acme.be ", "jan+invoices@acme.be", '"jan"@acme.be', "jan@acme.be.",
        ],
    )  # fmt: skip
    def test_an_address_links_however_it_is_spelled(self, address: str) -> None:
        evidence = mail(from_=at(address))
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.CONTACT))

    @pytest.mark.parametrize("field", ["from_", "reply_to", "cc", "bcc", "to", "author"])
    def test_a_contact_links_in_every_field_of_an_incoming_message(self, field: str) -> None:
        evidence = mail(**{"from_": "x@unknown.example", field: "els@bolt.nl"})
        assert came_to(evidence, directory(ACME, BOLT)) == linked((B, Rule.CONTACT))

    @pytest.mark.parametrize("field", ["to", "cc", "bcc", "reply_to"])
    def test_a_contact_links_in_every_recipient_field_of_an_outgoing_message(self, field: str) -> None:
        evidence = mail(Direction.OUTGOING, **{field: "els@bolt.nl"})
        assert came_to(evidence, directory(ACME, BOLT)) == linked((B, Rule.CONTACT))

    @pytest.mark.parametrize("direction", [Direction.OTHER, Direction.INTERNAL])
    def test_a_contact_links_in_mail_of_any_other_direction(self, direction: Direction) -> None:
        evidence = mail(direction, from_="info@ours.example", to="jan@acme.be", cc="els@bolt.nl")
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.CONTACT), (B, Rule.CONTACT))

    def test_everybody_who_takes_part_links(self) -> None:
        evidence = mail(from_="jan@acme.be", cc="els@bolt.nl kim@gmail.com")
        expected = linked((A, Rule.CONTACT), (B, Rule.CONTACT), (C, Rule.CONTACT))
        assert came_to(evidence, directory(ACME, BOLT, CORK)) == expected

    def test_the_author_of_a_rewritten_from_replaces_it(self) -> None:
        evidence = mail(from_="els@bolt.nl", author="jan@acme.be")
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.CONTACT))

    def test_sender_counts_where_from_is_empty(self) -> None:
        assert came_to(mail(sender="jan@acme.be"), directory(ACME)) == linked((A, Rule.CONTACT))

    def test_sender_counts_where_from_is_ours(self) -> None:
        evidence = mail(from_="form@ours.example", sender="jan@acme.be")
        assert came_to(evidence, directory(ACME)) == linked((A, Rule.CONTACT))

    def test_sender_does_not_count_beside_a_from_of_somebody_else(self) -> None:
        evidence = mail(from_="x@unknown.example", sender="jan@acme.be")
        assert came_to(evidence, directory(ACME)) == set()

    def test_our_web_form_links_the_customer_in_reply_to(self) -> None:
        evidence = mail(from_="form@ours.example", reply_to="jan@acme.be")
        assert came_to(evidence, directory(ACME)) == linked((A, Rule.CONTACT))

    def test_our_web_form_links_also_when_it_counts_as_outgoing(self) -> None:
        evidence = mail(Direction.OUTGOING, to="info@ours.example", reply_to="jan@acme.be")
        assert came_to(evidence, directory(ACME)) == linked((A, Rule.CONTACT))

    def test_dots_and_the_other_name_of_gmail_make_no_difference(self) -> None:
        customers = directory({"emails": ["kim.peeters@gmail.com"]})
        for address in ("kimpeeters@gmail.com", "k.i.m.peeters+shop@googlemail.com"):
            assert came_to(mail(from_=address), customers) == linked((A, Rule.CONTACT))

    def test_dots_make_a_difference_elsewhere(self) -> None:
        assert came_to(mail(from_="j.an@hotmail.be"), directory({"emails": ["jan@hotmail.be"]})) == set()

    def test_the_whole_address_comes_before_its_other_spellings(self) -> None:
        customers = directory({"emails": ["shop@acme.be"]}, {"emails": ["shop+north@acme.be"]})
        assert came_to(mail(from_="shop+north@acme.be"), customers) == linked((B, Rule.CONTACT))
        assert came_to(mail(from_="shop@acme.be"), customers) == linked((A, Rule.CONTACT))
        assert came_to(mail(from_="shop+south@acme.be"), customers) == linked((A, Rule.CONTACT))

    def test_a_contact_kept_with_detail_is_met_without_it(self) -> None:
        customers = directory({"emails": ["shop+north@acme.be"]})
        assert came_to(mail(from_="shop@acme.be"), customers) == linked((A, Rule.CONTACT))

    def test_an_internationalised_domain_is_one_domain_in_either_form(self) -> None:
        customers = directory({"emails": ["jan@bücher.be"]})
        assert came_to(mail(from_="jan@xn--bcher-kva.be"), customers) == linked((A, Rule.CONTACT))

    def test_a_second_address_of_a_contact_links_as_the_first(self) -> None:
        assert came_to(mail(from_="info@acme-shop.be"), directory(ACME)) == linked((A, Rule.CONTACT))


class TestSharedContact:
    TWO = ({"emails": ["books@count.be", "jan@acme.be"], "vat": "BE0428759497", "domains": ["acme.be"]},
           {"emails": ["books@count.be", "els@bolt.nl"], "vat": "NL001786999B01", "domains": ["bolt.nl"]})  # fmt: skip

    def test_an_address_of_two_customers_is_ambiguous(self) -> None:
        expected = ambiguous((A, Rule.CONTACT), (B, Rule.CONTACT))
        assert came_to(mail(from_="books@count.be"), directory(*self.TWO)) == expected

    def test_another_contact_of_one_of_them_decides(self) -> None:
        evidence = mail(from_="books@count.be", cc="jan@acme.be")
        assert came_to(evidence, directory(*self.TWO)) == linked((A, Rule.CONTACT))

    def test_a_vat_number_of_one_of_them_decides(self) -> None:
        evidence = mail(from_="books@count.be", vat_numbers=("NL001786999B01",))
        assert came_to(evidence, directory(*self.TWO)) == linked((B, Rule.VAT))

    def test_a_licence_of_one_of_them_decides(self) -> None:
        customers = directory(self.TWO[0], {**self.TWO[1], "licences": ["BOLT-2210-XY"]})
        evidence = mail(from_="books@count.be", codes=("bolt 2210 xy",))
        assert came_to(evidence, customers) == linked((B, Rule.LICENCE))

    def test_a_reference_of_one_of_them_decides(self) -> None:
        customers = directory(self.TWO[0], {**self.TWO[1], "reference": "BOLT77"})
        evidence = mail(from_="books@count.be", codes=("bolt77",))
        assert came_to(evidence, customers) == linked((B, Rule.REFERENCE))

    def test_the_domain_of_one_of_them_decides_nothing(self) -> None:
        customers = directory({"emails": ["info@acme.be"], "domains": ["acme.be"]}, {"emails": ["info@acme.be"]})
        expected = ambiguous((A, Rule.CONTACT), (B, Rule.CONTACT))
        assert came_to(mail(from_="info@acme.be"), customers) == expected

    def test_an_unknown_colleague_in_ones_domain_links_him_and_leaves_the_other_ambiguous(self) -> None:
        evidence = mail(from_="books@count.be", cc="new@acme.be")
        expected = linked((A, Rule.DOMAIN)) | ambiguous((B, Rule.CONTACT))
        assert came_to(evidence, directory(*self.TWO)) == expected

    def test_numbers_of_both_decide_nothing(self) -> None:
        evidence = mail(from_="books@count.be", vat_numbers=("NL001786999B01", "BE0428759497"))
        expected = ambiguous((A, Rule.CONTACT), (B, Rule.CONTACT))
        assert came_to(evidence, directory(*self.TWO)) == expected

    def test_a_number_of_a_third_customer_is_only_suggested(self) -> None:
        customers = directory(*self.TWO, {"vat": "FR40303265045"})
        evidence = mail(from_="books@count.be", vat_numbers=("FR40303265045",))
        expected = ambiguous((A, Rule.CONTACT), (B, Rule.CONTACT)) | suggested((C, Rule.VAT))
        assert came_to(evidence, customers) == expected

    def test_contacts_of_both_link_both(self) -> None:
        evidence = mail(from_="books@count.be", cc="jan@acme.be els@bolt.nl")
        assert came_to(evidence, directory(*self.TWO)) == linked((A, Rule.CONTACT), (B, Rule.CONTACT))

    def test_contacts_of_two_of_three_leave_the_third_ambiguous(self) -> None:
        evidence = mail(from_="books@count.be", cc="jan@acme.be els@bolt.nl")
        expected = linked((A, Rule.CONTACT), (B, Rule.CONTACT)) | ambiguous((C, Rule.CONTACT))
        assert came_to(evidence, directory(*self.TWO, {"emails": ["books@count.be"]})) == expected

    def test_a_contact_outranks_a_number_as_the_one_that_decides(self) -> None:
        evidence = mail(from_="books@count.be", cc="jan@acme.be", vat_numbers=("NL001786999B01",))
        assert came_to(evidence, directory(*self.TWO)) == linked((A, Rule.CONTACT)) | suggested((B, Rule.VAT))

    def test_linking_one_by_hand_decides(self) -> None:
        evidence = mail(from_="books@count.be", decisions=(hand(B, links=True),))
        assert came_to(evidence, directory(*self.TWO)) == linked((B, Rule.HAND))

    def test_refusing_one_by_hand_leaves_the_other(self) -> None:
        evidence = mail(from_="books@count.be", decisions=(hand(A, links=False),))
        assert came_to(evidence, directory(*self.TWO)) == linked((B, Rule.CONTACT))


class TestDomain:
    def test_an_unknown_address_in_a_customers_domain_links(self) -> None:
        assert came_to(mail(from_="new@acme.be"), directory(ACME, BOLT)) == linked((A, Rule.DOMAIN))

    def test_an_address_below_a_customers_domain_links(self) -> None:
        assert came_to(mail(from_="new@mail.acme.be"), directory(ACME)) == linked((A, Rule.DOMAIN))

    def test_the_longest_domain_counts(self) -> None:
        customers = directory(ACME, {"domains": ["north.acme.be"]})
        assert came_to(mail(from_="new@x.north.acme.be"), customers) == linked((B, Rule.DOMAIN))
        assert came_to(mail(from_="new@south.acme.be"), customers) == linked((A, Rule.DOMAIN))

    def test_a_contact_of_somebody_else_within_the_domain_is_that_somebodys(self) -> None:
        customers = directory(ACME, {"emails": ["rented@acme.be"]})
        assert came_to(mail(from_="rented@acme.be"), customers) == linked((B, Rule.CONTACT))

    def test_case_and_form_of_the_domain_make_no_difference(self) -> None:
        customers = directory({"domains": ["bücher.be"]})
        for address in ("new@BÜCHER.be", "new@xn--bcher-kva.be", "new@shop.bücher.be."):
            assert came_to(mail(from_=address), customers) == linked((A, Rule.DOMAIN))

    @pytest.mark.parametrize(
        "domain",
        [
            "gmail.com", "telenet.be", "skynet.be", "hotmail.fr", "yahoo.co.uk", "outlook.de", "gmx.at", "t-online.de",
            "orange.fr", "ziggo.nl", "bluewin.ch", "pt.lu", "btinternet.com", "proton.me", "onmicrosoft.com",
            "googlegroups.com", "sendgrid.net", "mailinator.com", "be", "co.uk", "github.io", "ours.example", "ours.be",
        ],
    )  # fmt: skip
    def test_a_domain_that_belongs_to_nobody_never_links(self, domain: str) -> None:
        customers = directory({"domains": [domain]})
        for address in (f"new@{domain}", f"new@mail.{domain}") if domain != "onmicrosoft.com" else (f"new@{domain}",):
            assert came_to(mail(from_=address), customers) == set()

    def test_a_tenant_of_a_platform_is_a_company(self) -> None:
        customers = directory({"domains": ["acme.onmicrosoft.com"]}, {"domains": ["onmicrosoft.com"]})
        assert came_to(mail(from_="new@acme.onmicrosoft.com"), customers) == linked((A, Rule.DOMAIN))
        assert came_to(mail(from_="new@other.onmicrosoft.com"), customers) == set()

    def test_a_name_below_a_private_suffix_is_one_company(self) -> None:
        customers = directory({"domains": ["acme.github.io"]})
        assert came_to(mail(from_="new@acme.github.io"), customers) == linked((A, Rule.DOMAIN))
        assert came_to(mail(from_="new@other.github.io"), customers) == set()

    def test_a_suffix_in_the_middle_bounds_the_search(self) -> None:
        customers = directory({"domains": ["amazonaws.com"]})
        assert came_to(mail(from_="new@acme.s3.amazonaws.com"), customers) == set()

    def test_a_domain_that_the_configuration_calls_shared_never_links(self) -> None:
        customers = directory({"domains": ["coop.be"]}, shared=("coop.be",))
        assert came_to(mail(from_="new@coop.be"), customers) == set()
        assert came_to(mail(from_="new@mail.coop.be"), customers) == set()

    def test_a_contact_at_a_provider_links_all_the_same(self) -> None:
        assert came_to(mail(from_="kim@gmail.com"), directory(CORK)) == linked((A, Rule.CONTACT))

    def test_a_domain_of_two_customers_is_ambiguous(self) -> None:
        customers = directory({"domains": ["group.be"]}, {"domains": ["group.be"]})
        assert came_to(mail(from_="new@group.be"), customers) == ambiguous((A, Rule.DOMAIN), (B, Rule.DOMAIN))

    def test_a_contact_of_one_of_them_decides(self) -> None:
        customers = directory({"domains": ["group.be"], "emails": ["jan@group.be"]}, {"domains": ["group.be"]})
        evidence = mail(from_="new@group.be", cc="jan@group.be")
        assert came_to(evidence, customers) == linked((A, Rule.CONTACT))

    def test_a_number_of_one_of_them_decides(self) -> None:
        customers = directory({"domains": ["group.be"]}, {"domains": ["group.be"], "vat": "BE0428759497"})
        evidence = mail(from_="new@group.be", vat_numbers=("BE0428759497",))
        assert came_to(evidence, customers) == linked((B, Rule.VAT))

    def test_refusing_one_of_them_leaves_the_other(self) -> None:
        customers = directory({"domains": ["group.be"]}, {"domains": ["group.be"]})
        evidence = mail(from_="new@group.be", decisions=(hand(B, links=False),))
        assert came_to(evidence, customers) == linked((A, Rule.DOMAIN))

    @pytest.mark.parametrize(
        "domain",
        [
            "acrne.be",
            "acme.be.evil.com",
            "notacme.be",
            "acme-be.com",
            "acmé.be",
            "аcme.be",
            "xn--cme-5cd.be",
            "acme.com",
        ],
    )
    def test_look_alikes_never_link_and_are_told(self, domain: str) -> None:
        evidence = mail(from_=f"jan@{domain}")
        assert came_to(evidence, directory(ACME)) == set()
        assert ("look-alike", f"jan@{domain}") in notes(evidence, directory(ACME))


class TestOurs:
    @pytest.mark.parametrize(
        "address",
        [
            "info@ours.example",
            "info+x@ours.example",
            "x@shop.ours.be",
            "support@partner.example",
            "SUPPORT+a@Partner.example",
        ],
    )
    def test_our_addresses_never_link_even_when_a_record_carries_them(self, address: str) -> None:
        customers = directory({"emails": [address], "domains": [address.rpartition("@")[2].lower()]})
        evidence = mail(from_=address, reply_to=address, cc=address, forwarded=address)
        found = came_to(evidence, customers)
        assert found == set()
        assert any(note == "own-address" for note, _ in notes(evidence, customers))

    def test_a_neighbour_of_our_single_address_is_not_ours(self) -> None:
        customers = directory({"domains": ["partner.example"]})
        assert came_to(mail(from_="sales@partner.example"), customers) == linked((A, Rule.DOMAIN))


class TestNumbers:
    def test_a_vat_number_links_mail_of_somebody_unknown(self) -> None:
        evidence = mail(from_="x@gmail.com", vat_numbers=("BE0428759497",))
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.VAT))

    def test_a_licence_links_mail_of_somebody_unknown(self) -> None:
        evidence = mail(from_="x@gmail.com", codes=("bolt 2210 xy",))
        assert came_to(evidence, directory(ACME, BOLT)) == linked((B, Rule.LICENCE))

    def test_a_reference_links_mail_of_somebody_unknown(self) -> None:
        evidence = mail(from_="x@gmail.com", codes=("cork77",))
        assert came_to(evidence, directory(ACME, BOLT, CORK)) == linked((C, Rule.REFERENCE))

    def test_the_reference_of_a_customer_that_was_merged_away_still_links(self) -> None:
        customers = directory({"former_references": ["OLD-77"]})
        assert came_to(mail(from_="x@gmail.com", codes=("old 77",)), customers) == linked((A, Rule.REFERENCE))

    def test_greece_is_one_country_under_either_prefix(self) -> None:
        customers = directory({"vat": "EL094259216"})
        assert came_to(mail(from_="x@gmail.com", vat_numbers=("GR094259216",)), customers) == linked((A, Rule.VAT))

    def test_numbers_in_our_own_mail_to_strangers_link(self) -> None:
        evidence = mail(Direction.OUTGOING, to="x@gmail.com", codes=("bolt 2210 xy",))
        assert came_to(evidence, directory(ACME, BOLT)) == linked((B, Rule.LICENCE))

    def test_a_number_is_only_suggested_against_a_contact_of_somebody_else(self) -> None:
        evidence = mail(from_="jan@acme.be", vat_numbers=("NL001786999B01",))
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.CONTACT)) | suggested((B, Rule.VAT))
        reasons = decide(evidence, directory(ACME, BOLT)).reasons
        expected = Reason(Rule.VAT, Outcome.SUGGESTS, "subject or text", "NL001786999B01", (B,), "overruled")
        assert expected in reasons

    def test_a_number_stands_beside_a_domain_of_somebody_else(self) -> None:
        evidence = mail(from_="new@acme.be", vat_numbers=("NL001786999B01",))
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.DOMAIN), (B, Rule.VAT))

    def test_a_number_strengthens_a_domain(self) -> None:
        evidence = mail(from_="new@acme.be", vat_numbers=("BE0428759497",))
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.VAT))

    def test_a_number_strengthens_a_contact_and_does_not_replace_it(self) -> None:
        evidence = mail(from_="jan@acme.be", vat_numbers=("BE0428759497",))
        verdict = decide(evidence, directory(ACME, BOLT))
        assert [(link.customer, link.rule) for link in verdict.links] == [(A, Rule.CONTACT)]
        assert {reason.rule for reason in verdict.reasons} == {Rule.CONTACT, Rule.VAT}

    def test_numbers_of_several_customers_are_ambiguous(self) -> None:
        evidence = mail(from_="x@gmail.com", vat_numbers=("BE0428759497", "NL001786999B01"))
        assert came_to(evidence, directory(ACME, BOLT)) == ambiguous((A, Rule.VAT), (B, Rule.VAT))

    def test_of_numbers_of_several_one_that_takes_part_is_linked_and_the_others_suggested(self) -> None:
        evidence = mail(from_="new@acme.be", vat_numbers=("BE0428759497", "NL001786999B01"))
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.VAT)) | suggested((B, Rule.VAT))

    def test_numbers_of_several_are_ambiguous_beside_a_domain_of_yet_another(self) -> None:
        customers = directory(ACME, BOLT, {"domains": ["third.be"]})
        evidence = mail(from_="new@third.be", vat_numbers=("BE0428759497", "NL001786999B01"))
        expected = ambiguous((A, Rule.VAT), (B, Rule.VAT)) | linked((C, Rule.DOMAIN))
        assert came_to(evidence, customers) == expected

    def test_a_number_that_two_customers_share_is_ambiguous(self) -> None:
        customers = directory({"vat": "BE0428759497"}, {"vat": "BE0428759497"})
        evidence = mail(from_="x@gmail.com", vat_numbers=("BE0428759497",))
        assert came_to(evidence, customers) == ambiguous((A, Rule.VAT), (B, Rule.VAT))

    def test_a_shared_number_is_that_of_the_one_who_takes_part(self) -> None:
        customers = directory({"vat": "BE0428759497", "domains": ["acme.be"]}, {"vat": "BE0428759497"})
        evidence = mail(from_="new@acme.be", vat_numbers=("BE0428759497",))
        assert came_to(evidence, customers) == linked((A, Rule.VAT))

    def test_a_number_of_one_alone_decides_a_shared_one(self) -> None:
        customers = directory({"vat": "BE0428759497"}, {"vat": "BE0428759497", "licences": ["BOLT-2210-XY"]})
        evidence = mail(from_="x@gmail.com", vat_numbers=("BE0428759497",), codes=("bolt 2210 xy",))
        assert came_to(evidence, customers) == linked((B, Rule.VAT))

    def test_linking_one_of_several_by_hand_leaves_the_others_as_suggestions(self) -> None:
        numbers = ("BE0428759497", "NL001786999B01")
        evidence = mail(from_="x@gmail.com", vat_numbers=numbers, decisions=(hand(A, links=True),))
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.HAND)) | suggested((B, Rule.VAT))

    def test_a_code_that_is_a_piece_of_another_customers_code_does_not_count_beside_it(self) -> None:
        customers = directory({"licences": ["ABCD-1234"]}, {"licences": ["ABCD-1234-EFGH"]})
        evidence = mail(from_="x@gmail.com", codes=("abcd 1234", "abcd 1234 efgh"))
        assert came_to(evidence, customers) == linked((B, Rule.LICENCE))
        assert came_to(evidence, directory({"licences": ["ABCD-1234"]})) == linked((A, Rule.LICENCE))

    def test_a_number_that_nobody_has_does_nothing(self) -> None:
        evidence = mail(from_="x@gmail.com", vat_numbers=("FR40303265045",), codes=("zzz 1",))
        assert came_to(evidence, directory(ACME, BOLT)) == set()


class TestForward:
    def test_a_colleagues_forward_within_the_house_links_the_sender_of_the_forwarded_message(self) -> None:
        evidence = mail(Direction.INTERNAL, from_="an@ours.example", to="bo@ours.example", forwarded="jan@acme.be")
        assert came_to(evidence, directory(ACME)) == linked((A, Rule.FORWARD))

    def test_the_domain_of_the_forwarded_sender_links_too(self) -> None:
        evidence = mail(Direction.INTERNAL, from_="an@ours.example", to="bo@ours.example", forwarded="new@acme.be")
        assert came_to(evidence, directory(ACME)) == linked((A, Rule.FORWARD))

    def test_a_stranger_who_forwards_a_customers_mail_links_the_customer(self) -> None:
        evidence = mail(from_="x@unknown.example", forwarded="jan@acme.be")
        assert came_to(evidence, directory(ACME)) == linked((A, Rule.FORWARD))

    def test_the_outermost_sender_who_is_not_ours_counts(self) -> None:
        forwarded = "bo@ours.example jan@acme.be els@bolt.nl"
        evidence = mail(Direction.INTERNAL, from_="an@ours.example", to="bo@ours.example", forwarded=forwarded)
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.FORWARD))

    def test_an_unknown_outermost_sender_hides_those_within(self) -> None:
        evidence = mail(Direction.INTERNAL, from_="an@ours.example", forwarded="x@unknown.example jan@acme.be")
        assert came_to(evidence, directory(ACME)) == set()

    def test_our_forward_to_another_customer_only_suggests(self) -> None:
        evidence = mail(Direction.OUTGOING, to="els@bolt.nl", forwarded="jan@acme.be")
        assert came_to(evidence, directory(ACME, BOLT)) == linked((B, Rule.CONTACT)) | suggested((A, Rule.FORWARD))

    def test_our_forward_to_a_stranger_links(self) -> None:
        evidence = mail(Direction.OUTGOING, to="x@unknown.example", forwarded="jan@acme.be")
        assert came_to(evidence, directory(ACME)) == linked((A, Rule.FORWARD))

    def test_what_a_customer_forwards_is_his_mail_only(self) -> None:
        evidence = mail(from_="jan@acme.be", forwarded="els@bolt.nl")
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.CONTACT))
        assert ("forwarded-by-customer", "els@bolt.nl") in notes(evidence, directory(ACME, BOLT))

    def test_a_forwarded_address_of_two_customers_is_ambiguous(self) -> None:
        customers = directory({"emails": ["books@count.be"]}, {"emails": ["books@count.be"]})
        evidence = mail(Direction.INTERNAL, from_="an@ours.example", forwarded="books@count.be")
        assert came_to(evidence, customers) == ambiguous((A, Rule.FORWARD), (B, Rule.FORWARD))

    def test_a_number_in_the_forwarded_text_decides_between_them(self) -> None:
        customers = directory({"emails": ["books@count.be"]}, {"emails": ["books@count.be"], "vat": "BE0428759497"})
        evidence = mail(
            Direction.INTERNAL, from_="an@ours.example", forwarded="books@count.be", vat_numbers=("BE0428759497",)
        )
        assert came_to(evidence, customers) == linked((B, Rule.VAT))

    def test_a_forwarded_contact_overrules_a_number_as_a_contact_does(self) -> None:
        evidence = mail(
            Direction.INTERNAL, from_="an@ours.example", forwarded="jan@acme.be", vat_numbers=("NL001786999B01",)
        )
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.FORWARD)) | suggested((B, Rule.VAT))


class TestReport:
    def test_a_report_belongs_to_whom_it_is_about(self) -> None:
        evidence = mail(from_="mailer-daemon@mx.example", reported="jan@acme.be")
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.REPORT))

    def test_who_sends_the_report_never_matters(self) -> None:
        evidence = mail(from_="mailer-daemon@bolt.nl", reply_to="postmaster@bolt.nl", reported="new@acme.be")
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.REPORT))
        evidence = mail(from_="mailer-daemon@bolt.nl", reported="x@unknown.example")
        assert came_to(evidence, directory(ACME, BOLT)) == set()

    def test_a_report_about_several_customers_links_them_all(self) -> None:
        evidence = mail(from_="mailer-daemon@mx.example", reported="jan@acme.be els@bolt.nl")
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.REPORT), (B, Rule.REPORT))

    def test_a_report_about_an_address_of_two_customers_is_ambiguous(self) -> None:
        customers = directory({"emails": ["books@count.be"]}, {"emails": ["books@count.be"]})
        evidence = mail(from_="mailer-daemon@mx.example", reported="books@count.be")
        assert came_to(evidence, customers) == ambiguous((A, Rule.REPORT), (B, Rule.REPORT))

    def test_a_report_that_returns_a_forward_is_about_its_recipient(self) -> None:
        evidence = mail(from_="mailer-daemon@mx.example", reported="jan@acme.be", forwarded="els@bolt.nl")
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.REPORT))

    def test_our_own_recipients_are_nobodys(self) -> None:
        assert came_to(mail(from_="mailer-daemon@mx.example", reported="bo@ours.example"), directory(ACME)) == set()


class TestByHand:
    def test_a_link_by_hand_outranks_everything(self) -> None:
        evidence = mail(from_="jan@acme.be", decisions=(hand(A, links=True), hand(B, links=True)))
        assert came_to(evidence, directory(ACME, BOLT)) == linked((A, Rule.HAND), (B, Rule.HAND))

    @pytest.mark.parametrize(
        "fields",
        [
            {"from_": "books@count.be", "vat_numbers": ("NL001786999B01",)},
            {"from_": "x@count.be", "vat_numbers": ("NL001786999B01",)},
            {"from_": "x@gmail.com", "vat_numbers": ("NL001786999B01",), "codes": ("shared 4321 abcd",)},
        ],
    )
    def test_a_link_by_hand_takes_no_link_from_whom_the_rules_decided_for(self, fields: dict[str, Any]) -> None:
        common = {"emails": ["books@count.be"], "domains": ["count.be"], "licences": ["SHARED-4321-ABCD"]}
        customers = directory(common, {**common, "vat": "NL001786999B01"})
        (link,) = decide(mail(**fields), customers).links
        assert (link.customer, link.standing) == (B, Standing.LINKED)
        by_hand = decide(mail(**fields, decisions=(hand(A, links=True),)), customers)
        assert by_hand.linked == (A, B)

    def test_a_refusal_by_hand_outranks_everything_for_that_customer_only(self) -> None:
        evidence = mail(from_="jan@acme.be", cc="els@bolt.nl", decisions=(hand(A, links=False),))
        assert came_to(evidence, directory(ACME, BOLT)) == linked((B, Rule.CONTACT))

    def test_refusing_whose_licence_it_also_is_takes_no_link_from_who_was_told_apart(self) -> None:
        shared = {"licences": ["SHARED-4321-ABCD"]}
        one, other = {"emails": ["books@count.be"], **shared}, {"emails": ["books@count.be"], "vat": "NL001786999B01"}
        fields = {"from_": "books@count.be", "vat_numbers": ("NL001786999B01",), "codes": ("shared 4321 abcd",)}
        customers = directory(one, other, shared)
        assert decide(mail(**fields), customers).linked == (B,)
        assert decide(mail(**fields, decisions=(hand(C, links=False),)), customers).linked == (B,)

    def test_refusing_a_contact_does_not_raise_what_it_overruled(self) -> None:
        evidence = mail(from_="jan@acme.be", vat_numbers=("NL001786999B01",), decisions=(hand(A, links=False),))
        assert came_to(evidence, directory(ACME, BOLT)) == suggested((B, Rule.VAT))

    def test_refusing_who_takes_part_does_not_make_a_forward_link(self) -> None:
        evidence = mail(from_="jan@acme.be", forwarded="els@bolt.nl", decisions=(hand(A, links=False),))
        assert came_to(evidence, directory(ACME, BOLT)) == set()

    def test_whom_only_a_refusal_makes_the_one_takes_no_link_from_another(self) -> None:
        shared, numbered = {"emails": ["jan@acme.be"]}, {"emails": ["kim@gmail.com"], "vat": "BE0428759497"}
        both = {"emails": ["jan@acme.be", "kim@gmail.com"]}
        customers = directory(shared, numbered, both)
        fields: dict[str, Any] = {"from_": "jan@acme.be", "cc": "kim@gmail.com"}
        evidence = mail(**fields, vat_numbers=("BE0428759497",))
        assert (B, Rule.CONTACT, Standing.LINKED) not in came_to(mail(**fields), customers)
        assert (B, Rule.VAT, Standing.LINKED) in came_to(evidence, customers)
        refusing = mail(**fields, vat_numbers=("BE0428759497",), decisions=(hand(A, links=False),))
        assert came_to(refusing, customers) == linked((B, Rule.VAT), (C, Rule.CONTACT))
        # Where nothing else tells, it does settle what was open.
        assert came_to(mail(**fields, decisions=(hand(A, links=False),)), customers) == linked((C, Rule.CONTACT))

    def test_a_suggestion_can_be_refused(self) -> None:
        evidence = mail(
            Direction.OUTGOING, to="els@bolt.nl", forwarded="jan@acme.be", decisions=(hand(A, links=False),)
        )
        assert came_to(evidence, directory(ACME, BOLT)) == linked((B, Rule.CONTACT))

    def test_the_refusal_is_told_with_what_it_refused(self) -> None:
        evidence = mail(from_="jan@acme.be", decisions=(hand(A, links=False),))
        refused = [one for one in explain(evidence, directory(ACME)).reasons if one.outcome is Outcome.REFUSED]
        assert {(one.rule, one.note) for one in refused} == {
            (Rule.HAND, "unlinked-by-hand"),
            (Rule.CONTACT, "unlinked-by-hand"),
        }

    def test_a_decision_on_a_merged_customer_counts_for_the_survivor(self) -> None:
        customers = directory(ACME, BOLT, merged={B: A})
        evidence = mail(from_="x@unknown.example", decisions=(hand(B, links=True),))
        assert came_to(evidence, customers) == linked((A, Rule.HAND))

    def test_the_later_of_two_decisions_that_a_merge_brought_together_counts(self) -> None:
        customers = directory(ACME, BOLT, merged={B: A})
        decisions = (hand(B, links=True, hours=2), hand(A, links=False, hours=1))
        assert came_to(mail(from_="x@unknown.example", decisions=decisions), customers) == linked((A, Rule.HAND))
        decisions = (hand(B, links=True, hours=1), hand(A, links=False, hours=2))
        assert came_to(mail(from_="jan@acme.be", decisions=decisions), customers) == set()

    def test_a_decision_about_a_customer_that_is_gone_does_nothing(self) -> None:
        assert came_to(mail(from_="jan@acme.be", decisions=(hand(9, links=True),)), directory(ACME)) == linked(
            (A, Rule.CONTACT)
        )

    def test_a_decision_that_was_undone_does_nothing(self) -> None:
        evidence = mail(from_="jan@acme.be", decisions=(hand(A, links=False, undone=True),))
        assert came_to(evidence, directory(ACME)) == linked((A, Rule.CONTACT))


class TestMerged:
    def test_a_merged_record_links_through_its_survivor_only(self) -> None:
        customers = directory({**ACME, "former_references": ["K-002x9"]}, BOLT, merged={B: A})
        assert came_to(mail(from_="x@unknown.example", codes=("k 002x9",)), customers) == linked((A, Rule.REFERENCE))
        assert came_to(mail(from_="els@bolt.nl"), customers) == set()

    def test_the_vat_number_of_a_merged_record_counts_for_its_survivor(self) -> None:
        customers = directory(ACME, BOLT, merged={B: A})
        evidence = mail(from_="x@unknown.example", vat_numbers=("NL001786999B01",))
        assert came_to(evidence, customers) == linked((A, Rule.VAT))

    def test_merges_are_followed_to_the_end_and_a_ring_of_them_ends(self) -> None:
        assert directory(ACME, BOLT, CORK, merged={A: B, B: C}).surviving(A) == C
        assert directory(ACME, BOLT, merged={A: B, B: A}).surviving(A) is None


class TestExplain:
    def test_an_unknown_address_is_told(self) -> None:
        evidence = mail(from_="x@unknown.example")
        assert notes(evidence, directory(ACME)) == {("unknown-address", "x@unknown.example")}

    def test_an_address_without_a_domain_is_unknown(self) -> None:
        assert ("unknown-address", "root") in notes(mail(from_=at("root")), directory(ACME))

    def test_a_providers_address_is_told_as_such(self) -> None:
        customers = directory({"domains": ["gmail.com"]})
        reasons = explain(mail(from_="x@gmail.com"), customers).reasons
        assert Reason(Rule.DOMAIN, Outcome.NOTHING, "From", "x@gmail.com", (A,), "shared-domain") in reasons

    def test_a_public_suffix_in_a_record_is_told(self) -> None:
        customers = directory({"domains": ["co.uk"]})
        reasons = explain(mail(from_="x@firm.co.uk"), customers).reasons
        assert Reason(Rule.DOMAIN, Outcome.NOTHING, "From", "x@firm.co.uk", (A,), "public-suffix") in reasons

    def test_mail_among_ourselves_is_told_as_such(self) -> None:
        evidence = mail(Direction.INTERNAL, from_="an@ours.example", to="bo@ours.example")
        assert ("own-address", "an@ours.example") in notes(evidence, directory(ACME))

    def test_an_address_in_a_display_name_is_told_and_never_links(self) -> None:
        evidence = mail(from_=(EmailAddress("jan@acme.be", "x@unknown.example"),))
        assert came_to(evidence, directory(ACME)) == set()
        reasons = explain(evidence, directory(ACME)).reasons
        assert Reason(Rule.CONTACT, Outcome.NOTHING, "display name", "jan@acme.be", (A,), "quoted-only") in reasons

    def test_what_stands_in_quoted_text_is_told_and_never_links(self) -> None:
        message = Message(
            from_=at("x@unknown.example"),
            to=at("info@ours.example"),
            text="zie onder",
            quoted="> Van: Jan <jan@acme.be>\n> licentie BOLT-2210-XY\n> new@bolt.nl",
        )
        customers = directory(ACME, BOLT)
        codes = customers.code_book.found_in(message)
        evidence = evidence_of(message, Direction.INCOMING, codes)
        assert came_to(evidence, customers) == set()
        told = notes(evidence, customers, message)
        expected = {("quoted-only", "jan@acme.be"), ("quoted-only", "bolt 2210 xy"), ("quoted-only", "new@bolt.nl")}
        assert expected <= told

    def test_forwarded_text_within_quoted_text_is_not_told_as_quoted(self) -> None:
        message = Message(
            from_=at("x@unknown.example"), quoted="> els@bolt.nl\njan@acme.be", forwarded_text="jan@acme.be"
        )
        told = notes(evidence_of(message, Direction.INCOMING), directory(ACME, BOLT), message)
        assert told == {("unknown-address", "x@unknown.example"), ("quoted-only", "els@bolt.nl")}

    def test_what_quoted_text_says_of_a_linked_customer_is_not_told(self) -> None:
        message = Message(from_=at("jan@acme.be"), quoted="> jan@acme.be")
        evidence = evidence_of(message, Direction.INCOMING)
        assert notes(evidence, directory(ACME), message) == set()

    def test_the_thread_is_a_suggestion_and_never_a_link(self) -> None:
        verdict = explain(mail(from_="x@unknown.example"), directory(ACME, BOLT), thread=(B,))
        assert verdict.links == ()
        assert Reason(Rule.THREAD, Outcome.SUGGESTS, "thread", "", (B,)) in verdict.reasons

    def test_the_thread_is_overruled_where_something_links(self) -> None:
        verdict = explain(mail(from_="jan@acme.be"), directory(ACME, BOLT), thread=(A, B))
        assert Reason(Rule.THREAD, Outcome.NOTHING, "thread", "", (B,), "overruled") in verdict.reasons

    def test_every_finding_names_its_place(self) -> None:
        evidence = mail(from_="jan@acme.be", cc="new@bolt.nl", codes=("cork77",))
        places = {one.where for one in explain(evidence, directory(ACME, BOLT, CORK)).reasons}
        assert places == {"From", "Cc", "subject or text"}

    def test_without_customers_nothing_links_and_the_address_is_still_told(self) -> None:
        assert came_to(mail(from_="jan@acme.be"), directory()) == set()
        assert notes(mail(from_="jan@acme.be"), directory()) == {("unknown-address", "jan@acme.be")}


class TestIdentifiers:
    def test_they_are_what_the_stores_look_for(self) -> None:
        customer = Customer(
            reference="1001",
            name="Acme",
            vat="BE0428759497",
            domains=("Acme.be", "gmail.com"),
            licences=("ABCD-1234-EFGH", "x"),
            contacts=(Contact(emails=("Jan.P+x@gmail.com",)),),
            former_references=("K1002",),
        )
        found = identifiers_of(customer)
        assert found.addresses == {"janp@gmail.com"}
        assert found.domains == {"acme.be"}
        assert found.vat_numbers == {"BE0428759497"}
        assert found.codes == {"# 1001", "abcd 1234 efgh", "k1002"}

    def test_a_change_touches_what_was_gained_lost_or_spelled_otherwise(self) -> None:
        was = Customer("K1001", "Acme", domains=("acme.be",), contacts=(Contact(emails=("a@x.be", "b+y@x.be")),))
        now = Customer(
            "K1002", "Acme", licences=("K1001",), domains=("acme.be",), contacts=(Contact(emails=("b@x.be",)),)
        )
        touched = touched_by(was, now)
        assert touched == Identifiers(addresses=frozenset({"a@x.be", "b@x.be"}), codes=frozenset({"k1001", "k1002"}))
        assert touched_by(was, was) == Identifiers()
        assert touched_by(None, was) == touched_by(was, None) == identifiers_of(was)

    def test_evidence_carries_all_of_a_message_that_the_rules_read(self) -> None:
        message = Message(
            from_=at("a@x.be"), sender=at("b@x.be"), reply_to=at("c@x.be"), to=at("d@x.be"), cc=at("e@x.be"),
            bcc=at("f@x.be"), author=at("g@x.be"), forwarded=at("h@x.be"), reported=at("i@x.be"), vat_numbers=("V",),
        )  # fmt: skip
        evidence = evidence_of(message, Direction.OTHER, ["code"], [hand(A, links=True)])
        assert evidence == Evidence(
            Direction.OTHER, at("a@x.be"), at("b@x.be"), at("c@x.be"), at("d@x.be"), at("e@x.be"), at("f@x.be"),
            at("g@x.be"), at("h@x.be"), at("i@x.be"), ("V",), ("code",), (hand(A, links=True),),
        )  # fmt: skip


class TestDirectory:
    def test_the_fingerprint_changes_with_who_we_are_and_with_shared_domains_only(self) -> None:
        first = directory(ACME)
        assert directory(BOLT).fingerprint == first.fingerprint
        assert directory(ACME, shared=("coop.be",)).fingerprint != first.fingerprint
        others = Directory((), identity=Identity(domains=("other.example",)))
        assert others.fingerprint != first.fingerprint

    def test_it_counts_customers_that_stand(self) -> None:
        assert len(directory(ACME, BOLT, merged={B: A})) == 1
        assert not directory()

    @pytest.mark.parametrize(
        "address", ["", "@", "a@", "@acme.be", "x" * 5000 + "@acme.be", "a@" + "b." * 3000, "a@\x00", "a@[::1]"]
    )
    def test_hostile_addresses_fit_nobody_and_raise_nothing(self, address: str) -> None:
        customers = directory(ACME)
        verdict = explain(mail(from_=at(address), reported=at(address)), customers)
        assert verdict.links == ()
