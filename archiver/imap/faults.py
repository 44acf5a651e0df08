"""What can go wrong on a connection, in more detail than callers outside this package need.

All are ServerUnreachableError to the rest of the program; the retrying source looks at the details. No message repeats
text of the server: it may echo a password or name a mail.
"""

from __future__ import annotations

from archiver.errors import ServerUnreachableError
from archiver.model.mailbox import Uid

TRANSIENT_CODES = frozenset({b"UNAVAILABLE", b"INUSE", b"LIMIT", b"SERVERBUG", b"THROTTLED", b"OVERQUOTA"})
"""Response codes (RFC 5530 §3, and two of Gmail's) after which the same command may succeed later."""


class ConnectFailedError(ServerUnreachableError):
    """No connection was made; `permanent` when trying again cannot help (a certificate that does not verify).

    `unanswered_login` says that a password was sent and the connection ended instead of an answer: some servers refuse
    like that, so it must not be sent often.
    """

    def __init__(
        self, message: str, *, hint: str | None = None, permanent: bool = False, unanswered_login: bool = False
    ) -> None:
        super().__init__(message, hint=hint)
        self.permanent = permanent
        self.unanswered_login = unanswered_login


class ConnectionBrokenError(ServerUnreachableError):
    """The connection ended, stalled, or lost its framing; it must not be used again.

    `in_transit` is the message whose octets were arriving, when that is known; `progressed` says that a part of a big
    message was kept, so that the next connection goes on behind it.
    """

    def __init__(
        self, message: str, *, hint: str | None = None, in_transit: Uid | None = None, progressed: bool = False
    ) -> None:
        super().__init__(message, hint=hint)
        self.in_transit = in_transit
        self.progressed = progressed


class TransientRefusalError(ServerUnreachableError):
    """The server said "not now". `wait` is in seconds when the server named a time; `in_transit` as above."""

    def __init__(
        self, message: str, *, hint: str | None = None, wait: float | None = None, in_transit: Uid | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.wait = wait
        self.in_transit = in_transit


class ThrottledError(TransientRefusalError):
    """The server limits this account's rate or volume; it says nothing about any one message."""
