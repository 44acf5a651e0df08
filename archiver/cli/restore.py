"""`archiver restore`: a backup becomes the archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.asking import asker_once
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.cli.progress import Watch
from archiver.cli.wording import count, listed, long_date, size, span_of_time

if TYPE_CHECKING:
    from archiver.cli.backup_answers import RestoreReport
    from archiver.cli.terminal import Terminal


@click.command("restore")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--from", "generation", metavar="STATE", help="An older state, as backup --verify names it.")
@click.option("--replace", is_flag=True, help="Move the archive that is there aside; it is not deleted.")
@click.option(
    "--erasures",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A copy of erasures.log of the lost archive: what it names is erased again.",
)
@click.option("--write-collector-key", is_flag=True, help="Write the collector's credential where it is missing.")
@click.option("--incomplete", is_flag=True, help="Restore what there is although packs are missing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    invocation: Invocation,
    directory: Path,
    generation: str | None,
    replace: bool,
    erasures: Path | None,
    write_collector_key: bool,
    incomplete: bool,
    as_json: bool,
) -> int:
    """Restore the archive from a backup or a copy of it.

    DIR is what `archiver backup` made, or a copy of the archive's directory, as rsync or restic bring it back.
    Everything is checked before anything is touched, and built beside the place where the archive belongs ([archive]
    path, or --archive DIR for a look at a backup elsewhere). Asks for a passphrase that was valid when the backup was
    made, or the recovery code. What was erased since is erased again, as far as a record of it is found: in the archive
    that is replaced, in later states of DIR, or in --erasures FILE. The index is built anew.
    """
    settings = invocation.settings()
    with Watch(invocation.terminal) as watch:
        report = invocation.app.restore(
            settings,
            directory,
            generation=generation,
            replace=replace,
            incomplete=incomplete,
            erasures=erasures,
            write_collector_key=write_collector_key,
            ask=watch.pausing(asker_once(invocation)),
            on_progress=watch.tell,
        )
    invocation.terminal.outcome = report.exit_code
    if as_json:
        from archiver.cli.backup_shapes import restored

        invocation.terminal.json(restored(report, invocation.zone))
        return report.exit_code
    _tell(invocation, report)
    return report.exit_code


def _tell(invocation: Invocation, report: RestoreReport) -> None:
    terminal = invocation.terminal
    made = f" of {long_date(report.created, zone=invocation.zone)}" if report.created is not None else ""
    terminal.wrapped(
        Span("Restored", "good"),
        f" the state{made}: {count(report.messages, 'message')}, {count(report.packs, 'pack')}"
        f" ({size(report.octets)}), {report.indexed:,} indexed, {span_of_time(report.seconds)}.",
    )
    if report.erased:
        terminal.line(f"{count(report.erased, 'message')} erased since then: erased again.")
    if report.set_aside is not None:
        terminal.line(f"What was there lies in {report.set_aside}; delete it when you need it no longer.")
    if report.missing:
        terminal.told(
            "incomplete:",
            "bad",
            f"{count(report.missing, 'pack')} missing, with {count(report.lost, 'message')} in them",
        )
    if report.erasures_unread:
        lines = count(report.erasures_unread, "line")
        terminal.told("erasures:", "warn", f"{lines} of erasures.log are damaged, or of another archive: passed over")
    again: list[str] = []
    if not report.erasures_known:
        terminal.told(
            "erasures:", "warn", "nothing is known of erasures after this backup; mail erased since, if any, is back"
        )
        again.append("--erasures FILE (a copy of erasures.log, if there is one)")
    _tell_keys(terminal, report)
    if report.credential == "missing":
        terminal.told("collector:", "warn", "its credential is missing, and nothing can be collected without")
        terminal.hint("bring its file back, or `archiver repair` writes it again")
    if report.credential == "unreadable":
        terminal.told("collector:", "warn", "its credential is damaged, or cannot be read by this user")
        terminal.hint("move it away; `archiver repair` then writes it again")
    if again:
        terminal.hint(f"restore once more with {listed(['--replace', *again])}")
    terminal.line("The next `archiver sync` fetches what came to the servers since.")


def _tell_keys(terminal: Terminal, report: RestoreReport) -> None:
    names, rotated = report.revived.names, report.revived.rotated
    if names:
        opens = "opens" if len(names) == 1 else "open"
        said = f"{listed(names)} {opens} the archive again, removed since this backup was made"
        terminal.told("keys:", "warn", said)
        terminal.hint("run `archiver key remove` for whoever is not to open it, and then `archiver key rotate`")
    elif rotated:
        terminal.told("keys:", "warn", "they are those from before the last rotation")
        terminal.hint("run `archiver key rotate`: whoever kept the old ones opens the archive again")
