"""`archiver unlink`: what a person knows better than the rules."""

from __future__ import annotations

import click

from archiver.cli.by_hand import decide
from archiver.cli.invocation import Invocation


@click.command("unlink")
@click.argument("message", metavar="ID")
@click.argument("customer", metavar="CUSTOMER")
@click.option("--why", default="", metavar="TEXT", help="The reason, for colleagues.")
@click.option("--undo", is_flag=True, help="Take back that it was unlinked by hand; the rules decide again.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(invocation: Invocation, message: str, customer: str, why: str, undo: bool, as_json: bool) -> None:
    """Say by hand that a message is not a customer's.

    No rule links them again until it is undone; who and why are kept, and archiver why ID tells them.
    """
    decide(invocation, "unlink", message, customer, why=why, undo=undo, as_json=as_json)
