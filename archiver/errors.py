"""The one family of errors that a person may meet.

Knows the exit codes of the command line (they belong to the error class, so that every command agrees) and nothing
about how errors are printed. A message says what happened, a hint says what to do next; neither may ever hold the
content of mail, the name of a customer, a query or a secret, because both reach logs.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import TracebackType

NOT_OURS: Final = (
    "run archiver as the user who owns the archive; `archiver doctor --no-connect` names what belongs to another"
)
"""What to do about a file that the operating system keeps from us."""

READ_ONLY: Final = (
    "mount the disk for writing; one that fails makes itself read-only: then copy the archive's folder to another disk"
    " first, `archiver restore` takes that"
)
"""What to do about a file system that is read-only: even a search writes, into the audit trail."""

SHORT: Final = (
    "end other programs, or allow more open files (`ulimit -n`; LimitNOFILE= of a service), and run it again: it says"
    " nothing of the archive"
)
"""What to do when a process, or the machine, may have no further file open, or no memory for one."""

_SHORT: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


def hint_for(error: OSError, otherwise: str) -> str:
    """Return what to do about what the operating system refused: `otherwise`, unless we know better."""
    if error.errno == errno.EROFS:
        return READ_ONLY
    if error.errno in _SHORT:
        return SHORT
    return NOT_OURS if error.errno in {errno.EACCES, errno.EPERM} else otherwise


def place_of(trace: TracebackType | None) -> str:
    """Return module and line of the deepest frame that is ours: all that a log may have of a bug."""
    place = "unknown"
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if module == "archiver" or module.startswith("archiver."):
            place = f"{module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


class ArchiverError(Exception):
    """Something a user can act on; `exit_code` is what the process ends with."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ArchiverError):
    """The command line or a query cannot be understood; where several things are wrong, `problems` names each."""

    exit_code = 2

    def __init__(self, message: str, *, problems: tuple[str, ...] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


class QueryError(UsageError):
    """A search query is wrong at `position` (0-based, in characters of the query); `expected` says what fits there."""

    def __init__(self, message: str, *, position: int, expected: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.position = position
        self.expected = expected


class ConfigurationError(ArchiverError):
    """The configuration has problems; all of them, one string each, are in `problems`."""

    exit_code = 3

    def __init__(self, message: str, *, problems: tuple[str, ...] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


class IncompleteError(ArchiverError):
    """The work was done as far as possible; something is missing and is retried by the next run."""

    exit_code = 4


class MailboxRefusedError(IncompleteError):
    """One mailbox cannot be opened, or changed while it was read; the others are not concerned."""


class DiskError(IncompleteError):
    """The operating system refused to write (disk full, read-only, failing); nothing that was committed is lost."""


class ShortageError(DiskError):
    """No further file may be opened by this process or on this machine; about what is stored that says nothing."""


def shortage(error: OSError) -> ShortageError | None:
    """Return what to raise for an error that is about this machine; None for one that is about the file."""
    if error.errno not in _SHORT:
        return None
    return ShortageError(f"the system refused: {error.strerror}", hint=SHORT)


class NoArchiveError(ArchiverError):
    """There is no archive at the path given."""

    exit_code = 10


class LockedError(ArchiverError):
    """The archive is locked: no key at hand, or another process holds the write lock."""

    exit_code = 11


class WrongKeyError(ArchiverError):
    """The passphrase, recovery code or credential does not open the archive."""

    exit_code = 12


class FormatError(ArchiverError):
    """The archive, or a file given for import, has a format that this release does not read."""

    exit_code = 13


class OlderFormatError(FormatError):
    """A reader met a database of an earlier release; whoever writes next converts it."""


class ServerUnreachableError(ArchiverError):
    """The IMAP server cannot be reached, or stopped answering."""

    exit_code = 20


class ServerBusyError(ServerUnreachableError):
    """The IMAP server limits the account for now; `wait` is in seconds where it named a time."""

    def __init__(self, message: str, *, hint: str | None = None, wait: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.wait = wait


class LoginRefusedError(ArchiverError):
    """The IMAP server refused the login; a run does not try again."""

    exit_code = 21


class IntegrityError(ArchiverError):
    """Stored bytes are damaged or were tampered with; `what` names the damaged object (never its content)."""

    exit_code = 30

    def __init__(self, message: str, *, what: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.what = what


class UnreadableError(IntegrityError):
    """The operating system does not give stored bytes back; they may be whole, and readable another time."""
