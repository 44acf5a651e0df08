"""Customers on their way in and out: CSV, vCard, and a list for the accountant.

Works on octets and text only; reading and writing files, asking and printing is the command line's business. What is
read is canonical already (`archiver.core.customers.records`), good customers and problems apart.
"""

from archiver.core.customers.exchange.accountant import write_accountant
from archiver.core.customers.exchange.csv_reading import read_csv
from archiver.core.customers.exchange.csv_writing import write_csv
from archiver.core.customers.exchange.reading import Entry, Problem, Reading
from archiver.core.customers.exchange.updating import Difference, differences, updated
from archiver.core.customers.exchange.vcard_reading import read_vcards
from archiver.core.customers.exchange.vcard_writing import write_vcards

__all__ = [
    "Difference",
    "Entry",
    "Problem",
    "Reading",
    "differences",
    "read_csv",
    "read_vcards",
    "updated",
    "write_accountant",
    "write_csv",
    "write_vcards",
]
