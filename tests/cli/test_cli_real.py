"""The commands over the real application: a real archive in a temporary folder, with keys that are cheap to derive."""

from __future__ import annotations

import base64
import mailbox
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from archiver import app
from archiver.app.unlocking import require_keys
from archiver.cli.application import Application
from archiver.config import load
from archiver.crypto.kdf import KdfBounds, KdfParameters
from tests.cli.harness import Cli, Ran
from tests.twins.office_files import pdf

PASSPHRASE = "correct horse battery staple"
CANARY = "zwaluwstaartverbinding"
PDF = pdf(["De opzegtermijn bedraagt drie maanden."])
CHEAP = KdfParameters(passes=1, lanes=1, memory_kib=8)
ONE = (
    b"From: An Peeters <an@klant.example>\r\nTo: info@ons.example\r\nSubject: Offerte 2026-014\r\n"
    b"Date: Tue, 3 Mar 2026 12:00:00 +0100\r\nMessage-ID: <a1@klant.example>\r\n\r\n"
    b"Goedendag, graag een offerte voor de " + CANARY.encode() + b".\r\n"
)
TWO = (
    b"From: Support <info@ons.example>\r\nTo: An Peeters <an@klant.example>\r\nSubject: Re: Offerte 2026-014\r\n"
    b"Date: Wed, 4 Mar 2026 09:00:00 +0100\r\nMessage-ID: <b2@ons.example>\r\nIn-Reply-To: <a1@klant.example>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n"
    b"In bijlage de offerte.\r\n\r\n> Goedendag, graag een offerte\r\n--x\r\nContent-Type: application/pdf\r\n"
    b'Content-Disposition: attachment; filename="../offerte.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    + base64.b64encode(PDF)
    + b"\r\n--x--\r\n"
)
HOSTILE = b"From: x@y.example\r\nSubject: \x1b]0;owned\x07 \xff\r\nDate: never\r\n\r\n\x9b31m\x00\r\n"
MESSAGES = {"one.eml": ONE, "two.eml": TWO, "hostile.eml": HOSTILE}


class Cheap:
    """`archiver.app`, with key derivation that takes no time."""

    def __getattr__(self, name: str) -> Any:
        real = getattr(app, name)
        if name == "prepare_archive":
            return partial(real, kdf=CHEAP, bounds=KdfBounds.exactly(CHEAP))
        return real if name in {"lock", "doctor"} else partial(real, bounds=KdfBounds.exactly(CHEAP))


@pytest.fixture
def real(cli: Cli) -> Iterator[Cli]:
    """A command line over a new archive that nobody has unlocked, with the passphrase in a file."""
    cli.app = cast("Application", Cheap())
    (cli.home / "config.toml").write_text(
        '[archive]\npath = "archive"\n[identity]\ndomains = ["ons.example"]\n', encoding="utf-8"
    )
    (cli.home / "passphrase").write_text(PASSPHRASE + "\n", encoding="utf-8")
    cli.environ = {"ARCHIVER_CONFIG": str(cli.home / "config.toml")}
    (cli.home / "mail").mkdir()
    for name, octets in MESSAGES.items():
        (cli.home / "mail" / name).write_bytes(octets)
    ran = cli("init", "--passphrase-file", str(cli.home / "passphrase"), "--recovery-file", str(cli.home / "recovery"))
    assert ran.code == 0, ran.err
    yield cli
    assert cli("lock").code == 0


def unlocked(cli: Cli) -> None:
    cli.environ["ARCHIVER_PASSPHRASE_FILE"] = str(cli.home / "passphrase")


def id_of(cli: Cli, query: str) -> str:
    return str(cli("search", "--json", query).json()["items"][0]["id"])


def test_mail_from_files_is_found_shown_and_threaded(real: Cli) -> None:
    unlocked(real)
    assert real("import", str(real.home / "mail")).code == 0
    found = real("search", "offerte", "from:an").out
    assert "An Peeters <an@klant.example>" in found
    assert "1 message." in found
    reply = id_of(real, "from:support")
    shown = real("show", reply).out
    assert "In bijlage de offerte." in shown
    assert "> Goedendag, graag een offerte" in shown
    assert "defects" not in shown
    assert "in offerte.pdf: De opzegtermijn" in real("search", "opzegtermijnen").out
    assert "2 messages." in real("thread", reply).out
    (found_by_date,) = real("search", "--json", "--since", "2026-03-04", "offerte").json()["items"]
    assert found_by_date["direction"] == "outgoing"


def test_a_machines_key_whose_slot_is_gone_is_told_of_and_the_passphrase_opens(real: Cli) -> None:
    unlocked(real)
    key_file = real.home / "machine"
    assert real("key", "add", "host", "--machine", "--key-file", str(key_file)).code == 0
    assert real("key", "remove", "host").code == 0
    text = (real.home / "config.toml").read_text(encoding="utf-8")
    (real.home / "config.toml").write_text(
        text.replace("[archive]\n", f'[archive]\nmachine_key_file = "{key_file}"\n'), encoding="utf-8"
    )
    ran = real("search", "--json")
    assert (ran.code, ran.json()["total"]) == (0, 0)
    assert ran.err.startswith("careful: the machine's key was passed over: the machine key does not open")
    del real.environ["ARCHIVER_PASSPHRASE_FILE"]
    ran = real("search")
    assert ran.code == 12
    assert "archiver unlock" in ran.err


def test_octets_come_back_exactly_and_parts_too(real: Cli) -> None:
    unlocked(real)
    real("import", str(real.home / "mail"))
    items = real("search", "--json").json()["items"]
    assert {real("show", "--raw", item["id"]).octets for item in items} == set(MESSAGES.values())
    reply = id_of(real, "has:attachment")
    part = next(p for p in real("show", "--json", reply).json()["parts"] if p["filename"])["part"]
    assert real("show", reply, "--part", part).octets == PDF
    assert real("show", reply, "--part", part, "--output", str(real.home)).code == 0
    assert (real.home / "offerte.pdf").read_bytes() == PDF


def test_a_hostile_message_is_kept_listed_and_steers_nothing(real: Cli) -> None:
    unlocked(real)
    real("import", str(real.home / "mail"))
    real.tty, real.environ["NO_COLOR"] = True, "1"
    hostile = id_of(real, "from:y.example")
    for words in (["search"], ["show", hostile], ["show", "--headers", hostile], ["show", "--raw", hostile]):
        ran = real(*words)
        assert ran.code == 0
        assert "\x1b" not in ran.out
        assert "\x9b" not in ran.out


def test_without_a_key_mail_waits_and_reading_is_refused(real: Cli) -> None:
    ran = real("import", str(real.home / "mail"))
    assert (ran.code, "waiting for a key" in ran.out) == (0, True)
    assert real("search").code == 11
    status = real("status", "--json").json()
    assert (status["messages"], status["pending"], status["unlocked"]) == (None, 1, False)
    unlocked(real)
    assert real("search", "--json").json()["total"] == 3
    assert real("status", "--json").json()["pending"] == 0


def test_a_wrong_passphrase_is_12(real: Cli) -> None:
    (real.home / "passphrase").write_text("some other words\n", encoding="utf-8")
    unlocked(real)
    assert real("search").code == 12


def test_the_recovery_code_opens_the_archive_too(real: Cli) -> None:
    real.environ["ARCHIVER_PASSPHRASE_FILE"] = str(real.home / "recovery")
    assert real("search").code == 0


def test_an_archive_is_made_once_and_missed_when_it_is_not_there(real: Cli) -> None:
    again = real(
        "init", "--passphrase-file", str(real.home / "passphrase"), "--recovery-file", str(real.home / "again")
    )
    assert (again.code, (real.home / "again").exists()) == (2, False)
    for command in ("search", "status", "verify", "sync", "reindex", "lock", "unlock"):
        ran = real("--archive", str(real.home / "elsewhere"), command)
        assert ran.code == (3 if command == "sync" else 10), (command, ran.err)


def test_keys_are_added_and_removed(real: Cli) -> None:
    unlocked(real)
    (real.home / "new").write_text("another good passphrase\n", encoding="utf-8")
    assert real("key", "add", "an", "--new-passphrase-file", str(real.home / "new")).code == 0
    names = [slot["name"] for slot in real("key", "list", "--json").json()["items"]]
    assert "an" in names
    real.environ["ARCHIVER_PASSPHRASE_FILE"] = str(real.home / "new")
    assert real("search").code == 0
    assert real("key", "remove", "an").code == 0
    assert real("search").code == 12


def test_a_new_recovery_code_is_typed_back_by_whoever_reads_it(real: Cli) -> None:
    from archiver.crypto import recovery_code

    unlocked(real)
    assert real("key", "add", "safe", "--kind", "recovery", "--recovery-file", str(real.home / "code")).code == 0
    recovery_code.read((real.home / "code").read_text(encoding="utf-8").strip().lower())


def test_verify_is_sound_until_a_byte_is_flipped(real: Cli) -> None:
    unlocked(real)
    real("import", str(real.home / "mail"))
    assert real("verify", "--full", "--json").json()["sound"] is True
    (pack,) = (real.home / "archive" / "packs").rglob("*.pack")
    octets = bytearray(pack.read_bytes())
    octets[-20] ^= 1
    pack.chmod(0o600)
    pack.write_bytes(octets)
    ran = real("verify")
    assert ran.code == 30
    assert pack.stem[:12] in ran.out


def test_the_index_can_always_be_made_anew(real: Cli) -> None:
    unlocked(real)
    real("import", str(real.home / "mail"))
    for file in (real.home / "archive").glob("index.db*"):
        file.unlink()
    assert real("reindex").out == "3 messages indexed.\n"
    assert real("search", "--json", CANARY).json()["total"] == 1


@pytest.mark.parametrize("query", ["(offerte", "form:an", '"offerte', "from:", "since:soon"])
def test_a_mistake_in_a_query_is_placed(real: Cli, query: str) -> None:
    unlocked(real)
    ran = real("search", query)
    assert ran.code == 2
    assert "of the query" in ran.err


def test_dates_as_options_are_anded_to_the_whole_query(real: Cli) -> None:
    unlocked(real)
    real("import", str(real.home / "mail"))

    def total(*words: str) -> Any:
        return real("search", "--json", *words).json()["total"]

    assert total("from:an OR from:support") == 2
    assert total("from:an OR from:support", "--since", "2026-03-04") == 1
    assert total("--until", "2026-03-03", "--since", "2026-03-03") == 1
    assert real("search", "from:an) OR (from:support", "--since", "2026").code == 2
    ran = real("search", "offerte", "--since", "soon")
    assert (ran.code, "--since or --until" in ran.err) == (2, True)


def test_a_server_that_cannot_be_reached_is_20(real: Cli) -> None:
    with (real.home / "config.toml").open("a", encoding="utf-8") as config:
        config.write(
            '[[accounts]]\nname = "info"\nhost = "127.0.0.1"\nport = 1\nsecurity = "plaintext"\n'
            'username = "an"\npassword_file = "passphrase"\n'
        )
    ran: Ran = real("sync", "--collect-only")
    assert ran.code == 20, ran.err
    assert "info: " in ran.err
    assert real("sync", "nobody").code == 2
    assert real("doctor", "--json").code == 4


def test_nothing_that_is_printed_or_kept_outside_holds_mail_or_secrets(real: Cli, tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "box.mbox")
    box.add(ONE)
    box.close()
    unlocked(real)
    said = "".join(
        ran.out + ran.err for ran in (real("import", str(tmp_path / "box.mbox")), real("status"), real("verify"))
    )
    assert CANARY not in said
    assert PASSPHRASE not in said
    kept = b"".join(path.read_bytes() for path in (real.home / "archive").rglob("*") if path.is_file())
    assert CANARY.encode() not in kept


_SEARCHING = """
import sys
from functools import partial
from types import SimpleNamespace
from archiver.crypto.kdf import KdfBounds, KdfParameters
from archiver.crypto.session import UnlockSession

secret, *words = sys.argv[1:]
UnlockSession.read = lambda self: (1, bytes.fromhex(secret))
from archiver import app
from archiver.cli.main import main

bounds = KdfBounds.exactly(KdfParameters(passes=1, lanes=1, memory_kib=8))
code = main(words, application=lambda: SimpleNamespace(open_archive=partial(app.open_archive, bounds=bounds)))
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""
_NEVER = {"rich", "imapclient", "imaplib", "ssl", "email", "socket", "subprocess", "concurrent", "logging", "shutil"}
_NEVER_IN_FULL = {
    "cryptography.hazmat.primitives.kdf", "cryptography.hazmat.primitives.hpke",
    "cryptography.hazmat.primitives.asymmetric", "whoosh.index", "whoosh.analysis", "archiver.core.ports",
    "archiver.core.ingest", "archiver.mail.addresses", "archiver.mail.workers",
}  # fmt: skip


def _loaded_by(cli: Cli, *words: str) -> set[str]:
    """Run a command unlocked, as a process into a pipe; return the modules that it had loaded at its end."""
    settings = load(None, {**cli.environ, "HOME": str(cli.home)})
    secret = require_keys(settings, ask=lambda: PASSPHRASE, bounds=KdfBounds.exactly(CHEAP)).secret
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _SEARCHING, secret.export().hex(), *words],
        capture_output=True, text=True, check=False, timeout=120, encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", "ARCHIVER_CONFIG": cli.environ["ARCHIVER_CONFIG"]},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "offerte" in done.stdout
    return set(done.stderr.split())


def test_a_search_and_show_load_nothing_that_reading_does_not_need(real: Cli) -> None:
    unlocked(real)
    assert real("import", str(real.home / "mail")).code == 0
    shown = id_of(real, "from:an")
    in_preview = _loaded_by(real, "search", "offerte from:an")
    in_message = _loaded_by(real, "search", "from:support goedendag")
    for loaded in (in_preview, in_message, _loaded_by(real, "show", shown)):
        assert "archiver.store.catalogue" in loaded
        assert not _NEVER & loaded
        assert not _NEVER_IN_FULL & loaded
        assert not {name for name in loaded if name.startswith("mailparser")}
    # Where the preview shows the hit, no message is opened; where it does not, one is, or this proves nothing.
    assert "archiver.mail.body" not in in_preview
    assert "archiver.mail.body" in in_message
