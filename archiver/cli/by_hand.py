"""What `link`, `unlink` and undoing them have in common: one message, one customer, a decision and what it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from archiver.cli.customer.text import tell_links, titled
from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.cli.secrets import asker
from archiver.cli.wording import customers_of, subject_of
from archiver.errors import UsageError

if TYPE_CHECKING:
    from archiver.cli.application import CustomerEditor
    from archiver.model.customer import CustomerRecord
    from archiver.model.link import LinkChanges

Verb = Literal["link", "unlink"]
_SAID = {"link": "Linked by hand to", "unlink": "Unlinked by hand from"}


def decide(
    invocation: Invocation, verb: Verb, message: str, customer: str, *, why: str, undo: bool, as_json: bool
) -> None:
    """Record the decision, or take it back, and say what the message belongs to now."""
    if undo and why:
        raise UsageError("--why goes with a decision, not with taking one back", hint="leave out --why or --undo")
    with invocation.app.change_customers(invocation.settings(), ask=asker(invocation), command=verb) as editor:
        archive = editor.archive
        row = archive.resolve(message)
        record = archive.customer(customer)
        changes = _decided(editor, verb, row, record, why=why, undo=undo)
        summary = archive.details(row).summary
        # A decision about one customer may end the doubt about others, who are named too.
        references = {each.id: each.customer.reference for each in (*archive.customers(), record)}
        name = archive.short_id(summary.blob_id)
    terminal = invocation.terminal
    if as_json:
        from archiver.cli.customer.shapes import links

        terminal.json(
            {
                "id": name,
                "customer": record.customer.reference,
                "decision": "undone" if undo else verb,
                "why": why,
                "customers": list(summary.customers),
                "candidates": list(summary.candidates),
                "links": links(changes, references),
            }
        )
        return
    said = "Undone: the rules decide again about" if undo else _SAID[verb]
    terminal.wrapped(
        Span(name, "accent"), f"  {subject_of(summary)}", hanging=len(name) + 2, limit=2 if terminal.prose else None
    )
    terminal.wrapped(f"{said} ", *titled(record.customer, gap=" "), ".", hanging=2)
    tell_links(terminal, changes, references)
    terminal.line("Its customers now: ", visible(customers_of(summary)) or "none")
    if verb == "link" and not undo:
        from shlex import quote

        for other in summary.customers:
            if other != record.customer.reference:
                terminal.line(f"If it is not {other}'s: ", Span(f"archiver unlink {name} {quote(other)}", "accent"))


def _decided(
    editor: CustomerEditor, verb: Verb, row: int, record: CustomerRecord, *, why: str, undo: bool
) -> LinkChanges:
    if undo:
        return editor.undo(row, record)
    return editor.link(row, record, why=why) if verb == "link" else editor.unlink(row, record, why=why)
