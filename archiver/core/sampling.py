"""Which packs a verification reads when it is not to read all of them.

Knows three ways to say how many: a share (`5%`), a size (`2G`), both drawn anew each time, and a part of a whole
(`3/20`), which is always the same packs, so that twenty nights read everything once. Knows nothing of what is checked.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from archiver.errors import UsageError

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,4})?)\s*%")
_PART = re.compile(r"(\d{1,6})\s*/\s*(\d{1,6})")
_SIZE = re.compile(r"(\d{1,15})\s*([kmgt]?)b?", re.IGNORECASE)


class Subset(Struct, frozen=True):
    """One of: a `share` of the packs above 0 and up to 1, the `part` (n, of how many), or `octets` to read."""

    text: str
    share: float | None = None
    part: tuple[int, int] | None = None
    octets: int | None = None


def parse_subset(text: str) -> Subset:
    """Read `5%`, `1/20` or `2G` (a bare number is in bytes, units count in thousands); raises UsageError."""
    given = text.strip()
    if found := _SHARE.fullmatch(given):
        share = float(found[1]) / 100
        if 0 < share <= 1:
            return Subset(given, share=share)
    elif found := _PART.fullmatch(given):
        number, of = int(found[1]), int(found[2])
        if 1 <= number <= of:
            return Subset(given, part=(number, of))
    elif (found := _SIZE.fullmatch(given)) and int(found[1]):
        return Subset(given, octets=int(found[1]) * _UNITS[found[2].lower()])
    raise UsageError(
        "that is not a part of an archive", hint="write a share (5%), a size (2G) or one part of several (1/20)"
    )


def choose(names: Sequence[str], subset: Subset, *, size: Callable[[str], int], seed: int) -> Sequence[str]:
    """Return the packs of a sample, ascending; at least one where there is any, but for a part that has none.

    The same `seed` over the same packs gives the same sample. `size` returns the bytes of a pack.
    """
    if subset.part is not None:
        number, of = subset.part
        # By its name, which is a digest: packs that come later leave the parts of the others as they are.
        return [name for name in names if int(name[:16], 16) % of == number - 1]
    drawn = list(names)
    random.Random(seed).shuffle(drawn)  # noqa: S311 a sample, no secret
    if subset.share is not None:
        return sorted(drawn[: max(1, round(len(drawn) * subset.share))])
    chosen, left = list[str](), subset.octets or 0
    for name in drawn:
        if left <= 0:
            break
        chosen.append(name)
        left -= size(name)
    return sorted(chosen)
