"""Passwords from files and commands."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from archiver.errors import ConfigurationError
from archiver.imap.credentials import resolve_password
from archiver.model.account import Account


def with_file(path: Path) -> Account:
    return Account(name="info", host="h", username="u", password_file=path)


def with_command(*code: str) -> Account:
    return Account(name="info", host="h", username="u", password_command=(sys.executable, "-c", *code))


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"secret", "secret"),
        (b"secret\n", "secret"),
        (b"secret\r\n", "secret"),
        (b" with blanks \n", " with blanks "),
        ("wachtwoord-é\n".encode(), "wachtwoord-é"),
    ],
)
def test_a_file_gives_its_content_without_one_line_end(tmp_path: Path, content: bytes, password: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    assert resolve_password(with_file(file)) == password


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"canary\n\n", b"canary\nsecond", b"can\0ary", b"canary\xff", b"c" * 70_000]
)
def test_what_is_no_password_is_refused_without_being_shown(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        resolve_password(with_file(file))
    assert "canary" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_password(with_file(tmp_path / "missing"))
    assert "missing" in str(caught.value.hint)


def test_a_command_gives_its_output_and_sees_no_shell() -> None:
    assert resolve_password(with_command("import sys; print(sys.argv[1])", "$HOME; *")) == "$HOME; *"


@pytest.mark.parametrize(
    "code",
    [
        "import sys; print('canary'); print('canary', file=sys.stderr); sys.exit(3)",
        "print()",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    ],
)
def test_a_command_that_fails_is_told_without_what_it_said(code: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_password(with_command(code))
    out, err = capfd.readouterr()
    assert "canary" not in f"{caught.value} {caught.value.hint} {out} {err}"


def test_a_command_that_hangs_is_ended() -> None:
    with pytest.raises(ConfigurationError, match="longer than"):
        resolve_password(with_command("import time; time.sleep(60)"), timeout=0.3)


def test_a_command_that_does_not_exist_is_told(tmp_path: Path) -> None:
    account = Account(name="info", host="h", username="u", password_command=(str(tmp_path / "nothing"),))
    with pytest.raises(ConfigurationError, match="cannot be run"):
        resolve_password(account)


def test_an_account_without_either_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="no password"):
        resolve_password(Account(name="info", host="h", username="u"))


def test_a_credential_that_only_a_service_gets_is_said_to_be_one() -> None:
    account = Account(name="info", host="h", username="u", password_credential="imap_info")
    with pytest.raises(ConfigurationError, match="systemd gives to its services") as raised:
        resolve_password(account)
    assert "systemctl start" in (raised.value.hint or "")
