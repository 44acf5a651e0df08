"""Rows 39 to 44 and 52 to 55 of `rows.py`: servers that say no, and logins."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.fakes.imap_server import Asked, Cut, body, uids_asked
from tests.faults.trial import USER, Trial

BODIES = rb"UID FETCH [0-9:,]+ \(UID BODY"
INBOX_BODIES = rb"UID FETCH 1:5 \(UID BODY"


def first_and(trial: Trial, end: bytes) -> object:
    """Return an answer that gives the first message asked for and then says `end`."""

    def answer(asked: Asked) -> bytes:
        box = trial.server._open[asked.connection].messages
        first = uids_asked(asked)[0]
        return body(first, box[first]) + end

    return answer


LIMITED = [
    b"%T NO [OVERQUOTA] Account exceeded command or bandwidth limits.\r\n",
    b"%T NO [THROTTLED] slow down\r\n",
    b"%T BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n",
]


@pytest.mark.parametrize("answer", LIMITED)
def test_row_39_a_server_that_limits_the_account_rests_and_the_timer_does_not_ask_it(
    trial: Trial, answer: bytes
) -> None:
    trial.imap.on(BODIES, first_and(trial, answer))  # type: ignore[arg-type]
    trial.imap.on(BODIES, answer)
    first = trial.run()
    assert (first.exit_code, first.busy) == (20, True)
    assert sum(trial.waits) <= 330
    before = trial.imap.connections
    for _ in range(5):
        assert trial.run(now=False).exit_code == 20
    assert trial.imap.connections == before
    trial.imap.on(BODIES, trial.server._fetch)
    trial.now += timedelta(hours=7)
    assert trial.run(now=False).exit_code == 0
    assert trial.sound()


def test_row_39_ok_with_throttled_is_no_refusal(trial: Trial) -> None:
    trial.imap.on(
        BODIES, lambda asked: trial.server._fetch(asked).replace(b"%T OK done", b"%T OK [THROTTLED] slow down")
    )
    assert trial.run().exit_code == 0
    assert trial.sound()


def test_row_40_a_suggested_time_is_waited_for_when_it_is_short(trial: Trial) -> None:
    backoff = b"%T BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n"
    trial.imap.on(INBOX_BODIES, backoff, times=1)
    assert trial.run().exit_code == 0
    assert trial.waits == [pytest.approx(92.415)]
    assert trial.sound()


def test_row_40_a_suggested_time_beyond_patience_is_kept_between_runs(trial: Trial) -> None:
    backoff = b"%T BAD Request is throttled. Suggested Backoff Time: 7200000 milliseconds\r\n"
    trial.imap.on(INBOX_BODIES, backoff, times=1)
    assert (trial.run().exit_code, trial.waits) == (20, [])
    trial.now += timedelta(minutes=110)
    assert trial.run(now=False).exit_code == 20
    assert trial.imap.connections == 1
    trial.now += timedelta(minutes=10)
    assert trial.run(now=False).exit_code == 0
    assert trial.sound()


@pytest.mark.parametrize(
    "words", [b"[UNAVAILABLE] later", b"[INUSE] busy", b"[LIMIT] too much", b"Server Unavailable. 15", b"Try again."]
)
@pytest.mark.parametrize("command", [b"LIST", b"EXAMINE", b"UID FETCH", b"LOGIN"])
def test_row_41_a_refusal_that_may_pass_is_tried_again_with_growing_waits(
    trial: Trial, command: bytes, words: bytes
) -> None:
    trial.imap.on(command, b"%T NO " + words + b"\r\n", times=2)
    assert trial.run().exit_code == 0
    assert trial.sound()
    assert len(trial.waits) == 2
    assert 0 < trial.waits[0] < trial.waits[1] < 10


@pytest.mark.parametrize("greeting", [b"* BYE Too many connections from your address\r\n", b"* BYE [UNAVAILABLE]\r\n"])
def test_row_42_too_many_connections_is_waited_for_and_one_is_enough(trial: Trial, greeting: bytes) -> None:
    trial.imap.on(b"LOGIN", b"%T NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded\r\n", times=2)
    assert trial.run().exit_code == 0
    assert trial.sound()
    trial.imap.greeting = Cut(greeting)
    assert trial.run().exit_code == 20
    trial.imap.greeting = b"* OK ready\r\n"
    assert trial.run().exit_code == 0


def test_row_42_never_more_than_one_connection_at_a_time(trial: Trial) -> None:
    trial.run()
    assert trial.imap.connections == 1


def test_row_43_a_mailbox_that_is_refused_holds_up_no_other_and_is_named(trial: Trial) -> None:
    trial.server.mailbox(USER, b"Chats")
    trial.imap.on(b'EXAMINE "?Chats', b"%T NO no such mailbox here\r\n")
    trial.imap.on(b'STATUS "?Chats', b"%T NO no such mailbox here\r\n")
    for _ in range(2):
        outcome = trial.run()
        assert outcome.exit_code == 4
        assert [reason for reason in outcome.incomplete if "Chats" in reason]
    assert sorted(trial.kept().values()) == sorted(trial.on_server().values())
    trial.imap.on(b"EXAMINE", trial.server._examine)
    assert trial.run().exit_code == 0
    assert trial.sound()


@pytest.mark.parametrize("attribute", [b"\\Noselect", b"\\NonExistent", b"\\NOSELECT"])
def test_row_43_a_mailbox_that_cannot_be_selected_is_not_asked_for(trial: Trial, attribute: bytes) -> None:
    trial.imap.on(b"LIST", lambda asked: b'* LIST (%b) "/" "[Gmail]"\r\n' % attribute + trial.server._list(asked))
    assert trial.run().exit_code == 0
    assert trial.sound()
    assert [line for line in trial.imap.commands if b"[Gmail]" in line] == []


@pytest.mark.parametrize("command", [b"LIST", b"EXAMINE", b"LOGIN"])
def test_row_44_authenticated_but_not_connected_is_no_wrong_password(trial: Trial, command: bytes) -> None:
    trial.imap.on(command, b"%T BAD User is authenticated but not connected.\r\n", times=1)
    assert trial.run().exit_code == 0
    assert trial.sound()
    assert trial.store.footing(USER).refused is None


def test_row_52_where_starttls_is_not_offered_or_refused_no_password_is_sent(trial: Trial) -> None:
    trial.account = replace(trial.account, security="starttls")
    assert trial.run().exit_code == 20
    trial.imap.capabilities = b"IMAP4rev1 STARTTLS"
    trial.imap.on(b"STARTTLS", b"%T NO not today\r\n")
    assert trial.run().exit_code == 20
    trial.imap.greeting = b"* PREAUTH welcome\r\n"
    outcome = trial.run()
    assert outcome.exit_code == 20
    assert trial.kept() == {}
    assert trial.said(b"LOGIN|AUTHENTICATE|LIST|EXAMINE") == []


def test_row_53_logindisabled_keeps_the_password_at_home_and_locks_nothing(trial: Trial) -> None:
    trial.imap.capabilities = b"IMAP4rev1 LOGINDISABLED"
    assert trial.run().exit_code == 21
    assert trial.said(b"LOGIN") == []
    trial.imap.capabilities = b"IMAP4rev1"
    assert trial.run().exit_code == 0
    assert trial.sound()


@pytest.mark.parametrize("words", [b"[AUTHENTICATIONFAILED] no", b"Invalid credentials", b"[EXPIRED] password"])
def test_row_53_a_wrong_password_is_sent_once_until_it_changes(trial: Trial, words: bytes) -> None:
    trial.imap.on(b"LOGIN", b"%T NO " + words + b"\r\n")
    for minutes in range(40):
        trial.now += timedelta(minutes=minutes)
        assert trial.run(now=bool(minutes % 2)).exit_code == 21
    assert (trial.imap.connections, len(trial.said(b"LOGIN"))) == (1, 1)
    trial.passwords = lambda _: "another"
    assert trial.run(now=False).exit_code == 21
    assert len(trial.said(b"LOGIN")) == 2
    trial.passwords = lambda _: trial.server.password
    trial.imap.on(b"LOGIN", trial.server._login)
    assert trial.run(now=False).exit_code == 0
    assert trial.sound()


@pytest.mark.parametrize("end", [b"", b"* BYE\r\n", b"* BYE Invalid credentials\r\n", b"\r\n"])
def test_row_53_a_server_that_hangs_up_instead_of_refusing_gets_the_password_twice_in_a_run(
    trial: Trial, end: bytes
) -> None:
    trial.imap.on(b"LOGIN", Cut(end))
    assert trial.run().exit_code == 20
    assert len(trial.said(b"LOGIN")) == 2
    for _ in range(24 * 60 - 1):
        trial.run(now=False)
    # A timer of a minute, a whole day: the rests grow to an hour.
    assert len(trial.said(b"LOGIN")) < 80
    trial.imap.on(b"LOGIN", trial.server._login)
    assert trial.run().exit_code == 0
    assert trial.sound()


def test_row_54_no_other_mechanism_than_plain_is_ever_tried(trial: Trial) -> None:
    trial.imap.capabilities = b"IMAP4rev1 LOGINDISABLED AUTH=OAUTHBEARER AUTH=XOAUTH2"
    assert trial.run().exit_code == 21
    assert trial.said(b"AUTHENTICATE|LOGIN") == []
    trial.imap.capabilities = b"IMAP4rev1 AUTH=OAUTHBEARER AUTH=XOAUTH2"
    assert trial.run().exit_code == 0
    assert trial.said(b"AUTHENTICATE") == []
    assert trial.sound()


def test_row_55_who_asks_is_said_where_the_server_wants_to_know(trial: Trial) -> None:
    trial.imap.capabilities = b"IMAP4rev1 ID"
    known: set[int] = set()

    def introduced(asked: Asked) -> bytes:
        known.add(asked.connection)
        return b"* ID NIL\r\n%T OK done\r\n"

    def strict(asked: Asked) -> bytes:
        return trial.server._examine(asked) if asked.connection in known else b"%T NO unsafe login, say who you are\r\n"

    trial.imap.on(b"ID ", introduced)
    trial.imap.on(b"EXAMINE", strict)
    trial.imap.on(INBOX_BODIES, Cut(b""), times=1)
    assert trial.run().exit_code == 0
    assert trial.sound()
    assert not re.search(rb"info|host|\d", trial.said(b"ID ")[0][3:].replace(b"archiver", b""))
