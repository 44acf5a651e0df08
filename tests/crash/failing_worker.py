"""The worker of `tests.crash.failing_disk`: one process that has imported everything, and forks of it whose disk fails.

Knows the faults, how to build and arm the library that fails (faulty_disk.c), and how a job is done in a fork; what the
jobs are for, and what is to come of them, it does not.

Starting Python for each of tens of thousands of runs would take most of the time, and so would importing and compiling
in every fork; a fork itself takes as long as reading a small archive. So a job may also be done in the worker itself
(`here`): what only asks what has become of an archive, and everything once before the first fork, which then has
nothing left to load.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from archiver.config import Settings, load
from archiver.errors import ArchiverError
from tests.crash.program import PASSPHRASE

_SOURCE = Path(__file__).with_name("faulty_disk.c")
_SERVE = "from tests.crash.failing_worker import serve; serve()"
_SECONDS = 300
"""For the jobs of a fork; they take a fraction of a second, but the machine may have other work."""

_WRITE, _SYNC, _CUT, _NAME, _REMOVE, _CREATE, _OPEN, READ = (1 << bit for bit in range(8))
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
    Fault("unreadable once", READ, errno.EIO, _ONCE),
    Fault("unreadable", READ, errno.EIO, _EVER),
)


class Job(msgspec.Struct):
    """A command line, or the name of one of the functions below; to be done in a fork, or `here`, in the worker."""

    arguments: list[str]
    fault: Fault | None = None
    at: int = 0
    function: str | None = None
    here: bool = False


class Done(msgspec.Struct):
    """What came of it: `calls` were counted, `hits` failed, the first of them at `where`.

    `code` is the command's, -1 when its process died, -2 when it raised what no command may raise.
    """

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


class Worker:
    """The process, as whoever gives it jobs sees it; `environ` has the HOME below which calls fail."""

    def __init__(self, environ: Mapping[str, str], library: Path) -> None:
        self._environ = {**environ, "LD_PRELOAD": str(library)}
        self._process = self._started()

    def do(self, job: Job) -> Done:
        """Have a job done; one that ends the worker itself is told with -1, and a new worker takes its place."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(msgspec.json.encode(job) + b"\n")
        stdin.flush()
        if answer := stdout.readline():
            return msgspec.json.decode(answer, type=Done)
        self.close()
        died, self._process = self._process.returncode, self._started()
        return Done(code=-1, err=f"the worker ended with {died}")

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait(120)

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", _SERVE]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self._environ)


@contextlib.contextmanager
def keys_at_once() -> Iterator[None]:
    """Derive keys from passphrases by a quick hash: what takes time there is no concern of the disk's."""
    from cryptography.hazmat.primitives.kdf import argon2

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(argon2, "Argon2id", _QuickKdf)
        yield


class _QuickKdf:
    def __init__(self, *, salt: bytes, length: int, **_costs: int) -> None:
        self._salt, self._length = salt, length

    def derive(self, octets: bytes) -> bytes:
        return hashlib.blake2b(octets, key=self._salt, digest_size=self._length).digest()


# --- in the worker ----------------------------------------------------------------------------------------------------


def serve() -> None:
    """Answer jobs, a line each, until there are none."""
    home = Path(os.environ["HOME"])
    with keys_at_once():
        _one_process()
        is_frozen = False
        for line in sys.stdin.buffer:
            job = msgspec.json.decode(line, type=Job)
            if job.here:
                octets = msgspec.json.encode(_do(home, job))
                _nothing_is_open(home)
            else:
                if not is_frozen:
                    # The collector's marks would have each fork copy every page.
                    gc.collect()
                    gc.freeze()
                    is_frozen = True
                octets = _in_a_fork(home, job)
            sys.stdout.buffer.write(octets + b"\n")
            sys.stdout.buffer.flush()


def _in_a_fork(home: Path, job: Job) -> bytes:
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reader)
        signal.alarm(_SECONDS)
        tempfile.tempdir = None  # as in a process that has not looked for one yet
        with os.fdopen(writer, "wb") as answer:
            answer.write(msgspec.json.encode(_do(home, job)))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        octets = answer.read()
    _, status = os.waitpid(pid, 0)
    return octets or msgspec.json.encode(Done(code=-1, err=f"the process ended with status {status}"))


def _nothing_is_open(home: Path) -> None:
    """Make sure that what forks inherit of a job done here is code and tables, and no thread, lock or open file."""
    gc.collect()
    opened = []
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one by which the directory is read
            opened.append(each.readlink())
    assert not [path for path in opened if path.is_relative_to(home)], "a file is left open"
    assert threading.active_count() == 1, "a thread is left"


def _one_process() -> None:
    """Collect and parse in the process that fails; make large what costs time to be large."""
    from archiver.app import syncing
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

        def raise_error(self, *, told_to_stop: bool = False) -> None:
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
    defaults = EncryptedSpool.__init__.__kwdefaults__
    assert defaults is not None
    defaults["memory_limit"] = 8192


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
