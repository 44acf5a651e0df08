"""What one run of `archiver` has at hand: terminal, surroundings, the application, and a person or nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime, tzinfo
    from pathlib import Path

    from archiver.cli.application import Application
    from archiver.cli.terminal import Terminal
    from archiver.config import Settings


class QueryTyped(NamedTuple):
    """The query as typed, how many characters this program put before it, and the whole that is looked for."""

    text: str
    shifted: int = 0
    whole: str = ""


class Invocation:
    """One run of `archiver`: the application, the terminal, the surroundings. `zone` None means the machine's own.

    `read_secret` asks without echo and `read_line` with; both take the prompt. `query` is kept for the error that
    points into it.
    """

    def __init__(
        self,
        *,
        terminal: Terminal,
        environ: Mapping[str, str],
        application: Callable[[], Application],
        clock: Callable[[], datetime],
        zone: tzinfo | None,
        person_present: bool,
        read_secret: Callable[[str], str],
        read_line: Callable[[str], str],
    ) -> None:
        self.terminal = terminal
        self.environ = environ
        self.clock = clock
        self.zone = zone
        self.person_present = person_present
        self.read_secret = read_secret
        self.read_line = read_line
        self.config: Path | None = None
        self.archive: Path | None = None
        self.reason: str | None = None
        self.query: QueryTyped | None = None
        self._warned: set[str] = set()
        self._application = application

    @property
    def program(self) -> str:
        """How this program was called, for commands that a person may paste into a shell."""
        from shlex import quote

        given = [("--config", self.config), ("--archive", self.archive)]
        return " ".join(["archiver", *(f"{name} {quote(str(path))}" for name, path in given if path is not None)])

    @property
    def app(self) -> Application:
        """The application, imported when first used: `--help` must not wait for it."""
        return self._application()

    def date(self, at: datetime) -> str:
        """Return a date in at most 16 columns: as people say it on a terminal, as they sort it into a pipe."""
        from archiver.cli.wording import short_date

        if self.terminal.out_is_terminal:
            return short_date(at, now=self.clock(), zone=self.zone)
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def warn(self, message: str) -> None:
        """Tell on standard error, once, of something that does not stop the command."""
        if message not in self._warned:
            self._warned.add(message)
            self.terminal.told("careful:", "warn", message)

    def settings(self) -> Settings:
        """Read the configuration; raises ConfigurationError with every problem in it."""
        from msgspec.structs import replace

        from archiver.cli.reason import purpose_of
        from archiver.config import load

        settings = load(self.config, self.environ, archive=self.archive)
        return replace(settings, purpose=purpose_of(self))
