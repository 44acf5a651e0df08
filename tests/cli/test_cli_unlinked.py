"""Unlinked mail gets an owner: by options, all or nothing, and by a person who is asked group by group."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archiver.cli.assigning import with_group
from archiver.core.customer_ports import Correspondent
from archiver.model.customer import Contact, Customer
from tests.cli.harness import Cli, Ran
from tests.cli.twin import OpenTwin
from tests.cli.twin_customers import Group, UnlinkedPage
from tests.cli.worlds import linked

DOMAIN, ADDRESS = "desmet-dakwerken.example", "katrien.vos@gmail.com"


@pytest.fixture
def sorting(cli: Cli) -> Cli:
    cli.app, cli.tty = linked(), True
    cli.environ["NO_COLOR"] = "1"
    return cli


def asked(cli: Cli, *answers: str) -> Ran:
    cli.answers = list(answers)
    ran = cli("unlinked", "-i")
    assert ran.code == 0, ran.err
    return ran


def customer(cli: Cli, reference: str) -> Customer:
    record = cli.twin.book.by_reference(reference)
    assert record is not None
    return record.customer


def test_a_domain_goes_to_a_customer_and_a_providers_address_to_a_contact(sorting: Cli) -> None:
    ran = sorting("unlinked", "--assign", f"{DOMAIN}=K1002", "--assign", f"{ADDRESS}=peeters bouw bvba")
    assert ran.code == 0
    assert customer(sorting, "K1002").domains == ("janssens.example", DOMAIN)
    assert customer(sorting, "K1001").contacts[-1] == Contact("Katrien Vos", (ADDRESS,))
    assert "2 messages gained the link to K1002." in ran.out
    assert "1 message gained the link to K1001." in ran.out


def test_a_new_customer_is_made_as_proposed_with_the_next_number_or_the_one_given(sorting: Cli) -> None:
    assert sorting("unlinked", "--create", DOMAIN, "--create", f"{ADDRESS}=2026-7").code == 0
    made = customer(sorting, "K1003")
    assert (made.name, made.domains) == ("Desmet Dakwerken", (DOMAIN,))
    assert customer(sorting, "2026-7").contacts == (Contact("Katrien Vos", (ADDRESS,)),)
    assert customer(sorting, "2026-7").domains == ()


@pytest.mark.parametrize(
    "words",
    [
        ["--assign", f"{DOMAIN}=K1002", "--assign", f"{ADDRESS}=nobody"],
        ["--assign", f"{DOMAIN}=K1002", "--create", "elsewhere.example"],
        ["--assign", f"{DOMAIN}=K1002", "--create", f"{ADDRESS}=k1001"],
        ["--create", f"{DOMAIN}=k7", "--create", f"{ADDRESS}=K7"],
        ["--assign", DOMAIN],
        ["--dry-run"],
        ["-i", "--assign", f"{DOMAIN}=K1002"],
    ],
    ids=["no such customer", "no such group", "taken", "given twice", "no customer", "nothing to try", "both"],
)
def test_with_one_mistake_nothing_is_changed(sorting: Cli, words: list[str]) -> None:
    before = list(sorting.twin.book.records)
    assert sorting("unlinked", *words).code == 2
    assert sorting.twin.book.records == before


def test_a_dry_run_says_the_same_and_changes_nothing(sorting: Cli) -> None:
    before = list(sorting.twin.book.records)
    told = sorting("unlinked", "--create", DOMAIN, "--dry-run", "--json").json()
    assert sorting.twin.book.records == before
    done = sorting("unlinked", "--create", DOMAIN, "--json").json()
    assert (told.pop("dry_run"), done.pop("dry_run")) == (True, False)
    assert told == done
    assert done["items"][0]["customer"] == "K1003"
    assert done["links"]["gained"] == [{"customer": "K1003", "messages": 2}]


def test_a_person_takes_a_proposal_by_its_number(sorting: Cli) -> None:
    ran = asked(sorting, "1", "q")
    assert DOMAIN in customer(sorting, "K1002").domains
    assert "2 messages gained the link to K1002." in ran.out
    assert "1 decision, 2 messages linked; 1 group left" in ran.out


def test_a_person_creates_a_customer_with_the_draft_as_default(sorting: Cli) -> None:
    asked(sorting, "c", "", "", "c", "Katrien", "K7", "")
    assert customer(sorting, "K1003").name == "Desmet Dakwerken"
    assert customer(sorting, "K7").name == "Katrien"
    assert sorting.prompts[1:3] == ["Name [Desmet Dakwerken]: ", "Reference [K1003]: "]


def test_a_person_looks_at_the_messages_and_finds_another_customer(sorting: Cli) -> None:
    ran = asked(sorting, "m", "l", "bestaat niet", "l", "janssens", "1", "s")
    assert "Vraag over prijzen" in ran.out
    assert "No customer is like that." in ran.out
    assert DOMAIN in customer(sorting, "K1002").domains
    assert "1 decision, 2 messages linked; 1 group left" in ran.out


def test_a_name_that_is_typed_is_looked_for(sorting: Cli) -> None:
    asked(sorting, "janssens", "1", "s")
    assert DOMAIN in customer(sorting, "K1002").domains


def test_a_customer_that_was_just_made_can_be_chosen_for_the_next_group(sorting: Cli) -> None:
    asked(sorting, "c", "", "", "dakwerken", "1")
    assert [contact.name for contact in customer(sorting, "K1003").contacts] == ["Bram De Smet", "Katrien Vos"]


def test_a_domain_that_looks_like_a_customers_is_pointed_out_unless_it_is_proposed(sorting: Cli) -> None:
    first, second = sorting.twin.world.unlinked.items
    fraud = replace(first, name="kIant.example", proposals=())
    sorting.twin.world.unlinked = UnlinkedPage(3, 2, [fraud, second])
    warning = "careful: this looks like klant.example of K1001 Peeters Bouw bvba"
    assert warning in sorting("unlinked", "--no-pager").out
    assert warning in asked(sorting, "q").out
    assert sorting("unlinked", "--json").json()["items"][0]["looks_like"] == ["K1001"]
    proposed = replace(fraud, proposals=second.proposals)
    sorting.twin.world.unlinked = UnlinkedPage(3, 2, [proposed, second])
    assert warning not in sorting("unlinked", "--no-pager").out


def test_skipping_all_changes_nothing_and_asks_about_each_once(sorting: Cli) -> None:
    before = list(sorting.twin.book.records)
    ran = asked(sorting, "s", "")
    assert sorting.twin.book.records == before
    assert len(sorting.prompts) == 2
    assert "0 decisions, 0 messages linked; 2 groups left, 3 messages unlinked in all." in ran.out


def test_a_mistake_is_told_and_asked_again(sorting: Cli) -> None:
    ran = asked(sorting, "x", "9", "c", "", "K1001", "c", "", "K1005", "q")
    assert "another customer has this reference" in ran.err
    assert customer(sorting, "K1005").domains == (DOMAIN,)


def test_the_archive_is_open_for_writing_only_while_a_decision_is_carried_out(sorting: Cli) -> None:
    held: list[bool] = []

    def reply(prompt: str) -> str:
        held.append(sorting.twin.calls[-1] == "change unlinked")
        return ["1", "q"][len(held) - 1]

    sorting.answers = reply
    assert sorting("unlinked", "-i").code == 0
    assert sorting.twin.calls == ["open", "close", "change unlinked", "changed", "open", "close"]
    assert held == [False, False]


def test_the_passphrase_is_asked_for_once(sorting: Cli) -> None:
    from tests.cli.twin import PASSPHRASE

    sorting.twin.locked = True
    asked(sorting, PASSPHRASE, "1", "1")
    assert [prompt for prompt in sorting.prompts if "assphrase" in prompt] == sorting.prompts[:1]


def test_a_group_adds_only_what_is_not_there() -> None:
    newest = OpenTwin(linked().mails).summary(7)
    addresses = (
        Correspondent("katrien.vos@gmail.com", "Katrien Vos", 1, 0, 0, 7),
        Correspondent("KATRIEN@Telenet.example", "katrien vos", 1, 0, 0, 7),
        Correspondent("iemand@gmail.com", "", 1, 0, 0, 7),
    )
    group = Group("x", newest, shared=True, addresses=addresses)
    known = Customer("K1", "X", contacts=(Contact("Katrien Vos", ("katrien@telenet.example",)),))
    assert with_group(known, group).contacts == (
        Contact("Katrien Vos", ("katrien@telenet.example", "katrien.vos@gmail.com")),
        Contact("", ("iemand@gmail.com",)),
    )
    domain = Group("x.example", newest)
    assert with_group(with_group(known, domain), domain).domains == ("x.example",)
