"""`archiver customer`: the group of commands over customer records."""

from __future__ import annotations

import click

from archiver.cli.lazy import LazyGroup, Loaders

COMMANDS: Loaders = {
    "find": ("archiver.cli.customer.find", "Find customers by anything one knows of them."),
    "show": ("archiver.cli.customer.show", "Show all that is known of one customer."),
    "list": ("archiver.cli.customer.list", "List all customers by name."),
    "add": ("archiver.cli.customer.add", "Add a customer; on a terminal it asks for what is not given."),
    "edit": ("archiver.cli.customer.edit", "Change a customer's record."),
    "consent": ("archiver.cli.customer.consent", "Record that a customer may be named as a reference, or no longer."),
    "merge": ("archiver.cli.customer.merge", "Merge two records of one customer, or undo that."),
    "remove": ("archiver.cli.customer.remove", "Remove a customer's record; the mail stays."),
    "import": ("archiver.cli.customer.import_", "Add and update customers from a CSV or vCard file."),
    "export": ("archiver.cli.customer.export", "Write customers to a CSV or vCard file, or for the accountant."),
}
"""Name, module (which has the click command as `command`) and one-line help, in the order of use."""


@click.group(
    "customer",
    cls=LazyGroup,
    loaders=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="CUSTOMER is a reference, a VAT number or a name, wherever one is asked for.",
)
def command() -> None:
    """Keep the records of customers and their contacts.

    Mail is linked to customers by these records; when one changes, its mail is linked anew at once.
    """
