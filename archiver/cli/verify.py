"""`archiver verify`: whether the stored bytes are what was stored."""

from __future__ import annotations

import click

from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.cli.progress import Watch
from archiver.cli.secrets import asker
from archiver.cli.wording import count, size
from archiver.errors import IntegrityError


@click.command("verify")
@click.option("--full", is_flag=True, help="Open every message too; needs a key and takes longer.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(invocation: Invocation, full: bool, as_json: bool) -> int:
    """Check the stored bytes for damage.

    Without --full each pack is compared with its name, which is its digest; that needs no key. Damage is named and
    makes the exit code 30.
    """
    settings = invocation.settings()
    with Watch(invocation.terminal) as watch:
        report = invocation.app.verify(
            settings, full=full, ask=watch.pausing(asker(invocation)), on_progress=watch.tell
        )
    code = IntegrityError.exit_code if report.problems else 0
    terminal = invocation.terminal
    terminal.outcome = code
    if as_json:
        from archiver.cli.shapes import verification

        terminal.json(verification(report))
        return code
    how = "opened and compared" if report.checked_full else "compared with their digests"
    terminal.line(f"{count(report.packs, 'pack')}, {count(report.records, 'message')}, {size(report.octets)}: {how}.")
    for damage in report.problems:
        name = f" (message {damage.blob_id.hex()[:12]})" if damage.blob_id is not None else ""
        terminal.line(Span(damage.what, "bad"), f": {damage.message}{name}")
    if report.problems:
        terminal.line(Span(f"{count(len(report.problems), 'problem')} found.", "bad"))
        terminal.hint("keep the files as they are and bring the named ones back from a backup")
    else:
        terminal.line(Span("No damage found.", "good"))
    return code
