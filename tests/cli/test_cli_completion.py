"""Completing in the shell: what is offered, in what form each shell takes it, and that real shells put it in."""

from __future__ import annotations

import os
import pty
import select
import shutil
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.cli.completion import split
from archiver.model.fields import QUERY_FIELDS
from tests.cli.harness import Cli

ROOT = Path(__file__).parents[2]
CONFIG = (
    '[archive]\npath = "archive"\n[identity]\ndomains = ["ons.example"]\n[[accounts]]\nname = "info"\n'
    'host = "imap.ons.example"\nusername = "info"\npassword_file = "p"\n'
)
BREAKS = " \t\n\"'><=;|&(:"


def offered(cli: Cli, line: str, *, breaks: str = BREAKS) -> list[str]:
    """What bash is offered for a line that ends at the cursor."""
    cli.environ |= {"_ARCHIVER_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_BREAKS": breaks}
    ran = cli()
    assert (ran.code, ran.err) == (0, "")
    return ran.out.splitlines()


def test_commands_options_and_accounts_are_offered(cli: Cli) -> None:
    config = cli.home / "config.toml"
    config.write_text(CONFIG, encoding="utf-8")
    commands = {f"plain,{name}" for name in ("sync", "search", "saved", "show", "status")}
    assert set(offered(cli, "archiver s")) == commands
    assert set(offered(cli, "archiver search --s")) == {"plain,--sort", "plain,--since", "plain,--save"}
    assert offered(cli, "archiver audit list --action key-a") == ["plain,key-add", "plain,key-accept"]
    assert offered(cli, f"archiver --config {config} sync in") == ["plain,info"]
    assert offered(cli, f"archiver --config {config} search account:") == ["plain,info"]
    assert offered(cli, "archiver --config missing.toml sync in") == []
    assert offered(cli, "archiver --config missing.toml search account:in") == []


def test_every_field_of_the_table_is_offered_and_may_be_typed_on(cli: Cli) -> None:
    assert offered(cli, "archiver search offerte ") == [f"part,{field.name}:" for field in QUERY_FIELDS]
    assert offered(cli, "archiver search DIR") == ["part,direction:"]


@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("-subj", "part,-subject:"),
        ("'(type:pdf OR -dir", "part,(type:pdf OR -direction:"),
        ("'(dir", "part,(direction:"),
        ("message-i", "part,message-id:"),
        ("-message-i", "part,-message-id:"),
        ("-type:sl", "plain,slides"),
    ],
)
def test_a_field_is_offered_behind_a_dash_and_a_parenthesis(cli: Cli, typed: str, becomes: str) -> None:
    assert offered(cli, f"archiver search offerte {typed}")[0] == becomes
    assert len({line.removesuffix("…") for line in offered(cli, f"archiver search offerte {typed}")}) == 1


@pytest.mark.parametrize("field", [field for field in QUERY_FIELDS if field.values], ids=lambda field: field.name)
def test_the_values_of_a_field_are_those_of_the_table(cli: Cli, field: object) -> None:
    name, values = getattr(field, "name"), getattr(field, "values")  # noqa: B009 - a row of any kind
    assert offered(cli, f"archiver search {name}:") == [f"plain,{value}" for value in values]


def test_an_alias_is_completed_as_it_was_typed_and_dates_are_near_ones(cli: Cli) -> None:
    assert offered(cli, "archiver search richting:inc", breaks="") == ["plain,richting:incoming"]
    dates = [line.partition(",")[2] for line in offered(cli, "archiver search since:")]
    assert dates == ["today", "yesterday", "2026-03", "2026-02", "2026-01", "2026", "2025", "2024", "2023"]


def test_bash_gets_only_what_stands_behind_the_last_colon_unless_a_quote_is_open(cli: Cli) -> None:
    assert offered(cli, "archiver search x type:sl") == ["plain,slides"]
    assert offered(cli, "archiver search x type:sl", breaks=" =") == ["plain,type:slides"]
    assert offered(cli, "archiver search 'x type:sl") == ["plain,x type:slides"]
    assert offered(cli, "archiver search --sort=rel") == ["plain,relevance"]


@pytest.mark.parametrize("word", ["nothing-of-this:", "from:an", "zoë", "-draft"])
def test_what_only_mail_could_tell_is_not_offered(cli: Cli, word: str) -> None:
    assert offered(cli, f"archiver search {word}") == []
    assert cli.twin.calls == []


def test_zsh_and_fish_get_whole_words(cli: Cli) -> None:
    cli.environ |= {"COMP_WORDS": "archiver search 'x type:sl", "_ARCHIVER_COMPLETE": "zsh_complete"}
    assert cli().out.splitlines() == ["plain", "x type\\:slides", ""]
    cli.environ |= {"COMP_WORDS": "archiver search --sort=rel", "_ARCHIVER_COMPLETE": "fish_complete"}
    assert cli().out == "plain,--sort=relevance\n"
    cli.environ |= {"COMP_WORDS": "archiver search mailb"}
    assert cli().out == "plain,mailbox:\tmailbox it was seen in, or below it\n"


@pytest.mark.parametrize("instruction", ["tcsh_complete", "bash_source", "x"])
def test_what_no_script_of_ours_asks_is_refused(cli: Cli, instruction: str) -> None:
    cli.environ["_ARCHIVER_COMPLETE"] = instruction
    ran = cli()
    assert (ran.code, ran.out) == (1, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_calls_back_the_way_the_program_listens(cli: Cli, shell: str) -> None:
    script = cli("completion", shell).out
    assert f"_ARCHIVER_COMPLETE={shell}_complete" in script


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), max_size=4))
def test_a_line_is_cut_where_the_shell_cuts_it(words: list[str]) -> None:
    quoted = ["'" + word.replace("'", "'\\''") + "'" for word in words]
    line = split(" ".join(["archiver", *quoted, ""]))
    assert (line.words, line.last, line.quoted) == (("archiver", *words), "", False)


def test_a_word_may_be_half_typed() -> None:
    assert split('archiver "a b') == (("archiver",), "a b", True)
    assert split("archiver a\\ b") == (("archiver",), "a b", False)
    assert split("archiver ") == (("archiver",), "", False)


SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
SETUP = {
    "bash": ["source <(archiver completion bash)"],
    "zsh": ["autoload -U compinit; compinit -u -D", "source <(archiver completion zsh)"],
    "fish": ["archiver completion fish | source"],
}


class Typing:
    """A real shell on a terminal of its own."""

    def __init__(self, shell: str, path: Path) -> None:
        environ = {"PATH": f"{path}:{os.environ['PATH']}", "TERM": "dumb", "HOME": str(path), "HISTFILE": os.devnull}
        self._pid, self._fd = pty.fork()
        if self._pid == 0:  # pragma: no cover - another process
            os.chdir(path)
            os.execvpe(shell, SHELLS[shell], environ)
        for number, line in enumerate(SETUP[shell]):
            self.type(f"{line}; echo r'ea'dy{number}\n", f"ready{number}")

    def type(self, text: str, until: str, *, within: float = 20.0) -> str:
        """Type text and return what is on the screen since, once `until` is."""
        os.write(self._fd, text.encode())
        screen, end = "", time.monotonic() + within
        while until not in screen:
            assert time.monotonic() < end, screen
            if select.select([self._fd], [], [], 0.1)[0]:
                screen += os.read(self._fd, 65536).decode(errors="replace").replace("\a", "")
        return screen

    def close(self) -> None:
        os.close(self._fd)
        os.waitpid(self._pid, 0)


@pytest.mark.parametrize(
    "shell",
    [
        pytest.param(name, marks=pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed"))
        for name in SHELLS
    ],
)
def test_a_real_shell_completes_fields_and_values(shell: str, tmp_path: Path) -> None:
    program = tmp_path / "archiver"
    real = f'PYTHONPATH={ROOT} exec {sys.executable} -m archiver.cli.program "$@"'
    told = """case $1$_ARCHIVER_COMPLETE in search) printf '<%s>' "$@"; exit;; esac"""
    program.write_text(f"#!/bin/sh\n{told}\n{real}\n", encoding="utf-8")
    program.chmod(0o700)
    typing = Typing(shell, tmp_path)
    try:
        # No space is put in behind the colon, and one behind the value.
        typing.type("archiver search dire\tou\tand\r", "<search><direction:outgoing><and>")
        typing.type("archiver search -dire\tou\tand\r", "<search><-direction:outgoing><and>")
        typing.type("archiver search 'offerte typ\tsli\tand\r", "<search><offerte type:slides><and>")
    finally:
        typing.close()
