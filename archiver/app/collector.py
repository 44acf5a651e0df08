"""Collecting in a process of its own, which never holds a key that opens mail.

The parent (`archiver sync`, unlocked) starts it as a fresh interpreter: what faces the servers has nothing in memory
but the collector's credential and the passwords of the accounts. It says how far it is in JSON lines on its standard
output; settings arrive on its standard input. `collect_all` is the same work in this process, for `--collect-only`.
"""

from __future__ import annotations

import os
import random
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

import archiver
from archiver import errors
from archiver.app.clocks import clock
from archiver.app.orders import decode, encode
from archiver.config import Purpose, Settings
from archiver.core.collect import AccountOutcome
from archiver.core.ports import MailSource, Spool
from archiver.core.progress import OnProgress, Progress, silent
from archiver.core.visiting import NO_INSISTENCE, Insistence, visit_account
from archiver.errors import ArchiverError
from archiver.model.account import Account

_PARALLEL_ACCOUNTS = 4
_PROGRESS_INTERVAL = 0.05  # seconds between two lines about the same mailbox
_TOLD = (-signal.SIGTERM, -signal.SIGINT, 1)
"""How a child ends that is told to before it listens: 1 is Python's own, of an interruption of its start."""
_NAP = 0.25  # seconds of sleep between two looks at whether the run is to end


class _Line(msgspec.Struct, omit_defaults=True):
    """One line of the child's standard output; exactly one field is set."""

    progress: Progress | None = None
    outcome: AccountOutcome | None = None
    error: _Error | None = None


class _Error(msgspec.Struct):
    """An ArchiverError on its way to the parent."""

    kind: str
    message: str
    hint: str | None


class _Order(msgspec.Struct):
    """What the parent asks for."""

    settings: Settings
    accounts: tuple[str, ...]
    insistence: Insistence = NO_INSISTENCE


def collect_all(
    settings: Settings,
    accounts: Sequence[str],
    *,
    insistence: Insistence = NO_INSISTENCE,
    on_progress: OnProgress = silent,
    stopped: Callable[[], bool] = lambda: False,
) -> tuple[AccountOutcome, ...]:
    """Collect the named accounts (all of them when none is named), several at a time; needs no reading key.

    Raises NoArchiveError, LockedError when another collector runs, and what the store raises (disk full, damage).
    """
    from archiver.app.logins import KeyedLogins
    from archiver.app.opening import open_collect_store
    from archiver.imap.credentials import resolve_password

    chosen = choose(settings, accounts)
    failed = threading.Event()
    failures: list[BaseException] = []
    with open_collect_store(settings) as opened:

        def collect(account: Account) -> AccountOutcome:
            logins = KeyedLogins(account, opened.credential, resolve_password=resolve_password)

            def connect(ended: Callable[[], bool], received: Callable[[int], object]) -> MailSource:
                return open_source(
                    account, opened.new_spool, resolve_password=logins.resolve, ended=ended, received=received
                )

            try:
                return visit_account(
                    account,
                    connect,
                    opened.store,
                    logins,
                    clock=clock,
                    monotonic=time.monotonic,
                    random=random.random,
                    insistence=insistence,
                    on_progress=on_progress,
                    stopped=lambda: stopped() or failed.is_set(),
                )
            except BaseException as error:
                failures.append(error)
                failed.set()  # our own store is in trouble: the other accounts end too
                raise

        with ThreadPoolExecutor(max_workers=min(_PARALLEL_ACCOUNTS, max(1, len(chosen)))) as pool:
            try:
                return tuple(pool.map(collect, chosen))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is raised again
                pool.shutdown()
                raise (failures or [error])[0] from None  # the others only met a store that had stopped


def open_source(
    account: Account,
    new_spool: Callable[[], Spool],
    *,
    patient: bool = True,
    resolve_password: Callable[[Account], str] | None = None,
    ended: Callable[[], bool] = lambda: False,
    received: Callable[[int], object] = lambda _: None,
) -> MailSource:
    """Return a source that reconnects, and goes on inside a big message where the connection broke.

    An impatient one fails at the first problem: `archiver doctor` wants to name it, not to get over it. No wait for the
    server goes on once `ended` says yes; `received` is told of all octets that come in.
    """
    from archiver.imap.credentials import resolve_password as from_configuration
    from archiver.imap.partials import Partials
    from archiver.imap.retry import RetryingSource
    from archiver.imap.source import ImapSource

    partials = Partials(new_spool)

    def connection() -> ImapSource:
        return ImapSource(
            account,
            new_spool=new_spool,
            resolve_password=resolve_password or from_configuration,
            partials=partials,
            received=received,
        )

    if not patient:
        return connection()
    return RetryingSource(
        connection,
        sleep=lambda seconds: _sleep(seconds, ended),
        random=random.random,
        on_close=partials.close,
        stopped=ended,
    )


def _sleep(seconds: float, ended: Callable[[], bool]) -> None:
    """Sleep, and look up in between: a run that is told to stop does not wait for a server first."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not ended():
        time.sleep(min(left, _NAP))


def choose(settings: Settings, names: Sequence[str]) -> tuple[Account, ...]:
    """Return the accounts named, or all; raise UsageError for a name that is not configured."""
    known = {account.name: account for account in settings.accounts}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise errors.UsageError(
            f"no account named {', '.join(unknown)}", hint=f"configured: {', '.join(known) or 'none'}"
        )
    if not known:
        raise errors.ConfigurationError(
            "no account is configured", hint="add an [[accounts]] table; config.example.toml shows every key"
        )
    return tuple(known[name] for name in dict.fromkeys(names)) or settings.accounts


class CollectorProcess:
    """The child, seen from the parent. `wait` is called until it says that the child has ended."""

    def __init__(
        self,
        settings: Settings,
        accounts: Sequence[str],
        on_progress: OnProgress,
        insistence: Insistence = NO_INSISTENCE,
    ) -> None:
        self.outcomes: tuple[AccountOutcome, ...] = ()
        self._error: ArchiverError | None = None
        self._status = 0
        self._on_progress = on_progress
        self._buffer = b""
        self._ended = False
        environ = dict(os.environ)
        environ["PYTHONPATH"] = str(Path(archiver.__file__).parent.parent)
        environ.pop("ARCHIVER_PASSPHRASE_FILE", None)
        # Ctrl-C reaches it, too: in the child it waits until somebody listens, and interrupts no start.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "archiver.app.collector", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environ,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        assert self._process.stdin is not None  # noqa: S101 - PIPE was asked for
        assert self._process.stdout is not None  # noqa: S101
        order = encode(_Order(replace(settings, purpose=Purpose()), tuple(accounts), insistence))
        with suppress(BrokenPipeError):  # of a child that was ended at once its status tells
            self._process.stdin.write(order)
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)

    def wait(self, seconds: float) -> bool:
        """Wait for news, at most so long; return whether the child still works. Raises what ended it, if anything."""
        if not self._ended and self._selector.select(seconds):
            octets = os.read(self._process.stdout.fileno(), 1 << 16)  # type: ignore[union-attr]
            if octets:
                *lines, self._buffer = (self._buffer + octets).split(b"\n")
                for line in lines:
                    self._heard(line)
            else:
                self._end()
        return not self._ended

    def stop(self) -> None:
        """Ask the child to make durable what has arrived and end; wait for it."""
        if not self._ended:
            self._process.terminate()
            while self.wait(1.0):
                pass

    def raise_error(self, *, told_to_stop: bool = False) -> None:
        """Raise the error that ended the child, when there was one.

        A child that was `told_to_stop` may have been ended by that, before it had begun to listen and to collect.
        """
        if self._error is None and self._status and not (told_to_stop and self._status in _TOLD):
            self._error = errors.IncompleteError(
                f"the collecting process ended unexpectedly (status {self._status})",
                hint="nothing that was stored is lost; run `archiver sync` again",
            )
        if self._error is not None:
            raise self._error

    def _heard(self, octets: bytes) -> None:
        line = msgspec.json.decode(octets, type=_Line)
        if line.progress is not None:
            self._on_progress(line.progress)
        elif line.outcome is not None:
            self.outcomes += (line.outcome,)
        elif line.error is not None:
            kind: type[Any] = getattr(errors, line.error.kind, ArchiverError)
            extra = {"what": "collect"} if kind is errors.IntegrityError else {}
            self._error = kind(line.error.message, hint=line.error.hint, **extra)

    def _end(self) -> None:
        self._ended = True
        self._selector.close()
        self._status = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class _Speaker:
    """Writes lines to the parent from several threads, and not more often than anybody can see."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[tuple[str | None, str | None], float] = {}

    def progress(self, progress: Progress) -> None:
        key = (progress.account, progress.mailbox)
        now = time.monotonic()
        if progress.done == progress.total or now - self._last.get(key, 0.0) >= _PROGRESS_INTERVAL:
            self._last[key] = now
            self.say(_Line(progress=progress))

    def say(self, line: _Line) -> None:
        with self._lock:
            sys.stdout.buffer.write(encode(line) + b"\n")
            sys.stdout.buffer.flush()


def main() -> int:
    """Run as the child: order on standard input, lines on standard output; dies with its parent."""
    from archiver.crypto.hardening import die_with_parent, forbid_core_dumps

    forbid_core_dumps()
    parent = int(sys.argv[1])
    die_with_parent(parent)
    stop = threading.Event()

    def on_signal(*_: object) -> None:
        if os.getppid() != parent:
            os._exit(1)  # a silent server could keep an orderly end waiting for minutes; a kill loses nothing
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT,))
    speaker = _Speaker()
    order = decode(sys.stdin.buffer.read(), _Order)
    try:
        outcomes = collect_all(
            order.settings,
            order.accounts,
            insistence=order.insistence,
            on_progress=speaker.progress,
            stopped=stop.is_set,
        )
    except Exception as error:  # noqa: BLE001 - a traceback would go to the log, and help nobody who reads it there
        known = error if isinstance(error, ArchiverError) else _unforeseen(error)
        speaker.say(_Line(error=_Error(type(known).__name__, known.message, known.hint)))
        return 0
    for outcome in outcomes:
        speaker.say(_Line(outcome=outcome))
    return 0


def _unforeseen(error: Exception) -> ArchiverError:
    """Say where what nobody expected happened, without its text: that may hold what a server sent."""
    place = errors.place_of(error.__traceback__)
    if isinstance(error, OSError) and error.errno is not None:
        return errors.DiskError(
            f"collecting: the system refused: {os.strerror(error.errno)} (at {place})",
            hint=errors.hint_for(error, "make room or allow access, then run it again: it goes on where it stopped"),
        )
    return errors.IncompleteError(
        f"collecting ended by a bug: {type(error).__name__} at {place}",
        hint="please report this line; nothing that was stored is lost, and `archiver sync` goes on from there",
    )


if __name__ == "__main__":
    sys.exit(main())
