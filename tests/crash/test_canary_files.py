"""No word of mail, no name of a mailbox, no query and no secret lies in any file, log or error text, also after kills.

The real program does everything it can do with mail full of canary words; then every file below its home, its archive
and its temporary directory is searched, and all it said that nobody asked to see.
"""

from __future__ import annotations

import base64
import os
import random
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.canary import Canaries
from tests.crash.program import Program, cleared, gone, group, kill, set_up
from tests.fakes.imap_mailboxes import MailboxServer
from tests.twins.office_files import docx, zipped

USER = "info"
KILLS = int(os.environ.get("ARCHIVER_CANARY_KILLS", "3"))
WORDS = {
    name: b"Kanarie" + name.encode() + b"qzxwv%02dkjhgf" % number
    for number, name in enumerate(
        [
            "Subject",
            "Body",
            "Local",
            "Domain",
            "Attachment",
            "Filename",
            "Html",
            "Large",
            "Broken",
            "Import",
            "Password",
            "Passphrase",
            "Mailbox",
            "Query",
            "Office",
            "Member",
            "Name",
            "Saved",
        ]
    )
}
LOGGING = "import logging; logging.basicConfig(level=1, filename={log!r}); "
BASE64 = base64.b64encode


def _word(name: str) -> str:
    return WORDS[name].decode()


def _mails() -> Iterator[bytes]:
    """Mail of every kind that goes a way of its own: parts, HTML, no MIME at all, broken, larger than one record."""
    head = (
        f"Subject: about {_word('Subject')}\r\nFrom: {_word('Local')}@{_word('Domain')}.test\r\n"
        "To: info@example.test\r\nDate: Sat, 1 Mar 2025 09:00:00 +0000\r\nMessage-ID: <%d@example.test>\r\n"
    )
    yield (head % 1 + f"\r\nthe body says {_word('Body')}\r\n").encode()
    attachment = BASE64(b"a file with " + WORDS["Attachment"]).decode()
    yield (
        head
        % 2
        + "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"
        f"<p>html with <b>{_word('Html')}</b></p>\r\n--b\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Type: text/plain\r\nContent-Disposition: attachment; filename={_word('Filename')}.txt\r\n\r\n"
        f"{attachment}\r\n--b--\r\n"
    ).encode()
    packed = zipped({f"{_word('Member')}/contract.docx": docx([f"the contract says {_word('Office')}"])})
    yield (
        head % 4 + "MIME-Version: 1.0\r\nContent-Type: application/zip; name=all.zip\r\n"
        "Content-Disposition: attachment; filename=all.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    ).encode() + BASE64(packed)
    broken = WORDS["Broken"]
    yield b"Subject: =?none?Q?" + broken + b"?=\r\nDate: " + broken + b"\r\nContent-Type: text/plain; charset=" + broken
    yield b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n" * 300 + broken + b"\xff\xfe\x00\r\n"
    yield broken * 3
    yield (head % 3 + "\r\n").encode() + (WORDS["Large"] + b" stroke after stroke\r\n") * 210_000  # 9 MB


@pytest.fixture
def server() -> Iterator[MailboxServer]:
    server = MailboxServer((USER,), password=_word("Password"))
    for mail in _mails():
        server.deliver(USER, b"INBOX", mail)
        server.deliver(USER, WORDS["Mailbox"], mail + b"\r\nonce more")
    yield server
    server.close()


@pytest.mark.slow
def test_no_canary_is_found_in_any_file_log_or_error_text(tmp_path: Path, server: MailboxServer) -> None:
    home, keep = tmp_path / "home", tmp_path / "secrets"
    keep.mkdir()
    program = set_up(
        home,
        server.port,
        (USER,),
        sync="workers = 2\nparse_seconds = 5.0",
        passphrase=_word("Passphrase"),
        password=_word("Password"),
        secrets=keep,
    )
    said: list[bytes] = []

    def run(
        *arguments: str, expect: int | None = 0, shows: bool = False, environ: dict[str, str] | None = None
    ) -> None:
        _, out, err = program.run(*arguments, expect=expect, environ=environ)
        said.append(err if shows else out + err)

    _kills(program, server)
    debugging = Program(home, program.config, program.environ, LOGGING.format(log=str(home / "debug.log")))
    server.deliver(USER, b"INBOX", b"Subject: " + WORDS["Subject"] + b"\r\n\r\nfor the log")
    _, out, err = debugging.run("sync", "--collect-only")
    said.append(out + err)
    run("sync")
    imported = keep / "in.eml"
    imported.write_bytes(b"Subject: in\r\n\r\n" + WORDS["Import"])
    run("import", str(imported), shows=True)
    run("search", _word("Query"), shows=True)
    run("search", f"subject:({_word('Query')}", expect=2)
    run("search", f"{_word('Query')}:x", expect=None, shows=True)
    run("search", "--limit", "3", _word("Body"), "--json", shows=True)
    run("search", "--limit", "3", _word("Office"), "--json", shows=True)
    run("search", "--facets", _word("Office"), shows=True)
    run("search", "--save", _word("Name"), f"subject:{_word('Saved')}", "--json", shows=True)
    run("search", "--save", _word("Name"), f"subject:{_word('Saved')} OR", "--json", expect=2)
    run("search", f"saved:{_word('Name')}", shows=True)
    run("saved", shows=True)
    run("search", f"saved:x{_word('Query')[::-1]}", expect=2)
    run("show", _first(program, _word("Subject")), shows=True)
    run("show", _word("Query"), expect=2)
    run("search", "--sort", "relevance", "--threads", f"{_word('Office')[:-1]}x~", shows=True)
    run("search", "--open", _word("Member"), shows=True)
    run("search", f"type:{_word('Query')}", expect=2)
    run("search", f"*{_word('Query')[:3]}*x {_word('Query')}~9", expect=None)
    with_html, packed = (_first(program, _word(name)) for name in ("Html", "Office"))
    page, part = keep / "page.html", keep / "part"
    run("show", with_html, "--html", "--output", str(page), shows=True)
    run("show", with_html, "--html", "--output", str(page), expect=None)
    run("show", packed, "--part", "1", "--output", str(part), shows=True)
    assert WORDS["Html"] in page.read_bytes()
    assert part.read_bytes().startswith(b"PK")
    run("status", shows=True)
    run("verify", "--full")
    run("reindex")
    run("doctor", expect=None, shows=True)
    wrong = keep / "wrong"
    wrong.write_bytes(WORDS["Query"])
    wrong.chmod(0o600)
    (home / "machine-key").unlink()
    run("status", shows=True)
    run("search", _word("Body"), expect=12, environ={"ARCHIVER_PASSPHRASE_FILE": str(wrong)})
    server.imap.on(rb"LOGIN", b"%T NO [AUTHENTICATIONFAILED] wrong password " + WORDS["Password"] + b"\r\n")
    run("sync", "--collect-only", expect=21)
    (home / "password").unlink(missing_ok=True)
    recovery = (keep / "recovery").read_bytes().strip()
    canaries = Canaries({**WORDS, "recovery code": recovery, "recovery digits": recovery.replace(b"-", b"")})
    assert canaries.in_files([home]) == []
    assert canaries.in_octets(b"\n".join(said)) == []


COMMANDS = (
    ("sync",),
    ("reindex",),
    ("search", "--save", _word("Name"), _word("Saved")),
    ("sync",),
    ("search", "--facets", _word("Office")),
    ("search", "--open", _word("Html")),
)


def _kills(program: Program, server: MailboxServer) -> None:
    """Kill runs in the middle, the first of them with everything still to come."""
    pick = random.Random(KILLS)
    for number in range(KILLS):
        server.deliver(USER, b"INBOX", b"Subject: " + WORDS["Subject"] + b"\r\n\r\nkill %d" % number)
        before = server.bodies
        command = COMMANDS[number % len(COMMANDS)]
        process = program.start(*command)
        with cleared(process):
            while command == COMMANDS[0] and server.bodies == before and process.poll() is None:
                time.sleep(0.01)
            time.sleep(pick.random() * 0.5)
            for pid in group(process.pid):
                kill(pid)
            assert gone(process.pid)


def _first(program: Program, query: str) -> str:
    import json

    _, out, _ = program.run("search", "--json", query)
    return str(json.loads(out)["items"][0]["id"])


@pytest.mark.parametrize(
    "hidden",
    [
        WORDS["Body"],
        WORDS["Body"].decode().encode("utf-16-le"),
        WORDS["Body"].hex().encode(),
        *(BASE64(b"0123456789"[:shift] + WORDS["Body"] + b"rest") for shift in range(4)),
        b"\x00\x78\x9c\x00" + zlib.compress(b"many words, one of them " + WORDS["Body"]),
    ],
)
def test_the_search_finds_a_word_in_every_form(tmp_path: Path, hidden: bytes) -> None:
    """The search itself can find: without this, 0 found would mean nothing."""
    (tmp_path / "file").write_bytes(os.urandom(5000) + hidden + os.urandom(5000))
    assert Canaries(WORDS).in_files([tmp_path]) != []
