"""`archiver key`: what is asked, what is said, and what scripts get."""

from __future__ import annotations

import pytest

from tests.cli.harness import Cli
from tests.cli.twin import PASSPHRASE, Keys, Mail, Slot, blob_id


@pytest.fixture
def passphrase(cli: Cli) -> None:
    path = cli.home / "typed"
    path.write_text(PASSPHRASE, encoding="utf-8")
    cli.environ["ARCHIVER_PASSPHRASE_FILE"] = str(path)


def test_the_list_says_how_old_the_keys_are(cli: Cli) -> None:
    out = cli("key", "list").out
    assert "passphrase" in out
    assert "Epoch 2, rotated 2026-03-10 12:00." in out
    cli.twin.key_list = lambda _: Keys((Slot("an", "passphrase"),), epoch=1, rotated=None)  # type: ignore[method-assign, assignment]
    assert "Epoch 1, never rotated." in cli("key", "list").out
    shown = cli("key", "list", "--json").json()
    assert (shown["epoch"], shown["rotated"], shown["total"]) == (1, None, 1)


def test_removing_a_key_says_that_rotating_is_what_ends_it(cli: Cli) -> None:
    ran = cli("key", "remove", "an")
    assert ran.code == 0
    assert "archiver key rotate" in ran.err


@pytest.mark.usefixtures("passphrase")
def test_a_rotation_says_what_it_did_and_what_it_did_not(cli: Cli) -> None:
    cli.twin.locked = True
    ran = cli("key", "rotate")
    assert ran.code == 0
    assert "epoch 3, sealed to 2 keys; 39 MB written anew in 0.7 s" in ran.out
    assert "Still unlocked until" in ran.out
    assert "still open with the old keys" in ran.out
    shown = cli("key", "rotate", "--json").json()
    assert set(shown) == {"epoch", "slots", "octets", "seconds", "session_until"}


def test_nobody_rotates_without_being_asked(cli: Cli) -> None:
    cli.twin.locked = True
    assert cli("key", "rotate").code == 11


@pytest.mark.usefixtures("passphrase")
def test_a_drill_shows_nothing_of_the_message(cli: Cli) -> None:
    cli.twin.mails = [Mail(subject="secret subject")]
    ran = cli("key", "drill")
    assert ran.code == 0
    assert "The archive opens with this recovery code: 12 messages." in ran.out
    assert blob_id(0).hex()[:12] in ran.out
    assert "secret subject" not in ran.out
    shown = cli("key", "drill", "--passphrase", "an", "--message", "abcd", "--json").json()
    assert shown["id"] == blob_id(0).hex()
    assert cli.twin.calls == [f"key drill None None {PASSPHRASE}", f"key drill an abcd {PASSPHRASE}"]


def test_a_drill_asks_for_what_it_is_about(cli: Cli) -> None:
    cli.tty = True
    cli("key", "drill")
    cli("key", "drill", "--passphrase", "an")
    assert [prompt for prompt in cli.prompts if "assphrase" in prompt or "ecovery" in prompt] == [
        "Recovery code: ",
        "Passphrase of an: ",
    ]


def test_an_empty_archive_has_nothing_to_drill_with(cli: Cli) -> None:
    cli.twin.mails = []
    assert "no message to try" in cli("key", "drill").out
    assert cli("key", "drill", "--json").json()["id"] is None


def test_a_machines_key_comes_with_the_commands_that_hand_it_over(cli: Cli) -> None:
    file = cli.home / "host key"
    ran = cli("key", "add", "host", "--machine", "--key-file", str(file))
    assert ran.code == 0
    assert "systemd-creds encrypt --name=archiver-machine" in ran.out
    assert "LoadCredentialEncrypted=archiver-machine" in ran.out
    assert f"'{file}'" in ran.out, "quoted for a shell"
    assert cli.twin.calls == ["key add host machine None host key"]


def test_what_was_put_back_on_purpose_is_accepted_by_name(cli: Cli) -> None:
    ran = cli("key", "accept")
    assert ran.out == "Accepted; these keys open the archive: passphrase, recovery.\n"
