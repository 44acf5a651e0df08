"""The commands over customers on a real archive: records, the links they make, and nothing readable left on disk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.harness import Cli
from tests.cli.test_cli_real import id_of, real, unlocked

__all__ = ["real"]

SECRET = "Geheimhouding-48213"
SHEET = (
    "klantnummer;naam;btw;domeinen;licenties;contact;e-mail;gsm\r\n"
    "K1;Peeters Bouw;BE 0428.759.497;;;An Peeters;an@klant.example;0471 12 34 56\r\n"
    "K2;Vermeulen;;;LND-2204-7F3A-0012;;;\r\n"
)


@pytest.fixture
def kept(real: Cli) -> Iterator[Cli]:
    """An unlocked archive with the three messages in it; nothing of a record may be readable in it afterwards."""
    unlocked(real)
    assert real("import", str(real.home / "mail")).code == 0
    yield real
    for path in (real.home / "archive").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


def linked(cli: Cli, reference: str) -> int:
    mail = cli("customer", "show", reference, "--json").json()["mail"]
    return int(mail["linked"])


def test_a_new_customer_gains_the_mail_that_was_there_and_loses_it_with_the_record(kept: Cli) -> None:
    ran = kept("customer", "add", "K1", "Peeters Bouw", "--email", "An@Klant.example", "--notes", SECRET)
    assert ran.code == 0, ran.err
    assert "2 messages gained the link to K1." in ran.out
    assert kept("search", "--json", "offerte").json()["items"][0]["customers"] == ["K1"]
    assert SECRET in kept("customer", "show", "peeters").out
    ran = kept("customer", "remove", "K1", "--yes")
    assert "2 messages lost the link to K1." in ran.out
    assert kept("search", "--json", "offerte").json()["items"][0]["customers"] == []


def test_a_dry_run_tells_the_truth_and_keeps_nothing(kept: Cli) -> None:
    told = kept("customer", "add", "K1", "Peeters", "--domain", "klant.example", "--dry-run", "--json").json()
    assert told["links"]["gained"] == [{"customer": "K1", "messages": 2}]
    assert kept("customer", "list", "--json").json() == {"total": 0, "items": []}
    done = kept("customer", "add", "K1", "Peeters", "--domain", "klant.example", "--json").json()
    assert {**done, "dry_run": True} == told


def test_two_customers_with_one_address_are_ambiguous_until_they_are_merged(kept: Cli) -> None:
    kept("customer", "add", "K1", "Peeters Bouw", "--email", "an@klant.example", "--notes", SECRET)
    ran = kept("customer", "add", "K2", "Peeters Dakwerken", "--email", "an@klant.example")
    assert "2 messages lost the link to K1; 2 more might be theirs." in ran.out
    assert "careful:" in ran.err
    assert linked(kept, "K1") == 0
    before = kept("customer", "show", "K1", "--json").json()
    ran = kept("customer", "merge", "K2", "K1", "--yes")
    assert "2 messages gained the link to K1; 2 fewer might be theirs." in ran.out
    assert kept("customer", "show", "K2", "--json").json()["reference"] == "K1"
    assert kept("customer", "merge", "--undo", "K2").code == 0
    after = kept("customer", "show", "K1", "--json").json()
    assert {**after, "changed": before["changed"]} == before


def test_what_a_colleague_decided_outlives_edits_and_relinking(kept: Cli) -> None:
    kept("customer", "add", "K1", "Peeters", "--domain", "klant.example")
    kept("customer", "add", "K2", "Vermeulen")
    one = id_of(kept, "from:an")
    assert kept("unlink", one, "K1", "--why", SECRET).code == 0
    assert kept("link", one, "K2", "--json").json()["customers"] == ["K2"]
    assert kept("customer", "edit", "K1", "--email", "an@klant.example").code == 0
    assert kept("relink", "--json").json()["messages"] == 0
    assert kept("search", "--json", "from:an").json()["items"][0]["customers"] == ["K2"]
    assert set(kept("unlink", "--undo", one, "K1", "--json").json()["customers"]) == {"K1", "K2"}


def test_a_spreadsheet_of_excel_comes_in_updates_and_goes_out_again(kept: Cli) -> None:
    sheet = kept.home / "klanten.csv"
    sheet.write_bytes(SHEET.encode("cp1252"))
    told = kept("customer", "import", str(sheet), "--json").json()
    assert (told["added"], told["links"]["gained"]) == (2, [{"customer": "K1", "messages": 2}])
    assert kept("customer", "import", str(sheet), "--json").json()["unchanged"] == 2
    found = kept("customer", "find", "+32 471 12 34 56", "--json").json()["items"]
    assert [item["reference"] for item in found] == ["K1"]
    assert kept("customer", "edit", "K1", "--add-note", SECRET).code == 0
    out = kept.home / "out.csv"
    assert kept("customer", "export", str(out), "--for-excel").code == 0
    assert kept("customer", "import", str(out), "--json").json()["unchanged"] == 2


def test_a_bad_row_imports_nothing_and_with_keep_going_the_rest(kept: Cli) -> None:
    sheet = kept.home / "klanten.csv"
    sheet.write_text(SHEET.replace("497", "498"), encoding="utf-8")
    assert kept("customer", "import", str(sheet)).code == 2
    assert kept("customer", "list", "--json").json()["total"] == 0
    ran = kept("customer", "import", str(sheet), "--keep-going")
    assert ran.code == 4
    assert "line 2" in ran.err
    assert kept("customer", "list", "--json").json()["total"] == 1


def test_a_consent_names_the_message_that_shows_it(kept: Cli) -> None:
    kept("customer", "add", "K1", "Peeters", "--email", "an@klant.example")
    one = id_of(kept, "from:an")
    assert kept("customer", "consent", "K1", "--given-by", "An Peeters", "--message", one).code == 0
    consent = kept("customer", "show", "K1", "--json").json()["consent"]
    assert consent["message"].startswith(one)
    assert f"in message {one}" in kept("customer", "show", "K1").out


def test_without_a_key_nothing_about_customers_is_told_or_changed(real: Cli) -> None:
    for words in (["list"], ["find", "x"], ["show", "K1"], ["add", "K1", "Peeters"], ["remove", "K1", "--yes"],
                  ["import", str(real.home / "config.toml")], ["export"]):  # fmt: skip
        ran = real("customer", *words)
        assert (ran.code, ran.out) == (11, "")


def test_a_decision_names_every_customer_whose_doubt_it_ends(kept: Cli) -> None:
    for reference in ("K1", "K2"):
        kept("customer", "add", reference, f"Peeters {reference}", "--email", "an@klant.example")
    ran = kept("link", id_of(kept, "offerte"), "K1")
    assert ran.code == 0, ran.err
    assert "1 fewer message might be K2's." in ran.out
    assert "?'s" not in ran.out
