"""Reading by customer, as scripts and tests of detail see it: what is asked of the application, and the JSON."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from archiver.model.message import Direction
from tests.cli.harness import Cli
from tests.cli.test_cli_json import HIT, ONLY_OF_HITS, times
from tests.cli.twin import NOW, Mail, blob_id
from tests.cli.twin_customers import Waiting, WaitingPage
from tests.cli.worlds import AN, linked

NEWEST, CLEAR, DECIDED, AMBIGUOUS, FREEMAIL = (blob_id(row).hex()[:8] for row in (2, 1, 3, 4, 7))
LINE = HIT - ONLY_OF_HITS
READING = (
    ["history", "K1001"], ["waiting"], ["ambiguous"], ["unlinked"], ["why", NEWEST], ["why", DECIDED],
    ["search", "--customer", "K1001"], ["show", NEWEST], ["thread", NEWEST],
)  # fmt: skip


@pytest.fixture
def reading(cli: Cli) -> Cli:
    cli.app = linked()
    return cli


@pytest.mark.parametrize("words", READING, ids=" ".join)
@pytest.mark.parametrize("tty", [False, True], ids=["pipe", "terminal"])
def test_json_is_one_ascii_object_with_times_that_have_an_offset(reading: Cli, words: list[str], tty: bool) -> None:
    reading.tty = tty
    ran = reading(*words, "--json")
    assert ran.code == 0, ran.err
    assert ran.octets.isascii()
    assert ran.err == ""
    assert ran.out.count("\n") == 1 or tty
    assert reading.pages == []
    assert all(datetime.fromisoformat(time).utcoffset() is not None for time in times(ran.json()))


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_nothing_of_mail_steers_the_terminal(reading: Cli, words: list[str]) -> None:
    reading.tty, reading.environ["NO_COLOR"] = True, "1"
    hostile = "\x1b]0;owned\x07\u202egnip"
    for mail in reading.twin.mails:
        mail.subject = mail.text = hostile
        mail.from_ = tuple(replace(address, name=hostile) for address in mail.from_)
    book = reading.twin.book
    book.records = [replace(r, customer=replace(r.customer, name=hostile)) for r in book.records]
    ran = reading(*words)
    assert ran.code == 0, ran.err
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out


@pytest.mark.parametrize("words", READING, ids=" ".join)
@pytest.mark.parametrize("columns", [40, 80, 140])
def test_no_line_is_wider_than_the_terminal_unless_it_is_a_command(
    reading: Cli, words: list[str], columns: int
) -> None:
    reading.tty, reading.columns, reading.environ["NO_COLOR"] = True, columns, "1"
    for mail in reading.twin.mails:
        mail.subject = "Een heel lang onderwerp over licenties " * 4
    lines = reading(*words).out.splitlines()
    assert [line for line in lines if len(line) > columns and "archiver " not in line] == []


def test_a_thread_of_history_is_told_by_its_newest_message_and_has_all_of_them(reading: Cli) -> None:
    page = reading("history", "K1001", "--json").json()
    assert set(page) == {"customer", "total", "candidates", "more", "items"}
    assert (page["customer"], page["total"], page["candidates"], page["more"]) == ("K1001", 4, 1, False)
    first = page["items"][0]
    assert set(first) == LINE | {"contact", "messages"}
    assert (first["id"], first["contact"]) == (NEWEST, "An Peeters")
    assert [set(message) for message in first["messages"]] == [LINE] * 3
    assert sum(len(item["messages"]) for item in page["items"]) == page["total"]


def test_what_is_asked_of_a_history_reaches_the_application(reading: Cli) -> None:
    words = ["--since", "2026", "--until", "2026-03", "--contact", "an", "--direction", "outgoing", "--limit", "7"]
    reading("history", "K1001", *words, "--offset", "3", "--candidates")
    asked = reading.twin.world.asked[-1]
    assert asked[:2] == ("history", "K1001")
    assert asked[2] == {
        "since": "2026",
        "until": "2026-03",
        "contact": "an",
        "direction": Direction.OUTGOING,
        "limit": 7,
        "offset": 3,
        "candidates": True,
    }


def test_more_of_a_history_is_one_command_away_with_all_that_was_asked_for(reading: Cli) -> None:
    ran = reading("history", "K1001", "--limit", "1", "--contact", "an peeters", "--expand")
    (more,) = (line for line in ran.out.splitlines() if line.startswith("More: "))
    assert more == "More: archiver history K1001 --contact 'an peeters' --limit 1 --expand --offset 1"
    assert "More" not in reading("history", "K1001", "--limit", "1", "--offset", "1").out


def test_customers_and_candidates_are_never_mixed(reading: Cli) -> None:
    found = {item["id"]: item for item in reading("search", "--json").json()["items"]}
    assert (found[NEWEST]["customers"], found[NEWEST]["candidates"]) == (["K1001"], [])
    assert (found[AMBIGUOUS]["customers"], found[AMBIGUOUS]["candidates"]) == ([], ["K1002", "K1001"])
    assert (found[FREEMAIL]["customers"], found[FREEMAIL]["candidates"]) == ([], [])
    told = reading("search").out
    assert "An Peeters <an@klant.example>  K1001\n" in told
    assert "Els Maes <els@boekhouder.example>  K1002?  K1001?\n" in told


def test_waiting_tells_the_age_in_seconds_to_scripts_and_in_words_to_people(reading: Cli) -> None:
    page = reading("waiting", "--json").json()
    assert page["total"] == 3
    assert set(page["items"][0]) == LINE | {"age", "messages"}
    assert page["items"][0]["age"] == 12 * 86400
    reading.twin.world.waiting = WaitingPage()
    assert reading("waiting").out == "No customer waits for an answer.\n"
    assert reading("waiting", "--all").out == "Nobody waits for an answer.\n"


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=59), "0 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=47), "1 day"),
        (timedelta(days=12, hours=23), "12 days"),
        (timedelta(days=-1), "0 minutes"),
    ],
)
def test_an_age_is_told_in_the_unit_that_people_would_use(reading: Cli, age: timedelta, words: str) -> None:
    message = reading.twin.world.waiting.items[0].message
    reading.twin.world.waiting = WaitingPage(1, [Waiting(message, 1, age)])
    assert f"{message.blob_id.hex()[:8]}  {words}  " in reading("waiting").out


def test_old_questions_come_with_the_way_to_the_recent_ones(reading: Cli) -> None:
    message = reading.twin.world.waiting.items[0].message
    reading.twin.world.waiting = WaitingPage(1, [Waiting(message, 1, timedelta(days=90))])
    assert "archiver waiting --all --since 2026-02-08" in reading("waiting", "--all").out
    assert "--since" not in reading("waiting", "--since", "2025").out


def test_only_one_customers_questions_are_asked_for_by_record(reading: Cli) -> None:
    reading("waiting", "--customer", "peeters bouw bvba", "--since", "2026-02", "--limit", "3", "--all")
    asked = reading.twin.world.asked[-1][1]
    assert isinstance(asked, dict)
    assert asked.pop("record").customer.reference == "K1001"
    assert asked == {"everyone": True, "since": "2026-02", "limit": 3, "offset": 0}


def test_why_gives_scripts_the_finding_and_the_sentence(reading: Cli) -> None:
    told = reading("why", NEWEST, "--json").json()
    assert LINE - {"snippet"} < set(told)
    first, second, third = told["items"]
    assert first == {
        "rule": "contact",
        "outcome": "links",
        "where": "From",
        "value": "an@klant.example",
        "customers": ["K1001"],
        "note": "",
        "sentence": (
            "Linked to K1001 Peeters Bouw bvba: an@klant.example in From is a contact of theirs (An Peeters)."
        ),
    }
    assert (second["rule"], second["outcome"], second["note"]) == ("vat", "suggests", "overruled")
    assert third["customers"] == []
    (decision,) = reading("why", DECIDED, "--json").json()["decisions"]
    assert {key: decision[key] for key in ("customer", "links", "who", "why", "undone_by")} == {
        "customer": "K1002",
        "links": True,
        "who": "els",
        "why": "they pay this one",
        "undone_by": "an",
    }


def test_groups_of_unlinked_mail_come_with_what_could_be_done(reading: Cli) -> None:
    page = reading("unlinked", "--json").json()
    assert (page["total"], page["messages"]) == (2, 3)
    group = page["items"][0]
    assert (group["name"], group["shared"], group["incoming"], group["outgoing"]) == (
        "desmet-dakwerken.example", False, 1, 1,
    )  # fmt: skip
    assert [(p["because"], p["customer"]) for p in group["proposals"]] == [("name-like", "K1002"), ("new", None)]
    assert group["proposals"][1]["draft"]["contacts"][0]["emails"] == ["bram@desmet-dakwerken.example"]
    assert group["addresses"][0]["address"] == "bram@desmet-dakwerken.example"


def test_a_search_within_a_customer_is_anded_to_the_whole_query(reading: Cli) -> None:
    def asked(*words: str) -> Any:
        reading("search", *words)
        return reading.twin.world.asked[-1][1]

    assert asked("--customer", "peeters bouw bvba", "a OR b") == '(a OR b) customer:"K1001"'
    assert asked("--customer", "K1001") == 'customer:"K1001"'
    assert asked("--unlinked", "x", "--since", "2026") == '(x) is:unlinked since:"2026"'


def test_mistakes_in_dates_are_told_as_such_beside_a_customer_too(reading: Cli) -> None:
    ran = reading("search", "offerte", "--customer", "K1001", "--since", "soon")
    assert (ran.code, "--since or --until" in ran.err) == (2, True)
    ran = reading("search", "(offerte", "--customer", "K1001")
    assert (ran.code, "character 1 of the query" in ran.err) == (2, True)


def test_a_conversation_with_nobody_named_and_no_text_is_shown_all_the_same(reading: Cli) -> None:
    reading.twin.mails.append(Mail(subject="", from_=(), to=(AN,), at=NOW, thread=9, text=""))
    ran = reading("history", "K1001", "--expand")
    assert ran.code == 0, ran.err
    assert "(no subject)" in ran.out
