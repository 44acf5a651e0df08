"""`archiver why`: what links a message to its customers, and what nearly did."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

import click

from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, Style, pad
from archiver.cli.reasons import conversation_candidates, decision_sentence, sentence, summary_sentence
from archiver.cli.secrets import asker
from archiver.cli.wording import subject_of
from archiver.model.link import Outcome

if TYPE_CHECKING:
    from archiver.cli.customer_answers import Explanation

_ASKED_COLUMNS = 12
_ORDER = (Outcome.LINKS, Outcome.AMBIGUOUS, Outcome.SUGGESTS, Outcome.REFUSED, Outcome.NOTHING)
_STYLES: dict[Outcome, Style] = {Outcome.LINKS: "good", Outcome.AMBIGUOUS: "warn", Outcome.SUGGESTS: "warn"}


@click.command("why")
@click.argument("name", metavar="ID")
@click.option("--no-pager", is_flag=True, help="Do not use a pager, however long it is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(invocation: Invocation, name: str, no_pager: bool, as_json: bool) -> None:
    """Explain why a message is linked to a customer, or is not.

    What was found in it and whose that is, strongest first; what nearly fitted; and what was decided by hand. ID is
    what search prints.
    """
    settings = invocation.settings()
    terminal = invocation.terminal
    with (
        terminal.paged(wanted=not (no_pager or as_json)),
        invocation.app.open_archive(settings, ask=asker(invocation)) as archive,
    ):
        row = archive.resolve(name)
        explanation = archive.why(row)
        summary = archive.details(row).summary
        if as_json:
            from archiver.cli.reading_shapes import why

            terminal.json(why(explanation, summary, archive, invocation.zone))
            return
        shown = archive.short_id(summary.blob_id)
        terminal.wrapped(Span(f"{shown}  ", "accent"), Span(subject_of(summary), "strong"), hanging=10, limit=2)
        terminal.wrapped(summary_sentence(explanation.verdict, explanation.customers))
        _show(invocation, explanation)
        _what_next(invocation, explanation, shown)


def _what_next(invocation: Invocation, explanation: Explanation, shown: str) -> None:
    """Print the commands that decide what is open, or undo what is wrong."""
    verdict, names, terminal = explanation.verdict, explanation.customers, invocation.terminal
    asked = "Theirs?" if verdict.linked else "Whose is it?"
    candidates = verdict.candidates if verdict.links else conversation_candidates(verdict)
    commands = [(asked, "link", customer) for customer in candidates]
    commands += [("Not theirs?", "unlink", customer) for customer in verdict.linked]
    known = [
        (question, verb, names[customer].customer.reference)
        for question, verb, customer in commands
        if customer in names
    ]
    if known:
        terminal.line()
    for question, verb, reference in known:
        terminal.line(Span(f"{pad(question, _ASKED_COLUMNS)} archiver {verb} {shown} {quote(reference)}", "faint"))


def _show(invocation: Invocation, explanation: Explanation) -> None:
    terminal, names = invocation.terminal, explanation.customers
    reasons = sorted(explanation.verdict.reasons, key=lambda reason: _ORDER.index(reason.outcome))
    told: set[str] = set()
    for reason in reasons:
        said = sentence(reason, explanation.verdict, names)
        if said in told:
            continue
        if not told:
            terminal.line()
        told.add(said)
        terminal.wrapped("- ", Span(said, _STYLES.get(reason.outcome, "")), hanging=2)
    if explanation.decisions:
        terminal.line()
        terminal.line(Span("By hand", "faint"))
        for decision in explanation.decisions:
            terminal.wrapped("- ", decision_sentence(decision, names, zone=invocation.zone), hanging=2)
