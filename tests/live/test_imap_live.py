"""The IMAP adapter against a real Dovecot."""

from __future__ import annotations

import contextlib
import imaplib
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from archiver.core.ports import Fetched, FetchOutcome, Unfetchable, Vanished
from archiver.errors import LoginRefusedError, MailboxRefusedError
from archiver.imap.faults import ConnectFailedError
from archiver.imap.partials import Partials
from archiver.imap.retry import RetryingSource
from archiver.imap.source import ImapSource
from archiver.model.account import Account, Security
from archiver.model.mailbox import RemoteMailbox, Uid
from tests.fakes.imap_account import INBOX, MemorySpool, octets_of
from tests.live.dovecot import PASSWORD, Authority, Dovecot

ODD = [
    b"Subject: plain\n\nbody\n",
    b"Subject: CRLF\r\n\r\nbody\r\n",
    b"Subject: no end of line\n\nbody",
    b"",
    b"\n",
    b"no header at all",
    b"Subject: 8 bit \xe9\n\n\xff\xfe\x80\n",
    b"Subject: long\n\n" + b"x" * 100_000 + b"\n",
    b"Subject: looks like IMAP\n\n)\n* 1 FETCH (UID 1 BODY[] {3}\nA1 OK done\n{5}\n",
    b"Subject: dots\n\n.\n..\nFrom me\n>From me\n",
]


def account_on(server: Dovecot, user: str, authority: Authority, security: Security = "plaintext") -> Account:
    return Account(
        name=user,
        host="127.0.0.1",
        username=user,
        port=server.imaps if security == "tls" else server.imap,
        security=security,
        ca_file=authority.ca,
        connect_timeout=5.0,
        read_timeout=20.0,
    )


@contextlib.contextmanager
def connected(account: Account) -> Iterator[RetryingSource]:
    partials = Partials(MemorySpool)
    source = RetryingSource(
        lambda: ImapSource(account, new_spool=MemorySpool, resolve_password=lambda _: PASSWORD, partials=partials),
        sleep=lambda _: None,
        random=lambda: 0.0,
        on_close=partials.close,
    )
    try:
        yield source
    finally:
        source.close()


@contextlib.contextmanager
def another_client(server: Dovecot, user: str) -> Iterator[imaplib.IMAP4]:
    with imaplib.IMAP4("127.0.0.1", server.imap, timeout=10) as client:
        client.login(user, PASSWORD)
        yield client


def read_all(source: RetryingSource, mailbox: RemoteMailbox = INBOX) -> list[bytes]:
    source.examine(mailbox)
    entries = list(source.entries(Uid(1)))
    found = {outcome.uid: octets_of(outcome) for outcome in source.fetch(entries)}
    assert set(found) == {entry.uid for entry in entries}
    return [found[uid] for uid in sorted(found)]


@pytest.mark.parametrize("security", ["plaintext", "tls", "starttls"])
def test_octets_arrive_exactly_as_the_server_has_them(
    dovecot: Dovecot, authority: Authority, user: str, security: Security
) -> None:
    expecting = dovecot.deliver(user, [*ODD, *(b"Subject: %d\n\n%d\n" % (n, n) for n in range(1200))])
    with connected(account_on(dovecot, user, authority, security)) as source:
        assert read_all(source) == expecting


def test_big_messages_arrive_whole_and_in_parts(dovecot: Dovecot, authority: Authority, user: str) -> None:
    line = b"0123456789abcdef" * 4 + b"\n"
    expecting = dovecot.deliver(
        user, [b"Subject: %d\n\n" % size + line * (size // len(line)) for size in (100, 6 << 20, 34 << 20)]
    )
    with connected(account_on(dovecot, user, authority)) as source:
        found = read_all(source)
    assert [len(octets) for octets in found] == [len(octets) for octets in expecting]
    assert found == expecting or pytest.fail("octets differ")


def test_flags_are_as_they_were_before(dovecot: Dovecot, authority: Authority, user: str) -> None:
    dovecot.deliver(user, ODD)
    with connected(account_on(dovecot, user, authority)) as source:
        assert len(read_all(source)) == len(ODD)
    with another_client(dovecot, user) as client:
        client.select("INBOX", readonly=True)
        _, unseen = client.search(None, "UNSEEN")
        _, recent = client.search(None, "RECENT")
    assert len(unseen[0].split()) == len(recent[0].split()) == len(ODD)


def test_keywords_and_arrival_are_told(dovecot: Dovecot, authority: Authority, user: str) -> None:
    dovecot.deliver(user, [b"Subject: x\n\nx\n"], flags="FS")
    with connected(account_on(dovecot, user, authority)) as source:
        source.examine(INBOX)
        (entry,) = source.entries(Uid(1))
    assert set(entry.keywords) == {"\\Flagged", "\\Seen"}
    assert entry.received_at == "13-Sep-2020 12:26:40 +0000"


def test_mailboxes_have_names_counters_and_roles(dovecot: Dovecot, authority: Authority, user: str) -> None:
    for name in ("Sent", "Junk", "Klanten &AOkA6A-", "Klanten &AOkA6A-.2024", "R&-D"):
        dovecot.deliver(user, [b"Subject: x\n\nx\n"], name)
    dovecot.deliver(user, [b"Subject: x\n\nx\n"])
    with connected(account_on(dovecot, user, authority)) as source:
        found = {mailbox.display: mailbox for mailbox in source.mailboxes()}
        assert set(found) == {"INBOX", "Sent", "Klanten éè", "Klanten éè/2024", "R&D"}
        assert found["Sent"].special_use == "\\Sent"
        for mailbox in found.values():
            assert mailbox.messages == 1
            assert mailbox.uid_next == 2
            assert mailbox.uid_validity
            assert read_all(source, mailbox) == [b"Subject: x\r\n\r\nx\r\n"]
    with connected(replace(account_on(dovecot, user, authority), mailboxes=("\\Junk", "Klanten*"))) as source:
        assert {mailbox.display for mailbox in source.mailboxes()} == {"Junk", "Klanten éè", "Klanten éè/2024"}


def test_messages_expunged_while_fetching_are_vanished_and_the_others_arrive(
    dovecot: Dovecot, authority: Authority, user: str
) -> None:
    expecting = dovecot.deliver(user, [b"Subject: %d\n\n" % n + b"x\n" * 20_000 for n in range(400)])
    outcomes: dict[int, FetchOutcome] = {}
    octets: dict[int, bytes] = {}
    with connected(account_on(dovecot, user, authority)) as source, another_client(dovecot, user) as client:
        source.examine(INBOX)
        fetching = source.fetch(list(source.entries(Uid(1))))
        for number, outcome in enumerate(fetching):
            outcomes[outcome.uid] = outcome
            if isinstance(outcome, Fetched):
                octets[outcome.uid] = octets_of(outcome)
            if number == 0:
                client.select("INBOX")
                client.uid("STORE", "350:400", "+FLAGS.SILENT", "(\\Deleted)")
                client.expunge()
    assert set(outcomes) == set(range(1, 401))
    gone = {uid for uid, outcome in outcomes.items() if isinstance(outcome, Vanished)}
    assert gone <= set(range(350, 401))
    assert gone
    assert octets == {uid: expecting[uid - 1] for uid in range(1, 401) if uid not in gone}


def test_a_message_that_makes_the_server_drop_the_connection_is_named_and_the_others_arrive(
    dovecot: Dovecot, authority: Authority, user: str
) -> None:
    expecting = dovecot.deliver(user, [b"Subject: %d\n\nbody\n" % n for n in range(30)])
    folder = dovecot.folder(user)
    with connected(account_on(dovecot, user, authority)) as source:
        assert read_all(source) == expecting
    # Maildir++ keeps the size in the file's name; a file shorter than that breaks Dovecot's answer in the middle.
    victim = next(path for part in ("cur", "new") for path in (folder / part).iterdir() if ".M4P1." in path.name)
    base, _, flags = victim.name.partition(":")
    victim.rename(victim.with_name(f"{base},S=1500,W=1600" + (f":{flags}" if flags else "")))
    for cache in folder.glob("dovecot.index*"):
        cache.unlink()
    with connected(account_on(dovecot, user, authority)) as source:
        state = source.examine(INBOX)
        outcomes = {outcome.uid: outcome for outcome in source.fetch(list(source.entries(Uid(1))))}
    assert state.messages == len(outcomes) == 30
    bad = [outcome for outcome in outcomes.values() if isinstance(outcome, Unfetchable)]
    good = [octets_of(outcome) for outcome in outcomes.values() if isinstance(outcome, Fetched)]
    assert len(bad) == 1
    assert set(good) == set(expecting) - {expecting[4]}


def test_a_mailbox_deleted_and_made_again_has_another_uidvalidity(
    dovecot: Dovecot, authority: Authority, user: str
) -> None:
    dovecot.deliver(user, [b"Subject: old\n\nold\n"], "Project")
    project = RemoteMailbox(name=b"Project", display="Project")
    with connected(account_on(dovecot, user, authority)) as source:
        before = source.examine(project)
        with another_client(dovecot, user) as client:
            client.delete("Project")
            client.create("Project")
            client.append("Project", "", "", b"Subject: new\r\n\r\nnew\r\n")
        after = source.examine(project)
        assert after.uid_validity != before.uid_validity
        assert read_all(source, project) == [b"Subject: new\r\n\r\nnew\r\n"]


def test_a_mailbox_that_is_gone_is_refused_and_the_connection_serves_the_next(
    dovecot: Dovecot, authority: Authority, user: str
) -> None:
    expecting = dovecot.deliver(user, ODD[:1])
    with connected(account_on(dovecot, user, authority)) as source:
        with pytest.raises(MailboxRefusedError):
            source.examine(RemoteMailbox(name=b"Nowhere", display="Nowhere"))
        assert read_all(source) == expecting


def test_a_wrong_password_is_refused_once(dovecot: Dovecot, authority: Authority, user: str) -> None:
    source = ImapSource(account_on(dovecot, user, authority), new_spool=MemorySpool, resolve_password=lambda _: "wrong")
    with pytest.raises(LoginRefusedError):
        source.connect()


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("kind", ["expired", "other host", "unknown authority"])
def test_certificates_that_do_not_verify_are_refused(
    dovecot_home: Path, authority: Authority, security: Security, kind: str
) -> None:
    certificate = {
        "expired": authority.expired_certificate,
        "other host": authority.other_host_certificate,
        "unknown authority": authority.certificate,
    }[kind]
    server = Dovecot(dovecot_home / f"{kind[:2]}{security[:2]}", ["a"], authority, certificate=certificate)
    asked: list[Account] = []

    def password(account: Account) -> str:
        asked.append(account)
        return PASSWORD

    try:
        account = account_on(server, "a", authority, security)
        if kind == "unknown authority":
            account = replace(account, ca_file=None)
        with pytest.raises(ConnectFailedError) as caught:
            ImapSource(account, new_spool=MemorySpool, resolve_password=password).connect()
        assert caught.value.permanent
        assert caught.value.hint
        assert asked == []
    finally:
        server.stop()


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_pinned_certificate_stands_in_for_the_authority_and_no_other_does(
    dovecot: Dovecot, authority: Authority, user: str, security: Security
) -> None:
    expecting = dovecot.deliver(user, ODD[:1])
    pinned = replace(
        account_on(dovecot, user, authority, security), ca_file=None, certificate_sha256=authority.sha256.upper()
    )
    with connected(pinned) as source:
        assert read_all(source) == expecting
    wrong = replace(pinned, certificate_sha256="0" * 64)
    with pytest.raises(ConnectFailedError, match="pinned"):
        ImapSource(wrong, new_spool=MemorySpool, resolve_password=lambda _: PASSWORD).connect()
