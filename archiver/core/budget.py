"""What one account may take: seconds for a run, octets for a day.

Both ends are clean: what has arrived is kept, the next run goes on there. A message is never cut off, so a day may end
above its bound by what was on its way. Knows clocks it is given; the day is that of UTC.
"""

from __future__ import annotations

from collections.abc import Callable

from archiver.core.ports import Clock, CollectStore
from archiver.model.account import Account

_NOTED_EVERY = 1 << 20
"""Octets after which the count is staged: a run that is killed leaves at most this and one batch uncounted."""


class Budget:
    """One account's run; `monotonic` gives seconds. Whoever receives octets says so with `received`."""

    def __init__(self, account: Account, store: CollectStore, *, clock: Clock, monotonic: Callable[[], float]) -> None:
        self._account = account
        self._store = store
        self._clock = clock
        self._monotonic = monotonic
        self._began = monotonic()
        self._unnoted = 0
        self._day = self._today()
        self._before = store.octets_received(account.name, self._day)

    def received(self, octets: int) -> None:
        """Count octets that came over the wire, of whatever kind."""
        self._unnoted += octets

    def ended(self) -> str | None:
        """Say why the run has to end; None while it may go on."""
        seconds = self._account.max_run_seconds
        if seconds and self._monotonic() - self._began >= seconds:
            return "the time for one run is used up (max_run_seconds)"
        if self._unnoted >= _NOTED_EVERY:
            self.note()
        octets = self._account.max_bytes_per_day
        if octets and self._before + self._unnoted >= octets and self._day == self._today():
            return "the octets for today are used up (max_bytes_per_day; a day ends at midnight UTC)"
        return None

    def note(self) -> None:
        """Stage what was received, so that it is durable with the mail it brought."""
        if not self._unnoted:
            return
        today = self._today()
        if today != self._day:
            self._day, self._before = today, 0
        self._store.note_received(self._account.name, today, self._unnoted)
        self._before += self._unnoted
        self._unnoted = 0

    def _today(self) -> int:
        return int(self._clock().timestamp()) // 86_400
