"""How far a long command is: bars on a terminal, nothing otherwise.

Turns `archiver.core.progress` values into rich's bars, one a mailbox while collecting and one a stage after that. Knows
nothing of what is being done. `rich` is imported only when there is a terminal to draw on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from archiver.cli.escape import visible
from archiver.cli.layout import cut
from archiver.cli.terminal import Terminal
from archiver.cli.wording import size
from archiver.core.progress import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from archiver.cli.application import AskPassphrase

_REDRAW_SECONDS = 0.1
_FINISHED_SHOWN = 8
_VERBS = {
    "ingest": "reading",
    "index": "indexing",
    "verify": "reading packs",
    "open": "opening messages",
    "repair": "mending",
    "backup": "copying packs",
    "restore": "bringing packs",
    "import": "importing",
    "link": "linking",
}


_TIMED = frozenset({"verify", "open"})


class Watch:
    """Draws while it is entered; `tell` may be called from any thread, `pausing` keeps bars off a prompt."""

    def __init__(self, terminal: Terminal, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._terminal = terminal
        self._monotonic = monotonic
        self._bars: Bars | None = None
        self._tasks: dict[tuple[str, str | None, str | None], TaskID] = {}
        self._drawn: dict[TaskID, float] = {}
        self._last: dict[TaskID, Progress] = {}
        self._finished: list[TaskID] = []
        self._began: dict[TaskID, float] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is None:
            return
        if error is None:
            for task, progress in self._last.items():
                # What was too early to be drawn, and an end that nobody could foresee.
                self._bars.update(task, completed=progress.done, total=progress.total or progress.done)
        self._bars.stop()
        self._bars = None

    def tell(self, progress: Progress) -> None:
        """Show where a stage is; cheap enough to be called for every message."""
        if not self._terminal.draws_bars:
            return
        with self._lock:
            if self._bars is None:
                self._bars = _bars(self._terminal)
                self._bars.start()
            self._show(self._bars, progress)

    def pausing(self, ask: AskPassphrase) -> AskPassphrase:
        """Return `ask`, with the bars out of the way while it prompts."""

        def asked() -> str | None:
            bars = self._bars
            if bars is None:
                return ask()
            bars.stop()
            try:
                return ask()
            finally:
                bars.start()

        return asked

    def say(self, text: str) -> None:
        """Print a line on standard error, above the bars if there are any."""
        if self._bars is None:
            self._terminal.note(text)
        else:
            from rich.text import Text

            self._bars.console.print(Text(visible(text)))

    def _show(self, bars: Bars, progress: Progress) -> None:
        key = (progress.stage, progress.account, progress.mailbox)
        task = self._tasks.get(key)
        finished = progress.total is not None and progress.done >= progress.total
        now = self._monotonic()
        if task is None:
            task = self._tasks[key] = bars.add_task(_label(progress), total=progress.total, octets="")
        self._last[task] = progress
        if not finished and now - self._drawn.get(task, -_REDRAW_SECONDS) < _REDRAW_SECONDS:
            return
        self._drawn[task] = now
        bars.update(
            task,
            completed=progress.done,
            total=progress.total,
            octets=self._octets(task, progress, now),
        )
        if finished and task not in self._finished:
            self._finished.append(task)
            # Hundreds of mailboxes would push the ones being worked on off the screen.
            if len(self._finished) > _FINISHED_SHOWN:
                bars.update(self._finished[-_FINISHED_SHOWN - 1], visible=False)

    def _octets(self, task: TaskID, progress: Progress, now: float) -> str:
        """Return how much, and where all of it is read again, how fast."""
        if not progress.octets:
            return ""
        seconds = now - self._began.setdefault(task, now)
        if progress.stage not in _TIMED or seconds < 1:
            return size(progress.octets)
        return f"{size(progress.octets)}, {size(int(progress.octets / seconds))}/s"


def _label(progress: Progress) -> str:
    if progress.account is None and progress.mailbox is None:
        return _VERBS.get(progress.stage, progress.stage)
    return cut(visible("/".join(part for part in (progress.account, progress.mailbox) if part)), 30)


def _bars(terminal: Terminal) -> Bars:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars
    from rich.table import Column

    console = Console(
        file=terminal.err,
        force_terminal=True,
        markup=False,
        emoji=False,
        highlight=False,
        no_color=not terminal.err_colour,
    )
    return Bars(
        # markup=False: names of mailboxes come from the server.
        TextColumn("{task.description}", markup=False, table_column=Column(width=30, no_wrap=True)),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[octets]}", markup=False, justify="right"),
        TimeRemainingColumn(compact=True),
        console=console,
        expand=terminal.width < 100,
        redirect_stdout=False,
        redirect_stderr=False,
    )
