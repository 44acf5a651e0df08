"""Telling logins apart without keeping them: keyed digests of server, username and password.

A refused login is remembered by such a digest in collect.db. The key is the collector's, so that who has the database
alone can test no password; who has both could read the password file as well.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from archiver.crypto.collector import CollectorCredential
from archiver.model.account import Account

_PURPOSE = b"archiver login 1"


class KeyedLogins:
    """See `core.visiting.Logins`. `resolve` is to be given to the source in place of `resolve_password`."""

    def __init__(
        self, account: Account, credential: CollectorCredential, *, resolve_password: Callable[[Account], str]
    ) -> None:
        self._account = account
        self._key = credential.mac_key
        self._resolve_password = resolve_password
        self._tried: bytes | None = None

    def resolve(self, account: Account) -> str:
        """Fetch the password for a login, and remember the digest of that login."""
        password = self._resolve_password(account)
        self._tried = self._login(password)
        return password

    def place(self) -> bytes:
        """Digest how the server is reached, and as whom."""
        return self._digest(b"place", *self._parts())

    def current(self) -> bytes:
        """Digest the login as it would be tried now."""
        return self._login(self._resolve_password(self._account))

    def tried(self) -> bytes | None:
        """Return the digest of the login last tried."""
        return self._tried

    def _login(self, password: str) -> bytes:
        return self._digest(b"login", *self._parts(), password.encode())

    def _parts(self) -> tuple[bytes, ...]:
        account = self._account
        written = (account.host, account.port, account.security, account.username, account.ca_file)
        return tuple(str(part).encode() for part in (*written, account.certificate_sha256))

    def _digest(self, *parts: bytes) -> bytes:
        # Each part with its length: no two different logins give the same octets.
        text = b"".join(len(part).to_bytes(4, "big") + part for part in (_PURPOSE, *parts))
        return hmac.digest(self._key, text, "sha256")
