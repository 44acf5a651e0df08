"""The written documentation says what the commands say, and the short helps are the long ones' first lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from archiver.cli.customer.group import COMMANDS as CUSTOMER_COMMANDS
from archiver.cli.root import COMMANDS, root
from tests.cli.harness import Cli
from tests.cli.reference import reference

ROOT = Path(__file__).parents[2]


def test_docs_cli_md_is_what_the_commands_say() -> None:
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == reference(), "stale: python -m tests.cli.reference > docs/cli.md"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_the_command_says_first(name: str) -> None:
    command = root.get_command(click.Context(root), name)
    assert command is not None
    assert command.name == name
    assert (command.help or "").partition("\n")[0] == COMMANDS[name][1]


@pytest.mark.parametrize("name", CUSTOMER_COMMANDS)
def test_the_list_of_commands_over_customers_does_too(name: str) -> None:
    group = root.get_command(click.Context(root), "customer")
    assert isinstance(group, click.Group)
    command = group.get_command(click.Context(group), name)
    assert command is not None
    assert command.name == name
    assert (command.help or "").partition("\n")[0] == CUSTOMER_COMMANDS[name][1]


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["search", "--help"], ["key", "add", "--help"], ["customer", "--help"]]
)
def test_help_needs_neither_configuration_nor_application(cli: Cli, words: list[str]) -> None:
    del cli.app
    assert cli(*words).code == 0


@pytest.mark.parametrize(
    ("words", "barred"),
    [
        ("['--help']", "rich msgspec apsw whoosh imapclient cryptography mailparser archiver.app archiver.cli.search"),
        ("['search', '--help']", "rich apsw whoosh imapclient cryptography mailparser archiver.app"),
        ("['status']", "rich imapclient whoosh mailparser archiver.cli.search"),
    ],
)
def test_a_command_imports_only_what_it_needs(words: str, barred: str) -> None:
    script = (
        "import sys, io, contextlib\nfrom archiver.cli.main import main\n"
        f"with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()): main({words})\n"
        f"print([name for name in {barred.split()!r} if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout == "[]\n"
