"""`archiver backup`: make one, or check what is there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.cli.progress import Watch
from archiver.cli.secrets import asker
from archiver.cli.wording import calendar_day, count, size, span_of_time
from archiver.errors import UsageError

if TYPE_CHECKING:
    from archiver.cli.backup_answers import BackupCheck, BackupReport

_SHOWN = 20
_AHEAD = timedelta(days=1)


@click.command("backup")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--keep", type=click.IntRange(1, 1000), metavar="N", help="Keep at most so many states (else [backup] keep)."
)
@click.option("--check-packs", is_flag=True, help="Read the packs in DIR again, and copy anew what went bad there.")
@click.option("--verify", is_flag=True, help="Make none: check those in DIR. Needs neither key nor configuration.")
@click.option("--full", is_flag=True, help="With --verify: also open every message of the newest; needs a key.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    invocation: Invocation,
    directory: Path,
    keep: int | None,
    check_packs: bool,
    verify: bool,
    full: bool,
    as_json: bool,
) -> int:
    """Make a backup into DIR, while others work.

    DIR is new, empty, or holds backups of this archive; best on another disk. What is written there is encrypted as the
    archive is. Only new packs are copied. Of the rest
    (catalogue, keys, audit trail), older states are kept beside the newest: as many and for as long as [backup] in the
    configuration says, because mail that was erased since can be read from them. No passphrase is asked where the
    collector's credential is at hand.

    A backup counts once it is complete; one that was stopped leaves the earlier ones as they were.
    """
    if full and not verify:
        raise UsageError("--full goes with --verify", hint="archiver backup --help")
    if verify:
        if keep is not None or check_packs:
            raise UsageError("--verify makes no backup", hint="leave out --keep and --check-packs")
        return _verify(invocation, directory, full=full, as_json=as_json)
    settings = invocation.settings()
    with Watch(invocation.terminal) as watch:
        report = invocation.app.backup(
            settings,
            directory,
            keep=keep,
            check_packs=check_packs,
            ask=watch.pausing(asker(invocation)),
            on_progress=watch.tell,
        )
    invocation.terminal.outcome = report.exit_code
    if as_json:
        from archiver.cli.backup_shapes import backup

        invocation.terminal.json(backup(report, invocation.zone))
    else:
        _tell(invocation, report)
    return report.exit_code


def _tell(invocation: Invocation, report: BackupReport) -> None:
    terminal, zone = invocation.terminal, invocation.zone
    new = f"{report.copied:,} new ({size(report.octets)})" if report.copied else "none new"
    packs = f"{count(report.packs, 'pack')}, {new}"
    terminal.line(
        Span(f"Backup {report.generation}", "strong"),
        f": {size(report.state_octets)} of state, {packs}, {span_of_time(report.seconds)}.",
    )
    kept = count(len(report.generations), "state is", "states are")
    removed = f", {len(report.removed):,} removed" if report.removed else ""
    terminal.line(f"{kept} kept here{removed}.")
    before, gone = (calendar_day(at, zone=zone) for at in (report.erased_before, report.erased_gone_by))
    terminal.wrapped(
        f"Mail erased before {before} is in none of them. Mail erased today is in none after {gone}, if backups go on"
        " being made."
    )
    if report.created > invocation.clock() + _AHEAD:
        terminal.told(
            "careful:", "warn", "a state here is dated in the future, by a wrong clock: those go by number, not by age"
        )
    problems = (
        (report.damaged, "damaged in the archive, and the backup has no good copy"),
        (report.rescued, "damaged in the archive; the backup has a good copy"),
        (report.vanished, "gone from the archive; the backup has it"),
    )
    for names, how in problems:
        for name in names[:_SHOWN]:
            terminal.told(f"pack {name[:12]}:", "bad", how)
        if len(names) > _SHOWN:
            terminal.note(f"… and {len(names) - _SHOWN:,} more")
    if report.mended:
        terminal.line(f"{count(len(report.mended), 'pack')} had gone bad in the backup: copied anew.")
    if any(names for names, _ in problems):
        terminal.hint("`archiver verify` tells what is damaged in the archive, `archiver repair` what can be mended")


def _verify(invocation: Invocation, directory: Path, *, full: bool, as_json: bool) -> int:
    settings = invocation.settings() if full else None
    with Watch(invocation.terminal) as watch:
        found = invocation.app.verify_backup(
            settings, directory, full=full, ask=watch.pausing(asker(invocation)), on_progress=watch.tell
        )
    invocation.terminal.outcome = found.exit_code
    if as_json:
        from archiver.cli.backup_shapes import checked

        invocation.terminal.json(checked(found, invocation.zone))
    else:
        _tell_check(invocation, found)
    return found.exit_code


def _tell_check(invocation: Invocation, found: BackupCheck) -> None:
    terminal = invocation.terminal
    for each in found.generations:
        opened = "" if each.messages is None else f", {count(each.messages, 'message')} opened and compared"
        state = Span("good", "good") if not each.problems else Span("damaged", "bad")
        terminal.line(
            Span(each.generation, "strong"),
            f"  {size(each.state_octets)} of state, {count(each.packs, 'pack')}{opened}: ",
            state,
        )
    terminal.line(f"{count(found.packs, 'pack')}, {size(found.octets)}: compared with their digests.")
    for problem in found.problems[:_SHOWN]:
        terminal.line(Span(problem, "bad"))
    if len(found.problems) > _SHOWN:
        terminal.line(f"… and {len(found.problems) - _SHOWN:,} more")
    if found.problems:
        terminal.hint("make a new backup (with --check-packs, if packs are damaged); until then restore an older state")
    else:
        terminal.line(Span("No damage found.", "good"))
