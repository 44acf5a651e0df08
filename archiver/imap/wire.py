"""The socket under imapclient: buffered reading, limits on time, certificate pins, and silence.

imaplib documents `open`, `read`, `readline`, `send` and `shutdown` as the methods to override. We do, so that the same
buffer serves imaplib during login and our reader afterwards, and so that every wait is bounded: a read timeout alone
never ends for a server that drips one byte a minute. Knows nothing of IMAP's grammar.

imapclient sets imaplib's debug level to 5 and hands every line and every literal to a logger; `Wire` cannot be put into
that mode, whatever level the application's logging has.
"""

from __future__ import annotations

import hashlib
import hmac
import imaplib
import ipaddress
import socket
import ssl
from collections.abc import Callable
from typing import Any, NoReturn

from archiver.errors import ConfigurationError
from archiver.imap.faults import ConnectFailedError, ConnectionBrokenError
from archiver.model.account import Account

LINE_LIMIT = 1 << 20
"""Bytes of one response line without its literals; longer is an attack or lost framing."""
_CHUNK = 1 << 18
_TLS_CHUNK = 1 << 16


class Wire(imaplib.IMAP4):
    """One connection. Raises ConnectFailedError while connecting, ConnectionBrokenError from then on."""

    def __init__(
        self,
        account: Account,
        context: ssl.SSLContext | None,
        *,
        monotonic: Callable[[], float],
        received: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._account = account
        self._received = received
        self._context = context
        self._monotonic = monotonic
        self._buffer = b""
        self._at = 0
        self._buffered_for: object = None
        self._allowance = account.connect_timeout + 2 * account.read_timeout
        super().__init__(account.host, account.port)

    # --- silence ----------------------------------------------------------------------------------------------------

    @property
    def debug(self) -> int:
        """Always 0."""
        return 0

    @debug.setter
    def debug(self, level: int) -> None:
        """Ignore it: imapclient asks for 5."""

    def _log(self, line: object) -> None:
        """Keep no copy of the last commands: LOGIN is one of them."""

    # --- connecting -------------------------------------------------------------------------------------------------

    def _create_socket(self, timeout: float | None = None) -> Any:  # noqa: ARG002  # imaplib's signature
        account = self._account
        try:
            plain = socket.create_connection((account.host, account.port), account.connect_timeout)
        except OSError as error:
            raise ConnectFailedError(
                f"{account.host} port {account.port} cannot be reached ({type(error).__name__})",
                hint="check host and port of the account, and the network",
            ) from error
        try:
            if self._context is None and account.security == "plaintext":
                _refuse_plaintext_to_others(plain, account)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return plain if self._context is None else self._wrapped(plain, self._context)
        except BaseException:
            plain.close()
            raise

    def _wrapped(self, plain: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
        try:
            secured = context.wrap_socket(plain, server_hostname=self._account.host)
        except (OSError, ValueError) as error:
            raise tls_fault(self._account, error) from error
        try:
            check_pin(self._account, secured)
        except BaseException:
            secured.close()
            raise
        return secured

    # --- reading ----------------------------------------------------------------------------------------------------

    def grant(self, seconds: float) -> None:
        """Allow this much more waiting from now on; time that the caller spends between reads does not count."""
        self._allowance = seconds

    @property
    def buffered(self) -> int:
        """Bytes received and not yet read."""
        return len(self._buffer) - self._at

    def readline(self) -> bytes:
        """Read up to and including LF."""
        self._same_socket()
        while True:
            end = self._buffer.find(b"\n", self._at)
            if end >= 0:
                line = self._buffer[self._at : end + 1]
                self._at = end + 1
                return line
            if self.buffered > LINE_LIMIT:
                raise ConnectionBrokenError("the server sent an endless line")
            self._fill()

    def read(self, size: int) -> bytes:
        """Read exactly `size` bytes, growing with what arrives, not with what is announced."""
        self._same_socket()
        end = self._at + size
        if end <= len(self._buffer):
            data = self._buffer[self._at : end]
            self._at = end
            return data
        pieces = [self._buffer[self._at :]]
        missing = size - len(pieces[0])
        self._buffer, self._at = b"", 0
        while missing > 0:
            piece = self._receive(max(missing, _TLS_CHUNK))
            if len(piece) > missing:
                self._buffer = piece
                self._at = missing
                piece = piece[:missing]
            missing -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def _fill(self) -> None:
        rest = self._buffer[self._at :]
        self._buffer = rest + self._receive(_CHUNK) if rest else self._receive(_CHUNK)
        self._at = 0

    def _receive(self, wanted: int) -> bytes:
        if self._allowance <= 0:
            raise ConnectionBrokenError(
                "the server answers too slowly", hint="the next run goes on where this one stopped"
            )
        limit = _TLS_CHUNK if isinstance(self.sock, ssl.SSLSocket) else _CHUNK
        patience = min(self._account.read_timeout, self._allowance)
        if self.sock.gettimeout() != patience:
            self.sock.settimeout(patience)
        before = self._monotonic()
        try:
            piece = self.sock.recv(min(wanted, limit))
        except TimeoutError:
            raise ConnectionBrokenError("the server stopped answering") from None
        except (OSError, ValueError) as error:
            raise ConnectionBrokenError(f"the connection broke ({type(error).__name__})") from None
        self._allowance -= self._monotonic() - before
        if not piece:
            raise ConnectionBrokenError("the server closed the connection")
        self._received(len(piece))
        return bytes(piece)

    def _same_socket(self) -> None:
        """Refuse bytes that arrived before STARTTLS and would be read as if they came through TLS (CVE-2011-0411)."""
        if self._buffered_for is not self.sock:
            if self.buffered:
                _injected()
            self._buffered_for = self.sock

    # --- writing ----------------------------------------------------------------------------------------------------

    def send(self, data: Any) -> None:
        """Send all of it."""
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise ConnectionBrokenError(f"the connection broke ({type(error).__name__})") from None

    def abandon(self) -> None:
        """Close without a word; never raises, never waits."""
        for close in (self.sock.close, self.shutdown):
            try:
                close()
            except OSError:
                continue


def _injected() -> NoReturn:
    raise ConnectFailedError(
        "data arrived in the clear before TLS was established",
        hint='somebody may be tampering with the connection; prefer security = "tls"',
        permanent=True,
    )


def _refuse_plaintext_to_others(plain: socket.socket, account: Account) -> None:
    """Judge by the address reached, not by the name: "localhost" may resolve to anything."""
    if account.allow_plaintext:
        return
    address = ipaddress.ip_address(str(plain.getpeername()[0]).partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    if not (mapped or address).is_loopback:
        raise ConfigurationError(
            f"account {account.name}: plaintext is only for a server on this machine",
            hint='set security = "tls" or "starttls"',
        )


def check_pin(account: Account, secured: ssl.SSLSocket) -> None:
    """Compare the certificate with the account's pin, where it has one; raises ConnectFailedError."""
    if account.certificate_sha256 is None:
        return
    digest = hashlib.sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()
    wanted = account.certificate_sha256.replace(":", "").replace(" ", "").lower()
    if not hmac.compare_digest(digest, wanted):
        raise ConnectFailedError(
            f"the certificate of {account.host} is not the pinned one",
            hint=f"the server shows {digest}; check with its administrator before changing certificate_sha256",
            permanent=True,
        )


def tls_fault(account: Account, error: Exception) -> ConnectFailedError:
    """Translate a failed handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return ConnectFailedError(
            f"the certificate of {account.host} does not verify: {error.verify_message}",
            hint="set ca_file for a private authority, or certificate_sha256 for this one certificate",
            permanent=True,
        )
    return ConnectFailedError(
        f"TLS with {account.host} port {account.port} failed ({type(error).__name__})",
        hint='check the port and security of the account: 993 is usually "tls", 143 "starttls"',
        permanent=isinstance(error, ssl.SSLError),
    )
