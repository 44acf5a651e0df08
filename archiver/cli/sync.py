"""`archiver sync`: collect, take in, index; and say plainly what could not be done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.invocation import Invocation
from archiver.cli.progress import Watch
from archiver.cli.secrets import asker
from archiver.cli.terminal import Terminal
from archiver.cli.wording import count, size, span_of_time

if TYPE_CHECKING:
    from archiver.cli.answers import SyncReport

_INTERRUPTED = 130
_SHOWN = 20


def _complete_account(
    ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[click.shell_completion.CompletionItem]:
    from click.shell_completion import CompletionItem

    from archiver.errors import ArchiverError

    top = ctx.find_root()
    invocation: Invocation = top.obj
    # While completing, click reads the global options without running the command they belong to.
    invocation.config, invocation.archive = top.params.get("config"), top.params.get("archive")
    try:
        accounts = invocation.settings().accounts
    except ArchiverError:
        return []  # completion is a courtesy; the command itself will say what is wrong
    return [CompletionItem(account.name) for account in accounts if account.name.startswith(incomplete)]


@click.command("sync")
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...", shell_complete=_complete_account)
@click.option("--collect-only", is_flag=True, help="Only collect: needs no key that opens mail, and reads none.")
@click.option("--now", is_flag=True, help="Also ask servers that are left alone for a while after they said no.")
@click.option("--retry-login", is_flag=True, help="Try a login again that was refused, with the same password.")
@click.pass_obj
def command(invocation: Invocation, accounts: tuple[str, ...], collect_only: bool, now: bool, retry_login: bool) -> int:
    """Collect new mail, take it in and index it.

    All accounts, or those named. Mail on the servers is never changed. Without a key at hand, mail is collected and
    sealed, and the next unlocked command takes it in. Stopping it (Ctrl-C) loses nothing. A server that could not be
    reached or limits the account rests for a while, unless the account is named; a login that was refused is not tried
    again before it changes.
    """
    settings = invocation.settings()
    with Watch(invocation.terminal) as watch, stopping(watch) as stop:
        report = invocation.app.sync(
            settings,
            accounts,
            collect_only=collect_only,
            now=now,
            retry_login=retry_login,
            ask=watch.pausing(asker(invocation)),
            on_progress=watch.tell,
            stopped=stop.is_set,
        )
    return tell_outcome(invocation.terminal, report, interrupted=stop.is_set(), collect_only=collect_only)


def tell_outcome(terminal: Terminal, report: SyncReport, *, interrupted: bool, collect_only: bool = False) -> int:
    """Print one line of what was done on standard output, every problem on standard error; return the exit code."""
    code = _INTERRUPTED if interrupted else report.exit_code
    terminal.outcome = code
    octets = sum(outcome.octets for outcome in report.accounts)
    read = f" ({size(octets)} read)" if octets else ""
    done = [count(report.collected, "new message") + read]
    if not collect_only:
        done += [f"{report.ingested:,} taken in", f"{report.indexed:,} indexed"]
        standings = (("linked", report.linked), ("ambiguous", report.ambiguous), ("unlinked", report.unlinked))
        if any(number for _, number in standings):
            done += [f"{number:,} {name}" for name, number in standings if number or name == "linked"]
    if report.defects:
        done.append(f"{report.defects:,} with defects")
    if report.waiting:
        done.append(f"{count(report.waiting, 'batch', 'batches')} waiting for a key")
    terminal.line(", ".join([*done, span_of_time(report.seconds)]))
    _tell_problems(terminal, report)
    for hint in _hints(report):
        terminal.hint(hint)
    if interrupted:
        terminal.problem("interrupted", hint="nothing is lost; the same command goes on where this one stopped")
    return code


def _tell_problems(terminal: Terminal, report: SyncReport) -> None:
    for outcome in report.accounts:
        if outcome.problem:
            terminal.told(f"{outcome.account}:", "bad", outcome.problem)
        elif outcome.failed:
            later = f"{count(outcome.failed, 'message')} could not be fetched; tried again next time"
            terminal.told(f"{outcome.account}:", "warn", later)
    for damaged in report.damaged:
        terminal.told("damaged:", "bad", damaged)
    if report.lost:
        gone = (
            f"{count(report.lost, 'message')} kept before: archive.db has lost the keys, and no server gave them again"
        )
        terminal.told("missing:", "bad", gone)
    for reason in report.incomplete[:_SHOWN]:
        terminal.told("incomplete:", "warn", reason)
    if len(report.incomplete) > _SHOWN:
        terminal.note(f"… and {len(report.incomplete) - _SHOWN:,} more")
    for problem in report.unanchored:
        terminal.told("audit:", "warn", f"{problem}; the next run tries again")


def _hints(report: SyncReport) -> Iterator[str]:
    yield from dict.fromkeys(outcome.hint for outcome in report.accounts if outcome.hint)
    if report.incomplete or any(outcome.failed for outcome in report.accounts):
        yield "`archiver status` names what is missing"
    if report.locked and report.waiting:
        yield "the mail is safe and sealed; `archiver unlock`, or any command with the passphrase, takes it in"
    if report.lost:
        yield "was an older archive.db put back? A newer backup (`archiver restore --replace`) or another import helps"
    if report.damaged:
        yield "`archiver verify --full` looks at everything that is stored"


@contextmanager
def stopping(watch: Watch) -> Iterator[threading.Event]:
    """Turn the first Ctrl-C, or a SIGTERM from systemd, into an orderly stop; the second Ctrl-C stops at once."""
    stop = threading.Event()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()
        watch.say("stopping when what has arrived is safely kept; Ctrl-C again stops at once")

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before: dict[int, Any] = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
