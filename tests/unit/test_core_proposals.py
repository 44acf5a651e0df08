"""Unlinked mail in groups, and what is proposed for each: likely customers first, a new one ready to create."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import pytest
from msgspec.structs import replace

from archiver.core.customer_ports import Correspondence, Correspondent, Correspondents
from archiver.core.proposals import (
    Group,
    book_of,
    draft,
    group_name,
    grouped,
    is_automatic,
    of_threads,
    proposals,
)
from archiver.model.customer import Contact, Customer, CustomerRecord
from archiver.model.identity import Identity
from tests.twins.archive import START

is_ours = Identity(("ours.test",)).owns


def who(address: str, name: str = "", *, incoming: int = 1, outgoing: int = 0, **more: int) -> Correspondent:
    return Correspondent(
        address, name, incoming, outgoing, more.get("other", 0), more.get("newest", 1), more.get("automatic", 0)
    )


class Counted:
    """Correspondence as far as grouping asks: each address in messages of its own."""

    def __init__(self, *people: Correspondent, threads: Mapping[int, Sequence[int]] | None = None) -> None:
        self._people = people
        self._threads = threads or {}

    def unlinked_groups(self, group_of: Callable[[str], str | None]) -> tuple[int, Sequence[Correspondents]]:
        groups: dict[str, list[Correspondent]] = {}
        for each in self._people:
            if (name := group_of(each.address)) is not None:
                groups.setdefault(name, []).append(each)
        return len(self._people), [
            Correspondents(
                name,
                tuple(members),
                sum(each.incoming for each in members),
                sum(each.outgoing for each in members),
                sum(each.other for each in members),
                max(each.newest for each in members),
                sum(each.automatic for each in members),
            )
            for name, members in groups.items()
        ]

    def thread_customers(self, rows: Sequence[int]) -> Mapping[int, Sequence[int]]:
        return {row: self._threads[row] for row in rows if row in self._threads}


def groups_of(*people: Correspondent, shared_domains: Sequence[str] = ()) -> Sequence[Group]:
    counted = cast("Correspondence", Counted(*people))
    return grouped(counted, is_ours=is_ours, shared_domains=shared_domains)[1]


def group_of(*people: Correspondent) -> Group:
    (group,) = groups_of(*people)
    return group


def record(
    number: int, name: str, *emails: str, domains: tuple[str, ...] = (), person: str = "Jan Peeters"
) -> CustomerRecord:
    contacts = (Contact(person, emails),) if emails or person else ()
    return CustomerRecord(number, Customer(f"K{number}", name, domains=domains, contacts=contacts), START, START)


def proposed(group: Group, *records: CustomerRecord, thread: Sequence[int] = ()) -> list[tuple[str, str]]:
    """Reference ("new" for a draft) and reason of what is proposed."""
    found = proposals(group, book_of(records), thread=thread)
    return [(each.record.customer.reference if each.record else "new", each.because) for each in found]


# --- groups ----------------------------------------------------------------------------------------------------------


def test_addresses_are_grouped_by_the_domain_that_a_company_registers() -> None:
    group = group_of(who("an@shop.klant.co.uk", incoming=2, newest=5), who("jan@klant.co.uk", outgoing=3, other=1))
    assert (group.name, group.shared, group.newest) == ("klant.co.uk", False, 5)
    assert (group.incoming, group.outgoing, group.other, group.messages) == (3, 3, 1, 7)


@pytest.mark.parametrize(
    "address", ["jan@gmail.com", "jan@telenet.be", "jan@co.uk", "root", "jan@[192.0.2.1]", "jan@localhost"]
)
def test_where_a_domain_is_nobodys_in_particular_each_address_is_a_group(address: str) -> None:
    assert group_name(address) == (address, True)
    group = group_of(who(address))
    assert (group.name, group.shared) == (address, True)


def test_two_addresses_of_a_provider_are_two_groups_and_the_configuration_names_more_providers() -> None:
    people = (who("an@gmail.com"), who("jan@gmail.com"), who("an@host.test"), who("jan@mail.host.test"))
    assert len(groups_of(*people)) == 3
    assert len(groups_of(*people, shared_domains=("host.test",))) == 4


def test_we_are_no_strangers() -> None:
    assert groups_of(who("info@ours.test")) == []


def test_most_mail_comes_first_and_what_programs_write_last() -> None:
    found = groups_of(
        who("newsletter@shop.test", incoming=90),
        who("x@robots.test", incoming=50, automatic=50),
        who("a@few.test", incoming=2, newest=1),
        who("a@many.test", outgoing=9),
        who("b@few-newer.test", incoming=2, newest=2),
        who("noreply@answered.test", incoming=3, outgoing=1),
    )
    assert [group.name for group in found] == [
        "many.test", "answered.test", "few-newer.test", "few.test", "shop.test", "robots.test",
    ]  # fmt: skip
    assert [group.automatic for group in found] == [False, False, False, False, True, True]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("no-reply@x.test", True), ("noreply@x.test", True), ("DoNotReply@x.test", True), ("do_not_reply@x.test", True),
        ("mailer-daemon@x.test", True), ("postmaster@x.test", True), ("bounces+abc=d@x.test", True),
        ("newsletter@x.test", True), ("nieuwsbrief@x.test", True), ("notifications@x.test", True),
        ("ne-pas-repondre@x.test", True), ("nicht-antworten@x.test", True), ("niet.beantwoorden@x.test", True),
        ("info@x.test", False), ("jan@x.test", False), ("norbert@x.test", False), ("newsroom@x.test", False),
        ("nora.reply@x.test", False), ("root", False),
    ],
)  # fmt: skip
def test_addresses_that_programs_write_from(address: str, expected: bool) -> None:
    assert is_automatic(address) is expected


def test_a_group_is_found_by_any_part_of_its_names() -> None:
    group = group_of(who("an@klant.test", "An Maes"), who("jan@klant.test"))
    assert [group.has(text) for text in ("KLANT", "an@", "maes ", "jan@klant.test", "peeters")] == [True] * 4 + [False]


# --- customers that it might be --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        ("peeters-bouw.be", "Peeters Bouw bvba"), ("peetersbouw.be", "B.V. Peeters-Bouw"), ("ünal.be", "Ünal NV"),
        ("bouwbedrijf-peeters.be", "Peeters Bouwbedrijf"), ("peetersbouwgroep.com", "Peeters Bouwgroep"),
        ("delelie.be", "De Lelie vzw"), ("de-lelie.be", "De Lelie vzw"), ("vrt.be", "Vlaamse Radio Televisie"),
        ("maes.be", "Maes & Zonen"), ("acme-ltd.com", "Acme Limited"), ("peetersbouwwer.be", "Peeters Bouwwerken"),
        ("cafe-etoile.fr", "Café Étoile SARL"),
    ],
)  # fmt: skip
def test_a_domain_that_reads_like_a_companys_name(domain: str, name: str) -> None:
    group = group_of(who(f"info@{domain}"))
    assert proposed(group, record(1, name), record(2, "Heel Iets Anders")) == [("K1", "name-like"), ("new", "new")]


@pytest.mark.parametrize(
    ("domain", "name", "domains"),
    [
        ("acrne.be", "Acme", ("acme.be",)), ("acme-be.com", "Acme", ("acme.be",)), ("acmee.be", "Acme", ("acme.be",)),
        ("bv.be", "Bouw bv", ()), ("van.be", "Van Damme", ()), ("xacmex.test", "Acme", ()), ("pee.be", "Peeters", ()),
    ],
)  # fmt: skip
def test_what_is_merely_spelled_nearly_the_same_is_not_proposed(
    domain: str, name: str, domains: tuple[str, ...]
) -> None:
    assert proposed(group_of(who(f"info@{domain}")), record(1, name, domains=domains)) == [("new", "new")]


def test_the_same_name_under_another_suffix_and_a_contacts_own_domain_are_like() -> None:
    group = group_of(who("an@acme.de"))
    assert proposed(group, record(1, "Holding", domains=("acme.be",))) == [("K1", "domain-like"), ("new", "new")]
    assert proposed(group, record(1, "Holding", "jan@mail.acme.de")) == [("K1", "domain-like"), ("new", "new")]
    assert proposed(group, record(1, "Holding", "acme.de@gmail.com")) == [("new", "new")]


def test_a_display_name_may_be_a_contact_or_a_company() -> None:
    known = record(1, "Peeters Bouw bvba", "jan@peeters.be")
    for name in ("Jan Peeters", "PEETERS, Jan", "Jan Peeters (privé)", "Peeters Bouw", "Info | Peeters Bouw BVBA"):
        assert proposed(group_of(who("jp1970@gmail.com", name)), known)[0] == ("K1", "name-like"), name
    for name in ("Jan", "Peeters", "Jan Maes", ""):
        assert proposed(group_of(who("jp1970@gmail.com", name)), known) == [("new", "new")], name


def test_the_customers_of_the_same_conversations_are_proposed() -> None:
    known = record(1, "Anders")
    group = group_of(who("an@klant.test", newest=7))
    correspondence = cast("Correspondence", Counted(threads={7: [1, 9]}))
    threads = of_threads([group], correspondence)
    assert threads == {"klant.test": (1, 9)}
    assert proposed(group, known, thread=threads["klant.test"]) == [("K1", "thread"), ("new", "new")]


def test_the_likeliest_come_first_and_no_more_than_three() -> None:
    group = group_of(who("an@acme.de", "Jan Peeters"))
    records = [
        record(1, "Zzz", "an@x.test", person="Jan Peeters"),
        record(2, "Acme nv", person=""),
        record(3, "Holding", "boss@acme.de", person="Boss"),
        record(4, "Group", domains=("acme.fr",), person=""),
        record(5, "Acme", person=""),
    ]
    assert proposed(group, *records) == [
        ("K3", "domain-like"), ("K5", "name-like"), ("K2", "name-like"), ("new", "new"),
    ]  # fmt: skip


def test_one_that_was_merged_into_another_is_not_proposed() -> None:
    merged = replace(record(1, "Acme"), merged_into=2)
    assert proposed(group_of(who("an@acme.de")), merged, record(2, "Other")) == [("new", "new")]


def test_no_new_customer_is_proposed_for_what_programs_write() -> None:
    assert proposed(group_of(who("newsletter@shop.test"))) == []
    assert proposed(group_of(who("newsletter@acme.test")), record(1, "Acme")) == [("K1", "name-like")]


# --- a new customer --------------------------------------------------------------------------------------------------


def drafted(*people: Correspondent) -> tuple[str, tuple[str, ...], list[tuple[str, tuple[str, ...]]]]:
    made = draft(group_of(*people))
    assert made.reference == ""
    return made.name, made.domains, [(contact.name, contact.emails) for contact in made.contacts]


def test_a_draft_has_the_domain_the_name_and_the_people() -> None:
    assert drafted(
        who("info@peeters-bouw.be", "Peeters Bouw BVBA", incoming=9),
        who("jan@peeters-bouw.be", "Jan Peeters | Peeters Bouw", incoming=5),
        who("an@peeters-bouw.be", "Maes, An", incoming=4),
        who("an.maes@peeters-bouw.be", "An Maes", incoming=3),
        who("no-reply@peeters-bouw.be", "Robot", incoming=2),
        who("x@peeters-bouw.be", "x@peeters-bouw.be"),
    ) == (
        "Peeters Bouw BVBA",
        ("peeters-bouw.be",),
        [("Jan Peeters", ("jan@peeters-bouw.be",)), ("An Maes", ("an@peeters-bouw.be", "an.maes@peeters-bouw.be"))],
    )


def test_without_display_names_the_domain_is_spelled_out() -> None:
    assert drafted(who("info@de-witte-lelie.be")) == ("De Witte Lelie", ("de-witte-lelie.be",), [])
    assert drafted(who("info@xyz.example"))[0] == "XYZ"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Jan Peeters", "Jan Peeters"), ("'Jan Peeters'", "Jan Peeters"), ("Jan van Damme", "Jan van Damme"),
        ("Jan Peeters - Acme", "Jan Peeters"), ("Acme - Jan Peeters", "Jan Peeters"), ("Acme", ""), ("ACME nv", ""),
        ("Jan Peeters, Acme", "Jan Peeters"), ("Jan Peeters (Acme)", "Jan Peeters"), ("Jan via Acme", "Jan"),
        ("Peeters, Jan", "Jan Peeters"), ("van Damme, Jan Karel", "Jan Karel van Damme"), ("jan@acme.test", ""),
        ("jan", ""), ("", ""), ("Jean-Luc Étienne", "Jean-Luc Étienne"), ("Jan Peeters [Acme]", "Jan Peeters"),
    ],
)  # fmt: skip
def test_the_person_in_a_display_name(name: str, expected: str) -> None:
    _, _, people = drafted(who("jan@acme.test", name))
    assert people == ([(expected, ("jan@acme.test",))] if expected else [])


def test_where_the_domain_is_a_providers_the_address_is_the_contact() -> None:
    assert drafted(who("jp1970@gmail.com", "Jan Peeters")) == (
        "Jan Peeters", (), [("Jan Peeters", ("jp1970@gmail.com",))],
    )  # fmt: skip
    assert drafted(who("jan.peeters@gmail.com")) == ("Jan Peeters", (), [("", ("jan.peeters@gmail.com",))])


def test_hostile_names_are_grouped_and_drafted_like_others() -> None:
    for address in ("@", "a@", "@b", "a@@b", "a@b.", "a@.b", "a@" + "x" * 300, "\x00@\x00.be", "a@xn--.be", "a@-.-"):
        for name in ("\x00", "| | |", ",", "()", "@", "-" * 500, "(" * 200, "a, " * 100):
            (group,) = groups_of(who(address, name))
            assert proposals(group, book_of([record(1, name, address, domains=(address,))]))
