"""`archiver customer list`: all customers, by name."""

from __future__ import annotations

import click

from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, table
from archiver.cli.secrets import asker
from archiver.cli.wording import count
from archiver.model.customer import Customer


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--no-pager", is_flag=True, help="Print a long list at once, instead of a screen at a time.")
@click.pass_obj
def command(invocation: Invocation, as_json: bool, no_pager: bool) -> None:
    """List all customers by name.

    Customers that were merged into others are not listed; the others' records name them.
    """
    settings = invocation.settings()
    with invocation.app.open_archive(settings, ask=asker(invocation), take_in=False) as archive:
        records = archive.customers()
    terminal = invocation.terminal
    if as_json:
        from archiver.cli.customer.shapes import record
        from archiver.cli.shapes import listing

        terminal.json(listing(len(records), [record(item, invocation.zone) for item in records]))
        return
    if not records:
        terminal.line("No customers yet: archiver customer add, or archiver customer import FILE")
        return
    rows = [
        [
            Span(visible(customer.reference), "accent"),
            Span(visible(customer.name), "strong"),
            Span(visible(customer.city)),
            Span(visible(_contact(customer)), "faint"),
        ]
        for customer in (item.customer for item in records)
    ]
    with terminal.paged(wanted=not no_pager):
        terminal.lines(table(("reference", "name", "city", "contact"), rows, width=terminal.table_width))
        terminal.line()
        terminal.line(f"{count(len(records), 'customer')}.")


def _contact(customer: Customer) -> str:
    """Return the first contact's name, or address, and how many more there are."""
    if not customer.contacts:
        return ""
    first = customer.contacts[0]
    more = f" +{len(customer.contacts) - 1}" if len(customer.contacts) > 1 else ""
    return (first.name or next(iter(first.emails), "")) + more
