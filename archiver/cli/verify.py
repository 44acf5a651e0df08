"""`archiver verify`: whether the stored bytes are what was stored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.cli.progress import Watch
from archiver.cli.secrets import asker
from archiver.cli.wording import count, size
from archiver.errors import IncompleteError, IntegrityError

if TYPE_CHECKING:
    from archiver.cli.answers import Damage, VerifyReport
    from archiver.cli.layout import Style

_SHOWN = 10
_DIGEST = re.compile("[0-9a-f]{64}")
"""Names of packs, of which people need the beginning; `--json` has them whole."""

_PLACES = 3


@click.command("verify")
@click.option("--full", is_flag=True, help="Open every message too; needs a key and takes longer.")
@click.option("--subset", metavar="PART", help="Read a part of the packs: 5%, 2G, or 1/20 (the first of 20 parts).")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Draw the sample that was drawn with this number.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(invocation: Invocation, full: bool, subset: str | None, seed: int | None, as_json: bool) -> int:
    """Check the stored bytes for damage.

    Without --full each pack is compared with its name, which is its digest; that needs no key, and works on a copy of
    archive.json and packs as well. With it every message is opened, and everything is compared with everything else.

    With --subset only a part of the packs is read, and of their messages opened: a share or a size is drawn anew each
    time, and 1/20 to 20/20 are always the same parts, which together are all. The rest is checked whole.

    Damage is named and makes the exit code 30. What reads badly once and well the next time is named apart (exit code
    4): then the disk or the memory is failing.
    """
    settings = invocation.settings()
    with Watch(invocation.terminal) as watch:
        report = invocation.app.verify(
            settings,
            full=full,
            ask=watch.pausing(asker(invocation)),
            subset=subset,
            seed=seed,
            on_progress=watch.tell,
        )
    code = IntegrityError.exit_code if report.problems else IncompleteError.exit_code if report.unsteady else 0
    invocation.terminal.outcome = code
    if as_json:
        from archiver.cli.shapes import verification

        invocation.terminal.json(verification(report, invocation.zone))
    else:
        _show(invocation, report)
    return code


def _show(invocation: Invocation, report: VerifyReport) -> None:
    terminal = invocation.terminal
    how = "opened and compared" if report.checked_full else "compared with their digests"
    messages = report.messages if report.checked_full else report.records
    terminal.line(f"{count(report.packs, 'pack')}, {count(messages, 'message')}, {size(report.octets)}: {how}.")
    if report.subset is not None:
        again = f"; --seed {report.seed} draws it again" if report.seed is not None else ""
        terminal.line(f"That is {report.subset} of {count(report.packs_total, 'pack')}{again}.")
    for damage in report.problems:
        tell_damage(invocation, damage)
    for unsteady in report.unsteady:
        terminal.wrapped(*_said(unsteady, "warn"))
    for remark in report.remarks[:_SHOWN]:
        terminal.line(Span(f"{remark.what}: {remark.message}", "faint"))
    if len(report.remarks) > _SHOWN:
        terminal.line(Span(f"… and {len(report.remarks) - _SHOWN:,} more that are no damage", "faint"))
    if report.problems:
        terminal.line(Span(f"{count(len(report.problems), 'problem')} found.", "bad"))
        terminal.hint("keep the files as they are; `archiver repair` says what it can mend, and asks before it does")
    elif report.unsteady:
        terminal.line(Span("No damage found, but not everything read well the first time.", "warn"))
        terminal.hint("look after the disk and the memory of this machine, and make a backup now")
    else:
        terminal.line(Span("No damage found.", "good"))


def tell_damage(invocation: Invocation, damage: Damage) -> None:
    """Print one finding: what and how, and of a message when it was sent and where it lay."""
    short = "" if damage.blob_id is None else damage.blob_id.hex()[:12]
    name = f" (message {short})" if short not in damage.what else ""
    invocation.terminal.wrapped(*_said(damage, "bad"), name)
    if damage.at is not None:
        places = [f"{seen.account}/{seen.mailbox} uid {seen.uid}" for seen in damage.places[:_PLACES]]
        more = [f"and {len(damage.places) - _PLACES} more"] if len(damage.places) > _PLACES else []
        where = ", ".join([*places, *more]) or "on no server"
        invocation.terminal.line("  ", Span(f"from {invocation.date(damage.at)}; {where}", "faint"))


def _said(damage: Damage, style: Style) -> list[Span]:
    """Return what is damaged and how; the former once, and of a pack's name as much as people need."""
    what = _DIGEST.sub(lambda found: found[0][:12], damage.what)
    if all(part in damage.message for part in what.split(", ")):
        return [Span(damage.message, style)]
    return [Span(what, style), Span(f": {damage.message}")]
