"""`archiver repair`: what is damaged is brought out, set aside, and asked for again; nothing that opens is lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.asking import asker_once, confirmed, must_be_able_to_ask
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.cli.progress import Watch
from archiver.cli.verify import tell_damage
from archiver.cli.wording import count

if TYPE_CHECKING:
    from archiver.cli.answers import RepairReport

_SHOWN = 50


@click.command("repair")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--fetch", is_flag=True, help="Fetch again at once what the servers still have, as a sync would.")
@click.option(
    "--from",
    "backup",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Replace a damaged archive.db by that of a backup, or of a copy of the archive.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(invocation: Invocation, dry_run: bool, yes: bool, fetch: bool, backup: Path | None, as_json: bool) -> int:
    """Mend what is damaged, and lose nothing that still opens.

    Looks at everything, as verify --full does, says what it would do and asks. Messages that open are copied out of
    damaged packs, which are moved to the folder quarantine of the archive. Those that do not open stay, marked, and the
    next sync fetches them again where a server still has them (--fetch does so at once). Index and collector's data are
    made anew. Nothing is deleted that is not kept elsewhere.

    Ends with 0 when all is mended, and with 4 when something stays damaged: then each message is named.
    """
    must_be_able_to_ask(invocation, yes=yes or dry_run)
    settings = invocation.settings()
    planned: RepairReport | None = None
    with Watch(invocation.terminal) as watch:

        def confirm(plan: RepairReport) -> bool:
            def asked() -> str | None:
                nonlocal planned
                planned = plan
                _tell(invocation, plan, on_error=as_json)
                return "yes" if confirmed(invocation, "Do this?") else None

            return yes or watch.pausing(asked)() is not None

        report = invocation.app.repair(
            settings,
            ask=watch.pausing(asker_once(invocation)),
            confirm=confirm,
            dry_run=dry_run,
            fetch=fetch,
            backup=backup,
            on_progress=watch.tell,
        )
    terminal = invocation.terminal
    code = terminal.outcome = report.exit_code
    if as_json:
        from archiver.cli.shapes import repair

        terminal.json(repair(report, invocation.zone))
        return code
    if report.confirmed and (planned is None or tuple(planned.steps) != tuple(report.steps)):
        _tell(invocation, report)
    _conclude(invocation, report)
    return code


def _tell(invocation: Invocation, report: RepairReport, *, on_error: bool = False) -> None:
    say = invocation.terminal.note if on_error else invocation.terminal.line
    for step in report.steps[:_SHOWN]:
        say(Span(f"{step.action}: ", "strong"), step.message)
    if len(report.steps) > _SHOWN:
        say(f"… and {count(len(report.steps) - _SHOWN, 'step')} more; all of them: archiver repair --dry-run --json")


def _conclude(invocation: Invocation, report: RepairReport) -> None:
    terminal = invocation.terminal
    if not report.confirmed:
        terminal.line("Nothing was changed.")
        return
    for damage in report.remaining:
        tell_damage(invocation, damage)
    if report.dry_run:
        terminal.line("Nothing was changed: this was a dry run." if report.steps else "There is nothing to mend.")
    elif not report.steps and not report.remaining:
        terminal.line(Span("There is nothing to mend.", "good"))
    elif not report.remaining and not report.lost:
        terminal.line(Span("All is mended.", "good"))
    if report.remaining:
        stays = "would stay" if report.dry_run else "still"
        terminal.line(Span(f"{len(report.remaining):,} {stays} damaged.", "bad"))
    if report.lost:
        terminal.line(Span(f"{count(len(report.lost), 'message')} without keys did not come again yet.", "bad"))
    if report.fetchable and not report.dry_run:
        terminal.hint("`archiver sync` fetches again what the servers still have; `archiver status` tells what came")
    if report.lost:
        terminal.hint("what came from files is to be imported again; `archiver verify` names packs without keys")
