"""Customers as CSV: a row a contact, the columns of DESIGN §7; what `csv_reading` reads back unchanged.

Consents and the references of customers that were merged into one have no column: a record keeps them when it is
updated from such a file, and a file made from one does not have them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from archiver.core.customers.exchange.columns import COLUMNS
from archiver.core.customers.exchange.csv_cells import excel_cell, guarded_cell
from archiver.model.customer import Contact, Customer

BYTE_ORDER_MARK = "\ufeff"

_PROSE = frozenset(("name", "address", "city", "notes", "contact"))


def write_csv(customers: Iterable[Customer], *, delimiter: str = ",", for_excel: bool = False) -> str:
    """Return the text of a file, lines ended by CR LF (RFC 4180 §2.1): write it in UTF-8, without changing line ends.

    With `for_excel` it is what Excel in Belgium opens by a double click: separated by `;`, with a byte order mark, and
    with numbers that it leaves alone.
    """
    rows = (row for customer in customers for row in _rows(customer))
    return table(COLUMNS, rows, delimiter=";" if for_excel else delimiter, for_excel=for_excel)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, delimiter: str, for_excel: bool) -> str:
    """Return a CSV file of these rows, every cell guarded from spreadsheets."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        named = zip(header, row, strict=True)
        writer.writerow(
            [excel_cell(cell, text=name not in _PROSE) if for_excel else guarded_cell(cell) for name, cell in named]
        )
    return (BYTE_ORDER_MARK if for_excel else "") + out.getvalue()


def _rows(customer: Customer) -> Iterator[Sequence[str]]:
    """Yield a row a contact; reference and name in all of them, so that a person sees whose row it is."""
    for index, contact in enumerate(customer.contacts or (Contact(),)):
        first = index == 0
        yield (
            customer.reference,
            customer.name,
            customer.address if first else "",
            customer.postal_code if first else "",
            customer.city if first else "",
            customer.country if first else "",
            (customer.vat or "") if first else "",
            "|".join(customer.domains) if first else "",
            "|".join(customer.licences) if first else "",
            contact.name,
            "|".join(contact.emails),
            "|".join(contact.phones),
            "|".join(contact.mobiles),
            customer.notes if first else "",
        )
