"""Sizes of messages as people type them in queries, read as ranges of octets.

`2M`, `1,5 MB`, `100k..5M`, `>2M`, `<=500KiB`. k, M and G are powers of 1000, as every command here shows sizes and as
disks are sold; Ki, Mi and Gi are powers of 1024 (IEC 80000-13). Deliberately knows no size without a bound: nobody
means a number of octets exactly.
"""

from __future__ import annotations

import re

EXPECTED_SIZE = "a bound or a range: >2M, <=500k, 100k..5M"

_POWERS = {"": 0, "k": 1, "m": 2, "g": 3}
_SIZE = r"(?i)(\d{1,12})(?:[.,](\d{1,6}))?\s*([kmg]?)(i?)(?:bytes?|octets?|b|o)?"
_BOUND = r"(?s)(>=|<=|>|<)\s*(.*)"


def parse_size(text: str) -> int | None:
    """Read one size in octets, a decimal comma or point allowed; None when it is none."""
    match = re.fullmatch(_SIZE, text.strip())
    if match is None or (match[4] and not match[3]):
        return None
    whole, fraction, unit, binary = match.groups()
    fraction = fraction or ""
    factor: int = (1024 if binary else 1000) ** _POWERS[unit.lower()]
    return int(whole + fraction) * factor // int(10 ** len(fraction))


def parse_sizes(text: str) -> tuple[int | None, int | None] | None:
    """Read a bound or a range as (least, most), both included, either open when None; None when it is neither."""
    if match := re.fullmatch(_BOUND, text.strip()):
        size = parse_size(match[2])
        if size is None or (match[1] == "<" and size == 0):
            return None
        return {">": (size + 1, None), ">=": (size, None), "<": (None, size - 1), "<=": (None, size)}[match[1]]
    if ".." not in text:
        return None
    first, _, last = text.partition("..")
    low = parse_size(first) if first.strip() else None
    high = parse_size(last) if last.strip() else None
    wrong = (first.strip() and low is None) or (last.strip() and high is None) or (low is None and high is None)
    if wrong or (low is not None and high is not None and high < low):
        return None
    return low, high
