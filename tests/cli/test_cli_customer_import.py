"""Importing customers: all or nothing, every bad row told, and told before anything changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from archiver.cli.customer.import_ import guessed_format
from tests.cli.harness import Cli
from tests.cli.test_cli_transcripts import customers
from tests.cli.twin import Mail, Twin
from tests.cli.twin_customers import peeters

GOOD = (
    "reference,name,city,domains,contact,email\n"
    "K1001,Peeters Bouw,Aalst,,An Peeters,an@klant.example\n"
    "K2001,De Smet,Brugge,desmet.example,Joke,joke@desmet.example\n"
)
BAD = (
    "reference,name,vat,email\n"
    ",,,wie@is.example\n"
    "K3001,Goed,,a@goed.example\n"
    "K3002,Slecht,BE0428759498,b@slecht.example\n"
    "K3003,Ook slecht,,geen adres\n"
)
CARD = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Joke De Smet\r\nORG:De Smet nv\r\nEMAIL:joke@desmet.example\r\nEND:VCARD\r\n"
IMPORTED = {
    "total", "items", "added", "changed", "unchanged", "links", "warnings", "problems", "dry_run",
}  # fmt: skip


@pytest.fixture
def world(cli: Cli) -> Cli:
    cli.app = customers()
    cli.monkeypatch.chdir(cli.home)
    return cli


def file(cli: Cli, text: str, name: str = "in.csv", encoding: str = "utf-8") -> str:
    (cli.home / name).write_bytes(text.encode(encoding))
    return name


def references(cli: Cli) -> list[str]:
    return [record.customer.reference for record in cli.twin.book.records]


def test_new_customers_are_added_and_known_ones_updated(world: Cli) -> None:
    ran = world("customer", "import", file(world, GOOD), "--json")
    assert ran.code == 0, ran.err
    told = ran.json()
    assert set(told) == IMPORTED
    assert [(item["customer"], item["change"]) for item in told["items"]] == [("K1001", "changed"), ("K2001", "added")]
    assert (told["added"], told["changed"], told["unchanged"], told["problems"]) == (1, 1, 0, [])
    customer = world.twin.book.by_reference("K1001")
    assert customer is not None
    # What the file says nothing about stays.
    expected = replace(peeters(), name="Peeters Bouw", city="Aalst")
    assert customer.customer.vat == expected.vat
    assert (customer.customer.name, customer.customer.city) == ("Peeters Bouw", "Aalst")
    assert world("customer", "import", "in.csv", "--json").json()["unchanged"] == 2


def test_a_dry_run_shows_every_change_and_makes_none(world: Cli) -> None:
    before = list(world.twin.book.records)
    ran = world("customer", "import", file(world, GOOD), "--dry-run")
    assert ran.code == 0
    assert "~ K1001  Peeters Bouw\n" in ran.out
    assert "Gent -> Aalst" in ran.out
    assert "+ K2001  De Smet\n" in ran.out
    assert "Would be: 1 customer added and 1 customer changed." in ran.out
    assert world.twin.book.records == before


def test_one_bad_row_and_nothing_is_imported(world: Cli) -> None:
    before = list(world.twin.book.records)
    ran = world("customer", "import", file(world, BAD))
    assert (ran.code, ran.out) == (2, "")
    lines = ran.err.splitlines()
    assert [line.partition(":")[0].partition(",")[0] for line in lines[:3]] == ["line 2", "line 4", "line 5"]
    assert "vat" in lines[1]
    assert "3 rows cannot be imported, so nothing was" in ran.err
    assert "--keep-going imports the 1 customer without a mistake" in ran.err
    assert world.twin.book.records == before


def test_scripts_get_the_problems_too(world: Cli) -> None:
    ran = world("customer", "import", file(world, BAD), "--json")
    assert ran.code == 2
    told = ran.json()
    assert set(told) == IMPORTED
    assert (told["total"], told["links"]) == (0, None)
    assert [problem["line"] for problem in told["problems"]] == [2, 4, 5]
    assert {key for problem in told["problems"] for key in problem} == {"line", "column", "reason"}


def test_with_keep_going_the_good_ones_come_in_and_the_exit_code_tells(world: Cli) -> None:
    ran = world("customer", "import", "--keep-going", file(world, BAD))
    assert ran.code == 4
    assert references(world) == ["K1001", "K1002", "K3001"]
    assert "line 4, vat:" in ran.err
    assert "3 rows left out; the others were imported" in ran.err


def test_problems_never_repeat_what_stands_in_the_cells(world: Cli) -> None:
    ran = world("customer", "import", file(world, BAD))
    assert [value for value in ("0428759498", "geen adres", "is.example", "Slecht") if value in ran.err] == []


def test_a_reference_of_a_spreadsheet_cannot_steer_the_terminal(world: Cli) -> None:
    world.tty = True
    world.environ["NO_COLOR"] = "1"
    text = "reference,name,na\x1bam\nK1\x1b[31m,Peeters\x1b]0;x\x07,x\nK2,,\x07\n"
    ran = world("customer", "import", "--keep-going", file(world, text))
    assert not {"\x1b", "\x07"} & set(ran.out + ran.err)


def test_a_long_import_is_told_in_short(cli: Cli) -> None:
    cli.app, cli.tty, cli.environ["NO_COLOR"] = Twin(mails=[Mail()]), True, "1"
    cli.monkeypatch.chdir(cli.home)
    rows = "".join(f"K{number},Klant {number},c{number}@x.example\n" for number in range(100, 200))
    text = "reference,name,email\n" + rows
    ran = cli("customer", "import", file(cli, text))
    assert len(ran.out.splitlines()) < 30
    assert "… and 80 more; all of them: --json" in ran.out
    assert "100 customers added." in ran.out


def test_standard_input_is_a_file_too(world: Cli) -> None:
    world.stdin = GOOD.encode()
    assert world("customer", "import", "-").code == 0
    assert references(world) == ["K1001", "K1002", "K2001"]


def test_what_excel_writes_is_understood(world: Cli) -> None:
    text = "reference;name;city\r\nK5;Zoë & Fils;Liège\r\n"
    assert world("customer", "import", file(world, text, encoding="cp1252")).code == 0
    record = world.twin.book.by_reference("K5")
    assert record is not None
    assert (record.customer.name, record.customer.city) == ("Zoë & Fils", "Liège")


def test_cards_need_numbers_of_their_own(world: Cli) -> None:
    ran = world("customer", "import", file(world, CARD, "in.vcf"))
    assert ran.code == 2
    assert world("customer", "import", "in.vcf", "--reference-prefix", "V").code == 0
    assert references(world) == ["K1001", "K1002", "V1"]
    ran = world("customer", "import", file(world, GOOD), "--reference-prefix", "V")
    assert ran.code == 2


def test_what_was_exported_comes_back_as_it_was(world: Cli) -> None:
    before = {record.customer.reference: record.customer for record in world.twin.book.alive}
    for words in (["out.csv"], ["excel.csv", "--for-excel"], ["out.vcf"]):
        assert world("customer", "export", *words).code == 0
        world.app = Twin()
        ran = world("customer", "import", words[0])
        assert ran.code == 0, ran.err
        assert {record.customer.reference: record.customer for record in world.twin.book.alive} == before


@pytest.mark.parametrize("name", ["missing.csv", "folder"])
def test_a_file_that_cannot_be_read_is_told_as_such(world: Cli, name: str) -> None:
    Path("folder").mkdir()
    ran = world("customer", "import", name)
    assert (ran.code, ran.out) == (2, "")
    assert world.twin.calls == []


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"BEGIN:VCARD\r\n", "vcard"),
        (b"\xef\xbb\xbf\r\nbegin:vcard\n", "vcard"),
        ("BEGIN:VCARD\r\n".encode("utf-16"), "vcard"),
        (b"reference,name\n", "csv"),
        (b"", "csv"),
    ],
)
def test_a_file_of_cards_begins_like_one(octets: bytes, expected: str) -> None:
    assert guessed_format(octets) == expected
