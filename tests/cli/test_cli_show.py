"""What leaves the archive through `show`: exact octets, safe names, private files, nothing overwritten."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archiver.cli.hits import highlighted
from archiver.cli.layout import cells
from archiver.cli.saving import safe_name
from archiver.model.message import Part, PartKind
from tests.cli.harness import Cli
from tests.cli.test_cli_transcripts import mails, whole
from tests.cli.twin import Mail, Twin, blob_id

HOSTILE = blob_id(2).hex()[:8]
ONE = blob_id(1).hex()[:8]


def test_raw_into_a_pipe_is_exactly_the_octets_kept(cli: Cli) -> None:
    every = bytes(range(256)) * 3
    cli.app = Twin(mails=[Mail(octets=every)])
    assert cli("show", "--raw", blob_id(0).hex()).octets == every


def test_raw_on_a_terminal_steers_nothing(cli: Cli) -> None:
    cli.app, cli.tty = whole(), True
    ran = cli("show", "--raw", HOSTILE)
    assert ran.out == "Subject: \\x1b]0;owned\\x07\n\n\\xff\\x9b31m\n"


def test_no_command_lets_mail_reach_the_terminal_unescaped(cli: Cli) -> None:
    cli.app, cli.tty = whole(), True
    cli.environ["NO_COLOR"] = "1"
    for words in (["search"], ["show", HOSTILE], ["show", ONE], ["show", "--headers", HOSTILE], ["thread", HOSTILE]):
        out = cli(*words).out
        assert "\x1b" not in out
        assert "\u202e" not in out
        assert "\\x1b" in out or "\\u202e" in out


def test_markup_in_mail_stays_text_when_colour_is_on(cli: Cli) -> None:
    cli.app, cli.tty = whole(), True
    assert "[bold]not markup[/bold]" in cli("search").out


def test_colour_is_for_terminals_that_want_it(cli: Cli) -> None:
    cli.app = whole()
    assert "\x1b[" not in cli("search").out
    cli.tty = True
    assert "\x1b[" in cli("search").out
    assert re.search("\x1b\\[[0-9;]*m", cli("sync").err)
    cli.environ["NO_COLOR"] = "1"
    assert "\x1b[" not in cli("search").out
    assert not re.search("\x1b\\[[0-9;]*m", cli("sync").err)


def test_a_dumb_terminal_gets_neither_colour_nor_bars(cli: Cli) -> None:
    cli.app, cli.tty, cli.environ["TERM"] = whole(), True, "dumb"
    for command in ("search", "sync", "reindex"):
        ran = cli(command)
        assert "\x1b" not in ran.out + ran.err


def test_hits_are_marked_where_they_match(cli: Cli) -> None:
    cli.app, cli.tty = Twin(mails=[mails()[1]]), True
    assert "\x1b[1;4mlicentiesleutel\x1b[0m" in cli("search").out.replace("\x1b[1;4mlicenties\x1b[0m", "")


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(-5, 40), st.integers(-5, 40)), max_size=4))
def test_marking_never_changes_the_words(text: str, marks: list[tuple[int, int]]) -> None:
    flat = "".join(" " if c.isspace() else c for c in text)
    assert "".join(span.text for span in highlighted(text, [m for m in marks if m[0] >= 0])) == flat


def test_a_locale_that_lacks_a_character_loses_no_line(cli: Cli) -> None:
    cli.app, cli.encoding = whole(), "ascii"
    ran = cli("search")
    assert ran.code == 0
    assert "  < An Peeters" in ran.out
    assert "  > An Peeters" in ran.out
    assert "\\u65e5" in ran.out


@example("x" * 300 + "。www.", 140)
@given(st.text(st.characters(codec=None, categories=None), max_size=400), st.sampled_from([80, 100, 140]))
def test_no_line_is_wider_than_the_terminal(text: str, columns: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        cli = Cli(patched, Path("/nowhere"), app=Twin(mails=[Mail(subject=text, text=text, quoted=text)]))
        cli.tty, cli.columns, cli.environ["NO_COLOR"] = True, columns, "1"
        for words in (["search"], ["show", "--quoted", blob_id(0).hex()], ["thread", blob_id(0).hex()]):
            lines = cli(*words).out.split("\n")
            # An address of the web is never broken, for it could not be followed.
            assert all(cells(line) <= columns or "www." in line or "//" in line for line in lines)


def test_a_part_is_saved_privately_under_its_own_safe_name(cli: Cli) -> None:
    cli.app = whole()
    ran = cli("show", ONE, "--part", "2", "--output", str(cli.home))
    (saved,) = cli.home.glob("*.pdf")
    assert (ran.code, saved.name, saved.read_bytes()) == (0, "licentie _[31m'x'.pdf", b"%PDF-1.7\x00\xff")
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600


def test_an_existing_file_is_replaced_only_by_force(cli: Cli) -> None:
    cli.app = whole()
    target = cli.home / "a.eml"
    target.write_bytes(b"precious")
    assert cli("show", "--raw", ONE, "--output", str(target)).code == 2
    assert target.read_bytes() == b"precious"
    assert cli("show", "--raw", ONE, "--output", str(target), "--force").code == 0
    assert target.read_bytes() == mails()[1].octets
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in cli.home.iterdir()] == ["a.eml"]


def test_a_link_is_never_written_through(cli: Cli) -> None:
    cli.app = whole()
    elsewhere, link = cli.home / "elsewhere", cli.home / "link"
    elsewhere.write_bytes(b"precious")
    link.symlink_to(elsewhere)
    for force in ([], ["--force"]):
        cli("show", "--raw", ONE, "--output", str(link), *force)
        assert elsewhere.read_bytes() == b"precious"


@pytest.mark.parametrize(
    "make", [os.mkfifo, lambda path: os.mknod(path, stat.S_IFSOCK | 0o600)], ids=["pipe", "socket"]
)
def test_force_replaces_nothing_that_is_no_file(cli: Cli, make: Callable[[Path], None]) -> None:
    """As root, --output /dev/null --force would leave the machine without its /dev/null."""
    cli.app = whole()
    target = cli.home / "other"
    make(target)
    ran = cli("show", "--raw", ONE, "--output", str(target), "--force")
    assert (ran.code, ran.out, "no file that could be replaced" in ran.err) == (2, "", True)
    assert list(cli.home.iterdir()) == [target]
    assert not target.is_file()


def test_what_could_not_take_its_place_leaves_nothing_behind(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_one: Path, _other: Path) -> None:
        raise PermissionError(errno.EPERM, "no")

    cli.app = whole()
    target = cli.home / "a.eml"
    target.write_bytes(b"precious")
    monkeypatch.setattr(Path, "replace", fail)
    assert cli("show", "--raw", ONE, "--output", str(target), "--force").code == 2
    assert [(path.name, path.read_bytes()) for path in cli.home.iterdir()] == [("a.eml", b"precious")]


def test_a_folder_that_is_not_there_is_told_not_made(cli: Cli) -> None:
    cli.app = whole()
    ran = cli("show", "--raw", ONE, "--output", str(cli.home / "no" / "a.eml"))
    assert (ran.code, ran.err.count("\n")) == (2, 2)


def test_a_part_that_is_not_text_is_kept_off_the_terminal(cli: Cli) -> None:
    cli.app, cli.tty = whole(), True
    assert cli("show", ONE, "--part", "2").code == 2
    assert "licentiesleutel" in cli("show", ONE, "--part", "1").out


def test_a_part_into_a_pipe_is_exact(cli: Cli) -> None:
    cli.app = whole()
    assert cli("show", ONE, "--part", "2").octets == b"%PDF-1.7\x00\xff"
    assert cli("show", ONE, "--part", "2", "--output", "-").octets == b"%PDF-1.7\x00\xff"


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("offerte.pdf", "offerte.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\an\\x.doc", "x.doc"),
        ("-rf", "rf"),
        (".bashrc", "bashrc"),
        ("", "part-2.bin"),
        (None, "part-2.bin"),
        ("..", "part-2.bin"),
        ("a\x00b\x1b[2J\n.txt", "a_b_[2J_.txt"),
        ("\u202efdp.exe", "_fdp.exe"),
        ("Zo\u00eb \u65e5\u672c.pdf", "Zo\u00eb \u65e5\u672c.pdf"),
        ("$(reboot)`x`;|&.pdf", "_(reboot)_x___&.pdf"),
    ],
)
def test_a_senders_file_name_is_made_safe(filename: str | None, name: str) -> None:
    assert safe_name(Part("2", "application/x", PartKind.ATTACHMENT, 1, filename=filename)) == name


@given(st.text(st.characters(codec=None, categories=None)), st.sampled_from(["", ".pdf", "." + "x" * 40]))
def test_whatever_the_sender_wrote_a_file_can_be_called_so(stem: str, extension: str) -> None:
    name = safe_name(Part("1.2", "x/y", PartKind.ATTACHMENT, 1, filename=stem + extension))
    assert name
    assert len(os.fsencode(name)) <= 130
    assert Path(name).name == name
    assert not name.startswith((".", "-", " "))
    assert name.isprintable()


def test_names_of_mailboxes_and_reasons_of_servers_are_escaped_too(cli: Cli) -> None:
    from tests.cli.test_cli_transcripts import troubled

    cli.app, cli.tty, cli.environ["NO_COLOR"] = troubled(), True, "1"
    assert "\x1b" not in cli("status").out


def test_the_way_to_more_hits_is_a_command_that_can_be_pasted(cli: Cli) -> None:
    cli.app = Twin(mails=[Mail(text=f"it's number {n}") for n in range(3)])
    ran = cli("search", "it's", "--limit", "2")
    assert "More: archiver search 'it'\"'\"'s' --limit 2 --offset 2\n" in ran.out
    assert "Number 3 of 3 messages." in cli("search", "it's", "--limit", "2", "--offset", "2").out
    assert "none shown" in cli("search", "it's", "--offset", "7").out
