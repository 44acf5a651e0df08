"""`archiver customer export`: customers for a spreadsheet, an address book or the accountant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from archiver.cli.escape import visible_lines
from archiver.cli.invocation import Invocation
from archiver.cli.secrets import asker, write_new
from archiver.cli.wording import count
from archiver.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from archiver.model.customer import Customer

Format = Literal["csv", "vcard", "accountant"]

_OUT = Path("-")


@click.command("export")
@click.argument("path", metavar="[FILE]", type=click.Path(path_type=Path, allow_dash=True), default=_OUT)
@click.argument("chosen", metavar="[CUSTOMER]...", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "vcard", "accountant"]),
    help="vcard for a FILE that ends in .vcf, else csv; accountant is name, address and VAT number only.",
)
@click.option("--for-excel", is_flag=True, help="CSV as Excel in Belgium opens it; the accountant's always is.")
@click.option("--force", is_flag=True, help="Replace FILE if there is one.")
@click.pass_obj
def command(
    invocation: Invocation, path: Path, chosen: tuple[str, ...], form: Format | None, for_excel: bool, force: bool
) -> None:
    """Write customers to a CSV or vCard file, or for the accountant.

    All of them, or those named after FILE. FILE is made with mode 0600; without one, or with -, everything goes to
    standard output. What leaves the archive is no longer encrypted: keep it where it belongs, and delete it in time.
    """
    form = form or ("vcard" if path.suffix.lower() == ".vcf" else "csv")
    if for_excel and form == "vcard":
        raise UsageError("--for-excel goes with CSV", hint="leave out --for-excel or --format vcard")
    if path != _OUT and not path.suffix and not chosen:
        # `customer export K1001` is more likely meant as a customer than as a file of that name.
        raise UsageError(
            "the first word is the file to write, and this has no ending such as .csv",
            hint="to print one customer: archiver customer export - CUSTOMER",
        )
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint=f"name a file in it: {path / 'customers.csv'}")
    settings = invocation.settings()
    with invocation.app.open_archive(settings, ask=asker(invocation), take_in=False) as archive:
        customers = [record.customer for record in archive.export_customers(chosen, form=form)]
    octets = _written(customers, form, for_excel=for_excel).encode("utf-8")
    terminal = invocation.terminal
    if path != _OUT:
        write_new(path, octets, force=force)
        terminal.line(f"Wrote {count(len(customers), 'customer')} to {path}.")
    elif terminal.out_is_terminal:
        for line in visible_lines(octets.decode("utf-8").removeprefix("\ufeff").rstrip("\r\n")):
            terminal.line(line)
    else:
        terminal.octets(octets)


def _written(customers: Sequence[Customer], form: Format, *, for_excel: bool) -> str:
    from archiver.core.customers import exchange

    if form == "vcard":
        return exchange.write_vcards(customers)
    if form == "accountant":
        return exchange.write_accountant(customers)
    return exchange.write_csv(customers, for_excel=for_excel)
