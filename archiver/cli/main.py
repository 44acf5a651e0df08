"""The entry point: runs one command and turns whatever happens into words and an exit code.

Everything a person can act on is an `ArchiverError` and brings its own code. Anything else is a bug of ours; of it only
the type and the place are told, because the text of an exception may hold mail, and so may a traceback.
ARCHIVER_DEBUG=1 shows the traceback, on a terminal only.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.cli.pager import pager
from archiver.cli.terminal import Terminal
from archiver.errors import (
    ArchiverError,
    ConfigurationError,
    DiskError,
    QueryError,
    UsageError,
    hint_for,
    place_of,
    shortage,
)

if TYPE_CHECKING:
    from archiver.cli.application import Application

_BUG, _USAGE, _INTERRUPTED = 1, UsageError.exit_code, 130
_COMPLETE = "_ARCHIVER_COMPLETE"
"""What the completion scripts set; the name is click's, made of the program's."""


def main(
    arguments: Sequence[str] | None = None,
    *,
    application: Callable[[], Application] | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Callable[[], datetime] | None = None,
    zone: tzinfo | None = None,
    columns: int | None = None,
    read_secret: Callable[[str], str] | None = None,
    read_line: Callable[[str], str] | None = None,
    page: Callable[[str], bool] | None = None,
) -> int:
    """Run `archiver` with these arguments (the process's own by default) and return the exit code.

    The keyword arguments replace the surroundings: the use cases, the environment, the clock, the time zone to show
    times in, the width to lay out for, how a person is asked, and the pager.
    """
    _open_standard_streams()
    surroundings = os.environ if environ is None else environ
    for stream in (sys.stdout, sys.stderr):
        # A locale that lacks a character must not end a listing half-way.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    page = page or pager(surroundings, encoding=sys.stdout.encoding or "ascii")
    terminal = Terminal(sys.stdout, sys.stderr, environ=surroundings, columns=columns, page=page)
    invocation = Invocation(
        terminal=terminal,
        environ=surroundings,
        application=application or _real_application,
        clock=clock or (lambda: datetime.now(UTC)),
        zone=zone,
        person_present=_person_present(),
        read_secret=read_secret or (lambda prompt: _read_secret(prompt, terminal)),
        read_line=read_line or (lambda prompt: _read_line(prompt, terminal)),
    )
    try:
        code = _run(sys.argv[1:] if arguments is None else list(arguments), invocation)
        terminal.flush()
    except BrokenPipeError:
        terminal.abandon()
        return terminal.outcome
    except DiskError as error:  # what was printed last did not go out
        terminal.problem(error.message, hint=error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        terminal.note()
        terminal.problem("interrupted", hint="nothing is lost; what was not finished can be done again")
        return _INTERRUPTED
    return code


def _open_standard_streams() -> None:
    """Open what whoever started us had closed (`>&-`): else a file of the archive gets a number that is printed to."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number, which is this one: those below it are open by now.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - for as long as we run


def _run(arguments: Sequence[str], invocation: Invocation) -> int:
    from archiver.cli.root import root

    completing = invocation.environ.get(_COMPLETE)
    if completing:
        from archiver.cli.completion import complete

        return complete(root, invocation, completing)
    try:
        # Not root.main(): that answers a broken pipe by an exit of its own.
        with root.make_context("archiver", list(arguments), obj=invocation) as context:
            code = root.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.exceptions.Abort:
        raise KeyboardInterrupt from None
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the last resort: whatever it is must not show its text
        if isinstance(error, UnicodeEncodeError) and _has_octets(arguments):
            error = UsageError(
                "a word of the command has bytes that are no UTF-8",
                hint="set the terminal to UTF-8 (LANG=C.UTF-8), and type it again",
            )
        return _failed(error, invocation)
    return code if isinstance(code, int) else 0


def _has_octets(arguments: Sequence[str]) -> bool:
    """Tell whether a word came as bytes that are no text, which Python keeps as surrogates: only a path may be so."""
    return any("\ud800" <= character <= "\udfff" for word in arguments for character in word)


def _failed(error: Exception, invocation: Invocation) -> int:
    if isinstance(error, OSError):
        error = shortage(error) or error
    if isinstance(error, ArchiverError):
        code = _known(error, invocation)
    elif isinstance(error, click.ClickException):
        return _misused(error, invocation.terminal)
    else:
        code = _unforeseen(error, invocation.terminal)
    if invocation.environ.get("ARCHIVER_DEBUG") == "1" and invocation.terminal.err_is_terminal:
        import traceback

        for line in "".join(traceback.format_exception(error)).splitlines():
            invocation.terminal.note(line)
    return code


def _misused(error: click.ClickException, terminal: Terminal) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        terminal.text(error.format_message() + "\n")
        return _USAGE
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx is not None else "archiver"
    # click's sentence in the form of ours: no capital, no full stop, one line.
    text = " ".join(error.format_message().split()).rstrip(".")
    terminal.problem(text[:1].lower() + text[1:], hint=f"{path} --help")
    return _USAGE


def _unforeseen(error: Exception, terminal: Terminal) -> int:
    place = place_of(error.__traceback__)
    if isinstance(error, OSError) and error.errno is not None:
        # The file's name is left out: it may be one that a person gave to a customer's mail.
        terminal.problem(
            f"the system refused: {error.strerror} ({errno.errorcode.get(error.errno, error.errno)}, at {place})",
            hint=hint_for(error, "make room or allow access, then run the command again"),
        )
    else:
        terminal.problem(
            f"a bug: {type(error).__name__} at {place}", hint="please report this line; it holds nothing of your mail"
        )
    return _BUG


def _known(error: ArchiverError, invocation: Invocation) -> int:
    terminal, hint = invocation.terminal, error.hint
    if isinstance(error, QueryError):
        hint = _explain_query(error, invocation)
    else:
        terminal.problem(error.message)
    if isinstance(error, ConfigurationError | UsageError):
        for problem in error.problems:
            terminal.note("  ", problem)
        _name_matches(error, terminal)
    if hint:
        terminal.hint(hint)
    return error.exit_code


def _name_matches(error: ArchiverError, terminal: Terminal) -> None:
    """Name the customers that a text may mean, for the person who typed it; a log gets their references only."""
    if not (terminal.err_is_terminal and isinstance(error, UsageError)):
        return
    from archiver.core.customers.finding import UnclearError

    if isinstance(error, UnclearError):
        for match in error.matches:
            terminal.note("  ", f"{match.record.customer.reference} {match.record.customer.name}")


def _explain_query(error: QueryError, invocation: Invocation) -> str | None:
    """Point into the query, for the person who typed it; a log gets the position only."""
    terminal, typed = invocation.terminal, invocation.query
    position = max(0, error.position - (typed.shifted if typed else 0))
    message = f"{error.message}; expected {error.expected}" if error.expected else error.message
    if typed is None or not terminal.err_is_terminal:
        terminal.problem(f"{message} (character {position + 1} of the query)")
    else:
        terminal.problem(message)
        line, column = _around(typed.text, position, terminal.width - 4)
        terminal.note("  ", line)
        terminal.note("  ", " " * column, Span("^", "bad"))
    return error.hint or "`archiver search --help` explains queries"


def _around(text: str, position: int, width: int) -> tuple[str, int]:
    """Return the part of a query that fits the width, visible, and the column at which the position stands in it."""
    from archiver.cli.escape import visible
    from archiver.cli.layout import cells, cut

    shown = visible(text)
    column = cells(visible(text[:position]))
    if cells(shown) <= width:
        return shown, column
    # A third of the line is for what stands before the mistake.
    start = position
    while start and cells(visible(text[start - 1 : position])) < width // 3:
        start -= 1
    before = "…" if start else ""
    return cut(before + visible(text[start:]), width), cells(before + visible(text[start:position]))


def _real_application() -> Application:
    """Return the application of a process that will hold keys, and keep its memory out of core dumps."""
    from archiver import app
    from archiver.crypto.hardening import forbid_core_dumps

    forbid_core_dumps()
    return app


def _person_present() -> bool:
    try:
        return sys.stdin.isatty() and sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False


def _read_secret(prompt: str, terminal: Terminal) -> str:
    import getpass

    try:
        return getpass.getpass(prompt, stream=terminal.err)
    except EOFError:
        raise KeyboardInterrupt from None


def _read_line(prompt: str, terminal: Terminal) -> str:
    terminal.err.write(prompt)
    terminal.err.flush()
    line = sys.stdin.readline()
    if not line:
        raise KeyboardInterrupt
    return line.strip()
