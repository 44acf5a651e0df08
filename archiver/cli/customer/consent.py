"""`archiver customer consent`: whether a customer may be named as a reference, since when, by whose word."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from archiver.cli.customer.text import tell_change
from archiver.cli.invocation import Invocation
from archiver.cli.secrets import asker
from archiver.errors import UsageError
from archiver.model.customer import Consent, Customer

if TYPE_CHECKING:
    from archiver.cli.application import OpenArchive
    from archiver.model.customer import CustomerRecord


@click.command("consent")
@click.argument("text", metavar="CUSTOMER")
@click.option("--given-by", metavar="NAME", help="Who agreed that the customer may be named.")
@click.option("--message", metavar="ID", help="The message in which they did, as search prints it.")
@click.option("--withdrawn", is_flag=True, help="It holds no longer; it stays on record as withdrawn.")
@click.option("--by", metavar="NAME", help="With --withdrawn: who withdrew it.")
@click.option("--on", metavar="DATE", help="The day it was given or withdrawn, as 2026-03-31; today if left out.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    invocation: Invocation,
    text: str,
    given_by: str | None,
    message: str | None,
    withdrawn: bool,
    by: str | None,
    on: str | None,
    as_json: bool,
) -> None:
    """Record that a customer may be named as a reference, or no longer."""
    if withdrawn == (given_by is not None) or (withdrawn and message) or (by and not withdrawn):
        raise UsageError(
            "a consent is either given, by somebody, or withdrawn",
            hint="--given-by NAME [--message ID], or --withdrawn [--by NAME]",
        )
    if given_by is not None and not given_by.strip():
        raise UsageError("it must be said who agreed", hint="--given-by NAME")
    settings = invocation.settings()
    at = _moment(invocation, on)
    with invocation.app.change_customers(settings, ask=asker(invocation), command="customer consent") as editor:
        record = editor.archive.customer(text)
        if given_by is not None:
            named = _message(invocation, editor.archive, record, message) if message is not None else None
            wanted = replace(
                record.customer, consents=(*record.customer.consents, Consent(at, given_by.strip(), named))
            )
        else:
            wanted = _withdrawn(record.customer, at, (by or "").strip() or None)
        change = editor.edit(record, wanted)
    if as_json:
        from archiver.cli.customer.shapes import change as shape

        invocation.terminal.json(shape(change, invocation.zone, dry_run=False))
        return
    tell_change(invocation, change, dry_run=False)


def _withdrawn(customer: Customer, at: datetime, by: str | None) -> Customer:
    consent = customer.consent
    if consent is None:
        raise UsageError("there is no consent to withdraw", hint="archiver customer show tells what is on record")
    if at.date() < consent.given_at.date():
        raise UsageError("a consent cannot be withdrawn before it was given", hint="look at the date")
    return replace(customer, consents=(*customer.consents[:-1], replace(consent, withdrawn_at=at, withdrawn_by=by)))


def _message(invocation: Invocation, archive: OpenArchive, record: CustomerRecord, name: str) -> str:
    """Return the whole id of the message that shows it; say so when it is not this customer's."""
    summary = archive.details(archive.resolve(name)).summary
    if record.customer.reference not in summary.customers:
        invocation.terminal.told("careful:", "warn", f"this message is not linked to {record.customer.reference}")
    return summary.blob_id.hex()


def _moment(invocation: Invocation, on: str | None) -> datetime:
    now = invocation.clock().astimezone(invocation.zone)
    if on is None:
        return now
    try:
        day = date.fromisoformat(on.strip())
    except ValueError:
        raise UsageError("--on is not a date", hint="write it as 2026-03-31") from None
    if day > now.date():
        raise UsageError("--on lies in the future", hint="record it on the day")
    if day == now.date():
        return now
    # Noon, so that it is the same day wherever it is read.
    return datetime.combine(day, time(12), invocation.zone).astimezone(invocation.zone)
