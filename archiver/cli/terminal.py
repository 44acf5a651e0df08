"""Where the command line prints.

The rules of this interface, for whoever changes it:

- Results go to standard output, all else (progress, prompts, problems) to standard error, so that a pipe gets results.
- Every text passes `visible` here, whatever its origin; no caller can forget to escape mail. Styles are told by name
  and become escape sequences here only. Nothing interprets markup, and nothing from mail ever becomes a hyperlink.
- Colour only on a terminal, and neither with NO_COLOR nor on TERM=dumb. A style never carries meaning by itself: the
  words say it too.
- Errors are `archiver: …` and, when there is something to do about it, `hint: …`; lower case, one line each, no
  traceback. People are told what to do next.
- JSON is one object on one line, indented on a terminal, ASCII only: it survives every locale and every lone surrogate.
- Layout fits the terminal's columns; into a pipe, bodies of mail are not wrapped and tables are not cut.
- What is longer than the terminal's lines may go through the person's pager; into a pipe there never is one.
- Prompts are for a person at a terminal. Secrets are read without echo and never printed, except the recovery code,
  once, by `init` and `key add`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TextIO

from archiver.cli.escape import visible
from archiver.cli.layout import Span, Style, cells, wrap, wrap_spans
from archiver.errors import DiskError

# Green, yellow and cyan cannot be read on white, blue not on black; red and magenta can be read on both. What has to be
# found by the eye is bold or underlined in the terminal's own colour.
SEQUENCES: Mapping[Style, str] = {
    "strong": "1",
    "faint": "2",
    "good": "1",
    "warn": "1;35",
    "bad": "1;31",
    "hit": "1;4",
    "accent": "35",
}
"""What each style looks like: parameters of SGR (ECMA-48 §8.3.117)."""
PROSE_COLUMNS = 100
"""Wider lines of prose are hard to read, however wide the terminal."""


class Terminal:
    """Standard output and standard error, with the manners of the module's docstring.

    `outcome` is the exit code should the reader of standard output go away early: a command that did work before it
    printed sets it first. `page` shows long text in the person's pager, and is False when there is none.
    """

    def __init__(
        self,
        out: TextIO,
        err: TextIO,
        *,
        environ: Mapping[str, str],
        columns: int | None = None,
        page: Callable[[str], bool] | None = None,
    ) -> None:
        self._out = out
        self._encoding = out.encoding or "ascii"
        self._page = page
        self._err = err
        self.out_is_terminal = _is_terminal(out)
        self.err_is_terminal = _is_terminal(err)
        colour = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        self._out_colour = colour and self.out_is_terminal
        self.err_colour = colour and self.err_is_terminal
        # Bars move the cursor, which a dumb terminal cannot.
        self.draws_bars = self.err_is_terminal and environ.get("TERM") != "dumb"
        self._columns = columns
        self.outcome = 0

    @property
    def width(self) -> int:
        """Columns of the terminal; 80 where there is none."""
        return self._columns or (_terminal_columns() if self.out_is_terminal else 80)

    @property
    def prose(self) -> int | None:
        """Columns to wrap prose at; None into a pipe, where lines stay as they are."""
        return min(self.width, PROSE_COLUMNS) if self.out_is_terminal else None

    @property
    def table_width(self) -> int:
        """Columns for a table; into a pipe nothing is cut."""
        return self.width if self.out_is_terminal else 1 << 16

    def line(self, *spans: Span | str) -> None:
        """Print one line on standard output."""
        self.text(_rendered(spans, colour=self._out_colour) + "\n")

    def lines(self, lines: Iterable[Sequence[Span]]) -> None:
        """Print several lines on standard output."""
        for spans in lines:
            self.line(*spans)

    def wrapped(self, *spans: Span | str, indent: int = 0, hanging: int = 0, limit: int | None = None) -> None:
        """Print one line, wrapped on a terminal to at most `limit` lines, each indented, the later ones by more."""
        safe = [
            Span(visible(span.text), span.style) if isinstance(span, Span) else Span(visible(span)) for span in spans
        ]
        margin = Span(" " * indent)
        if self.prose is None:
            self.line(margin, *safe)
            return
        # Two columns are kept for the mark that more was cut off.
        lines = wrap_spans(safe, self.prose - indent - hanging - (2 if limit else 0))
        for number, line in enumerate(lines[:limit]):
            more = [Span(" …")] if limit == number + 1 < len(lines) else []
            self.line(margin if number == 0 else Span(" " * (indent + hanging)), *line, *more)

    def json(self, value: object) -> None:
        """Print one JSON object on standard output."""
        import json

        self.text(json.dumps(value, indent=2 if self.out_is_terminal else None) + "\n")

    def octets(self, octets: bytes) -> None:
        """Write octets to standard output exactly as they are; only for a pipe."""
        with self._printing():
            self._out.flush()
            self._out.buffer.write(octets)
            self._out.buffer.flush()

    def text(self, text: str) -> None:
        """Print text made by this program itself (a completion script), unescaped, without adding a line break."""
        with self._printing():
            self._out.write(text)

    def note(self, *spans: Span | str) -> None:
        """Print one line on standard error."""
        try:
            self._err.write(_rendered(spans, colour=self.err_colour) + "\n")
            self._err.flush()
        except BrokenPipeError:
            raise
        except OSError:
            _abandon(self._err)  # there is nowhere left to say it; the exit code tells

    def told(self, label: str, style: Style, message: str) -> None:
        """Print a labelled sentence on standard error, wrapped at words on a terminal."""
        text = visible(message)
        lines = wrap(text, self._err_prose - cells(label) - 1) if self.err_is_terminal else [text]
        for number, line in enumerate(lines):
            self.note(Span(label, style) if number == 0 else " " * cells(label), " ", line)

    def problem(self, message: str, *, hint: str | None = None) -> None:
        """Print an error and what to do about it, on standard error."""
        self.told("archiver:", "bad", message)
        if hint:
            self.hint(hint)

    def hint(self, hint: str) -> None:
        """Print what to do about it, on standard error."""
        self.told("hint:", "accent", hint)

    @property
    def _err_prose(self) -> int:
        return min(self._columns or _terminal_columns(), PROSE_COLUMNS)

    @property
    def err(self) -> TextIO:
        """Standard error itself, for progress bars and prompts."""
        return self._err

    def can_show(self, characters: str) -> bool:
        """Tell whether standard output's encoding has these characters."""
        try:
            characters.encode(self._encoding)
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    @contextmanager
    def paged(self, *, wanted: bool = True) -> Iterator[None]:
        """Keep what is printed in memory, and give it to the pager at the end if it is longer than the terminal.

        Enter it outside of an open archive: a person may read for hours. What was printed before an error is shown.
        """
        if self._page is None or not (wanted and self.out_is_terminal):
            yield
            return
        from io import StringIO

        screen, self._out = self._out, StringIO()
        try:
            yield
        except BaseException:
            self.text(self._take(screen))
            raise
        text = self._take(screen)
        self.flush()
        if text.count("\n") < _terminal_lines() or not self._page(text):
            self.text(text)

    def _take(self, screen: TextIO) -> str:
        held, self._out = self._out, screen
        held.seek(0)
        return held.read()

    def flush(self) -> None:
        """Hand everything printed to the system; raises BrokenPipeError when the reader has gone, DiskError."""
        with self._printing():
            self._out.flush()

    @contextmanager
    def _printing(self) -> Iterator[None]:
        """Tell a full disk behind standard output from one of the archive's; BrokenPipeError passes."""
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            self.abandon()
            raise DiskError(
                f"standard output cannot be written: {os.strerror(error.errno or 0)}",
                hint="make room where the output goes, and run it again",
            ) from error

    def abandon(self) -> None:
        """Point standard output at nothing, so that Python's own flush at exit stays silent after a broken pipe."""
        _abandon(self._out)


def _abandon(stream: TextIO) -> None:
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed before we began
        return False


def _terminal_columns() -> int:
    import shutil

    return shutil.get_terminal_size((80, 24)).columns


def _terminal_lines() -> int:
    import shutil

    return shutil.get_terminal_size((80, 24)).lines


def _rendered(spans: Iterable[Span | str], *, colour: bool) -> str:
    out = []
    for span in spans:
        text, style = span if isinstance(span, Span) else Span(span)
        safe = visible(text)
        out.append(f"\x1b[{SEQUENCES[style]}m{safe}\x1b[0m" if colour and style and safe else safe)
    return "".join(out).rstrip(" ") if not colour else "".join(out)
