"""The options that `customer add` and `customer edit` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

SCALARS = ("address", "postal_code", "city", "country", "vat", "notes")


def company(command: _Command) -> _Command:
    """Add the options of the company itself: those of which there is one."""
    for option in reversed(
        (
            click.option("--address", metavar="TEXT", help="Street and number."),
            click.option("--postal-code", metavar="TEXT", help="Postal code."),
            click.option("--city", metavar="TEXT", help="Town."),
            click.option("--country", metavar="TEXT", help="Country: BE, or a name such as België."),
            click.option("--vat", metavar="NUMBER", help="VAT number, in any spelling; its check digits are checked."),
        )
    ):
        command = option(command)
    return command


def contact(command: _Command) -> _Command:
    """Add the options of one contact."""
    for option in reversed(
        (
            click.option("--contact", metavar="NAME", help="The contact that the next options are about."),
            click.option(
                "--email", "emails", multiple=True, metavar="E", help="An address of the contact; repeatable."
            ),
            click.option("--phone", "phones", multiple=True, metavar="N", help="A telephone number; repeatable."),
            click.option("--mobile", "mobiles", multiple=True, metavar="N", help="A mobile number; repeatable."),
        )
    ):
        command = option(command)
    return command
