"""`archiver doctor`: what is wrong with the set-up, and what to do about it."""

from __future__ import annotations

import click

from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.errors import IncompleteError


@click.command("doctor")
@click.option("--no-connect", is_flag=True, help="Do not connect to the servers.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(invocation: Invocation, no_connect: bool, as_json: bool) -> int:
    """Check the configuration and the connections.

    Logs in to each account and lists its mailboxes; reads no mail. Exit code 3 for a wrong configuration, 4 when a
    check fails, 0 with warnings only.
    """
    checks = invocation.app.doctor(invocation.settings(), connect=not no_connect)
    failed = sum(check.ok is False for check in checks)
    code = IncompleteError.exit_code if failed else 0
    terminal = invocation.terminal
    terminal.outcome = code
    if as_json:
        from archiver.cli.shapes import check as shape
        from archiver.cli.shapes import listing

        terminal.json(listing(len(checks), [shape(check) for check in checks]))
        return code
    for check in checks:
        mark = (
            Span("ok    ", "good")
            if check.ok
            else Span("warn  ", "warn")
            if check.ok is None
            else Span("FAIL  ", "bad")
        )
        terminal.wrapped(mark, Span(check.name, "strong"), f": {check.message}", hanging=6)
        if check.hint and not check.ok:
            terminal.wrapped(Span(f"hint: {check.hint}", "faint"), indent=6)
    warned = sum(check.ok is None for check in checks)
    terminal.line(f"{len(checks) - failed - warned} fine, {warned} to look at, {failed} failed.")
    return code
