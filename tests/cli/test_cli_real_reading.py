"""Reading by customer over the real application: mail from files, customers made from what is unlinked, decisions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.harness import Cli
from tests.cli.test_cli_real import id_of, real, unlocked

__all__ = ["real"]  # a fixture, used by name

FREEMAIL = (
    b"From: Katrien Vos <katrien.vos@gmail.com>\r\nTo: info@ons.example\r\nSubject: Licentie kwijt\r\n"
    b"Date: Thu, 5 Mar 2026 09:00:00 +0100\r\nMessage-ID: <k1@gmail.com>\r\n\r\nMijn sleutel is weg.\r\n"
)
FORWARD = (
    b"From: Support <support@ons.example>\r\nTo: info@ons.example\r\nSubject: Fwd: vraag\r\n"
    b"Date: Fri, 6 Mar 2026 09:00:00 +0100\r\nMessage-ID: <f1@ons.example>\r\n\r\nKijk jij?\r\n\r\n"
    b"-----Original Message-----\r\nFrom: Jan Claes <jan@klant.example>\r\nSent: Friday, March 6, 2026 8:12 AM\r\n"
    b"To: support@ons.example\r\nSubject: vraag\r\n\r\nKan dit ook in het Frans?\r\n"
)


@pytest.fixture
def archive(real: Cli) -> Cli:
    """A real archive with five messages and no customer."""
    unlocked(real)
    for name, octets in {"freemail.eml": FREEMAIL, "forward.eml": FORWARD}.items():
        (real.home / "mail" / name).write_bytes(octets)
    assert real("import", str(real.home / "mail")).code == 0
    return real


def answer(cli: Cli, *words: str) -> Any:
    ran = cli(*words, "--json")
    assert ran.code == 0, ran.err
    return ran.json()


def test_unlinked_mail_becomes_a_customers_and_reads_as_one_history(archive: Cli) -> None:
    groups = {item["name"]: item for item in answer(archive, "unlinked")["items"]}
    assert (groups["klant.example"]["incoming"], groups["klant.example"]["outgoing"]) == (1, 1)
    assert groups["katrien.vos@gmail.com"]["shared"] is True
    ran = archive("unlinked", "--create", "klant.example=K1", "--create", "katrien.vos@gmail.com=K2")
    assert ran.code == 0, ran.err
    assert "gained the link to K1" in ran.out
    history = answer(archive, "history", "K1")
    assert history["total"] == 3
    assert [item["subject"] for item in history["items"]] == ["Fwd: vraag", "Re: Offerte 2026-014"]
    assert len(history["items"][1]["messages"]) == 2
    assert "Offerte" in archive("history", "K1", "--expand").out
    assert [item["subject"] for item in answer(archive, "search", "--customer", "K2")["items"]] == ["Licentie kwijt"]
    assert {item["name"] for item in answer(archive, "unlinked")["items"]} == {"y.example"}
    assert answer(archive, "search", "--unlinked")["total"] == 1


def test_a_dry_run_leaves_the_archive_as_it_was(archive: Cli) -> None:
    before = answer(archive, "unlinked")
    told = answer(archive, "unlinked", "--create", "klant.example=K1", "--dry-run")
    assert told["links"]["gained"] == [{"customer": "K1", "messages": 3}]
    assert answer(archive, "unlinked") == before
    assert answer(archive, "customer", "list")["total"] == 0


def test_a_mistake_leaves_even_the_right_half_of_a_command_undone(archive: Cli) -> None:
    ran = archive("unlinked", "--create", "klant.example=K1", "--create", "katrien.vos@gmail.com=k1")
    assert ran.code == 2
    assert answer(archive, "customer", "list")["total"] == 0


def test_two_groups_can_go_to_one_customer_at_once(archive: Cli) -> None:
    archive("customer", "add", "K1", "Klant")
    words = ("--assign", "klant.example=K1", "--assign", "katrien.vos@gmail.com=K1", "--create", "y.example")
    told = answer(archive, "unlinked", *words)
    assert [item["customer"] for item in told["items"]] == ["K1", "K2"]
    assert answer(archive, "history", "K1")["total"] == 4


def test_every_link_is_explained_and_shown(archive: Cli) -> None:
    archive("unlinked", "--create", "klant.example=K1")
    forward, freemail = id_of(archive, "subject:vraag"), id_of(archive, "from:katrien")
    told = archive("why", forward).out
    assert "it forwards a message from" in told
    assert "Linked to K1" in told
    assert "gmail.com is a mail provider" in archive("why", freemail).out
    assert "(forwarded)" in archive("show", forward).out
    assert "  K1\n" in archive("search", "subject:vraag").out
    assert "with K1" in archive("thread", id_of(archive, "from:an")).out
    assert archive("unlink", forward, "K1", "--why", "was for another").code == 0
    (decision,) = answer(archive, "why", forward)["decisions"]
    assert (decision["customer"], decision["links"], decision["why"]) == ("K1", False, "was for another")
    assert answer(archive, "show", forward)["customers"] == []


def test_who_waits_is_known_and_who_fits_two_customers_is_nobodys(archive: Cli) -> None:
    archive("unlinked", "--create", "klant.example=K1", "--create", "katrien.vos@gmail.com=K2")
    assert [item["subject"] for item in answer(archive, "waiting")["items"]] == ["Licentie kwijt"]
    added = archive("customer", "add", "K3", "Vos en Zonen", "--contact", "Katrien", "--email", "katrien.vos@gmail.com")
    assert added.code == 0, added.err
    (item,) = answer(archive, "ambiguous")["items"]
    assert (item["customers"], sorted(item["candidates"])) == ([], ["K2", "K3"])
    assert archive("link", item["id"], "K3").code == 0
    assert answer(archive, "ambiguous")["total"] == 0
    assert [item["customers"] for item in answer(archive, "search", "sleutel")["items"]] == [["K3"]]


def test_status_counts_customers_and_what_is_unlinked(archive: Cli) -> None:
    status = answer(archive, "status")
    assert (status["customers"], status["unlinked"]) == (0, 4)
    archive("unlinked", "--create", "klant.example=K1")
    status = answer(archive, "status")
    assert (status["customers"], status["unlinked"]) == (1, 2)
    assert "1 customer, 2 messages unlinked." in archive("status").out
