"""Too few files that may be open: an error about this machine, not about the archive, wherever it is met."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from archiver import app
from archiver.errors import ShortageError
from archiver.store import collect
from archiver.store.layout import ArchivePaths
from archiver.store.packs import PackFiles
from tests.crash.failing_worker import keys_at_once
from tests.crash.program import Program, nobody, set_up

_RUNS = """
import json, os, resource, sys
from archiver.cli.main import main

home, limits, arguments = sys.argv[1], map(int, sys.argv[2].split(",")), sys.argv[3:]


def run(limit):
    with open(f"{home}/out", "w+") as out:
        if not (child := os.fork()):
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            try:
                code = main(arguments)
                sys.stdout.flush()
            finally:
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0)
        return code, out.read()


main(arguments)  # so that the forks have nothing left to load
sys.stdout.flush()
answer = json.dumps([run(limit) for limit in limits])
print("\\0" + answer)
"""
"""Run a command in a process each, with each of some limits to the files that may be open."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """An archive with more packs than are kept open."""
    home = tmp_path_factory.mktemp("few") / "home"
    with keys_at_once(), pytest.MonkeyPatch.context() as patched:
        patched.setattr(collect, "MOST_RECORDS", 1)
        program = set_up(home, 1, ["info"])
        mail = home / "mail"
        mail.mkdir()
        for number in range(20):
            (mail / f"{number}.eml").write_text(f"Message-ID: <{number}@a.test>\nSubject: {number}\n\nzebra\n")
        app.import_paths(program.settings, [mail], ask=nobody)
    assert len(list(ArchivePaths(program.archive).pack_names())) == 20
    return program


def runs(program: Program, limits: Iterable[int], *arguments: str) -> list[tuple[int, str]]:
    """Return exit code and output of a run with each of these limits."""
    command = [str(program.home), ",".join(map(str, limits)), "--config", str(program.config), *arguments]
    done = subprocess.run([sys.executable, "-c", _RUNS, *command], env=program.environ, capture_output=True, check=True)
    return msgspec.json.decode(done.stdout.rpartition(b"\0")[2], type=list[tuple[int, str]])


@pytest.mark.parametrize("arguments", [("verify", "--full"), ("repair", "--yes"), ("search", "zebra")])
def test_too_few_open_files_are_told_as_that_and_not_as_damage(program: Program, arguments: tuple[str, ...]) -> None:
    (code, usual), *limited = runs(program, (256, *range(8, 64, 5)), *arguments)
    assert code == 0, usual
    assert {code for code, _ in limited} == {0, 4}
    for code, said in limited:
        if code == 4:
            assert "Too many open files" in said
            assert "hint: end other programs, or allow more open files" in said
        elif arguments[0] != "search":
            assert said == usual
    assert not (program.archive / "quarantine").exists()


def test_a_pack_is_not_damaged_when_no_further_file_may_be_open(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.ENFILE, "Too many open files in system")

    packs = PackFiles(ArchivePaths(program.archive))
    name = packs.names()[0]
    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(ShortageError) as met:
        packs.check(name)
    assert met.value.exit_code == 4
    with pytest.raises(ShortageError):
        next(packs.headers(name))
