"""An IMAP account as configured; the password itself is fetched at login and kept nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from msgspec import Struct

IMPORTED = "import"
"""The pseudo-account of imported mail; no configured account may have this name."""

Security = Literal["tls", "starttls", "plaintext"]


class Account(Struct, frozen=True):
    r"""Connection, login and choice of mailboxes.

    The password comes from `password_file` or `password_command`; or from `password_credential`, a credential that
    systemd gives to a service: within one, `password_file` is where it lies. Empty `mailboxes` means: all but \Junk,
    \Trash and \Drafts. `plaintext` is refused for hosts other than loopback unless `allow_plaintext`. Times in seconds,
    sizes in bytes. `certificate_sha256` pins the server's certificate (hex) as the only exception to the usual
    verification. `max_run_seconds` and `max_bytes_per_day` bound what is asked of the server; 0 is no bound.
    """

    name: str
    host: str
    username: str
    port: int = 993
    security: Security = "tls"
    password_file: Path | None = None
    password_command: tuple[str, ...] = ()
    password_credential: str | None = None
    mailboxes: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    allow_plaintext: bool = False
    ca_file: Path | None = None
    certificate_sha256: str | None = None
    connect_timeout: float = 15.0
    read_timeout: float = 60.0
    max_message_bytes: int = 1 << 30
    max_run_seconds: int = 0
    max_bytes_per_day: int = 0
