"""The programs that are compared, each set up in a folder of its own: archiver, mbsync (isync) and notmuch.

Knows their configuration and command lines, and how to bring each back to "nothing there yet". Set-up is never timed:
archiver's includes the derivation of a key from a passphrase, which `sync` with a machine key does not do.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import archiver
from benchmarks.apparatus.post import PASSWORD, USER, Served

ROLES = {
    "archiver.app.collector": "collector",
    "archiver.mail.worker": "parser",
    "archiver.cli.program": "archiver",
    "mbsync": "mbsync",
    "notmuch": "notmuch",
}
_START = "from archiver.cli.program import run; import sys; sys.exit(run())"


class Archiver:
    """An archive with a machine key, as a timer would run it."""

    def __init__(self, home: Path, served: Served | None, *, tls: bool = False, own: str = "example.be") -> None:
        self.home = home
        self.archive = home / "archive"
        self.environ: Mapping[str, str] = {
            **{
                name: value
                for name, value in os.environ.items()
                # Without byte code kept, every run would compile all of archiver anew: no user has that.
                if not name.startswith("ARCHIVER_") and name != "PYTHONDONTWRITEBYTECODE"
            },
            "PYTHONPATH": str(Path(archiver.__file__).parent.parent),
            "ARCHIVER_CONFIG": str(home / "config.toml"),
        }
        self._served, self._tls, self._own = served, tls, own
        self._passphrase = home / "passphrase"
        home.mkdir(parents=True, exist_ok=True)
        for name, text in (("passphrase", "correct horse battery staple"), ("password", PASSWORD)):
            (home / name).write_text(text)
            (home / name).chmod(0o600)
        (home / "config.toml").write_text(self._configuration())

    def _configuration(self) -> str:
        served = self._served
        account = ""
        if served is not None:
            port = served.dovecot.imaps if self._tls else served.dovecot.imap
            security = f'security = "tls"\nca_file = "{served.authority.ca}"' if self._tls else 'security = "plaintext"'
            account = (
                f'[[accounts]]\nname = "bench"\nhost = "127.0.0.1"\nport = {port}\n{security}\n'
                f'username = "{USER}"\npassword_file = "{self.home}/password"\n'
            )
        return (
            f'[archive]\npath = "{self.archive}"\nmachine_key_file = "{self.home}/machine-key"\n'
            f'[identity]\ndomains = ["{self._own}"]\n{account}'
        )

    def clear(self) -> None:
        """Make the archive anew, empty."""
        from benchmarks.apparatus.running import run

        for path in (self.archive, self.home / "archive.collector-key", self.home / "recovery"):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        (self.home / "machine-key").unlink(missing_ok=True)
        environ = {**self.environ, "ARCHIVER_PASSPHRASE_FILE": str(self._passphrase)}
        run([*self.command("init"), "--recovery-file", str(self.home / "recovery")], environ)
        run(
            [*self.command("key", "add", "timer"), "--kind", "machine", "--key-file", f"{self.home}/machine-key"],
            environ,
        )

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of one of its commands."""
        return [sys.executable, "-c", _START, *arguments]


class Mbsync:
    """isync's mbsync, pulling INBOX into a Maildir. Dovecot offers no COMPRESS here, so none is used."""

    def __init__(self, home: Path, served: Served, *, fsync: bool, tls: bool = False) -> None:
        self.home = home
        self.folder = home / "mail"
        home.mkdir(parents=True, exist_ok=True)
        port = served.dovecot.imaps if tls else served.dovecot.imap
        security = f"SSLType IMAPS\nCertificateFile {served.authority.ca}" if tls else "SSLType None"
        (home / "mbsyncrc").write_text(
            f"FSync {'yes' if fsync else 'no'}\n\n"
            f'IMAPAccount bench\nHost localhost\nPort {port}\nUser {USER}\nPass "{PASSWORD}"\n{security}\n\n'
            "IMAPStore remote\nAccount bench\n\n"
            f"MaildirStore local\nPath {self.folder}/\nInbox {self.folder}/INBOX\n\n"
            "Channel bench\nFar :remote:\nNear :local:\nCreate Near\nSync Pull\nSyncState *\n"
        )

    def clear(self) -> None:
        """Delete what was pulled, and the state."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def command(self) -> list[str]:
        """Return its command line."""
        return ["mbsync", "-q", "-q", "-c", str(self.home / "mbsyncrc"), "bench"]

    def pulled(self) -> int:
        """Count the messages that it has."""
        return sum(1 for part in ("cur", "new") for _ in (self.folder / "INBOX" / part).iterdir())


class Notmuch:
    """notmuch over the Maildir that mbsync fills, with an index of its own beside it."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home = home
        self.folder = folder
        home.mkdir(parents=True, exist_ok=True)
        (home / "config").write_text(
            f"[database]\npath={home}/database\nmail_root={folder}\n[user]\nname=Bench\nprimary_email=bench@example.be\n"
            "[new]\ntags=new\nignore=.mbsyncstate;.uidvalidity;.isyncuidmap.db\n[search]\nexclude_tags=\n"
            "[maildir]\nsynchronize_flags=false\n"
        )
        self.environ: Mapping[str, str] = {**os.environ, "NOTMUCH_CONFIG": str(home / "config")}

    def clear(self) -> None:
        """Delete the index."""
        shutil.rmtree(self.home / "database", ignore_errors=True)
        (self.home / "database").mkdir()

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of one of its commands."""
        return ["notmuch", *(arguments or ("new", "--quiet"))]
