"""From an account to an authenticated connection: TLS, STARTTLS, login.

imapclient does all three; this module decides what is acceptable and translates every way it can fail. TLS is verified
(or pinned), STARTTLS is never skipped, a password never crosses a network in the clear. Nothing is selected here.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import imapclient
from imapclient import exceptions

from archiver import errors
from archiver.errors import ServerUnreachableError
from archiver.imap.faults import TRANSIENT_CODES, ConnectFailedError, ThrottledError, TransientRefusalError
from archiver.imap.wire import Wire, check_pin, tls_fault
from archiver.model.account import Account

PasswordResolver = Callable[[Account], str]

_CODE = re.compile(r"(?:b['\"])?\s*\[([A-Za-z-]+)")
"""A response code, in a text that imaplib may have made of bytes by str()."""
_NOT_NOW = re.compile(
    r"authenticated but not connected|too many|maximum number of connections|try again|temporar|server unavailable",
    re.IGNORECASE,
)


class _Client(imapclient.IMAPClient):  # type: ignore[misc]  # imapclient ships no types
    """imapclient on our wire."""

    def __init__(
        self,
        account: Account,
        context: ssl.SSLContext | None,
        monotonic: Callable[[], float],
        received: Callable[[int], object],
    ) -> None:
        self._wire_for = (account, context, monotonic, received)
        super().__init__(
            account.host,
            account.port,
            ssl=context is not None,
            ssl_context=context,
            timeout=imapclient.SocketTimeout(account.connect_timeout, account.read_timeout),
        )

    def _create_IMAP4(self) -> Wire:  # noqa: N802  # imapclient's name for it
        account, context, monotonic, received = self._wire_for
        return Wire(account, context, monotonic=monotonic, received=received)


class Session:
    """An authenticated connection; `capabilities` are those after login, upper case."""

    def __init__(self, wire: Wire, capabilities: frozenset[str]) -> None:
        self.wire = wire
        self.capabilities = capabilities

    def close(self) -> None:
        """Say LOGOUT without waiting for the answer; never raises."""
        with contextlib.suppress(errors.ArchiverError, OSError):
            self.wire.sock.settimeout(0.5)
            self.wire.send(b"Z LOGOUT\r\n")
        self.wire.abandon()


def connect(
    account: Account,
    *,
    resolve_password: PasswordResolver,
    monotonic: Callable[[], float],
    received: Callable[[int], object] = lambda _: None,
) -> Session:
    """Connect and log in; `received` is told of all octets that come in, as they come.

    Raises ConnectFailedError (also for certificates that do not verify), TransientRefusalError, LoginRefusedError, and
    ConfigurationError for plaintext to another machine or a password that cannot be had.
    """
    context = None if account.security == "plaintext" else tls_context(account)
    with _translated(account):
        client = _Client(account, context if account.security == "tls" else None, monotonic, received)
        wire: Wire = client._imap  # noqa: SLF001  # pinned by imapclient>=4.1,<5 and by the tests
        try:
            if account.security == "starttls" and context is not None:
                _secure(client, wire, account, context)
            _log_in(client, wire, account, resolve_password)
            capabilities = _capabilities(wire)
        except BaseException:
            wire.abandon()
            raise
    return Session(wire, capabilities)


def tls_context(account: Account) -> ssl.SSLContext:
    """Return a verifying context; with a pin, the pin replaces chain and name, and is checked after the handshake."""
    try:
        if account.ca_file is not None and account.ca_file.is_fifo():
            raise ValueError  # noqa: TRY301 - OpenSSL would wait in it for ever
        context = ssl.create_default_context(cafile=None if account.ca_file is None else str(account.ca_file))
    except (OSError, ValueError) as error:
        raise errors.ConfigurationError(
            f"ca_file of account {account.name} cannot be used ({type(error).__name__})",
            hint="it must be a PEM file with the authority's certificate",
        ) from error
    if account.certificate_sha256 is not None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _secure(client: Any, wire: Wire, account: Account, context: ssl.SSLContext) -> None:
    """Upgrade the connection, or fail: where STARTTLS is no longer offered somebody may be in between (RFC 8314)."""
    if wire.state != "NONAUTH" or not client.has_capability("STARTTLS"):
        raise ConnectFailedError(
            f"{account.host} port {account.port} does not offer STARTTLS",
            hint='use security = "tls" with port 993 if the server has it; the password was not sent',
            permanent=True,
        )
    try:
        client.starttls(context)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise tls_fault(account, error) from error
    if isinstance(wire.sock, ssl.SSLSocket):
        check_pin(account, wire.sock)
    else:
        raise ConnectFailedError(f"{account.host} did not establish TLS", permanent=True)


def _log_in(client: Any, wire: Wire, account: Account, resolve_password: PasswordResolver) -> None:
    if wire.state == "AUTH":  # PREAUTH (RFC 3501 §7.1.4)
        return
    by_plain = client.has_capability("AUTH=PLAIN")
    no_login = client.has_capability("LOGINDISABLED")
    if no_login and not by_plain:
        raise errors.LoginRefusedError(
            f"{account.host} takes no passwords on this connection", hint='set security = "tls" or "starttls"'
        )
    password = resolve_password(account)
    try:
        if by_plain and (no_login or not (account.username + password).isascii()):
            client.plain_login(account.username, password)
        else:
            # imaplib quotes the password and nothing else.
            client.login(wire._quote(account.username), password)  # noqa: SLF001
    except UnicodeEncodeError:
        raise errors.LoginRefusedError(
            f"{account.host} offers no login for a user name or password outside ASCII", hint="set another password"
        ) from None
    except ServerUnreachableError as error:
        raise ConnectFailedError(
            f"connecting to {account.host}: no answer to the login: {error.message}",
            hint=error.hint,
            unanswered_login=True,
        ) from None
    except exceptions.LoginError as error:
        if isinstance(error.__context__, imaplib.IMAP4.abort):
            raise ConnectFailedError(
                f"{account.host} ended the connection during login", unanswered_login=True
            ) from None
        # The text may repeat what was sent: it is looked at, never shown.
        raise _login_fault(account, str(error)) from None


def _login_fault(account: Account, text: str) -> errors.ArchiverError:
    found = _CODE.match(text)
    code = found.group(1).upper().encode() if found else b""
    if code in {b"THROTTLED", b"OVERQUOTA"}:
        return ThrottledError(f"{account.host} limits account {account.name}", hint="the next run tries again")
    if code in TRANSIENT_CODES or (not code and _NOT_NOW.search(text)):
        return TransientRefusalError(
            f"{account.host} does not take account {account.name} at the moment",
            hint="too many connections, or the server is busy: the next run tries again",
        )
    return errors.LoginRefusedError(
        f"{account.host} refused the login of account {account.name}",
        hint="check username and password; each run tries once only, so that the server does not lock the account",
    )


def _capabilities(wire: Wire) -> frozenset[str]:
    """Ask anew: what was offered before login says nothing about what is offered now."""
    _, data = wire.capability()
    return frozenset(
        b" ".join(line for line in data if isinstance(line, bytes)).decode("ascii", "replace").upper().split()
    )


@contextlib.contextmanager
def _translated(account: Account) -> Iterator[None]:
    """Turn whatever imapclient and imaplib let out into our errors, without their text."""
    try:
        yield
    except errors.ArchiverError as error:
        if isinstance(error, errors.ServerUnreachableError) and not isinstance(
            error, ConnectFailedError | TransientRefusalError
        ):
            raise ConnectFailedError(f"connecting to {account.host}: {error.message}", hint=error.hint) from None
        raise
    except imaplib.IMAP4.error as error:
        text = str(error)
        if _NOT_NOW.search(text) or "BYE" in text:
            raise TransientRefusalError(
                f"{account.host} closed the connection at once", hint="too many connections, or the server is busy"
            ) from None
        raise ConnectFailedError(
            f"{account.host} port {account.port} does not answer as an IMAP server ({type(error).__name__})",
            hint="check host, port and security of the account",
        ) from None
    except (OSError, ValueError, IndexError, OverflowError, MemoryError) as error:
        raise ConnectFailedError(
            f"connecting to {account.host} failed ({type(error).__name__})", hint="check host, port and security"
        ) from None
