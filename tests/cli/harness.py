"""Runs the command line in this process, as a person or a pipe would, and keeps what it printed."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archiver.cli.application import Application
from archiver.cli.main import main
from tests.cli.twin import NOW, Twin


class Screen(io.TextIOWrapper):
    """A stream that says whether it is a terminal."""

    def __init__(self, *, tty: bool, encoding: str = "utf-8") -> None:
        self.kept = io.BytesIO()
        self._tty = tty
        super().__init__(self.kept, encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        return self._tty


@dataclass(frozen=True)
class Ran:
    """What came of a run."""

    code: int
    out: str
    err: str
    octets: bytes

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Cli:
    """One person's or one script's archiver; call it with the words of a command line.

    `pages` is what would have gone to the pager; all of it is on the screen too.
    """

    monkeypatch: pytest.MonkeyPatch
    home: Path
    app: Application = field(default_factory=Twin)
    tty: bool = False
    columns: int | None = None
    answers: Callable[[str], str] | Iterable[str] = ()
    environ: dict[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    stdin: bytes = b""
    prompts: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    on_page: Callable[[], object] = lambda: None
    clock: Callable[[], datetime] = lambda: NOW

    @property
    def twin(self) -> Twin:
        assert isinstance(self.app, Twin)
        return self.app

    def __call__(self, *words: str) -> Ran:
        out, err = Screen(tty=self.tty, encoding=self.encoding), Screen(tty=self.tty)
        stdin = Screen(tty=self.tty)
        stdin.kept.write(self.stdin)
        stdin.kept.seek(0)
        replies = iter(()) if callable(self.answers) else iter(self.answers)

        def reply(prompt: str) -> str:
            self.prompts.append(prompt)
            return self.answers(prompt) if callable(self.answers) else next(replies)

        def page(text: str) -> bool:
            self.pages.append(text)
            self.on_page()
            return False

        environ: Mapping[str, str] = {
            "HOME": str(self.home),
            "ARCHIVER_ARCHIVE": str(self.home / "archive"),
            **self.environ,
        }
        with self.monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", out)
            patched.setattr(sys, "stderr", err)
            patched.setattr(sys, "stdin", stdin)
            code = main(
                list(words),
                application=lambda: self.app,
                environ=environ,
                clock=self.clock,
                zone=UTC,
                columns=self.columns or 80,
                read_secret=reply,
                read_line=reply,
                page=page,
            )
        octets = out.kept.getvalue()
        return Ran(code, octets.decode(self.encoding, "backslashreplace"), err.kept.getvalue().decode(), octets)
