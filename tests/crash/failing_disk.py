"""Every command on a disk that fails at its n-th call: full, failing, read-only, short of what was asked, forgetful.

A library (faulty_disk.c) is built and preloaded into one worker process, which has imported everything; each command is
run in a fork of it, as `archiver` would run, with the fault set, then again without. What must hold: a clear end of the
first run, nothing lost of what was acknowledged by then, a second run that completes, nothing doubled, a clean verify.

Writes through a mapping are not seen (SQLite's shared memory), and neither is memory that fails.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from archiver.config import Settings, load
from archiver.errors import ArchiverError
from tests.crash.program import PASSPHRASE, PASSWORD, set_up
from tests.fakes.imap_mailboxes import MailboxServer

_SOURCE = Path(__file__).with_name("faulty_disk.c")
_SERVE = "from tests.crash.failing_disk import serve; serve()"
_SECONDS = 90
"""For one command; it takes a fraction of a second."""

_WRITE, _SYNC, _CUT, _NAME, _REMOVE, _CREATE, _OPEN, _READ = (1 << bit for bit in range(8))
_ONCE, _EVER, _SHORT, _TORN, _LOSE = range(5)
_CHANGES = _WRITE | _SYNC | _CUT | _NAME | _REMOVE | _CREATE | _OPEN


class Fault(msgspec.Struct, frozen=True):
    """A way to fail: which calls count, what the n-th of them answers, and those behind it."""

    name: str
    kinds: int
    number: int
    mode: int

    @property
    def is_harmless(self) -> bool:
        """Tell whether a program has to get over it as if nothing had been."""
        return self.mode == _SHORT


FAULTS: Final = (
    Fault("full", _WRITE | _SYNC | _NAME | _CREATE, errno.ENOSPC, _EVER),
    Fault("full for a moment", _WRITE | _SYNC | _NAME | _CREATE, errno.ENOSPC, _ONCE),
    Fault("half written, then full", _WRITE, errno.ENOSPC, _TORN),
    Fault("half written", _WRITE, 0, _SHORT),
    Fault("failing", _CHANGES, errno.EIO, _EVER),
    Fault("failing once", _CHANGES, errno.EIO, _ONCE),
    Fault("read-only", _CHANGES, errno.EROFS, _EVER),
    Fault("not synced, and forgotten", _SYNC, errno.EIO, _LOSE),
    Fault("unreadable once", _READ, errno.EIO, _ONCE),
    Fault("unreadable", _READ, errno.EIO, _EVER),
)


class Job(msgspec.Struct):
    """What a fork of the worker is to do: a command line, or the name of one of the functions below."""

    arguments: list[str]
    fault: Fault | None = None
    at: int = 0
    function: str | None = None


class Done(msgspec.Struct):
    """What came of it: `calls` were counted, `hits` failed, the first of them at `where`."""

    code: int
    out: str = ""
    err: str = ""
    calls: int = 0
    hits: int = 0
    where: str = ""
    value: Any = None


def compiler() -> str | None:
    """Return the C compiler of this machine, when it has what comes with it."""
    if not Path("/usr/include/stdio.h").exists():
        return None
    return next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)


def build(place: Path) -> Path:
    """Build the library that fails."""
    library = place / "faulty_disk.so"
    command = compiler()
    assert command is not None, "there is no C compiler"
    # Checked variants of the very functions that are defined here would be in the way.
    plain = ("-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=0")
    subprocess.run([command, *plain, "-O1", "-shared", "-fPIC", "-o", str(library), str(_SOURCE), "-ldl"], check=True)
    return library


# --- in the worker ----------------------------------------------------------------------------------------------------


def serve() -> None:
    """Answer jobs, a line each, until there are none; each is done in a fork."""
    import archiver.app
    import archiver.cli.main  # noqa: F401
    from archiver.app import (  # noqa: F401 - imported once, for all forks
        audit_reading,
        backing_up,
        customers,
        erasing,
        keys,
        reading,
        repairing,
        restoring,
        rotating,
        searching,
        syncing,
        upkeep,
        verifying,
    )
    from archiver.cli import root  # noqa: F401

    home = Path(os.environ["HOME"])
    _one_process()
    for line in sys.stdin.buffer:
        job = msgspec.json.decode(line, type=Job)
        reader, writer = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(reader)
            signal.alarm(_SECONDS)
            with os.fdopen(writer, "wb") as answer:
                answer.write(msgspec.json.encode(_do(home, job)))
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as answer:
            octets = answer.read()
        _, status = os.waitpid(pid, 0)
        if not octets:
            octets = msgspec.json.encode(Done(code=-1, err=f"the process ended with status {status}"))
        sys.stdout.buffer.write(octets + b"\n")
        sys.stdout.buffer.flush()


def _one_process() -> None:
    """Collect and parse in the process that fails; make large what costs time to be large."""
    from archiver.app import creating, syncing
    from archiver.app.collector import collect_all
    from archiver.crypto.spool import EncryptedSpool
    from archiver.mail import workers
    from archiver.store import collect

    class Here:
        def __init__(self, settings: Settings, accounts: Sequence[str], *_: object) -> None:
            self.outcomes: object = ()
            self._error: ArchiverError | None = None
            try:
                self.outcomes = collect_all(settings, accounts)
            except ArchiverError as error:
                self._error = error

        def wait(self, _seconds: float) -> bool:
            return False

        def stop(self) -> None:
            """Nothing runs."""

        def raise_error(self) -> None:
            if self._error is not None:
                raise self._error

    class Parsing(workers.ParserPool):
        def __init__(self, *_: object, **__: object) -> None:
            super().__init__(0)

    patched = pytest.MonkeyPatch()
    patched.setattr(syncing, "CollectorProcess", Here)
    patched.setattr(workers, "ParserPool", Parsing)
    patched.setattr(collect, "MOST_RECORDS", 3)
    patched.setattr(collect, "WHOLE_LIMIT", 4096)
    for function, name, value in (
        (EncryptedSpool.__init__, "memory_limit", 8192),
        (creating.prepare_archive, "kdf", _cheap()),
    ):
        defaults = function.__kwdefaults__
        assert defaults is not None
        defaults[name] = value


def _do(home: Path, job: Job) -> Done:
    library = ctypes.CDLL(None)
    library.faulty_where.restype = ctypes.c_char_p
    library.faulty_count.restype = library.faulty_hits.restype = ctypes.c_long
    octets = io.BytesIO(), io.BytesIO()
    out, err = (io.TextIOWrapper(each, "utf-8") for each in octets)
    fault = job.fault
    code, value = -1, None
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            if fault is not None:
                # The configuration is the user's: a command that cannot read it ends with 3, and has touched nothing.
                spared = os.fsencode(home / "config.toml")
                library.faulty_arm(
                    os.fsencode(home), spared, fault.kinds, ctypes.c_long(job.at), fault.number, fault.mode
                )
            try:
                if job.function is None:
                    code = _command(home, job.arguments)
                else:
                    code, value = 0, _FUNCTIONS[job.function](load(home / "config.toml", {}), *job.arguments)
            finally:
                library.faulty_disarm()
    except ArchiverError as error:
        err.write(f"archiver: {error.message}\nhint: {error.hint}\n")
        code = error.exit_code
    except BaseException:  # noqa: BLE001 - whatever it is, it is told
        err.write(traceback.format_exc())
        code = -2
    out.flush()
    err.flush()
    return Done(
        code=code,
        out=octets[0].getvalue().decode(),
        err=octets[1].getvalue().decode(),
        calls=library.faulty_count(),
        hits=library.faulty_hits(),
        where=os.fsdecode(library.faulty_where()),
        value=value,
    )


def _command(home: Path, arguments: Sequence[str]) -> int:
    from archiver import app
    from archiver.cli.main import main

    environ = {"HOME": str(home), "LC_ALL": "C.UTF-8", "ARCHIVER_PASSPHRASE_FILE": str(home / "passphrase")}
    return main(["--config", str(home / "config.toml"), *arguments], application=lambda: app, environ=environ)


def _state(settings: Settings) -> dict[str, Any]:
    """Read everything that an archive gives back, without changing it."""
    from archiver.app.opening import stored_credential
    from archiver.app.unlocking import require_keys
    from archiver.errors import IntegrityError
    from archiver.store.catalogue import open_catalogue
    from archiver.store.layout import ArchivePaths
    from archiver.store.packs import PackVault

    keys = require_keys(settings, ask=lambda: PASSPHRASE)
    paths = ArchivePaths(settings.archive.path)
    octets: Counter[str] = Counter()
    catalogue = open_catalogue(paths, keys.secret.database_key, readonly=True)
    vault = PackVault(paths, archive_id=keys.archive.archive_id, digest_key=stored_credential(catalogue).digest_key)
    try:
        for pack, record in catalogue.sealed_records():
            with contextlib.suppress(IntegrityError):
                octets[vault.read(pack, record).decode("latin-1")] += 1
    finally:
        vault.close()
        catalogue.close()
    return {"octets": octets, "epoch": keys.secret.epoch}


def _ending(settings: Settings) -> dict[str, Any]:
    """Read everything, verify everything, and look for what was left over."""
    from archiver import app

    status = app.status(settings, ask=lambda: PASSPHRASE)
    report = app.verify(settings, full=True, ask=lambda: PASSPHRASE)
    problems = [f"verify: {problem.what}: {problem.message}" for problem in report.problems]
    home = settings.archive.path.parent
    left = [path for path in home.rglob("*") if path.suffix in (".tmp", ".next") or ".next-" in path.name]
    problems += [f"left over: {path.relative_to(home)}" for path in (*left, *(home / "tmp").iterdir())]
    if status.pending or not status.complete:
        problems.append(f"not complete: {status.pending} pending, {status.problems}")
    if _command(home, ["audit", "verify"]):
        problems.append("the trail is not whole")
    return {**_state(settings), "indexed": status.indexed, "problems": problems}


def _erase(settings: Settings, identifier: str) -> None:
    from archiver.app.erasing import erase

    erase(settings, [identifier], ask=lambda: PASSPHRASE)


_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "state": _state,
    "ending": _ending,
    "erase": _erase,
}


# --- the experiment ---------------------------------------------------------------------------------------------------


class Scene(msgspec.Struct, frozen=True):
    """A command on an archive in some state.

    `again` are the codes with which it may end the second time, without a fault; `mail` is what of the three kinds is
    in the archive in the end, `acknowledged` what is in there before.
    """

    name: str
    state: str
    arguments: tuple[str, ...] = ()
    function: str | None = None
    again: tuple[int, ...] = (0,)
    acknowledged: tuple[str, ...] = ("old",)
    mail: tuple[str, ...] = ("old", "new")


_WHOLE: Final = ("old", "new")
SCENES: Final = (
    Scene(
        "init",
        "bare",
        ("init", "--passphrase-file", "HOME/passphrase", "--recovery-file", "HOME/code"),
        again=(0, 2),
        acknowledged=(),
        mail=("new",),
    ),
    Scene("collect", "base", ("sync", "--collect-only")),
    Scene("ingest", "waiting", ("sync",)),
    Scene("sync", "base", ("sync",)),
    Scene("import", "base", ("import", "HOME/mail.mbox"), mail=("old", "new", "file")),
    Scene("reindex", "whole", ("reindex",), acknowledged=_WHOLE),
    Scene("index after loss", "no index", ("search", "zebra", "--json"), acknowledged=_WHOLE),
    Scene("search", "whole", ("search", "zebra", "--json"), acknowledged=_WHOLE),
    Scene("verify", "whole", ("verify", "--full"), acknowledged=_WHOLE),
    Scene(
        "customer",
        "whole",
        ("customer", "add", "K2", "Other"),
        again=(0, 2),
        acknowledged=_WHOLE,
    ),
    Scene("erase", "whole", ("ID",), function="erase", again=(0, 2), acknowledged=("old",), mail=("old", "rest")),
    Scene("rotate", "whole", ("key", "rotate"), acknowledged=_WHOLE),
    Scene(
        "key add",
        "whole",
        ("key", "add", "jan", "--new-passphrase-file", "HOME/jan"),
        again=(0, 2),
        acknowledged=_WHOLE,
    ),
    Scene("backup", "backed", ("backup", "HOME/backup"), acknowledged=_WHOLE),
    Scene("first backup", "whole", ("backup", "HOME/backup"), acknowledged=_WHOLE),
    Scene("restore", "lost", ("restore", "HOME/backup"), again=(0, 2), acknowledged=()),
    Scene("restore over", "backed", ("restore", "HOME/backup", "--replace"), acknowledged=("old",)),
    Scene("repair", "damaged", ("repair", "--yes"), again=(0, 4), acknowledged=("old",)),
)


@dataclass
class Outcome:
    """What was done and found; `calls` are those that an undisturbed run of a scene makes, by kind of fault."""

    faults: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    codes: Counter[int] = field(default_factory=Counter)
    by_fault: Counter[str] = field(default_factory=Counter)
    by_scene: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


_GIVEN = {"/mail.mbox": 2, "/password": 3}
"""Files that a person gives, not the archive's: that one cannot be read is told as what the command or the
configuration lacks."""


class FailingDisk:
    """Archives in several states, a server, and the worker whose disk fails."""

    def __init__(self, home: Path, *, seed: int) -> None:
        self._random = random.Random(seed)
        self.home, self._states = home / "home", home / "states"
        self._states.mkdir()
        self.server = MailboxServer(("info",), password=PASSWORD)
        self.outcome = Outcome()
        self._counted: dict[tuple[str, int], int] = {}
        self._program = set_up(self.home, self.server.port, ("info",), kdf=_cheap())
        self._worker = subprocess.Popen(
            [sys.executable, "-c", _SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**self._program.environ, "LD_PRELOAD": str(build(home))},
        )
        self._mail = {
            "old": [_letter(number) for number in range(6)],
            "new": [_letter(number) for number in range(6, 12)],
            "file": [_letter(number) for number in range(12, 17)],
        }
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        assert self._worker.stdin is not None
        self._worker.stdin.close()
        self._worker.wait(120)
        assert self._worker.stdout is not None
        self._worker.stdout.close()
        self.server.close()

    # --- states -----------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        home = self.home
        for name, text in (("passphrase", PASSPHRASE), ("jan", "purple monkey dishwasher")):
            (home / name).write_text(text)
            (home / name).chmod(0o600)
        (home / "mail.mbox").write_bytes(
            b"".join(
                b"From a@b.test Sat Mar  1 09:00:00 2025\n" + each.replace(b"\r\n", b"\n") + b"\n"
                for each in self._mail["file"]
            )
        )
        archive = home / "archive"
        aside = home.with_name("aside")
        aside.mkdir()
        shutil.move(archive, aside)
        keys = [path for path in home.iterdir() if path.is_file() and "key" in path.name]
        for path in keys:
            shutil.move(path, aside)
        self._save("bare")
        for path in aside.iterdir():
            shutil.move(path, home)
        for octets in self._mail["old"]:
            self.server.deliver("info", b"INBOX", octets)
        self._succeed("customer", "add", "K1", "Firm", "--domain", "customer.test")
        self._succeed("sync")
        for number, octets in enumerate(self._mail["new"]):
            self.server.deliver("info", (b"INBOX", b"Sent")[number % 2], octets)
        for box in self.server.accounts["info"].values():
            for uid in [uid for uid, octets in box.messages.items() if octets in self._mail["old"]]:
                del box.messages[uid]
        self._save("base")
        self._succeed("backup", str(home / "backup"))
        self._succeed("sync")
        self._save("backed")
        self._succeed("backup", str(home / "backup"))
        shutil.rmtree(archive)
        self._save("lost")
        self._restore("base")
        self._succeed("sync", "--collect-only")
        self._save("waiting")
        self._succeed("sync")
        self._save("whole")
        found = json.loads(self._succeed("search", "subject:11", "--json").out)["items"]
        self._identifier = found[0]["id"]
        # What does not come back: the octets by which it was found.
        self._mail["rest"] = [octets for octets in self._mail["new"] if octets != self._mail["new"][5]]
        self._restore("whole")
        for path in archive.glob("index.db*"):
            path.unlink()
        self._save("no index")
        self._restore("whole")
        self._damage()
        self._save("damaged")

    def _damage(self) -> None:
        """Change an octet in a pack of the new mail, which the server still has."""
        old = {path.relative_to(self._states / "base") for path in (self._states / "base").rglob("*.pack")}
        new = sorted(path for path in self.home.rglob("*.pack") if path.relative_to(self.home) not in old)
        octets = bytearray(new[0].read_bytes())
        octets[-60] ^= 1
        new[0].chmod(0o600)
        new[0].write_bytes(octets)

    def _save(self, name: str) -> None:
        shutil.copytree(self.home, self._states / name)

    def _restore(self, name: str) -> None:
        for path in self.home.parent.glob(self.home.name + "*"):
            shutil.rmtree(path)
        shutil.copytree(self._states / name, self.home)

    # --- the worker -------------------------------------------------------------------------------------------------

    def _do(self, job: Job) -> Done:
        stdin, stdout = self._worker.stdin, self._worker.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(msgspec.json.encode(job) + b"\n")
        stdin.flush()
        return msgspec.json.decode(stdout.readline(), type=Done)

    def run_command(self, *arguments: str) -> Done:
        """Run a command without a fault."""
        return self._do(Job(list(arguments)))

    def _succeed(self, *arguments: str) -> Done:
        done = self.run_command(*arguments)
        assert done.code == 0, f"{arguments}: {done.code} {done.err}"
        return done

    def _call(self, function: str) -> Done:
        return self._do(Job([], function=function))

    def _begin(self, scene: Scene, fault: Fault | None, at: int) -> Done:
        known = {"ID": self._identifier} if scene.function else {}
        arguments = [known.get(each, each.replace("HOME", str(self.home))) for each in scene.arguments]
        return self._do(Job(arguments, fault, at, scene.function))

    # --- one after the other ----------------------------------------------------------------------------------------

    def count(self, scene: Scene, fault: Fault) -> int:
        """Count the calls of an undisturbed run."""
        counted = self._counted.get((scene.name, fault.kinds))
        if counted is not None:
            self.outcome.calls[f"{scene.name}, {fault.name}"] = counted
            return counted
        self._restore(scene.state)
        done = self._begin(scene, fault, 0)
        if done.code not in (0, 4 if scene.name == "repair" else 0):
            self.outcome.problems.append(f"{scene.name}, undisturbed: {done.code} {done.err}")
        self._counted[scene.name, fault.kinds] = self.outcome.calls[f"{scene.name}, {fault.name}"] = done.calls
        return done.calls

    def run(self, scenes: Sequence[Scene] = SCENES, faults: Sequence[Fault] = FAULTS, *, every: int = 1) -> Outcome:
        """Let the n-th call fail: every n, or every k-th from a place that the seed gives."""
        began = time.monotonic()
        for scene in scenes:
            for fault in faults:
                calls = self.count(scene, fault)
                for at in range(1 + self._random.randrange(every), calls + 1, every):
                    self.one(scene, fault, at)
        self.outcome.seconds += time.monotonic() - began
        return self.outcome

    def one(self, scene: Scene, fault: Fault, at: int) -> None:
        """Run a scene once with a fault, and once without; judge."""
        self._restore(scene.state)
        done = self._begin(scene, fault, at)
        if not done.hits:
            return  # a run that took another way than the counted one
        outcome = self.outcome
        outcome.faults += 1
        outcome.codes[done.code] += 1
        outcome.by_fault[fault.name] += 1
        outcome.by_scene[scene.name] += 1
        problems = [*self._ended(scene, fault, done), *self._afterwards(scene, done)]
        what = (
            f"{scene.name}, {fault.name} at {at} of {outcome.calls.get(f'{scene.name}, {fault.name}')} ({done.where})"
        )
        outcome.problems += [f"{what}: {each}" for each in problems]

    @staticmethod
    def _ended(scene: Scene, fault: Fault, done: Done) -> Iterator[str]:
        allowed = {0} if fault.is_harmless else {0, 4, 30} if fault.kinds == _READ else {0, 4}
        if scene.name == "repair":
            allowed.add(4)  # it tells of what a sync is to fetch again
        allowed |= {code for given, code in _GIVEN.items() if done.where.endswith(f" {given}")}
        said = f"ended with {done.code}: {done.err.strip()[-700:]}"
        if done.code not in allowed or "Traceback" in done.err:
            yield said
        elif done.code and not ("hint: " in done.err and ("archiver: " in done.err or done.out)):
            yield f"says too little, {said}"

    def _afterwards(self, scene: Scene, done: Done) -> Iterator[str]:
        home = self.home
        if scene.acknowledged:
            yield from self._there(self._call("state"), scene.acknowledged, "right after")
        yield from self._kept(scene, done)
        if not (home / "archive" / "archive.json").exists():
            (home / "code").unlink(missing_ok=True)  # what a person does who is told that it is in the way
        if done.code == 30 and scene.acknowledged and scene.name != "repair":
            self.run_command("repair", "--yes")  # as the message says: what could not be read was marked
        again = self._begin(scene, None, 0)
        if again.code not in scene.again:
            yield f"again: {again.code} {again.err.strip()[-500:]}"
        if scene.arguments != ("sync",):
            again = self.run_command("sync")
        if again.code != 0:
            yield f"the next sync: {again.code} {again.err.strip()[-500:]}"
        if scene.arguments[0] == "backup":
            checked = self.run_command("backup", str(home / "backup"), "--verify", "--full")
            if checked.code:
                yield f"the next backup: {checked.code} {checked.out} {checked.err}"
        ending = self._call("ending")
        yield from self._there(ending, scene.mail, "in the end")
        if ending.code == 0:
            octets = ending.value["octets"]
            more = set(octets) - {each for kind in scene.mail for each in self._expected(kind)}
            if more:
                yield f"{len(more)} messages too many"
            if ending.value["indexed"] != len(octets):
                yield f"{ending.value['indexed']} indexed"
            yield from ending.value["problems"]

    def _kept(self, scene: Scene, done: Done) -> Iterator[str]:
        """What a run said that it did is done, before any other run could do it."""
        name, place = scene.name, str(self.home / "backup")
        if name == "search" and '"total"' in done.out:
            recorded = self.run_command("audit", "list", "--action", "search", "--json")
            if recorded.code or not json.loads(recorded.out)["total"]:
                yield f"shown, and not recorded: {recorded.err}"
        if name == "backup" and (earlier := self.run_command("backup", place, "--verify")).code:
            yield f"the earlier backup: {earlier.code} {earlier.out} {earlier.err}"
        if done.code:
            return
        if name in ("collect", "ingest", "sync", "import", "erase"):
            found = self.run_command("search", "zebra", "--json", "--limit", "0")
            # An import does not ask the server for what came meanwhile.
            wanted = sum(len(self._expected(kind)) for kind in scene.mail if (name, kind) != ("import", "new"))
            if found.code or json.loads(found.out)["total"] != wanted:
                yield f"said to be done, and {found.out[:60]} of {wanted} are found: {found.err}"
        asked = {
            "customer": ("customer", "show", "K2"),
            "backup": ("backup", place, "--verify", "--full"),
            "first backup": ("backup", place, "--verify", "--full"),
        }
        if name in asked and (answered := self.run_command(*asked[name])).code:
            yield f"said to be done: {answered.code} {answered.out} {answered.err}"
        if name == "key add" and "jan" not in self.run_command("key", "list").out:
            yield "said to be done, and the key is not there"
        if name == "rotate" and (epoch := self._call("state").value["epoch"]) != 2:
            yield f"said to be done, and the epoch is {epoch}"

    def _expected(self, kind: str) -> list[str]:
        eol = b"\n" if kind == "file" else b"\r\n"
        return [octets.replace(b"\r\n", eol).decode("latin-1") for octets in self._mail[kind]]

    def _there(self, done: Done, kinds: Sequence[str], when: str) -> Iterator[str]:
        if done.code:
            yield f"{when}: cannot be read: {done.err[-400:]}"
            return
        octets = done.value["octets"]
        lost = [each for kind in kinds for each in self._expected(kind) if each not in octets]
        if lost:
            yield f"{when}: {len(lost)} messages lost"
        if any(count > 1 for count in octets.values()):
            yield f"{when}: messages doubled"


def _cheap() -> Any:
    from archiver.crypto.kdf import DEFAULT_BOUNDS

    return DEFAULT_BOUNDS.floor


def _letter(number: int) -> bytes:
    size = (40, 900, 9000)[number % 3]
    filler = "".join(random.Random(number).choices("abcdefghij klmnop", k=size))
    return (
        f"Message-ID: <{number}@example.test>\r\nSubject: nummer {number}\r\nFrom: a{number % 3}@customer.test\r\n"
        f"To: info@example.test\r\nDate: Sat, 1 Mar 2025 09:{number % 60:02d}:00 +0000\r\n\r\n{filler} zebra\r\n"
    ).encode()
