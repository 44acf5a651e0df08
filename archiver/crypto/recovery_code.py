"""Recovery codes: 140 random bits that a person can write down, read out and type (docs/format.md §4).

Seven groups of four symbols and a check symbol over GF(32), so that a mistake is answered with the group it is in.
Knows nothing of slots.
"""

from __future__ import annotations

from typing import Final

from archiver.crypto.derive import Random
from archiver.errors import WrongKeyError

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS: Final = 7
_DATA: Final = 4
_DASHES: Final = str.maketrans("\u2010\u2011\u2013\u2014", "----")
_AS_READ: Final = str.maketrans("OIL", "011", "- \t\r\n\u2010\u2011\u2013\u2014")


def generate(random: Random) -> str:
    """Make a code such as `0G8KR-…`: 41 characters."""
    bits = int.from_bytes(random(18), "big")  # 144 bits, of which 140 are used
    symbols = [bits >> 5 * place & 31 for place in range(GROUPS * _DATA)]
    groups = []
    for group in range(GROUPS):
        data = symbols[group * _DATA : (group + 1) * _DATA]
        groups.append("".join(ALPHABET[symbol] for symbol in (*data, _check(group, data))))
    return "-".join(groups)


def looks_like(typed: str) -> bool:
    """Whether somebody meant this as a recovery code, so that a mistake in it is answered as one.

    Seven groups of five letters or digits: `read` then says which group is wrong.
    """
    groups = typed.strip().translate(_DASHES).replace("-", " ").split()
    return len(groups) == GROUPS and all(len(group) == _DATA + 1 and group.isalnum() for group in groups)


def read(typed: str) -> bytes:
    """Return the 28 data symbols in ASCII.

    Raises WrongKeyError saying which groups are mistyped, counted from 1, or that the length is wrong.
    """
    symbols = typed.upper().translate(_AS_READ)
    size = _DATA + 1
    if len(symbols) != GROUPS * size:
        raise WrongKeyError(
            f"a recovery code has {GROUPS} groups of {size} characters; {len(symbols)} characters were typed",
            hint="type it again; upper or lower case, with or without dashes",
        )
    wrong = []
    kept = []
    for group in range(GROUPS):
        part = symbols[group * size : (group + 1) * size]
        values = [ALPHABET.find(symbol) for symbol in part]
        if -1 in values or _check(group, values[:_DATA]) != values[_DATA]:
            wrong.append(str(group + 1))
        kept.append(part[:_DATA])
    if wrong:
        raise WrongKeyError(
            f"the recovery code is mistyped in group {' and '.join(wrong)}",
            hint="compare with what `archiver init` printed, and type it again",
        )
    return "".join(kept).encode("ascii")


def _check(group: int, data: list[int]) -> int:
    """Sum data times powers of the generator: any wrong symbol shows, and any two that changed places."""
    check, power = group, 1
    for symbol in data:
        power = _times(power, 2)
        check ^= _times(power, symbol)
    return check


def _times(left: int, right: int) -> int:
    """Multiply in GF(32), polynomial x^5 + x^2 + 1."""
    product = 0
    while right:
        if right & 1:
            product ^= left
        left <<= 1
        if left & 32:
            left ^= 0b100101
        right >>= 1
    return product
