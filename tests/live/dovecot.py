"""A real Dovecot on loopback, with its own configuration in a directory of its own; no system service is touched.

Runs as root or as a plain user. Mail is written into Maildirs as files, which is fast and needs no doveadm. Dovecot
hands Maildir files out with CRLF line ends, so `expected` gives the octets that IMAP must return.
"""

from __future__ import annotations

import contextlib
import getpass
import grp
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

DOVECOT = shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
PASSWORD = "correct horse 7"


@dataclass(frozen=True)
class Authority:
    """A certificate authority made for one test run, and the certificates that it signed; all paths are PEM files."""

    ca: Path
    certificate: Path
    key: Path
    expired_certificate: Path
    other_host_certificate: Path
    sha256: str


class Dovecot:
    """A running server. `imap` is its plaintext and STARTTLS port, `imaps` its TLS port."""

    def __init__(
        self,
        home: Path,
        users: Sequence[str],
        authority: Authority | None = None,
        *,
        certificate: Path | None = None,
        extra: str = "",
        mail_location: str | None = None,
    ) -> None:
        assert DOVECOT is not None
        self.home = home
        self.users = tuple(users)
        self.imap, self.imaps = _free_ports(2)
        self._config = home / "dovecot.conf"
        self.log = home / "dovecot.log"
        for folder in ("run", "state", "mail"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        for user in users:
            maildir(home / "mail" / user)
        (home / "users").write_text(f"anybody:{{PLAIN}}{PASSWORD}\n")
        location = mail_location or f"maildir:{home}/mail/%u"
        self._config.write_text(self._configuration(authority, certificate, extra, location))
        self._own(home)
        self._process = subprocess.Popen(
            [DOVECOT, "-F", "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait()

    def _configuration(self, authority: Authority | None, certificate: Path | None, extra: str, location: str) -> str:
        me = getpass.getuser() if os.geteuid() else None
        my_group = grp.getgrgid(os.getegid()).gr_name
        tls = (
            f"ssl = yes\nssl_cert = <{certificate or authority.certificate}\nssl_key = <{authority.key}\n"
            if authority is not None
            else "ssl = no\n"
        )
        unprivileged = (
            f"default_internal_user = {me}\ndefault_login_user = {me}\ndefault_internal_group = {my_group}\n"
            "service anvil {\n  chroot =\n}\nservice imap-login {\n  chroot =\n}\nservice stats {\n  chroot =\n}\n"
            if me
            else ""
        )
        uid, gid = self._ids()
        return f"""
base_dir = {self.home}/run
state_dir = {self.home}/state
log_path = {self.log}
protocols = imap
listen = 127.0.0.1
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_max_userip_connections = 50
mail_location = {location}
first_valid_uid = 1
first_valid_gid = 1
{tls}{unprivileged}
passdb {{
  # One line for whoever comes: the file is not read again within the second of a login, and users are added then.
  driver = passwd-file
  args = scheme=PLAIN username_format=anybody {self.home}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={self.home}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    special_use = \\Sent
  }}
  mailbox Junk {{
    special_use = \\Junk
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {self.imap}
  }}
  inet_listener imaps {{
    port = {self.imaps if authority is not None else 0}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 64
}}
{extra}
"""

    @staticmethod
    def _ids() -> tuple[int, int]:
        """Return whom mail belongs to: Dovecot serves no mail as root."""
        return (65534, 65534) if os.geteuid() == 0 else (os.geteuid(), os.getegid())

    def _own(self, path: Path) -> None:
        if os.geteuid() == 0:
            for folder in [path, *path.parents]:
                if folder.owner() == "root" and folder != Path("/tmp") and len(folder.parts) > 2:
                    folder.chmod(folder.stat().st_mode | 0o055)
            uid, gid = self._ids()
            for place, folders, files in os.walk(self.home / "mail"):
                for each in (*folders, *files):
                    # Dovecot's own files come and go meanwhile.
                    with contextlib.suppress(FileNotFoundError):
                        os.chown(os.path.join(place, each), uid, gid)  # noqa: PTH118
            os.chown(self.home / "mail", uid, gid)

    def _wait(self) -> None:
        for _ in range(200):
            if self._process.poll() is not None:
                raise RuntimeError("Dovecot did not start: " + self.log.read_text() if self.log.exists() else "no log")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.imap), 0.2) as probe:
                probe.settimeout(5)
                if probe.recv(4) == b"* OK":
                    return
            time.sleep(0.05)
        raise RuntimeError("Dovecot does not answer")

    def folder(self, user: str, mailbox: str = "INBOX") -> Path:
        """Return the Maildir of a mailbox; `mailbox` as in Maildir++, in modified UTF-7, "." between levels."""
        root = self.home / "mail" / user
        return root if mailbox == "INBOX" else root / f".{mailbox}"

    def add(self, user: str) -> str:
        """Give one more user an account, while the server runs."""
        maildir(self.home / "mail" / user)
        self._own(self.home)
        return user

    def deliver(self, user: str, messages: Iterable[bytes], mailbox: str = "INBOX", *, flags: str = "") -> list[bytes]:
        """Write messages and return the octets that IMAP must give for them, in the order of their UIDs."""
        folder = maildir(self.folder(user, mailbox))
        expecting = []
        start = sum(1 for _ in (folder / "cur").iterdir()) + sum(1 for _ in (folder / "new").iterdir())
        for number, message in enumerate(messages, start=start):
            # Dovecot gives UIDs in the order of these names.
            name = f"{1_600_000_000 + number}.M{number}P1.host"
            target = folder / "cur" / f"{name}:2,{flags}" if flags else folder / "new" / name
            target.write_bytes(message)
            os.utime(target, (1_600_000_000 + number,) * 2)
            expecting.append(expected(message))
        self._own(self.home)
        return expecting

    def stop(self) -> None:
        """Stop it by its own process id."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def expected(message: bytes) -> bytes:
    """Return a Maildir file's octets as Dovecot gives them over IMAP: each bare LF becomes CRLF."""
    return message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def maildir(path: Path) -> Path:
    """Make an empty Maildir."""
    for part in ("cur", "new", "tmp"):
        (path / part).mkdir(parents=True, exist_ok=True)
    return path


def _free_ports(count: int) -> list[int]:
    """Return ports where nobody listens, none of those that the kernel gives to whoever asks for any: by the time that
    the server has started, such a one could be somebody else's. Each process looks in places of its own first."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    places = range(1024, first) if first > 2048 else range(1024, 65536)
    found: list[int] = []
    with contextlib.ExitStack() as held:
        for step in range(len(places)):
            port = places[(os.getpid() * 16 + step) % len(places)]
            each = held.enter_context(socket.socket())
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Dovecot does
            with contextlib.suppress(OSError):
                each.bind(("127.0.0.1", port))
                found.append(port)
            if len(found) == count:
                return found
    raise RuntimeError("no port is free")
