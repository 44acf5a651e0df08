"""The completeness figures: per mailbox, server = archived + excluded + failed + erased, or it is not complete."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class MailboxStatus(Struct, frozen=True):
    """One mailbox (its current UIDVALIDITY) after its last run; `server` counts what the server has now.

    `problem` is a short reason when the mailbox could not be read, with no content of mail in it.
    """

    account: str
    mailbox: str
    server: int
    archived: int
    excluded: int
    failed: int
    erased: int
    last_sync: datetime | None
    problem: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every message on the server is accounted for, and none of them by failure."""
        return (
            self.problem is None
            and self.last_sync is not None
            and self.server == self.archived + self.excluded + self.failed + self.erased
            and self.failed == 0
        )


class Failure(Struct, frozen=True):
    """A message that could not be fetched: tried again by every run, named until it succeeds."""

    account: str
    mailbox: str
    uid_validity: int
    uid: int
    reason: str
    attempts: int
    last_try: datetime
