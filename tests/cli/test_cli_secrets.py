"""Passphrases come from files or without echo, recovery codes are confirmed, and neither appears where it must not."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.cli import secrets
from tests.cli.harness import Cli
from tests.cli.twin import CODE, PASSPHRASE, Fresh, Mail, Twin


def typing(code: str = CODE, *secrets: str) -> Callable[[str], str]:
    """A person who types these secrets in turn (or the passphrase) and this code."""
    left = list(secrets)
    return lambda prompt: code if prompt.startswith("Type it") else left.pop(0) if left else PASSPHRASE


def passphrase_file(cli: Cli, octets: bytes = PASSPHRASE.encode() + b"\n") -> Path:
    path = cli.home / "passphrase"
    path.write_bytes(octets)
    return path


def test_without_a_terminal_nobody_is_asked(cli: Cli) -> None:
    cli.app = Twin(locked=True)
    ran = cli("search")
    assert (ran.code, cli.prompts) == (11, [])


def test_on_a_terminal_the_passphrase_is_asked_for(cli: Cli) -> None:
    cli.app, cli.tty, cli.answers = Twin(locked=True, mails=[Mail()]), True, [PASSPHRASE]
    ran = cli("search")
    assert (ran.code, cli.prompts) == (0, ["Passphrase (or recovery code): "])
    assert PASSPHRASE not in ran.out + ran.err


def test_a_passphrase_file_comes_before_the_person(cli: Cli) -> None:
    cli.app, cli.tty = Twin(locked=True), True
    cli.environ["ARCHIVER_PASSPHRASE_FILE"] = str(passphrase_file(cli))
    assert (cli("search").code, cli.prompts) == (0, [])


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_one_line_break_at_the_end_of_the_file_is_not_part_of_the_passphrase(cli: Cli, ending: bytes) -> None:
    cli.app = Twin(locked=True)
    cli.environ["ARCHIVER_PASSPHRASE_FILE"] = str(passphrase_file(cli, PASSPHRASE.encode() + ending))
    assert cli("search").code == 0


def test_a_second_line_break_or_a_blank_is_part_of_the_passphrase(cli: Cli) -> None:
    cli.app = Twin(locked=True)
    for octets in (PASSPHRASE.encode() + b"\n\n", PASSPHRASE.encode() + b" "):
        cli.environ["ARCHIVER_PASSPHRASE_FILE"] = str(passphrase_file(cli, octets))
        assert cli("search").code == 12


def test_a_second_line_is_warned_of_once_and_not_taken_for_a_new_passphrase(cli: Cli) -> None:
    path = passphrase_file(cli, b"correct horse\nbattery staple\n")
    cli.app = Twin(locked=True)
    cli.environ["ARCHIVER_PASSPHRASE_FILE"] = str(path)
    ran = cli("search")
    assert ran.err.count("careful:") == 1
    assert "has more than one line" in ran.err
    assert "horse" not in ran.err
    refused = cli("init", "--passphrase-file", str(path), "--recovery-file", str(cli.home / "recovery"))
    assert (refused.code, cli.twin.calls) == (2, ["open"])
    assert "nobody could type it" in refused.err
    assert not (cli.home / "recovery").exists()


@pytest.mark.parametrize(
    ("file", "owner", "folder", "is_exposed"),
    [
        (0o100600, 1000, 0o755, False),
        (0o100400, 0, 0o700, False),
        (0o100644, 1000, 0o755, True),
        (0o100604, 1000, 0o711, True),
        (0o100644, 1000, 0o700, False),
        (0o100640, 1000, 0o750, True),
        (0o100640, 1000, 0o700, False),
        (0o100644, 1000, 0o750, True),
        (0o100602, 1000, 0o755, True),
        (0o100440, 0, 0o755, False),  # how systemd shows a credential that an access list gives to a user
        (0o100460, 0, 0o755, True),
        (0o010666, 1000, 0o755, False),  # a pipe of the shell
    ],
)
def test_a_file_is_exposed_when_others_get_through_its_folders(
    file: int, owner: int, folder: int, *, is_exposed: bool
) -> None:
    status = os.stat_result((file, 0, 0, 1, owner, owner, 0, 0, 0, 0))
    assert secrets.is_exposed(status, [folder, 0o755]) is is_exposed


def test_a_passphrase_file_that_others_can_get_at_is_warned_of(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    path = passphrase_file(cli)
    path.chmod(0o644)
    cli.app = Twin(locked=True)
    cli.environ["ARCHIVER_PASSPHRASE_FILE"] = str(path)
    for folders, warned in (([0o755], True), ([0o700, 0o755], False)):
        monkeypatch.setattr(secrets, "_folders", lambda _, modes=folders: modes)
        ran = cli("search")
        assert ran.code == 0
        assert (f"chmod 600 {path}" in ran.err) is warned


@pytest.mark.parametrize("octets", [b"", b"\n", b"\xff\xfe", b"x" * 70_000])
def test_a_file_that_cannot_be_a_passphrase_is_refused_without_quoting_it(cli: Cli, octets: bytes) -> None:
    cli.app = Twin(locked=True)
    cli.environ["ARCHIVER_PASSPHRASE_FILE"] = str(passphrase_file(cli, octets))
    ran = cli("search")
    assert ran.code == 2
    assert "xxx" not in ran.err


def test_status_never_waits_for_a_person(cli: Cli) -> None:
    cli.app, cli.tty = Twin(locked=True), True
    assert (cli("status").code, cli.prompts) == (0, [])


def test_init_writes_nothing_until_the_recovery_code_was_typed_back(cli: Cli) -> None:
    cli.tty, cli.answers = True, typing("something else")
    ran = cli("init")
    assert ran.code == 2
    assert "commit" not in cli.twin.calls
    assert len([prompt for prompt in cli.prompts if prompt.startswith("Type it")]) == 3


@pytest.mark.parametrize("typed", [CODE, CODE.lower(), CODE.replace("-", " "), CODE.replace("0", "O"), f" {CODE} "])
def test_a_recovery_code_may_be_typed_back_as_people_write(cli: Cli, typed: str) -> None:
    cli.tty, cli.answers = True, typing(typed)
    assert cli("init").code == 0
    assert cli.twin.calls == [f"prepare {PASSPHRASE}", "commit"]


def test_init_shows_the_recovery_code_to_the_person_and_not_to_a_pipe(cli: Cli) -> None:
    cli.tty, cli.answers = True, typing()
    ran = cli("init")
    assert CODE in ran.err
    assert CODE not in ran.out
    assert PASSPHRASE not in ran.out + ran.err


def test_init_asks_again_when_the_passphrases_differ_or_are_empty(cli: Cli) -> None:
    cli.tty, cli.answers = True, typing(CODE, "one passphrase", "another", "", PASSPHRASE, PASSPHRASE)
    assert cli("init").code == 0
    assert cli.twin.calls[0] == f"prepare {PASSPHRASE}"


def test_init_gives_up_when_the_passphrases_never_agree(cli: Cli) -> None:
    cli.tty, cli.answers = True, typing(CODE, "a", "b", "c", "d", "e", "f")
    assert (cli("init").code, cli.twin.calls) == (2, [])


def test_unattended_init_writes_the_code_to_a_private_new_file(cli: Cli) -> None:
    code = cli.home / "recovery"
    ran = cli("init", "--passphrase-file", str(passphrase_file(cli)), "--recovery-file", str(code))
    assert ran.code == 0
    assert code.read_text(encoding="utf-8") == CODE + "\n"
    assert stat.S_IMODE(code.stat().st_mode) == 0o600
    assert CODE not in ran.out + ran.err


@pytest.mark.parametrize("link", [False, True], ids=["a file", "a dangling link"])
def test_unattended_init_overwrites_nothing(cli: Cli, link: bool) -> None:
    code = cli.home / "recovery"
    code.symlink_to(cli.home / "elsewhere") if link else code.write_text("precious", encoding="utf-8")
    ran = cli("init", "--passphrase-file", str(passphrase_file(cli)), "--recovery-file", str(code))
    assert (ran.code, cli.twin.calls) == (2, [])
    assert not (cli.home / "elsewhere").exists()


def test_a_code_that_opens_nothing_does_not_lie_about(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    code = cli.home / "recovery"

    def fail() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cli.twin, "prepare_archive", lambda *_: Fresh(CODE, "ab" * 16, fail))
    assert cli("init", "--passphrase-file", str(passphrase_file(cli)), "--recovery-file", str(code)).code == 1
    assert not code.exists()


@pytest.mark.parametrize("missing", ["--passphrase-file", "--recovery-file"])
def test_unattended_init_says_which_file_is_missing(cli: Cli, missing: str) -> None:
    files = {"--passphrase-file": str(passphrase_file(cli)), "--recovery-file": str(cli.home / "recovery")}
    del files[missing]
    ran = cli("init", *(word for pair in files.items() for word in pair))
    assert (ran.code, cli.twin.calls) == (2, [])
    assert missing in ran.err


def test_a_new_recovery_key_that_nobody_wrote_down_is_said_to_be_there(cli: Cli) -> None:
    cli.tty, cli.answers = True, typing("wrong")
    ran = cli("key", "add", "safe", "--kind", "recovery")
    assert ran.code == 2
    assert "the key safe is in place" in ran.err
    assert "archiver key remove safe" in ran.err


def test_a_new_recovery_key_whose_code_found_no_room_is_said_to_be_there(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("archiver.cli.secrets.os.fsync", full)
    ran = cli("key", "add", "safe", "--kind", "recovery", "--recovery-file", str(cli.home / "code"))
    assert ran.code == 4
    assert "archiver key remove safe" in ran.err
    assert not (cli.home / "code").exists()


def test_each_kind_of_key_takes_its_own_option(cli: Cli) -> None:
    new = passphrase_file(cli, b"another passphrase\n")
    assert cli("key", "add", "an", "--new-passphrase-file", str(new)).code == 0
    assert cli("key", "add", "host", "--kind", "machine", "--key-file", str(cli.home / "host.key")).code == 0
    assert cli("key", "add", "safe", "--kind", "recovery", "--recovery-file", str(cli.home / "code")).code == 0
    assert cli("key", "add", "x", "--kind", "recovery", "--key-file", "y").code == 2
    assert cli("key", "add", "x", "--kind", "machine").code == 2
    assert cli.twin.calls == [
        "key add an passphrase another passphrase None",
        "key add host machine None host.key",
        "key add safe recovery None None",
    ]


@pytest.mark.parametrize(
    ("text", "seconds"), [("30m", 1_800), ("8h", 28_800), ("1d", 86_400), ("1h30m", 5_400), ("90s", 90)]
)
def test_unlocking_lasts_as_long_as_was_said(cli: Cli, text: str, seconds: int) -> None:
    cli.environ["ARCHIVER_PASSPHRASE_FILE"] = str(passphrase_file(cli))
    assert cli("unlock", "--for", text).code == 0
    assert cli.twin.calls == [f"unlock {seconds}"]


def test_a_system_without_a_kernel_keyring_is_told_as_locked(cli: Cli) -> None:
    cli.app, cli.environ["ARCHIVER_PASSPHRASE_FILE"] = Twin(keeps_keys=False), str(passphrase_file(cli))
    ran = cli("unlock")
    assert (ran.code, ran.out) == (11, "")
    assert "kernel keyring" in ran.err


@pytest.mark.parametrize("text", ["", "8", "h", "0h", "-1h", "8 h", "1y", "367d", "\u0668h"])
def test_a_duration_that_is_none_unlocks_nothing(cli: Cli, text: str) -> None:
    assert (cli("unlock", f"--for={text}").code, cli.twin.calls) == (2, [])
