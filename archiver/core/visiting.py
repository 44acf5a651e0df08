"""One account's turn in a run: whether its server is asked at all, for how long, and what is remembered of the answer.

Around `collect_account`, which knows nothing of other runs. Connects only when the server may be asked again, the login
was not refused before, and the day's octets are not used up; otherwise says why, without a single packet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from archiver.core.budget import Budget
from archiver.core.collect import AccountOutcome, collect_account
from archiver.core.footing import Footing, Setback, after_refusal, after_setback, rests_until
from archiver.core.ports import Clock, CollectStore, MailSource
from archiver.core.progress import OnProgress, silent
from archiver.errors import ConfigurationError, LoginRefusedError, ServerUnreachableError
from archiver.model.account import Account

_ASK_NOW = "`archiver sync --now`, or naming the account, asks it all the same"


class Logins(Protocol):
    """Keyed digests of how an account is reached and logged in to; nothing can be learned from them without the key."""

    def place(self) -> bytes:
        """Digest server, port, security and username."""
        ...

    def current(self) -> bytes:
        """Digest the login as it would be tried now; fetches the password. Raises ConfigurationError."""
        ...

    def tried(self) -> bytes | None:
        """Return the digest of the login last tried in this run; None when no password was needed."""
        ...


class Insistence(Struct, frozen=True):
    """What a person asks for beyond what a timer may: `now`, a server that rests; `login`, a refused password again."""

    now: bool = False
    login: bool = False


NO_INSISTENCE = Insistence()


Connect = Callable[[Callable[[], bool], Callable[[int], object]], MailSource]
"""Make a source, from a question whether to stop waiting and a listener for octets received."""


def visit_account(
    account: Account,
    connect: Connect,
    store: CollectStore,
    logins: Logins,
    *,
    clock: Clock,
    monotonic: Callable[[], float],
    random: Callable[[], float],
    insistence: Insistence = NO_INSISTENCE,
    on_progress: OnProgress = silent,
    stopped: Callable[[], bool] = lambda: False,
) -> AccountOutcome:
    """Collect an account as far as its server and its budget allow; see `collect_account` for what raises.

    `monotonic` gives seconds, `random` numbers in [0, 1).
    """
    before = store.footing(account.name)
    footing = before if before.place == logins.place() else Footing(place=logins.place())
    budget = Budget(account, store, clock=clock, monotonic=monotonic)
    outcome = _not_to_be_asked(account, footing, logins, budget, clock, insistence)
    if outcome is not None:
        store.note_problem(account.name, None, outcome.problem or _told(outcome))
        store.flush()
        return outcome
    source = connect(lambda: stopped() or budget.ended() is not None, budget.received)
    try:
        outcome = collect_account(account, source, store, on_progress=on_progress, stopped=stopped, ended=budget.ended)
    finally:
        source.close()
    budget.note()
    after = footing if stopped() else _learnt(footing, outcome, logins, clock, random)
    if after != before:
        store.note_footing(account.name, after)
    store.flush()
    return outcome


def _not_to_be_asked(
    account: Account, footing: Footing, logins: Logins, budget: Budget, clock: Clock, insistence: Insistence
) -> AccountOutcome | None:
    """Return what to say instead of connecting; None when the server may be asked."""
    name = account.name
    if footing.refused is not None and not insistence.login:
        try:
            same = footing.refused == logins.current()
        except ConfigurationError as error:
            return AccountOutcome(name, problem=error.message, exit_code=error.exit_code, hint=error.hint)
        if same:
            return AccountOutcome(
                name,
                problem=f"{footing.reason} in an earlier run; not tried again, so that the server does not lock the"
                " account",
                exit_code=LoginRefusedError.exit_code,
                hint="a changed password or username is noticed by itself; `archiver sync --retry-login` tries the same"
                " one again",
            )
    until = rests_until(footing, clock())
    if until is not None and not (insistence.now or insistence.login):
        return AccountOutcome(
            name,
            problem=f"left alone until {until.astimezone().isoformat(' ', 'minutes')}: {footing.reason}",
            exit_code=ServerUnreachableError.exit_code,
            hint=_ASK_NOW,
        )
    ended = budget.ended()
    return None if ended is None else AccountOutcome(name, incomplete=(f"{name}: not read: {ended}",), exit_code=4)


def _told(outcome: AccountOutcome) -> str:
    return "; ".join(reason.removeprefix(f"{outcome.account}: ") for reason in outcome.incomplete)


def _learnt(
    footing: Footing, outcome: AccountOutcome, logins: Logins, clock: Clock, random: Callable[[], float]
) -> Footing:
    """Return the footing after a run."""
    login = logins.tried()
    if outcome.exit_code == LoginRefusedError.exit_code:
        # Where no password was sent, none can be locked out: the next run may ask again.
        return footing if login is None else after_refusal(footing, login, outcome.problem or "")
    if outcome.exit_code == ServerUnreachableError.exit_code:
        progressed = bool(outcome.new or outcome.known)
        setback = Setback(outcome.problem or "", outcome.busy, outcome.wait, progressed)
        return after_setback(footing, setback, clock(), random)
    if outcome.exit_code == ConfigurationError.exit_code:
        return footing
    return replace(footing, failures=0, not_before=None, reason=None, refused=None)
