"""Whatever happens ends in words, a way on, and the right exit code; never in a traceback or in somebody's mail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from archiver.errors import ConfigurationError
from tests.cli.harness import Cli
from tests.cli.twin import Mail, Sync, Twin, blob_id, refusal

ROOT = Path(__file__).parents[2]
CANARY = "Zwaluwstaart-48213"
READING = ["search", "status", "verify", "doctor", "sync", "reindex", "lock", "unlock"]


@pytest.mark.parametrize("code", [1, 2, 3, 4, 10, 11, 12, 13, 20, 21, 30])
def test_an_error_brings_its_own_exit_code_and_says_what_to_do(cli: Cli, code: int) -> None:
    cli.app = Twin(fails=refusal(code))
    for command in READING:
        ran = cli(command)
        assert (ran.code, ran.out, ran.err) == (code, "", "archiver: it cannot be done\nhint: do this instead\n")


@pytest.mark.parametrize("bug", [ValueError(CANARY), KeyError(CANARY), RecursionError(CANARY), MemoryError(CANARY)])
def test_a_bug_is_one_line_without_the_text_of_the_exception(cli: Cli, bug: Exception) -> None:
    cli.app = Twin(fails=bug)
    ran = cli("search")
    assert ran.code == 1
    assert ran.err.startswith(f"archiver: a bug: {type(bug).__name__} at archiver.cli.search:")
    assert CANARY not in ran.out + ran.err
    assert "Traceback" not in ran.err


def test_a_traceback_is_for_a_terminal_and_on_request_only(cli: Cli) -> None:
    cli.app = Twin(fails=ValueError(CANARY))
    cli.environ["ARCHIVER_DEBUG"] = "1"
    assert "Traceback" not in cli("search").err
    cli.tty = True
    assert "Traceback" in cli("search").err


def test_a_full_disk_is_told_as_such_without_naming_files(cli: Cli) -> None:
    cli.app = Twin(fails=OSError(28, "No space left on device", f"/archive/{CANARY}"))
    ran = cli("sync")
    assert ran.code == 1
    assert "No space left on device (ENOSPC" in ran.err
    assert CANARY not in ran.err


def test_every_problem_of_a_configuration_is_told_at_once(cli: Cli) -> None:
    cli.app = Twin(fails=ConfigurationError("2 problems", problems=("line 1: x", "line 2: y"), hint="see the example"))
    ran = cli("status")
    assert (ran.code, ran.err) == (3, "archiver: 2 problems\n  line 1: x\n  line 2: y\nhint: see the example\n")


def test_a_real_configuration_with_mistakes_names_them_all(cli: Cli) -> None:
    config = cli.home / "config.toml"
    config.write_text('[archive]\npaht = "/x"\n[identity]\ndomains = 7\n', encoding="utf-8")
    ran = cli("--config", str(config), "status")
    assert ran.code == 3
    assert "paht" in ran.err
    assert "domains" in ran.err


def test_the_text_of_an_error_cannot_steer_the_terminal(cli: Cli) -> None:
    cli.tty = True
    cli.environ["NO_COLOR"] = "1"
    cli.app = Twin(fails=ConfigurationError("server said \x1b]0;owned\x07", hint="\x9bhint"))
    assert cli("status").err == "archiver: server said \\x1b]0;owned\\x07\nhint: \\x9bhint\n"


def test_a_query_is_shown_to_whoever_typed_it_and_never_to_a_log(cli: Cli) -> None:
    cli.app = Twin(mails=[Mail()])
    assert CANARY not in cli("search", f"({CANARY}").err
    cli.tty = True
    assert CANARY in cli("search", f"({CANARY}").err


def test_the_caret_points_at_the_mistake_also_when_dates_were_given_as_options(cli: Cli) -> None:
    cli.tty, cli.environ["NO_COLOR"] = True, "1"
    ran = cli("search", "zo\u00eb form:an", "--since", "2026")
    assert ran.err.splitlines()[1:3] == ["  zo\u00eb form:an", "      ^"]


def test_a_bad_date_option_is_told_as_the_option_it_is(cli: Cli) -> None:
    for words in (["offerte", "--since", "soon"], ["--since", "soon"], ["--until", ""], ["--since", 'a"b']):
        ran = cli("search", *words)
        assert ran.code == 2
        assert "--since or --until" in ran.err


def test_interrupting_is_130_and_says_that_nothing_is_lost(cli: Cli) -> None:
    cli.app = Twin(fails=KeyboardInterrupt())
    ran = cli("search")
    assert ran.code == 130
    assert "interrupted" in ran.err


def test_the_first_interrupt_of_a_sync_stops_it_in_good_order(cli: Cli) -> None:
    cli.app = Twin(on_sync=lambda: os.kill(os.getpid(), signal.SIGINT))
    before = signal.getsignal(signal.SIGINT)
    ran = cli("sync")
    assert ran.code == 130
    assert ran.out.startswith("12 new messages")
    assert "stopping" in ran.err
    assert signal.getsignal(signal.SIGINT) is before


def test_the_second_interrupt_of_a_sync_stops_at_once(cli: Cli) -> None:
    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    cli.app = Twin(on_sync=twice)
    ran = cli("sync")
    assert (ran.code, ran.out) == (130, "")


class Closed:
    """A standard output whose reader has gone."""

    encoding = "utf-8"

    def write(self, _text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        raise OSError


@pytest.mark.parametrize(("words", "code"), [(["search"], 0), (["sync"], 4), (["thread", blob_id(0).hex()], 0)])
def test_a_reader_that_leaves_early_is_no_error_and_hides_no_failure(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int
) -> None:
    from archiver.cli import main

    monkeypatch.setattr(sys, "stdout", Closed())
    twin = Twin(mails=[Mail()], sync_report=Sync(exit_code=4))
    environ = {"HOME": str(cli.home), "ARCHIVER_ARCHIVE": str(cli.home)}
    assert main.main(words, application=lambda: twin, environ=environ) == code


def test_a_real_pipe_that_closes_leaves_no_trace() -> None:
    # Buffered, as programs are: what is left to write at the end must not complain either.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    script = f"{sys.executable} -m archiver.cli.program completion bash | true; echo ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, cwd=ROOT, env=environ)
    assert (ran.stdout, ran.stderr) == ("0\n", "")


@pytest.mark.parametrize("words", [["--limt", "3"], ["offerte", "--josn"], ["--limit", "x"], ["--sort", "size"]])
def test_a_mistyped_option_is_no_search_term(cli: Cli, words: list[str]) -> None:
    ran = cli("search", *words)
    assert ran.code == 2
    assert "open" not in cli.twin.calls


@pytest.mark.parametrize("words", [["offerte", "-draft"], ["-limit"], ["--", "--limt"], ["-h"]])
def test_a_single_dash_excludes_a_word_and_a_double_one_ends_the_options(cli: Cli, words: list[str]) -> None:
    ran = cli("search", *words)
    assert (ran.code, cli.twin.calls) == (0, ["open", "close"])


def test_a_sync_that_misses_what_was_kept_says_how_it_comes_back(cli: Cli) -> None:
    cli.app = Twin(sync_report=Sync(lost=3, exit_code=4))
    ran = cli("sync")
    assert ran.code == 4
    assert "missing: 3 messages kept before" in ran.err
    assert "`archiver restore --replace`" in ran.err


def shell(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in which $archiver is the program, buffered as programs are."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    environ |= {"PYTHONPATH": str(ROOT), "archiver": f"{sys.executable} -m archiver.cli.program"}
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, cwd=ROOT, env=environ)


_LOOKS_AFTERWARDS = """\
import os, pathlib, sys
from archiver.cli.main import main
code = main(["completion", "bash"])
late = os.open(os.devnull, os.O_RDONLY)
pathlib.Path(sys.argv[1]).write_text(f"{code} {late > 2}")
"""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_whoever_starts_it_may_have_closed_the_standard_streams(tmp_path: Path, closed: str) -> None:
    """A file of the archive must never get the number that a message of C, or of a child, is printed to."""
    (tmp_path / "program.py").write_text(_LOOKS_AFTERWARDS)
    shell(f"{sys.executable} {tmp_path}/program.py {tmp_path}/told {closed}")
    assert (tmp_path / "told").read_text() == "0 True"


def test_a_full_disk_behind_standard_output_is_told_as_that() -> None:
    ran = shell(
        "$archiver completion bash > /dev/full; echo $?; $archiver completion bash > /dev/full 2> /dev/full; echo $?"
    )
    assert ran.stdout == "4\n4\n"
    assert ran.stderr.startswith("archiver: standard output cannot be written: No space left on device\nhint: ")
    assert len(ran.stderr.splitlines()) == 2


def test_words_that_are_no_text_are_the_users_mistake_where_text_is_needed(cli: Cli) -> None:
    def encode() -> None:
        "\udce9".encode()

    cli.app = Twin(on_sync=encode)
    ran = cli("sync", os.fsdecode("caf\xe9".encode("latin-1")))
    assert (ran.code, "no UTF-8" in ran.err) == (2, True)
    ran = cli("sync", "café")
    assert (ran.code, "a bug: UnicodeEncodeError" in ran.err) == (1, True)
