"""Linking: precision and recall over a labelled set, per kind of situation; links a minute, and relinking one customer.

    python -m benchmarks.linking [--each 24] [--seed 1] [--examples N] [--only labelled|speed]

The labelled set is generated (tests/labelled): somebody who knows the mail says whose it is, archiver files it, and the
two are compared, with the customers entered before the mail and after it. The speed needs ARCHIVER_CORPUS, a folder of
real mail: customers are derived from the outside domains and addresses found in it. Ends with 1 when precision is below
0.995 or recall below 0.97.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

    print(
        f"{'kind':66} {'mails':>5} {'right':>5} {'wrong':>5} {'miss':>5} {'prec.':>6} {'recall':>6}  candidates wrong, missing"
    )
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=24, help="messages of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=0, help="print so many wrong ones of each kind")
    parser.add_argument("--only", choices=["labelled", "speed"])
    options = parser.parse_args()
    good = True
    if options.only != "speed":
        good = labelled(options.each, options.seed, options.examples)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
