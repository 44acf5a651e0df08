"""Passphrases and recovery codes, from and to people and files.

Knows how they are asked for and where they may be written. Nothing here reaches a log, standard output or an error
text, except the recovery code when its owner sees it for the only time.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.errors import DiskError, UsageError

if TYPE_CHECKING:
    from archiver.cli.application import AskPassphrase

_MAX_SECRET_BYTES = 64 * 1024
_TRIES = 3
# The code's alphabet leaves out letters that look like digits (Crockford's base 32): reading it back may mix them up.
_LOOKALIKES = str.maketrans("OIL", "011")


def asker(
    invocation: Invocation, *, prompt: bool = True, words: str = "Passphrase (or recovery code): "
) -> AskPassphrase:
    """Return what the application asks a passphrase with: the file of ARCHIVER_PASSPHRASE_FILE, else the person."""

    def ask() -> str | None:
        named = invocation.environ.get("ARCHIVER_PASSPHRASE_FILE")
        if named:
            return from_file(Path(named), invocation.warn)
        if not (prompt and invocation.person_present):
            return None
        return invocation.read_secret(words) or None

    return ask


def from_file(path: Path, warn: Callable[[str], None]) -> str:
    """Read a passphrase: the file's text, without one line break at its end.

    Warns of a file that others can get at, and of a second line: nobody could type such a passphrase.
    """
    from archiver.crypto.secret_file import open_at_once, read_up_to

    hint = "name a file that holds the passphrase and nothing else"
    try:
        descriptor = open_at_once(path)
        try:
            octets = read_up_to(descriptor, _MAX_SECRET_BYTES + 1)
            exposed = is_exposed(os.fstat(descriptor), _folders(path))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UsageError(f"cannot read the passphrase file {path}: {error.strerror}", hint=hint) from None
    try:
        text = octets.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise UsageError(f"the passphrase file {path} is not UTF-8 text", hint=hint) from None
    if not text or len(octets) > _MAX_SECRET_BYTES:
        problem = "too long" if text else "empty"
        raise UsageError(f"the passphrase file {path} is {problem}", hint=hint)
    if exposed:
        warn(f"the passphrase file {path} can be read or changed by others: chmod 600 {path}")
    if _has_lines(text):
        warn(f"the passphrase file {path} has more than one line; all of it is taken for the passphrase")
    return text


def _has_lines(text: str) -> bool:
    return "\n" in text or "\r" in text


def is_exposed(status: os.stat_result, folders: Iterable[int]) -> bool:
    """Tell whether others than its owner can get at a file, through the folders above it, whose modes are given.

    Pipes are nobody else's, and what systemd shows as root:root 0440 is its own credential, with an access list.
    """
    if not stat.S_ISREG(status.st_mode):
        return False
    modes = tuple(folders)
    of_root = (status.st_uid, status.st_gid) == (0, 0)
    if status.st_mode & 0o006 and all(mode & 0o001 for mode in modes):
        return True
    return bool(status.st_mode & (0o020 if of_root else 0o060)) and all(mode & 0o011 for mode in modes)


def _folders(path: Path) -> list[int]:
    return [folder.stat().st_mode for folder in path.resolve().parents]


def new_passphrase(invocation: Invocation, *, file: Path | None, option: str) -> str:
    """Return a passphrase to be set: from `file`, else typed twice.

    Raises UsageError when there is nobody to type it, or when nobody could type what the file has.
    """
    if file is not None:
        given = from_file(file, invocation.warn)
        if _has_lines(given):
            raise UsageError(
                f"the passphrase in {file} has more than one line, and nobody could type it",
                hint="name a file that holds the passphrase and nothing else",
            )
        return given
    if not invocation.person_present:
        raise UsageError(
            "a new passphrase is needed, and there is no terminal to ask on", hint=f"name a file: {option} F"
        )
    for _ in range(_TRIES):
        first = invocation.read_secret("New passphrase: ")
        if not first:
            invocation.terminal.note("A passphrase cannot be empty; take four or five random words.")
        elif invocation.read_secret("The same again: ") == first:
            return first
        else:
            invocation.terminal.note("They differ; once more.")
    raise UsageError("no passphrase was set", hint="run the command again")


def hand_over_recovery_code(invocation: Invocation, code: str, *, file: Path | None) -> None:
    """Give the recovery code to a new file or to a person, who types it back; only then may anything depend on it."""
    if file is not None:
        write_new(file, (code + "\n").encode())
        return
    terminal = invocation.terminal
    terminal.note()
    terminal.note("This is the recovery code. It opens the archive when the passphrase is lost:")
    terminal.note()
    terminal.note("    ", Span(code, "strong"))
    terminal.note()
    terminal.note("Write it on paper and keep it safe: it is shown this once and kept nowhere.")
    for _ in range(_TRIES):
        typed = invocation.read_line("Type it here, to be sure that it was written down: ")
        if _bare(typed) == _bare(code):
            return
        terminal.note("That is not the code; look again at what you wrote down.")
    raise UsageError("the recovery code was not confirmed, so nothing was changed", hint="run the command again")


def must_be_able_to_hand_over(invocation: Invocation, *, file: Path | None) -> None:
    """Raise UsageError, before any work, when a recovery code would have nowhere to go."""
    if file is None and not invocation.person_present:
        raise UsageError(
            "a recovery code would be shown, and there is no terminal to show it on",
            hint="name a new file for it: --recovery-file F",
        )
    if file is not None and (file.exists() or file.is_symlink()):
        raise UsageError(f"{file} exists already", hint="name a new file for the recovery code")


def write_new(path: Path, octets: bytes, *, force: bool = False) -> None:
    """Write a file of mode 0600 durably; an existing one is replaced whole with `force`, else left as it is.

    Raises UsageError when the file exists or may not be written, DiskError when the disk refuses. A symbolic link is
    never followed, and only a file or a link is replaced: not a device such as /dev/null, nor a pipe.
    """
    target = path.with_name(f".{path.name[:200]}.{os.getpid()}.part") if force else path
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    if force:
        _must_be_replaceable(path)
    _refusing(path, lambda: _write(target, flags, octets))
    if force:
        try:
            _refusing(path, lambda: target.replace(path))
        except BaseException:
            with suppress(OSError):
                target.unlink(missing_ok=True)
            raise


def _must_be_replaceable(path: Path) -> None:
    try:
        kind = path.lstat().st_mode
    except OSError:  # nothing is there, or writing will say what is wrong
        return
    if not (stat.S_ISREG(kind) or stat.S_ISLNK(kind)):
        raise UsageError(f"{path} is no file that could be replaced", hint="name another file")


def _write(path: Path, flags: int, octets: bytes) -> None:
    number = os.open(path, flags, 0o600)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        raise


def _refusing(path: Path, action: Callable[[], object]) -> None:
    try:
        action()
    except FileExistsError:
        raise UsageError(
            f"{path} exists already", hint="name another file, or use --force where there is one"
        ) from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS):
            raise DiskError(f"cannot write {path}: {error.strerror}", hint="free space or mend the disk") from None
        raise UsageError(
            f"cannot write {path}: {error.strerror}", hint="name a file in a folder that you own"
        ) from None


def _bare(code: str) -> str:
    return "".join(c for c in code.upper() if c.isalnum()).translate(_LOOKALIKES)
