"""A list of customers for whoever keeps the books: who they are, where, and their VAT number. Nothing else of them."""

from __future__ import annotations

from collections.abc import Iterable

from archiver.core.customers.exchange.csv_writing import table
from archiver.model.customer import Customer

_COLUMNS = ("name", "address", "postal_code", "city", "country", "vat", "reference")


def write_accountant(customers: Iterable[Customer], *, delimiter: str = ";", for_excel: bool = True) -> str:
    """Return the text of a CSV file, a row a customer; by default for Excel in Belgium (see `write_csv`).

    Write it in UTF-8 and without changing its line ends.
    """
    rows = (
        (
            customer.name,
            ", ".join(line for line in customer.address.split("\n") if line),
            customer.postal_code,
            customer.city,
            customer.country,
            customer.vat or "",
            customer.reference,
        )
        for customer in customers
    )
    return table(_COLUMNS, rows, delimiter=delimiter, for_excel=for_excel)
