"""Make a fixture: an archive as a release writes it, its mail and keys, and what it must still give in every later one.

    python -m tests.formats.make tests/formats/release-0.1.0 [--code DIR]

Everything is done by the program in DIR (a checkout of a release; this one if left out), so that the same script makes
fixtures of releases that lie back. What is expected comes from what was done here, never from what the archive says.
A fixture is made once, by the release it is of, and never again: it is there to find out what a later one cannot read.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.fakes.imap_mailboxes import MailboxServer
from tests.formats.letters import CUSTOMERS, ERASED, NEWSLETTER, SECOND, first, imported, waiting

PASSPHRASE, ANNA = "correct paard batterie Klammer", "une autre phrase pour Anna"
PASSWORD = "sesame-7"
_RUN = "import sys; from archiver.cli.program import run; sys.exit(run())"
_CREATE = """
import sys
from pathlib import Path
from archiver import app
from archiver.config import load
from archiver.crypto.kdf import DEFAULT_BOUNDS

# The cheapest that a reader accepts.
settings, home = load(Path(sys.argv[1]), {}), Path(sys.argv[2])
new = app.prepare_archive(settings, sys.argv[3], kdf=DEFAULT_BOUNDS.floor)
new.commit()
(home / "recovery").write_text(new.recovery_code)
def ask():
    return sys.argv[3]
app.key_add(settings, name="anna", kind="passphrase", ask=ask, new_passphrase=sys.argv[4])
app.key_add(settings, name="machine", kind="machine", ask=ask, machine_key_file=home / "machine-key")
"""
_ERASE = """
import sys
from pathlib import Path
from archiver.app.erasing import erase
from archiver.config import load

assert erase(load(Path(sys.argv[1]), {}), [sys.argv[2]], ask=lambda: None).complete
"""
_FORMAT = "from archiver.store.schema import MIGRATIONS; print(len(MIGRATIONS))"


class Maker:
    """One archive in a directory, and the program of a release that works on it."""

    def __init__(self, home: Path, code: Path) -> None:
        self.home = home
        self._environ = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), "LC_ALL": "C.UTF-8"}
        self._environ["PYTHONPATH"] = str(code)
        self.server = MailboxServer(("info",), password=PASSWORD)
        self.format = int(self._python(_FORMAT))
        self.saved: dict[str, str] = {}
        self.anchor: str | None = None
        (home / "mail").mkdir()

    def make(self) -> Mapping[str, Any]:
        """Do everything that this release can do, and tell what must come of it."""
        write_config(self.home, self.server.port)
        self._python(_CREATE, str(self.home / "config.toml"), str(self.home), PASSPHRASE, ANNA)
        for mailbox, octets in first():
            self._deliver(mailbox, octets)
        self._run("sync")
        if self.format >= 2:
            self._customers()
        if self.format >= 3:
            self.saved = {"boetes": "factuur OR facture", "open": "subject:(prices OR Preise) since:2025"}
            for name, query in self.saved.items():
                self._run("search", query, "--save", name)
        if self.format >= 4:
            self._rotate()
        self._import()
        self._run("search", "zebra")
        if self.format >= 4:
            self._run("show", self._id(SECOND))
            self._python(_ERASE, str(self.home / "config.toml"), self._id(ERASED))
            self._run("audit", "checkpoint")
        for number, octets in enumerate(waiting()):
            self._deliver("INBOX", octets)
            self._run("sync", "--collect-only")
            if self.format >= 4 and not number:
                self._rotate()
        if self.format >= 4:
            self.anchor = str(json.loads(self._run("audit", "checkpoint", "--json"))["checkpoint"])
        self.server.close()
        return self._expected()

    def _customers(self) -> None:
        file = self.home / "customers.csv"
        file.write_text(CUSTOMERS)
        self._run("customer", "import", str(file))
        self._run("link", self._id(SECOND), "K3", "--why", "Eva belde erover")
        self._run("unlink", self._id(NEWSLETTER), "K1", "--why", "is reclame")

    def _rotate(self) -> None:
        passphrase = self.home / "passphrase"
        passphrase.write_text(PASSPHRASE)
        passphrase.chmod(0o600)
        self._run("key", "rotate", ARCHIVER_PASSPHRASE_FILE=str(passphrase))

    def _import(self) -> None:
        folder = self.home / "mail" / "imported"
        folder.mkdir()
        for number, octets in enumerate(imported(), start=1):
            (folder / f"{number}.eml").write_bytes(octets)
        self._run("import", str(folder))

    def _deliver(self, mailbox: str, octets: bytes) -> None:
        uid = self.server.deliver("info", mailbox.encode(), octets)
        file = self.home / "mail" / mailbox / f"{uid}.eml"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(octets)

    def _id(self, subject: str) -> str:
        (item,) = json.loads(self._run("search", f'subject:"{subject}"', "--json"))["items"]
        return str(item["id"])

    def _expected(self) -> Mapping[str, Any]:
        linked = self.format >= 2
        by_subject = {b"Subject: %b\r\n" % subject.encode(): links for subject, links in (
            ("Vraag over de factuur", ["K1"]), ("Re: Vraag over de factuur", ["K1"]), ("Clé de licence", ["K2"]),
            ("Kündigung des Vertrages", ["K3"]), (SECOND, ["K3"]), (NEWSLETTER, []), ("Prices of the printers", ["K1"]),
            ("Facture", ["K2"]), ("VAT", ["K1"]), ("Wacht nog", ["K1"]), ("Wartet noch", ["K3"]),
        )}  # fmt: skip
        everything = [*(octets for _, octets in first()), *imported(), *waiting()]
        erased = [each for each in everything if self.format >= 4 and b"Subject: %b\r\n" % ERASED.encode() in each]
        return {
            "format": self.format,
            "epoch": 3 if self.format >= 4 else 1,
            "passphrases": [PASSPHRASE, ANNA],
            "recovery_code": (self.home / "recovery").read_text(),
            "messages": {digest(each): len(each) for each in everything if each not in erased},
            "erased": [digest(each) for each in erased],
            "waiting": [digest(each) for each in waiting()],
            "links": {
                digest(each): links
                for each in everything
                for subject, links in by_subject.items()
                if linked and subject in each.partition(b"\r\n\r\n")[0] + b"\r\n"
            },
            "saved": self.saved,
            "anchor": self.anchor,
        }

    def _run(self, *arguments: str, **environ: str) -> str:
        return self._python(_RUN, "--config", str(self.home / "config.toml"), *arguments, **environ)

    def _python(self, script: str, *arguments: str, **environ: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            env={**self._environ, **environ},
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout


def write_config(home: Path, port: int) -> Path:
    """Write the configuration for an archive in a directory, with one account on loopback."""
    (home / "password").write_text(PASSWORD)
    (home / "password").chmod(0o600)
    config = home / "config.toml"
    config.write_text(
        f'[archive]\npath = "{home}/archive"\ncollector_key_file = "{home}/collector-key"\n'
        f'machine_key_file = "{home}/machine-key"\n[identity]\ndomains = ["ours.example"]\n[sync]\nworkers = 1\n'
        f'[[accounts]]\nname = "info"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "plaintext"\nusername = "info"\n'
        f'password_file = "{home}/password"\nmailboxes = ["*"]\n'
    )
    return config


def digest(octets: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(octets).hexdigest()


def write(home: Path, expected: Mapping[str, Any], target: Path) -> None:
    """Write the fixture: a tar of its files, what is expected, and the digests of both."""
    target.mkdir(parents=True)
    files = sorted(
        path
        for name in ("archive", "mail", "collector-key", "machine-key")
        for path in ((home / name).rglob("*") if (home / name).is_dir() else [home / name])
        if path.suffix not in (".lock", ".wanted") and not path.name.endswith("-shm")
    )
    with tarfile.open(target / "fixture.tar.gz", "w:gz", format=tarfile.USTAR_FORMAT) as tar:
        for path in files:
            info = tarfile.TarInfo(str(path.relative_to(home)))
            info.mode = path.stat().st_mode & 0o777
            if path.is_dir():
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            else:
                octets = path.read_bytes()
                info.size = len(octets)
                tar.addfile(info, io.BytesIO(octets))
    (target / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")
    names = ("expected.json", "fixture.tar.gz")
    sums = "".join(f"{digest((target / name).read_bytes())}  {name}\n" for name in names)
    (target / "SHA256SUMS").write_text(sums)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Make a fixture of a release's formats.")
    parser.add_argument("target", type=Path)
    parser.add_argument("--code", type=Path, default=Path(__file__).parents[2])
    options = parser.parse_args(arguments)
    home = Path(tempfile.mkdtemp(prefix="format"))
    try:
        write(home, Maker(home, options.code.absolute()).make(), options.target)
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
