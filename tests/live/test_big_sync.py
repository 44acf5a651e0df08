"""A whole company's mail from a real Dovecot: byte-exact, complete, once, and nothing on the server changes.

Four accounts, twenty mailboxes, a thousand synthetic messages; `benchmarks/reliability.py` takes five thousand. With
ARCHIVER_CORPUS naming a folder of real mail, that goes through Dovecot and through `archiver import` as well.
"""

from __future__ import annotations

import imaplib
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver import app
from demo.synthetic import messages
from tests.crash.program import Program, nobody, set_up
from tests.live.dovecot import PASSWORD, Dovecot, expected, maildir

ACCOUNTS = ("info", "support", "sales", "office")
MAILBOXES = ("INBOX", "Sent", "Archive.2024", "Klanten &- co", "Opgelost-Termin&AOk-")
COUNT = int(os.environ.get("ARCHIVER_BIG_SYNC", "1000"))

CORPUS = os.environ.get("ARCHIVER_CORPUS")


@pytest.fixture
def own_dovecot(dovecot_home: Path, request: pytest.FixtureRequest) -> Iterator[Dovecot]:
    server = Dovecot(dovecot_home / str(abs(hash(request.node.name)) % 10_000), ACCOUNTS)
    yield server
    server.stop()


def deliver(server: Dovecot, mail: dict[tuple[str, str], list[bytes]]) -> None:
    """Write Maildirs directly; all flags of Maildir are used, so that a changed one would show."""
    for (account, mailbox), octets in mail.items():
        folder = maildir(server.folder(account, mailbox))
        for number, message in enumerate(octets):
            flags = ("", "S", "RS", "F", "FRS")[number % 5]
            (folder / "cur" / f"{1_600_000_000 + number}.M{number}P1.host:2,{flags}").write_bytes(message)
    server._own(server.home)


def on_server(server: Dovecot, account: str) -> dict[tuple[str, int], tuple[bytes, bytes]]:
    """Read with another client what is there: (mailbox, uid) → (octets, flags), without changing it."""
    found: dict[tuple[str, int], tuple[bytes, bytes]] = {}
    client = imaplib.IMAP4("127.0.0.1", server.imap)
    client.login(account, PASSWORD)
    _, listed = client.list()
    for line in listed:
        assert isinstance(line, bytes)
        if b"\\Noselect" in line or b"\\NonExistent" in line:
            continue
        name = line.rpartition(b'"/" ')[2].strip(b'"').decode()
        answer, why = client.select(f'"{name}"', readonly=True)
        assert answer == "OK", (name, why)
        _, answers = client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")
        for head, octets in (each for each in answers if isinstance(each, tuple)):
            uid = re.search(rb"UID (\d+)", head)
            flags = re.search(rb"FLAGS \(([^)]*)\)", head)
            assert uid is not None
            assert flags is not None
            found[name, int(uid[1])] = octets, b" ".join(sorted(set(flags[1].split()) - {b"\\Recent"}))
    client.logout()
    return found


def everything(server: Dovecot) -> dict[tuple[str, str, int], tuple[bytes, bytes]]:
    return {(account, *place): value for account in ACCOUNTS for place, value in on_server(server, account).items()}


def check(program: Program, wanted: dict[tuple[str, str, int], tuple[bytes, bytes]]) -> None:
    """Compare what the archive gives back with what the other client read."""
    contents = program.contents()
    assert set(contents.octets) == {octets for octets, _ in wanted.values()}
    assert set(contents.octets.values()) == {1}
    assert Counter(contents.place_of.values()) == Counter(octets for octets, _ in wanted.values())
    assert sorted((account, uid) for account, _, _, uid in contents.place_of) == sorted(
        (account, uid) for account, _, uid in wanted
    )
    assert contents.found == contents.indexed == len(contents.octets)
    status = program.status()
    assert status.complete
    assert status.pending == 0
    assert program.verify().problems == ()


@pytest.mark.slow
def test_four_accounts_come_in_byte_exact_complete_and_once(own_dovecot: Dovecot, tmp_path: Path) -> None:
    mail: dict[tuple[str, str], list[bytes]] = {}
    for number, each in enumerate(messages(7, COUNT)):
        place = ACCOUNTS[number % 4], MAILBOXES[number // 4 % 5]
        mail.setdefault(place, []).append(each.octets)
    deliver(own_dovecot, mail)
    before = everything(own_dovecot)
    assert len(before) == COUNT
    assert Counter(octets for octets, _ in before.values()) == Counter(
        expected(octets) for each in mail.values() for octets in each
    )
    program = set_up(tmp_path / "home", own_dovecot.imap, ACCOUNTS, password=PASSWORD)
    program.run("sync")
    check(program, before)
    assert len({(status.account, status.mailbox) for status in program.status().accounts}) == 20
    log = own_dovecot.log.read_text().count("\n")

    again = app.sync(program.settings, ask=nobody)
    assert again.exit_code == 0
    assert [(each.new, each.known, each.octets) for each in again.accounts] == [(0, 0, 0)] * 4
    assert sent_bodies(own_dovecot, log) == 0
    assert everything(own_dovecot) == before, "a flag, a UID or a message on the server changed"


def sent_bodies(server: Dovecot, line: int) -> int:
    """Return how many messages Dovecot says that it has sent since that line of its log."""
    lines = server.log.read_text().splitlines()[line:]
    counts = [re.search(r"body_count=(\d+)", each) for each in lines]
    assert any(counts), "Dovecot's log says nothing of what was fetched"
    return sum(int(each[1]) for each in counts if each is not None)


# --- real mail, where this machine has some --------------------------------------------------------------------------

if CORPUS:

    @pytest.mark.slow
    @pytest.mark.timeout(900)
    @pytest.mark.parametrize("name", ["torture", "multilingual"])
    def test_a_corpus_comes_through_dovecot_octet_for_octet(name: str, own_dovecot: Dovecot, tmp_path: Path) -> None:
        files = corpus_files(name)
        deliver(own_dovecot, {(ACCOUNTS[0], "INBOX"): [path.read_bytes() for path in files]})
        wanted = everything(own_dovecot)
        assert len(wanted) == len(files)
        program = set_up(tmp_path / "home", own_dovecot.imap, ACCOUNTS[:1], password=PASSWORD)
        program.run("sync")
        check(program, wanted)

    @pytest.mark.slow
    @pytest.mark.timeout(900)
    @pytest.mark.parametrize("name", ["torture", "multilingual"])
    def test_a_corpus_is_imported_octet_for_octet(name: str, tmp_path: Path) -> None:
        files = corpus_files(name)
        program = set_up(tmp_path / "home", 1, ("info",))
        folder = tmp_path / "eml"
        folder.mkdir()
        for number, path in enumerate(files):
            shutil.copyfile(path, folder / f"{number:05d}.eml")
        program.run("import", str(folder))
        contents = program.contents()
        assert set(contents.octets) == {path.read_bytes() for path in files}
        assert len(contents.places) == len(files)
        assert contents.found == contents.indexed == len(contents.octets)
        assert program.verify().problems == ()

    def corpus_files(name: str) -> list[Path]:
        """Messages of a corpus: every file but those that say what it is; empty ones are no messages."""
        assert CORPUS is not None
        root = Path(CORPUS) / name / "public"
        found = [path for path in sorted(root.rglob("*")) if path.is_file() and path.name != "index.tsv"]
        return [path for path in found if path.stat().st_size]
