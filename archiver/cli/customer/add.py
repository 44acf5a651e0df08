"""`archiver customer add`: a new customer, from options or asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from archiver.cli.asking import asker_once, confirmed
from archiver.cli.customer import options
from archiver.cli.customer.text import tell_change
from archiver.cli.invocation import Invocation
from archiver.errors import UsageError
from archiver.model.customer import Contact, Customer

if TYPE_CHECKING:
    from archiver.cli.application import AskPassphrase
    from archiver.cli.customer_answers import CustomerChange


_CORRECT = "Correct it?"


@click.command("add")
@click.argument("reference", required=False)
@click.argument("name", required=False)
@options.company
@click.option("--domain", "domains", multiple=True, metavar="D", help="A domain that only they use; repeatable.")
@click.option("--licence", "licences", multiple=True, metavar="L", help="A licence number; repeatable.")
@options.contact
@click.option("--notes", metavar="TEXT", help="Anything else worth knowing.")
@click.option("--dry-run", is_flag=True, help="Say what would happen to the mail, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    invocation: Invocation,
    reference: str | None,
    name: str | None,
    address: str | None,
    postal_code: str | None,
    city: str | None,
    country: str | None,
    vat: str | None,
    domains: tuple[str, ...],
    licences: tuple[str, ...],
    contact: str | None,
    emails: tuple[str, ...],
    phones: tuple[str, ...],
    mobiles: tuple[str, ...],
    notes: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Add a customer; on a terminal it asks for what is not given.

    REFERENCE is your own number for it. Without options, on a terminal, every field is asked for and checked at once;
    what is typed there stays out of the shell's history. More contacts: archiver customer edit.
    """
    person = Contact(contact or "", emails, phones, mobiles)
    draft = Customer(
        reference=reference or "",
        name=name or "",
        address=address or "",
        postal_code=postal_code or "",
        city=city or "",
        country=country or "",
        vat=vat or None,
        domains=domains,
        licences=licences,
        contacts=(person,) if person != Contact() else (),
        notes=notes or "",
    )
    settings = invocation.settings()
    ask = asker_once(invocation)
    if draft == Customer(draft.reference, draft.name) and invocation.person_present and not as_json:
        asked = _asked(invocation, ask, draft)
        if asked is None:
            invocation.terminal.note("Nothing was added.")
            return 0
        change = _kept(invocation, ask, asked, dry_run=dry_run)
        if change is None:
            invocation.terminal.note("Nothing was added.")
            return UsageError.exit_code
        _tell(invocation, change, dry_run=dry_run, as_json=False)
        return 0
    if not (draft.reference and draft.name):
        raise UsageError(
            "a customer needs a REFERENCE and a NAME",
            hint="archiver customer add K1001 'Peeters Bouw'; without options, on a terminal, it asks",
        )
    with invocation.app.change_customers(settings, ask=ask, command="customer add", dry_run=dry_run) as editor:
        change = editor.add(draft)
    _tell(invocation, change, dry_run=dry_run, as_json=as_json)
    return 0


def _asked(invocation: Invocation, ask: AskPassphrase, draft: Customer, *, again: bool = False) -> Customer | None:
    """Ask for everything; None when the person thinks better of it. The archive is open for reading only meanwhile."""
    from archiver.cli.customer.form import ask_customer
    from archiver.cli.customer.text import show_contents

    while True:
        with invocation.app.open_archive(invocation.settings(), ask=ask, take_in=False) as archive:
            draft = ask_customer(invocation, archive, draft, again=again)
        invocation.terminal.line()
        show_contents(invocation, draft)
        invocation.terminal.flush()
        if confirmed(invocation, "Add this customer?", default=True):
            return draft
        if not confirmed(invocation, _CORRECT):
            return None
        again = True


def _kept(invocation: Invocation, ask: AskPassphrase, draft: Customer, *, dry_run: bool) -> CustomerChange | None:
    """Add a customer that was asked for; when it is refused, what was typed can be corrected. None when given up."""
    settings = invocation.settings()
    while True:
        try:
            with invocation.app.change_customers(settings, ask=ask, command="customer add", dry_run=dry_run) as editor:
                return editor.add(draft)
        except UsageError as refused:
            invocation.terminal.problem(refused.message, hint=refused.hint)
            invocation.terminal.flush()
            corrected = _asked(invocation, ask, draft, again=True) if confirmed(invocation, _CORRECT) else None
            if corrected is None:
                return None
            draft = corrected


def _tell(invocation: Invocation, change: CustomerChange, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        from archiver.cli.customer.shapes import change as shape

        invocation.terminal.json(shape(change, invocation.zone, dry_run=dry_run))
        return
    tell_change(invocation, change, dry_run=dry_run)
