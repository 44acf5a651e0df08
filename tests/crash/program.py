"""The real program in processes of its own, on an archive of its own: what tests start, kill and look into.

Knows how to set an archive up with a machine key (so that each of hundreds of runs starts without deriving one from a
passphrase), how to find the processes of a run, and how to read everything that an archive holds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import archiver
from archiver import app
from archiver.app.upkeep import StatusReport
from archiver.config import Settings, load
from archiver.core.verify import VerifyReport
from archiver.crypto.kdf import DEFAULT_KDF, KdfParameters

PASSPHRASE = "staple quick brown horse"
PASSWORD = "sesame-7"
_RUN = "import sys; from archiver.cli.program import run; sys.exit(run())"


def nobody() -> str | None:
    """Answer to "what is the passphrase?" where the machine key must do."""
    return None


@dataclass
class Contents:
    """All that an archive gives back: `octets` counts how often each octet string is kept."""

    octets: Counter[bytes] = field(default_factory=Counter)
    places: Counter[tuple[str, str, int, int]] = field(default_factory=Counter)
    place_of: dict[tuple[str, str, int, int], bytes] = field(default_factory=dict)
    found: int = 0
    indexed: int = 0


@dataclass
class Program:
    """An archive in `home` and the program that works on it."""

    home: Path
    config: Path
    environ: Mapping[str, str]
    prelude: str = ""
    """Python to run before the program, in its process."""

    @property
    def settings(self) -> Settings:
        return load(self.config, {})

    @property
    def archive(self) -> Path:
        return self.settings.archive.path

    def start(self, *arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-c", self.prelude + _RUN, "--config", str(self.config), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self.environ, **(environ or {})},
            start_new_session=True,
        )

    def run(
        self, *arguments: str, expect: int | None = 0, environ: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, bytes]:
        """Run a command to its end; return (exit code, standard output, standard error)."""
        process = self.start(*arguments, environ=environ)
        out, err = process.communicate(timeout=240)
        assert expect is None or process.returncode == expect, f"{arguments}: {process.returncode}\n{err.decode()}"
        return process.returncode, out, err

    def status(self) -> StatusReport:
        return app.status(self.settings, ask=nobody)

    def verify(self) -> VerifyReport:
        return app.verify(self.settings, full=True, ask=nobody)

    def contents(self) -> Contents:
        """Read every message back, through search, as a user would find it."""
        contents = Contents()
        with app.open_archive(self.settings, ask=nobody, take_in=False) as archive:
            offset = 0
            while items := (page := archive.search("", limit=500, offset=offset)).items:
                contents.found, offset = page.total, offset + len(items)
                for item in items:
                    octets = archive.octets(item.summary.row)
                    contents.octets[octets] += 1
                    for seen in archive.details(item.summary.row).seen:
                        place = seen.account, seen.mailbox, seen.uid_validity, seen.uid
                        contents.places[place] += 1
                        contents.place_of[place] = octets
        contents.indexed = self.status().indexed or 0
        return contents


def set_up(
    home: Path,
    port: int,
    usernames: Sequence[str],
    *,
    sync: str = "workers = 1",
    passphrase: str = PASSPHRASE,
    password: str = PASSWORD,
    secrets: Path | None = None,
    account: str = "",
    kdf: KdfParameters = DEFAULT_KDF,
) -> Program:
    """Make an archive with a machine key, and the configuration for accounts on a server on loopback.

    The password and the recovery code lie in files in `secrets`, or in `home`. `account` is said of every account.
    """
    home.mkdir(parents=True, exist_ok=True)
    (home / "tmp").mkdir()
    kept = secrets or home
    password_file = kept / "password"
    password_file.write_text(password)
    password_file.chmod(0o600)
    accounts = "".join(
        f'[[accounts]]\nname = "{name}"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "plaintext"\n'
        f'username = "{name}"\npassword_file = "{password_file}"\nmailboxes = ["*"]\n{account}\n'
        for name in usernames
    )
    config = home / "config.toml"
    config.write_text(
        f'[archive]\npath = "{home}/archive"\nmachine_key_file = "{home}/machine-key"\n'
        f'[identity]\ndomains = ["example.test"]\n[sync]\n{sync}\n{accounts}'
    )
    settings = load(config, {})
    new = app.prepare_archive(settings, passphrase, kdf=kdf)
    new.commit()
    (kept / "recovery").write_text(new.recovery_code)
    app.key_add(
        settings,
        name="machine",
        kind="machine",
        ask=lambda: passphrase,
        new_passphrase=None,
        machine_key_file=home / "machine-key",
    )
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "PYTHONPATH": str(Path(archiver.__file__).parent.parent),
        "LC_ALL": "C.UTF-8",
    }
    return Program(home, config, environ)


# --- processes --------------------------------------------------------------------------------------------------------


def group(leader: int) -> list[int]:
    """Return the living processes of a process group (zombies are dead)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[2]) == leader and fields[0] not in "ZX":
                    found.append(int(entry.name))
    return found


def role(pid: int) -> str:
    """Tell the collector from the parser processes and the program itself."""
    with contextlib.suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"archiver.app.collector" in command:
            return "collector"
        if b"archiver.cli.program" in command:
            return "program"
    return "worker"


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def gone(leader: int, *, seconds: float = 20.0) -> bool:
    """Wait until no process of a group is left."""
    end = time.monotonic() + seconds
    while group(leader):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@contextlib.contextmanager
def cleared(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """See to it that nothing of this run outlives the block, whatever a test finds."""
    try:
        yield
    finally:
        for pid in group(process.pid):
            kill(pid)
        process.communicate()
