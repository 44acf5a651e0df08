"""Long output goes through the person's pager, on a terminal only, and mail never through a file or a shell."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from archiver.cli.pager import pager
from tests.cli.harness import Cli
from tests.cli.twin import Mail, Twin, blob_id

LONG = "\n".join(f"line {number}" for number in range(60))
KEEP = "import sys; open({!r}, 'w').write(sys.stdin.read() + repr(sys.argv[1:]))"
ONE = blob_id(0).hex()[:8]


def keeping(path: Path, *words: str) -> str:
    """A PAGER that writes down what it is given."""
    program = path.with_suffix(".py")
    program.write_text(KEEP.format(str(path)), encoding="utf-8")
    return " ".join([sys.executable, str(program), *words])


def test_what_is_longer_than_the_terminal_goes_to_the_pager(cli: Cli) -> None:
    cli.app, cli.tty = Twin(mails=[Mail(text=LONG)]), True
    shown = cli("show", ONE).out
    assert cli.pages == [shown]
    assert "line 59" in shown


@pytest.mark.parametrize(
    ("text", "tty", "options"),
    [("short", True, []), (LONG, False, []), (LONG, True, ["--no-pager"]), (LONG, True, ["--json"])],
    ids=["what fits", "a pipe", "--no-pager", "--json"],
)
def test_what_fits_and_what_nobody_reads_page_by_page_does_not(
    cli: Cli, text: str, tty: bool, options: list[str]
) -> None:
    cli.app, cli.tty = Twin(mails=[Mail(text=text)]), tty
    assert cli("show", ONE, *options).out
    assert cli.pages == []


def test_the_archive_is_closed_before_a_person_starts_reading(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.app, cli.tty = Twin(mails=[Mail(text=LONG)]), True
    calls: list[list[str]] = []
    cli.on_page = lambda: calls.append(list(cli.twin.calls))
    cli("thread", "--full", ONE)
    assert calls == [["open", "close"]]


def test_what_was_printed_before_an_error_is_shown(cli: Cli) -> None:
    cli.app, cli.tty = Twin(mails=[Mail(text=LONG)]), True
    ran = cli("show", "ffff")
    assert (ran.code, cli.pages) == (2, [])
    assert "no message has this id" in ran.err


def test_the_pager_gets_the_text_and_its_own_words_without_a_shell(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    page = pager({"PAGER": keeping(kept, "'$HOME; x'", "&&")}, encoding="utf-8")
    assert page("é\x1b[1m\udcff\n") is True
    assert kept.read_text(encoding="utf-8") == "é\x1b[1m\\udcff\n['$HOME; x', '&&']"


def test_a_pager_that_quits_early_is_no_error() -> None:
    page = pager({"PAGER": f"{sys.executable} -c pass"}, encoding="utf-8")
    assert page("x" * 1_000_000) is True


@pytest.mark.parametrize("environ", [{"PAGER": "cat"}, {"PAGER": ""}, {"PAGER": "/no/such/pager"}, {"TERM": "dumb"}])
def test_without_a_pager_the_text_is_left_to_be_printed(environ: dict[str, str]) -> None:
    assert pager(environ, encoding="utf-8")("x") is False


def test_less_remembers_nothing_on_disk_and_starts_nothing(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    program = tmp_path / "environment.py"
    program.write_text(f"import os; open({str(kept)!r}, 'w').write(repr(dict(os.environ)))", encoding="utf-8")
    environ = {"PAGER": f"{sys.executable} {program}", "LESSOPEN": "|x %s", "LESS": "-S"}
    pager(environ, encoding="utf-8")("x")
    seen = eval(kept.read_text(encoding="utf-8"))
    assert (seen["LESSHISTFILE"], seen["LESSSECURE"], seen["LESS"]) == ("-", "1", "-S")
    assert "LESSOPEN" not in seen


@pytest.mark.parametrize("lent_by", ["SUDO_USER", "DOAS_USER"])
def test_with_rights_that_sudo_lends_it_is_less_and_less_starts_nothing(tmp_path: Path, lent_by: str) -> None:
    kept, refused = tmp_path / "kept", tmp_path / "refused"
    less = tmp_path / "less"
    less.write_text(
        f"#!{sys.executable}\nimport os; open({str(kept)!r}, 'w').write(repr(dict(os.environ)))", encoding="utf-8"
    )
    less.chmod(0o700)
    environ = {"PAGER": keeping(refused), "PATH": str(tmp_path), "LESSSECURE": "0", "LESSKEYIN": "x", lent_by: "an"}
    assert pager(environ, encoding="utf-8")("x") is True
    assert not refused.exists()
    seen = eval(kept.read_text(encoding="utf-8"))
    assert {name: value for name, value in seen.items() if name.startswith("LESS")} == {
        "LESS": "FRX",
        "LESSSECURE": "1",
        "LESSHISTFILE": "-",
    }
