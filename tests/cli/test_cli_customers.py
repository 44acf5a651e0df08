"""Customer records from the command line: what is asked, told and kept, for people and for scripts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from archiver.cli.customer.edit import edited
from archiver.cli.customer.form import next_reference
from archiver.cli.customer.text import field_lines, link_sentences
from archiver.errors import UsageError
from archiver.model.customer import Consent, Contact, Customer, CustomerRecord
from archiver.model.link import LinkChanges
from tests.cli.harness import Cli, Ran
from tests.cli.test_cli_transcripts import customers
from tests.cli.twin import NOW, Mail, Twin, blob_id
from tests.cli.twin_customers import CREATED, Book, janssens, peeters

CUSTOMER = {
    "reference", "name", "address", "postal_code", "city", "country", "vat", "domains", "licences", "contacts", "notes",
    "consent", "consents", "former_references", "created", "changed",
}  # fmt: skip
CHANGE = {"customer", "change", "fields", "links", "warnings", "dry_run"}
LINKS = {"messages", "gained", "lost", "candidates_gained", "candidates_lost"}
ONE = blob_id(0).hex()[:8]
HOSTILE = replace(
    peeters(),
    name="Peeters \x1b]0;owned\x07\u202e Bouw",
    city="Gent\x9b31m",
    notes="een\x1b[2J\ntwee",
    contacts=(Contact("An \x1b[31mPeeters", ("an@klant.example",)),),
)


@pytest.fixture
def world(cli: Cli) -> Cli:
    """Two customers, and mail with one of them."""
    cli.app = customers()
    return cli


def kept(cli: Cli, reference: str = "K1001") -> Customer:
    record = cli.twin.book.by_reference(reference)
    assert record is not None
    return record.customer


def refused(ran: Ran) -> bool:
    return ran.code == 2 and ran.out == "" and ran.err.startswith("archiver: ")


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_listed_customer_has_exactly_the_fields_of_the_contract(world: Cli) -> None:
    answer = world("customer", "list", "--json").json()
    assert answer["total"] == 2
    assert [set(item) for item in answer["items"]] == [CUSTOMER] * 2
    assert [item["reference"] for item in answer["items"]] == ["K1002", "K1001"]
    assert set(answer["items"][1]["contacts"][0]) == {"name", "emails", "phones", "mobiles"}


def test_a_found_customer_says_what_matched(world: Cli) -> None:
    answer = world("customer", "find", "0471", "12", "34", "56", "--json").json()
    (item,) = answer["items"]
    assert set(item) == CUSTOMER | {"matched", "value"}
    assert (item["reference"], item["matched"], item["value"]) == ("K1001", "mobile", "+32471123456")
    assert world("customer", "find", "nobody at all", "--json").json() == {"total": 0, "items": []}


def test_a_shown_customer_has_mail_and_what_it_shares_with_others(world: Cli) -> None:
    world.twin.book.keep(replace(janssens("K1003"), contacts=(Contact("", ("an@klant.example",)),)))
    answer = world("customer", "show", "K1001", "--json").json()
    assert set(answer) == CUSTOMER | {"merged", "mail", "warnings"}
    assert answer["mail"]["linked"] == 0
    assert answer["mail"]["candidates"] == 3
    assert any("K1003" in warning and "an@klant.example" in warning for warning in answer["warnings"])
    shown = world("customer", "show", "K1001")
    assert "3 more might be theirs" in shown.out
    assert "careful: " in shown.err


@pytest.mark.parametrize(
    "words",
    [["list"], ["find", "peeters"], ["find", "an"], ["show", "K1001"], ["edit", "K1001", "--city", "Aalst"],
     ["merge", "K1002", "K1001", "--yes"], ["remove", "K1001", "--yes"]],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("tty", [False, True], ids=["pipe", "terminal"])
def test_a_record_cannot_steer_the_terminal(cli: Cli, words: list[str], tty: bool) -> None:
    cli.app = Twin(mails=[Mail()], book=Book(check=lambda customer: customer).keep(HOSTILE, janssens()))
    cli.tty, cli.environ["NO_COLOR"] = tty, "1"
    ran = cli("customer", *words)
    assert ran.code == 0
    for text in (ran.out, ran.err):
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)


@pytest.mark.parametrize("words", [["list"], ["find", "peeters"], ["show", "K1001"], ["show", "K3000"]], ids=" ".join)
@pytest.mark.parametrize("columns", [80, 60])
def test_nothing_is_wider_than_the_terminal(cli: Cli, words: list[str], columns: int) -> None:
    cli.app, cli.tty, cli.columns, cli.environ["NO_COLOR"] = customers(), True, columns, "1"
    cli.twin.book.keep(replace(peeters("K2000"), name="Algemene Bouwonderneming " * 5, notes="woord " * 60))
    cli.twin.book.keep(replace(HOSTILE, reference="K3000", name="Peeters " + "\x1b\u202e" * 40, notes="\x07 \x07" * 40))
    assert max(map(len, cli("customer", *words).out.splitlines())) <= columns


# --- adding -----------------------------------------------------------------------------------------------------------


def test_an_added_customer_is_canonical_and_gains_its_mail(cli: Cli) -> None:
    cli.app = Twin(mails=[Mail(), Mail()])
    ran = cli(
        "customer", "add", "K1", "Peeters", "--vat", "be 0428.759.497", "--country", "België", "--domain",
        "https://www.Klant.example/", "--licence", "L 1", "--contact", "An", "--phone", "09/234.56.78", "--json",
    )  # fmt: skip
    change = ran.json()
    assert set(change) == CHANGE
    assert set(change["links"]) == LINKS
    assert (change["customer"], change["change"]) == ("K1", "added")
    assert change["links"]["gained"] == [{"customer": "K1", "messages": 2}]
    customer = kept(cli, "K1")
    assert (customer.vat, customer.country, customer.domains) == ("BE0428759497", "BE", ("klant.example",))
    assert customer.contacts == (Contact("An", (), ("+3292345678",), ()),)


def test_every_mistake_is_told_at_once_and_nothing_is_added(cli: Cli) -> None:
    ran = cli("customer", "add", "K1", "X", "--vat", "BE0428759498", "--domain", "gmail.com", "--email", "no-address")
    assert refused(ran)
    assert [word for word in ("VAT", "domain", "e-mail") if word not in ran.err] == []
    assert cli.twin.book.records == []


def test_without_a_terminal_nothing_is_asked(cli: Cli) -> None:
    for words in ([], ["K1"]):
        ran = cli("customer", "add", *words)
        assert refused(ran)
        assert "REFERENCE and a NAME" in ran.err
    assert cli("customer", "add", "K1", "Peeters").code == 0
    assert cli.prompts == []


def test_the_form_asks_again_until_an_answer_is_right(cli: Cli) -> None:
    cli.tty = True
    config = cli.home / "config.toml"
    config.write_text('[archive]\npath = "archive"\n[identity]\ndomains = ["ons.example"]\n', encoding="utf-8")
    cli.environ["ARCHIVER_CONFIG"] = str(config)
    cli.twin.book.keep(janssens("K1000"))
    answers = {
        "Name": ["", "Peeters Bouw"],
        "Reference": ["k1000", ""],
        "Street": ["Kerkstraat 1"],
        "Postal": [""],
        "Town": ["Gent"],
        "Country": ["Atlantis", "Frankrijk"],
        "VAT": ["12", ""],
        "Domains": ["gmail.com", "klant.example, ons.example", "klant.example"],
        "Licences": ["L1, L2"],
        "Contact": ["An", ""],
        "  E-mail": ["an(at)klant", "an@klant.example, an@thuis.example"],
        "  Phone": ["01 23 45 67 89"],
        "  Mobile": ["12", ""],
        "Another": [""],
        "Notes": ["Belt liefst."],
        "Add this": ["perhaps", ""],
    }
    cli.answers = lambda prompt: next(left.pop(0) for start, left in answers.items() if prompt.startswith(start))
    ran = cli("customer", "add")
    assert ran.code == 0, ran.err
    assert {key: left for key, left in answers.items() if left} == {"Contact": [""]}
    customer = kept(cli, "K1001")
    assert (customer.name, customer.country, customer.vat) == ("Peeters Bouw", "FR", None)
    assert customer.domains == ("klant.example",)
    assert customer.licences == ("L1", "L2")
    # A number without a country is one of the customer's country.
    assert customer.contacts == (Contact("An", ("an@klant.example", "an@thuis.example"), ("+33123456789",), ()),)


def test_the_archive_is_not_locked_for_writing_while_a_person_types(cli: Cli) -> None:
    cli.tty = True

    def answer(prompt: str) -> str:
        assert not any(call.startswith("change ") for call in cli.twin.calls)
        return "Peeters" if prompt.startswith("Name") else ""

    cli.answers = answer
    assert cli("customer", "add").code == 0
    assert [call for call in cli.twin.calls if call.startswith(("open", "change "))] == ["open", "change customer add"]


def test_the_passphrase_is_asked_once_however_often_the_archive_is_opened(cli: Cli) -> None:
    from tests.cli.twin import PASSPHRASE

    cli.tty, cli.twin.locked = True, True
    cli.answers = lambda prompt: PASSPHRASE if "assphrase" in prompt else "Peeters" if prompt.startswith("Name") else ""
    assert cli("customer", "add").code == 0
    assert sum("assphrase" in prompt for prompt in cli.prompts) == 1


def test_the_form_names_who_is_there_already(world: Cli) -> None:
    world.tty = True
    world.answers = lambda prompt: (
        "Peeters Bouw" if prompt.startswith("Name") else "n" if prompt.startswith("Add") else ""
    )
    ran = world("customer", "add")
    assert "there is K1001 Peeters Bouw bvba, Gent" in ran.err
    assert "Nothing was added." in ran.err
    assert len(world.twin.book.records) == 2


def test_what_was_typed_can_be_corrected_before_it_is_kept(cli: Cli) -> None:
    """Every answer is offered again: Enter keeps it, - empties it."""
    cli.tty = True
    first = {
        "Name": "Peters", "Town": "Gent", "Domains": "klant.example, zon.example", "Contact": "An", "Notes": "x",
        "  E-mail": "an@klant.example", "Add this": "n", "Correct it": "y",
    }  # fmt: skip
    second = {"Name": "Peeters", "Domains": "-", "Notes": "-"}
    given: list[str] = []

    def answer(prompt: str) -> str:
        given.append(prompt)
        answers = second if any(asked.startswith("Correct it") for asked in given[:-1]) else first
        return next((said for question, said in answers.items() if prompt.startswith(question)), "")

    cli.answers = answer
    ran = cli("customer", "add")
    assert ran.code == 0, ran.err
    assert "Name [Peters]: " in given
    assert "Contact [An]: " in given
    customer = kept(cli, "K1001")
    assert (customer.name, customer.city, customer.domains, customer.notes) == ("Peeters", "Gent", (), "")
    assert customer.contacts == (Contact("An", ("an@klant.example",)),)


@pytest.mark.parametrize(("correct", "code"), [("y", 0), ("n", 2)])
def test_a_form_that_is_refused_in_the_end_is_not_lost(cli: Cli, correct: str, code: int) -> None:
    """Somebody else may have taken the reference while this one was typed."""
    cli.tty = True
    adding = cli.twin.book

    def answer(prompt: str) -> str:
        if prompt.startswith("Add this") and not adding.records:
            adding.keep(peeters())
        if prompt.startswith("Reference"):
            return "" if not adding.records else "K2000"
        return "Vermeulen" if prompt == "Name: " else correct if prompt.startswith("Correct") else ""

    cli.answers = answer
    ran = cli("customer", "add")
    assert ran.code == code, ran.err
    assert "another customer has this reference" in ran.err
    assert [record.customer.name for record in adding.records[1:]] == (["Vermeulen"] if code == 0 else [])
    assert ("Nothing was added." in ran.err) == (code == 2)


def test_no_prompt_can_steer_the_terminal(cli: Cli) -> None:
    cli.app = Twin(book=Book(check=lambda customer: customer).keep(replace(HOSTILE, reference="K\x1b[5m\u202e41")))
    cli.tty, cli.environ["NO_COLOR"] = True, "1"
    cli.answers = lambda prompt: "Peeters" if prompt.startswith("Name") else "n" if prompt.startswith("Add") else ""
    ran = cli("customer", "add")
    assert ran.code == 0
    assert any("42]" in prompt for prompt in cli.prompts)
    for text in (*cli.prompts, ran.out, ran.err):
        assert not {"\x1b", "\x07", "\u202e"} & set(text)


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        ([], "K1001"),
        (["K1001", "K1041", "K1007"], "K1042"),
        (["009", "010"], "011"),
        (["K099"], "K100"),
        (["A-7", "B-1", "B-9"], "B-10"),
        (["Peeters"], "K1001"),
    ],
)
def test_the_next_reference_follows_the_highest_of_the_usual_kind(references: list[str], expected: str) -> None:
    records = [
        CustomerRecord(number, Customer(reference, "X"), CREATED, CREATED)
        for number, reference in enumerate(references)
    ]
    assert next_reference(records) == expected


def test_the_reference_of_a_merged_customer_is_not_proposed_again() -> None:
    customer = replace(janssens("K1"), former_references=("K7",))
    assert next_reference([CustomerRecord(1, customer, CREATED, CREATED)]) == "K8"


# --- changing ---------------------------------------------------------------------------------------------------------


def changed(customer: Customer, **given: Any) -> Customer:
    """The customer after `customer edit` with these options."""
    nothing = dict.fromkeys(
        ("reference", "name", "address", "postal_code", "city", "country", "vat", "notes", "contact", "rename_contact")
    )
    lists = "add_domain remove_domain add_licence remove_licence emails phones mobiles remove_email remove_phone"
    empty: dict[str, Any] = dict.fromkeys([*lists.split(), "remove_contact", "add_note"], ())
    return edited(customer, {**nothing, **empty, **given}, region="BE")


def test_an_option_replaces_and_an_empty_one_clears() -> None:
    after = changed(peeters(), name="Peeters bv", vat="", city="", notes="")
    assert (after.name, after.vat, after.city, after.notes) == ("Peeters bv", None, "", "")
    assert after.contacts == peeters().contacts


def test_lists_are_changed_in_any_spelling() -> None:
    after = changed(peeters(), add_domain=("x.example",), remove_domain=("WWW.klant.example",), add_licence=("L2",))
    assert after.domains == ("x.example",)
    assert after.licences == ("LIC-2024-0042", "L2")
    assert changed(peeters(), remove_licence=("lic-2024-0042",)).licences == ()


def test_a_contact_is_chosen_by_name_or_address_and_made_when_unknown() -> None:
    by_name = changed(peeters(), contact="an peeters", remove_phone=("0471/12.34.56",), emails=("x@klant.example",))
    assert by_name.contacts[0].mobiles == ()
    assert by_name.contacts[0].emails[-1] == "x@klant.example"
    renamed = changed(peeters(), contact="boekhouding@klant.example", rename_contact="Els")
    assert renamed.contacts[1].name == "Els"
    new = changed(peeters(), contact="Jan", mobiles=("0499 11 22 33",))
    assert new.contacts[2] == Contact("Jan", (), (), ("0499 11 22 33",))
    assert changed(peeters(), remove_contact=("Boekhouding",)).contacts == peeters().contacts[:1]


def test_the_only_contact_needs_no_name() -> None:
    one = replace(peeters(), contacts=peeters().contacts[:1])
    assert changed(one, phones=("09 111 11 11",)).contacts[0].phones[-1] == "09 111 11 11"
    assert changed(janssens(), emails=("a@janssens.example",)).contacts == (Contact("", ("a@janssens.example",)),)


@pytest.mark.parametrize(
    "given",
    [
        {"remove_domain": ("x.example",)},
        {"remove_licence": ("L9",)},
        {"remove_contact": ("Nobody",)},
        {"contact": "An Peeters", "remove_email": ("x@klant.example",)},
        {"contact": "An Peeters", "remove_phone": ("09 999 99 99",)},
        {"contact": "Nobody", "remove_phone": ("0471 12 34 56",)},
        {"contact": "Nobody", "rename_contact": "Somebody"},
        {"emails": ("x@klant.example",)},
    ],
    ids=str,
)
def test_what_is_not_there_cannot_be_removed_and_no_contact_is_guessed(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        changed(peeters(), **given)


def test_a_change_is_told_field_by_field_and_kept(world: Cli) -> None:
    change = world("customer", "edit", "K1001", "--city", "Aalst", "--add-note", "Nieuw.", "--json").json()
    assert change["fields"] == [
        {"field": "city", "before": "Gent", "after": "Aalst"},
        {"field": "notes", "before": "Belt liefst voor de middag.", "after": "Belt liefst voor de middag.\nNieuw."},
    ]
    assert kept(world).city == "Aalst"


def test_a_dry_run_tells_the_same_and_keeps_nothing(world: Cli) -> None:
    before = list(world.twin.book.records)
    for words in (
        ["edit", "K1001", "--remove-domain", "klant.example"],
        ["add", "K9", "X", "--domain", "x.example"],
        ["remove", "K1001"],
        ["merge", "K1002", "K1001"],
    ):
        ran = world("customer", *words, "--dry-run")
        assert ran.code == 0, ran.err
        assert "Would " in ran.out
        assert ran.out.endswith("Nothing was kept: this was a dry run.\n")
        assert world("customer", *words, "--dry-run", "--json").json()["dry_run"] is True
    assert world.twin.book.records == before


def test_a_changed_contact_shows_what_came_and_went() -> None:
    before, after = (
        peeters(),
        changed(peeters(), contact="An Peeters", remove_email=("an@klant.example",), phones=("1",)),
    )
    after = replace(
        after, contacts=(replace(after.contacts[0], phones=("+3292345678", "+3291111111")), *after.contacts[1:])
    )
    lines = ["".join(span.text for span in spans) for _, spans in field_lines(before, after, "BE", UTC)]
    assert lines == [
        "- An Peeters: an@klant.example",
        "+ An Peeters: phone 09 111 11 11",
    ]


def test_links_are_told_customer_by_customer_most_mail_first() -> None:
    changes = LinkChanges(20, gained=((1, 12),), lost=((1, 3), (2, 14)), candidates_gained=((1, 2),))
    assert link_sentences(changes, {1: "K1", 2: "K2"}) == [
        "12 messages gained the link to K1, 3 lost it; 2 more might be theirs.",
        "14 messages lost the link to K2.",
    ]
    assert link_sentences(changes, {1: "K1", 2: "K2"}, dry_run=True)[1] == "14 messages would lose the link to K2."
    only = LinkChanges(5, candidates_gained=((1, 4),), candidates_lost=((1, 2), (2, 1)))
    assert link_sentences(only, {1: "K1", 2: "K2"}) == [
        "4 more and 2 fewer messages might be K1's.",
        "1 fewer message might be K2's.",
    ]
    assert link_sentences(LinkChanges(), {}) == ["No message changed its customer."]


# --- consent ----------------------------------------------------------------------------------------------------------


def test_consent_is_given_by_somebody_in_a_message_and_withdrawn(world: Cli) -> None:
    ran = world("customer", "consent", "K1001", "--given-by", "An", "--message", ONE, "--on", "2026-03-03")
    assert ran.code == 0, ran.err
    given = Consent(datetime(2026, 3, 3, 12, tzinfo=UTC), "An", blob_id(0).hex())
    assert kept(world).consents == (given,)
    assert f"in message {ONE}" in world("customer", "show", "K1001").out
    assert world("customer", "consent", "K1001", "--withdrawn", "--by", "Jan").code == 0
    assert kept(world).consents == (replace(given, withdrawn_at=NOW, withdrawn_by="Jan"),)
    assert kept(world).consent is None
    assert world("customer", "show", "K1001", "--json").json()["consent"] is None


def test_a_message_of_somebody_else_is_pointed_out(world: Cli) -> None:
    ran = world("customer", "consent", "K1002", "--given-by", "Jan", "--message", ONE)
    assert ran.code == 0
    assert "careful: this message is not linked to K1002" in ran.err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--withdrawn"],
        ["--given-by", " "],
        ["--given-by", "An", "--withdrawn"],
        ["--given-by", "An", "--by", "Jan"],
        ["--withdrawn", "--message", ONE],
        ["--given-by", "An", "--on", "yesterday"],
        ["--given-by", "An", "--on", f"{NOW + timedelta(days=1):%Y-%m-%d}"],
        ["--given-by", "An", "--message", "ffffffff"],
    ],
    ids=" ".join,
)
def test_a_consent_that_makes_no_sense_is_refused(world: Cli, words: list[str]) -> None:
    assert refused(world("customer", "consent", "K1001", *words))
    assert kept(world).consents == ()


def test_a_consent_cannot_be_withdrawn_before_it_was_given(world: Cli) -> None:
    world("customer", "consent", "K1001", "--given-by", "An", "--on", "2026-03-03")
    assert refused(world("customer", "consent", "K1001", "--withdrawn", "--on", "2026-03-02"))


# --- merging and removing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["remove", "K1001"], ["merge", "K1002", "K1001"]], ids=" ".join)
def test_what_is_to_be_confirmed_needs_a_person_or_yes(world: Cli, words: list[str]) -> None:
    ran = world("customer", *words)
    assert refused(ran)
    assert "--yes" in ran.err
    assert world.twin.calls == []
    assert world("customer", *words, "--yes").code == 0
    assert len(world.twin.book.alive) == 1


@pytest.mark.parametrize("words", [["remove", "K1001"], ["merge", "K1002", "K1001"]], ids=" ".join)
def test_an_empty_answer_is_no(world: Cli, words: list[str]) -> None:
    world.tty, world.answers = True, [""]
    ran = world("customer", *words)
    assert ran.code == 0
    assert "Nothing was" in ran.err
    assert len(world.twin.book.alive) == 2


def test_removing_says_how_much_mail_loses_its_link(world: Cli) -> None:
    world.tty, world.answers = True, ["y"]
    ran = world("customer", "remove", "peeters bouw bvba")
    assert "3 messages lose their links to it; they stay in the archive." in ran.err
    assert "3 messages lost the link to K1001." in ran.out


def test_merging_and_undoing_it_gives_the_same_records(world: Cli) -> None:
    before = {record.customer.reference: record.customer for record in world.twin.book.alive}
    assert world("customer", "merge", "K1001", "K1002", "--yes").code == 0
    assert world("customer", "show", "K1001", "--json").json()["merged"] == ["K1001"]
    assert world("customer", "merge", "--undo", "K1001").code == 0
    assert {record.customer.reference: record.customer for record in world.twin.book.alive} == before


@pytest.mark.parametrize("words", [["K1001"], ["K1001", "K1001"], ["--undo", "K1001"], ["--undo", "K1001", "K1002"]])
def test_a_merge_that_makes_no_sense_is_refused(world: Cli, words: list[str]) -> None:
    assert refused(world("customer", "merge", "--yes", *words))


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_a_decision_by_hand_outranks_the_rules_until_it_is_undone(world: Cli) -> None:
    told = world("unlink", ONE, "K1001", "--why", "Verkeerde An.", "--json").json()
    assert set(told) == {"id", "customer", "decision", "why", "customers", "candidates", "links"}
    assert (told["customers"], told["links"]["lost"]) == ([], [{"customer": "K1001", "messages": 1}])
    (decision,) = world.twin.book.decisions
    assert (decision.links, decision.why) == (False, "Verkeerde An.")
    assert world("link", ONE, "K1002", "--json").json()["customers"] == ["K1002"]
    assert world("link", "--undo", ONE, "K1002", "--json").json()["customers"] == []
    assert world("unlink", "--undo", ONE, "K1001", "--json").json()["customers"] == ["K1001"]


@pytest.mark.parametrize(
    "words",
    [["link", "--undo", ONE, "K1001"], ["link", "ffff", "K1001"],
     ["unlink", ONE, "K9"]],
    ids=" ".join,
)  # fmt: skip
def test_a_decision_that_makes_no_sense_is_refused(world: Cli, words: list[str]) -> None:
    assert refused(world(*words))
    assert world.twin.book.decisions == []


def test_a_reason_is_not_lost_on_taking_a_decision_back(world: Cli) -> None:
    world("unlink", ONE, "K1001")
    assert refused(world("unlink", "--undo", "--why", "x", ONE, "K1001"))
    assert world.twin.book.decisions[0].undone_at is None


def test_relinking_says_what_changed(world: Cli) -> None:
    assert set(world("relink", "--json").json()) == LINKS | {"dry_run"}
    assert "change relink dry-run" in (world("relink", "--dry-run"), *world.twin.calls)


# --- exporting --------------------------------------------------------------------------------------------------------


def test_an_export_is_a_file_of_its_owner_and_replaces_nothing_unasked(world: Cli) -> None:
    path = world.home / "out.csv"
    assert world("customer", "export", str(path)).code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes().startswith(b"reference,name,")
    before = path.read_bytes()
    assert refused(world("customer", "export", str(path), "K1002"))
    assert path.read_bytes() == before
    assert world("customer", "export", "--force", str(path), "K1002").code == 0
    assert b"K1001" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_pipe_gets_exact_octets_and_a_terminal_text(world: Cli) -> None:
    piped = world("customer", "export", "--for-excel").octets
    assert piped.startswith(b"\xef\xbb\xbfreference;name;")
    assert b"\r\n" in piped
    world.tty = True
    shown = world("customer", "export", "--for-excel").out
    assert shown.startswith("reference;name;")
    assert "\r" not in shown


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (["out.vcf"], b"BEGIN:VCARD\r\nVERSION:4.0\r\n"),
        (["out.csv", "--format", "vcard"], b"BEGIN:VCARD"),
        (["out.csv", "--format", "accountant"], b"\xef\xbb\xbfname;address;postal_code;city;country;vat;reference"),
        (["out.csv", "--for-excel"], b"\xef\xbb\xbfreference;"),
    ],
)
def test_the_format_is_as_asked_or_as_the_file_is_called(world: Cli, words: list[str], start: bytes) -> None:
    world.monkeypatch.chdir(world.home)
    assert world("customer", "export", *words).code == 0
    assert (world.home / words[0]).read_bytes().startswith(start)


def test_a_customer_in_the_place_of_the_file_is_noticed(world: Cli) -> None:
    world.monkeypatch.chdir(world.home)
    for words in (["K1001"], [str(world.home)], ["-", "K9"], ["out.vcf", "--for-excel"]):
        assert refused(world("customer", "export", *words))
    assert not (world.home / "K1001").exists()
    assert not (world.home / "out.vcf").exists()
