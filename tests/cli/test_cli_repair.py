"""`archiver repair`: what it says in the end, and the exit codes."""

from __future__ import annotations

import pytest

from tests.cli.harness import Cli
from tests.cli.twin import Repair, RepairStep, Twin


@pytest.fixture
def twin(cli: Cli) -> Twin:
    cli.app = twin = Twin()
    return twin


def test_all_is_mended_only_when_all_is_there_again(cli: Cli, twin: Twin) -> None:
    step = RepairStep("index", "index.db", "index.db was built anew")
    twin.repair_report = Repair((step,))
    ran = cli("repair", "--yes")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("All is mended.\n")

    twin.repair_report = Repair((step,), fetchable=2, lost=(b"\1" * 32, b"\2" * 32))
    ran = cli("repair", "--yes")
    assert ran.code == 4
    assert "mended" not in ran.out
    assert "2 messages without keys did not come again yet." in ran.out
    assert "`archiver sync` fetches again" in ran.err
    assert "is to be imported again" in ran.err
    assert cli("repair", "--yes", "--json").json()["mended"] is False


def test_nothing_to_mend_is_said(cli: Cli, twin: Twin) -> None:
    ran = cli("repair", "--yes")
    assert (ran.code, ran.out) == (0, "There is nothing to mend.\n")
