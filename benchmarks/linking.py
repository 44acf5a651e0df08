"""Linking: precision and recall over a labelled set, per kind of situation; links a minute, and relinking one customer.

    python -m benchmarks.linking [--each 24] [--seed 1] [--examples N] [--only labelled|speed]

The labelled set is generated (tests/labelled): somebody who knows the mail says whose it is, archiver files it, and the
two are compared, with the customers entered before the mail and after it. The speed needs ARCHIVER_CORPUS, a folder of
real mail: customers are derived from the outside domains and addresses found in it. Ends with 1 when precision is below
0.995 or recall below 0.97.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from msgspec.structs import replace

from archiver.errors import UsageError
from archiver.model.customer import Contact, Customer

if TYPE_CHECKING:
    from archiver.app.by_customer import UnlinkedGroup
    from archiver.app.customers import CustomerEditor
    from archiver.config import Settings
    from tests.labelled.filing import Tally

PRECISION, RECALL = 0.995, 0.97


def labelled(each: int, seed: int, examples: int) -> bool:
    """File the set twice, print the figures per kind, and tell whether both runs reach what they must."""
    from tests.labelled.filing import file_and_compare

    good = True
    for first in (True, False):
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
            tallies = file_and_compare(Path(folder), seed=seed, each=each, customers_first=first)
        print(f"\nCustomers entered {'before' if first else 'after'} the mail")
        good &= show(tallies, examples)
    return good


def show(tallies: Mapping[str, Tally], examples: int) -> bool:
    from tests.labelled.filing import Tally

    print(f"{'kind':66} mails right wrong  miss  prec. recall  candidates wrong, missing")
    total = Tally()
    for kind, tally in sorted(tallies.items()):
        line(kind, tally)
        for name in (
            "messages",
            "right",
            "wrong",
            "missing",
            "candidates_right",
            "candidates_wrong",
            "candidates_missing",
        ):
            setattr(total, name, getattr(total, name) + getattr(tally, name))
        for example in tally.examples[:examples]:
            print("    | " + example.replace("\n", "\n    | "))
    line(f"all {len(tallies)} kinds", total)
    return total.precision >= PRECISION and total.recall >= RECALL


def line(name: str, tally: Tally) -> None:
    candidates = (
        f"{tally.candidates_wrong}, {tally.candidates_missing}"
        if tally.candidates_wrong + tally.candidates_missing
        else ""
    )
    print(
        f"{name[:66]:66} {tally.messages:5} {tally.right:5} {tally.wrong:5} {tally.missing:5}"
        f" {tally.precision:6.3f} {tally.recall:6.3f}  {candidates}"
    )


def speed(corpus: Path, own: Sequence[str], most: int) -> None:
    """Take a corpus in, make customers of the outside domains and addresses in it, and time what links them."""
    from archiver import app
    from tests.labelled.filing import BOUNDS, archive_in, ask

    with tempfile.TemporaryDirectory() as folder, archive_in(Path(folder), domains=own) as settings:
        began = time.perf_counter()
        report = app.import_paths(settings, [corpus], ask=ask, bounds=BOUNDS)
        print(f"\n{report.ingested:,} messages taken in without customers: {time.perf_counter() - began:.1f} s")
        with app.open_archive(settings, ask=ask, bounds=BOUNDS) as archive:
            began = time.perf_counter()
            page = archive.unlinked(limit=most)
            print(f"unlinked mail in {page.total:,} groups: {time.perf_counter() - began:.2f} s")
            customers = tuple(valid(customers_of(page.items), settings))
        with app.change_customers(settings, ask=ask, command="benchmark", bounds=BOUNDS) as editor:
            began = time.perf_counter()
            changes = editor.import_(customers)
            seconds = time.perf_counter() - began
            links = sum(count for _, count in changes.links.gained)
            print(
                f"{len(customers):,} customers entered: {links:,} links in {seconds:.2f} s,"
                f" {60 * links / seconds:,.0f} a minute"
            )
            began = time.perf_counter()
            editor.relink(lambda _: None)
            print(f"all messages linked anew: {time.perf_counter() - began:.2f} s")
            relink_each(editor, random.Random(1))


def customers_of(groups: Iterable[UnlinkedGroup]) -> Iterator[Customer]:
    """Make a customer of each group: of its domain, or of its address where the domain is a provider's."""
    for number, group in enumerate(groups, start=1):
        emails = tuple(each.address for each in group.addresses if "@" in each.address)[:3]
        yield Customer(
            reference=f"C{number:04d}",
            name=f"Customer {number}",
            domains=() if group.shared else (group.name,),
            licences=(f"LIC-{number:04d}-77AB",),
            contacts=tuple(Contact(f"Contact {at}", (email,)) for at, email in enumerate(emails)),
        )


def valid(customers: Iterable[Customer], settings: Settings) -> Iterator[Customer]:
    """Leave out those whose domain or address no record may have: public suffixes, garbage in headers."""
    from archiver.core.customers.records import checked

    for customer in customers:
        with suppress(UsageError):
            yield checked(customer, identity=settings.identity, region=settings.customers.country)


def relink_each(editor: CustomerEditor, chosen: random.Random) -> None:
    """Change one customer among all, sixty times: another name, no domain any more, the domain again, a new licence."""
    times: dict[str, list[float]] = {}
    for record in chosen.sample(list(editor.archive.customers()), 15):
        customer = record.customer
        for what, changed in (
            ("name", replace(customer, name="Another name")),
            ("without its domains and contacts", replace(customer, domains=(), contacts=())),
            ("with them again", customer),
            ("a licence number more", replace(customer, licences=(*customer.licences, f"NEW-{record.id}-11ZZ"))),
        ):
            began = time.perf_counter()
            editor.edit(record, changed)
            times.setdefault(what, []).append(time.perf_counter() - began)
    for what, seconds in times.items():
        print(f"  one customer changed, {what}: median {median(seconds):.3f} s, slowest {max(seconds):.3f} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=24, help="messages of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=0, help="print so many wrong ones of each kind")
    parser.add_argument("--only", choices=["labelled", "speed"])
    parser.add_argument("--own", action="append", metavar="DOMAIN", help="a domain of the corpus's own company")
    parser.add_argument("--customers", type=int, default=2000, help="customers to make of the corpus at most")
    options = parser.parse_args()
    good = True
    if options.only != "speed":
        good = labelled(options.each, options.seed, options.examples)
    if options.only != "labelled":
        corpus = os.environ.get("ARCHIVER_CORPUS")
        if corpus:
            speed(Path(corpus), options.own or ["example.com"], options.customers)
        else:
            print("\nNOT MEASURED: the speed needs ARCHIVER_CORPUS, a folder of real mail")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
