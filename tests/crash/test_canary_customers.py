"""No word of a customer lies in a file, log or error text: names, addresses, numbers, notes, reasons; after kills too.

The real program does everything it can do with customers full of canary words; then every file below its home, its
archive and its temporary directory is searched, and all it said that nobody asked to see. What the user exports, and
the files he imports, are his own and lie elsewhere.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.canary import Canaries
from tests.crash.program import PASSWORD, Program, cleared, gone, group, kill, set_up
from tests.crash.test_canary_files import LOGGING
from tests.fakes.imap_mailboxes import MailboxServer

USER = "info"
KILLS = int(os.environ.get("ARCHIVER_CANARY_KILLS", "3"))
NAMES = ("Company", "Contact", "Local", "Domain", "Street", "City", "Notes", "Licence", "Reference", "Reason", "Typed")
WORDS = {name: f"Kanarie{name}qzxwv{number:02d}dkjhgf".encode() for number, name in enumerate(NAMES)} | {
    # Numbers as they are kept and as they are shown: the last digits are alike in all of them.
    "VAT number": b"0428759497",
    "VAT number, shown": b"0428.759.497",
    "phone": b"471234567",
    "phone, shown": b"471 23 45 67",
}
HEADER = "reference,name,address,postal_code,city,country,vat,domains,licences,contact,email,phone,mobile,notes\n"


def _word(name: str) -> str:
    return WORDS[name].decode()


def _email() -> str:
    return f"{_word('Local')}@{_word('Domain')}.test"


def _row(reference: str) -> str:
    return (
        f"{reference},{_word('Company')},{_word('Street')} 7,9000,{_word('City')},BE,BE 0428.759.497,"
        f"{_word('Domain')}.test,{_word('Licence')},{_word('Contact')},{_email()},,+32 471 23 45 67,{_word('Notes')}\n"
    )


@pytest.fixture
def server() -> Iterator[MailboxServer]:
    server = MailboxServer((USER,), password=PASSWORD)
    for number in range(60):
        sender = (_email(), f"x@sub.{_word('Domain')}.test", "somebody@else.test")[number % 3]
        server.deliver(
            USER,
            b"INBOX",
            f"Subject: question {number}\r\nFrom: {_word('Contact')} <{sender}>\r\nTo: info@example.test\r\n"
            f"Date: Sat, 1 Mar 2025 09:00:{number:02d} +0000\r\nMessage-ID: <{number}@example.test>\r\n\r\n"
            f"Our licence {_word('Licence')}, our VAT number BE 0428.759.497\r\n".encode(),
        )
    yield server
    server.close()


@pytest.mark.slow
def test_no_word_of_a_customer_is_found_in_any_file_log_or_error_text(tmp_path: Path, server: MailboxServer) -> None:
    home, keep = tmp_path / "home", tmp_path / "keep"
    keep.mkdir()
    program = set_up(home, server.port, (USER,), sync="workers = 2", secrets=keep)
    debugging = Program(home, program.config, program.environ, LOGGING.format(log=str(home / "debug.log")))
    said: list[bytes] = []

    def run(*arguments: str, expect: int | None = 0, shows: bool = True) -> bytes:
        _, out, err = debugging.run(*arguments, expect=expect)
        # What two customers have in common is told to whoever changes one: an answer, as what is printed is.
        told = b"\n".join(line for line in err.splitlines() if not line.startswith(b"careful: "))
        said.append(told if shows else out + err)
        return out

    run("sync")
    reference = _word("Reference")
    table, bad = keep / "customers.csv", keep / "bad.csv"
    table.write_text(HEADER + _row(reference) + _row("K2") + "".join(_row(f"K{n}") for n in range(3, 40)))
    bad.write_text(HEADER + _row("B1").replace("0428.759.497", "0428.759.498"))
    run("customer", "import", str(table), "--dry-run")
    _kills(program, keep, table)
    run("customer", "import", str(table))
    _, out, err = debugging.run("customer", "import", str(bad), expect=2)
    assert b"line 2" in err  # what is wrong with his own file is what the user asks to see
    run("customer", "edit", reference, "--notes", f"{_word('Notes')} again", "--add-domain", f"a{_word('Domain')}.test")
    first, second = (item["id"] for item in json.loads(run("search", "question", "--json", "--limit", "2"))["items"])
    run("link", first, reference, "--why", _word("Reason"))
    run("unlink", second, "K2", "--why", _word("Reason"))
    run("why", first)
    run("link", first, reference, "--undo")
    run("customer", "merge", "K3", "K2", "--yes")
    run("customer", "merge", "--undo", "K3")
    run("customer", "remove", "K4", "--yes")
    run("customer", "find", _word("Company"))
    run("customer", "show", reference)
    run("customer", "export", str(keep / "out.csv"))
    run("history", reference)
    run("unlinked")
    run("ambiguous")
    run("waiting")
    run("relink")
    run("search", f"customer:{reference}")
    run("verify", "--full", shows=False)
    # Mistakes: an error must not repeat what was typed, nor whom it might have meant.
    typed = _word("Typed")
    run("customer", "show", typed, expect=2, shows=False)
    run("history", typed, expect=2, shows=False)
    run("link", first, typed, expect=2, shows=False)
    _, out, err = debugging.run("search", f"customer:{typed}", expect=2)
    # References of near ones are what helps then, and nothing else of them.
    assert Canaries({**WORDS, "Reference": b"not looked for"}).in_octets(out + err) == []
    (home / "machine-key").unlink()
    run("customer", "list", expect=11, shows=False)
    canaries = Canaries(WORDS)
    # The debugger's log is a file of the home too: it was written, and nothing of a customer is in it.
    assert (home / "debug.log").exists()
    assert canaries.in_files([home]) == []
    assert canaries.in_octets(b"\n".join(said)) == []
    assert canaries.in_files([keep]) != [], "the words must be findable where the user keeps them"


def _kills(program: Program, keep: Path, table: Path) -> None:
    """Kill imports and relinking in the middle; the next one makes it whole."""
    pick = random.Random(KILLS)
    for number in range(KILLS):
        arguments = ("relink",) if number % 3 == 2 else ("customer", "import", str(table))
        process = program.start(*arguments)
        with cleared(process):
            time.sleep(0.2 + pick.random() * 0.8)
            for pid in group(process.pid):
                kill(pid)
            assert gone(process.pid)
        canaries = Canaries(WORDS)
        assert canaries.in_files([program.home]) == []
