"""On what footing an account is with its server: when it may be asked again, and whether its login was refused.

A timer runs every few minutes for years. A server that says "not now" must not hear the same question each time, and a
password that was refused must not be sent until the server locks the account. Knows times and reasons; knows neither
where they are kept nor what a password is: logins are told apart by keyed digests.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

UNREACHABLE_FROM = timedelta(minutes=2)
UNREACHABLE_TO = timedelta(hours=1)
"""Rest after the second run in a row that reached nothing, and the longest: networks come back, and are then wanted."""
BUSY_FROM = timedelta(minutes=15)
BUSY_TO = timedelta(hours=6)
"""Rest after the first run that the server limited: such limits are counted by the hour or by the day."""
LONGEST = timedelta(days=1)
"""No rest is longer, whatever a server asks for; a later time can only come from a clock that was wrong."""


class Footing(Struct, frozen=True):
    """What is remembered of an account between runs; the default is that of an account never tried.

    `place` is the digest of how the server is reached: another one voids the rest. `failures` counts runs in a row that
    brought nothing, `not_before` is when the server may be asked again, `reason` why it may not be sooner. `refused` is
    the digest of the login that was refused, with `place` and password in it.
    """

    place: bytes = b""
    failures: int = 0
    not_before: datetime | None = None
    reason: str | None = None
    refused: bytes | None = None

    @property
    def good(self) -> bool:
        """Whether there is nothing to remember."""
        return not self.failures and self.not_before is None and self.refused is None


class Setback(Struct, frozen=True):
    """A run that a server ended: `busy` when it limits the account, `wait` in seconds when it named a time.

    `progressed` says that mail came in before.
    """

    reason: str
    busy: bool = False
    wait: float | None = None
    progressed: bool = False


def rests_until(footing: Footing, now: datetime) -> datetime | None:
    """Return until when the server is left alone; None when it may be asked."""
    end = footing.not_before
    return end if end is not None and now < end <= now + LONGEST else None


def after_setback(footing: Footing, setback: Setback, now: datetime, random: Callable[[], float]) -> Footing:
    """Count a setback and say how long to rest: doubling to a bound, with jitter; `random` gives numbers in [0, 1).

    One run without success is not yet a reason to wait, unless the server says that it limits the account.
    """
    failures = 1 if setback.progressed else footing.failures + 1
    if setback.busy:
        rest = min(BUSY_TO, BUSY_FROM * 2 ** min(failures - 1, 10))
    elif failures > 1:
        rest = min(UNREACHABLE_TO, UNREACHABLE_FROM * 2 ** min(failures - 2, 10))
    else:
        rest = timedelta()
    rest *= 0.75 + random() / 4
    if setback.wait is not None:
        rest = max(rest, timedelta(seconds=min(setback.wait, LONGEST.total_seconds())))
    return replace(
        footing,
        failures=failures,
        not_before=(now + min(rest, LONGEST)).astimezone(UTC).replace(microsecond=0) if rest else None,
        reason=setback.reason,
        refused=None,
    )


def after_refusal(footing: Footing, login: bytes, reason: str) -> Footing:
    """Remember a login that was refused: it is final until it changes."""
    return Footing(place=footing.place, reason=reason, refused=login)
