"""`archiver customer show`: all that is known of one customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from archiver.cli.customer.text import LABEL_COLUMNS, labelled, show_contents, tell_warnings
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.cli.secrets import asker
from archiver.cli.wording import count
from archiver.model.customer import Consent, Customer, CustomerRecord

if TYPE_CHECKING:
    from datetime import datetime

    from archiver.cli.application import OpenArchive
    from archiver.cli.customer_answers import CustomerFigures


@click.command("show")
@click.argument("text", metavar="CUSTOMER")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(invocation: Invocation, text: str, as_json: bool) -> None:
    """Show all that is known of one customer.

    Company, contacts with their numbers as they are dialled from here, how much mail there is, and what else has the
    same address or number.
    """
    from archiver.core.customers.changes import shared_with

    settings = invocation.settings()
    with invocation.app.open_archive(settings, ask=asker(invocation)) as archive:
        record = archive.customer(text)
        merged = archive.merged_into(record)
        figures = archive.customer_figures(record)
        shared = shared_with(record, archive.customers())
        shorten = _shortener(archive, record.customer)
    if as_json:
        from archiver.cli.customer import shapes

        invocation.terminal.json(
            {
                **shapes.record(record, invocation.zone),
                "merged": [other.customer.reference for other in merged],
                "mail": shapes.figures(figures, invocation.zone),
                "warnings": list(shared),
            }
        )
        return
    _show(invocation, record, merged, shorten)
    _mail(invocation, record.customer.reference, figures)
    tell_warnings(invocation.terminal, shared)


def _show(
    invocation: Invocation, record: CustomerRecord, merged: Sequence[CustomerRecord], shorten: dict[str, str]
) -> None:
    terminal, customer = invocation.terminal, record.customer
    show_contents(invocation, customer)
    for number, consent in enumerate(customer.consents):
        labelled(terminal, "consent" if number == 0 else "", _consent(invocation, consent, shorten))
    here = [other.customer for other in merged]
    for other in here:
        labelled(terminal, "merged", f"{other.reference} {other.name}")
    known = {other.reference.casefold() for other in here}
    labelled(terminal, "formerly", ", ".join(r for r in customer.former_references if r.casefold() not in known))


def _consent(invocation: Invocation, consent: Consent, shorten: dict[str, str]) -> str:
    """Say whether the customer may be named, since when and why."""
    said = f"given by {consent.given_by or 'somebody'} on {_day(invocation, consent.given_at)}"
    if consent.message is not None:
        said += f", in message {shorten[consent.message]}"
    if consent.withdrawn_at is None:
        return f"may be named as a reference: {said}"
    by = f" by {consent.withdrawn_by}" if consent.withdrawn_by else ""
    return f"withdrawn{by} on {_day(invocation, consent.withdrawn_at)}; it was {said}"


def _day(invocation: Invocation, at: datetime) -> str:
    from archiver.cli.wording import long_date

    return long_date(at, zone=invocation.zone).partition(",")[0]


def _mail(invocation: Invocation, reference: str, figures: CustomerFigures) -> None:
    from shlex import quote

    terminal = invocation.terminal
    parts = [count(figures.linked, "message")]
    if figures.oldest is not None and figures.newest is not None:
        first, last = _day(invocation, figures.oldest), _day(invocation, figures.newest)
        parts.append(f"{first} to {last}" if first != last else first)
    labelled(terminal, "mail", ", ".join(parts))
    if figures.candidates:
        labelled(terminal, "", f"{count(figures.candidates, 'more', 'more')} might be theirs")
    if figures.linked or figures.candidates:
        option = "" if figures.linked else " --candidates"
        terminal.line(" " * (LABEL_COLUMNS + 2), Span(f"archiver history {quote(reference)}{option}", "accent"))


def _shortener(archive: OpenArchive, customer: Customer) -> dict[str, str]:
    """Return the messages that consents name, by their whole id, as people type them."""
    return {c.message: archive.short_id(bytes.fromhex(c.message)) for c in customer.consents if c.message is not None}
