"""Connecting and logging in: what is refused, what is translated, and what never leaves the process."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from archiver.errors import ConfigurationError, LoginRefusedError, ServerUnreachableError
from archiver.imap import wire as wire_module
from archiver.imap.faults import ConnectFailedError, ConnectionBrokenError, ThrottledError, TransientRefusalError
from archiver.imap.session import Session, connect
from archiver.model.account import Account
from tests.fakes.imap_account import INBOX, PASSWORD, entry, local_account, octets_of, source_on
from tests.fakes.imap_server import Cut, FakeImapServer, Silence, body


@pytest.fixture
def server() -> Iterator[FakeImapServer]:
    fake = FakeImapServer(exists=1)
    yield fake
    fake.close()


def session_on(account: Account, password: str = PASSWORD) -> Session:
    return connect(account, resolve_password=lambda _: password, monotonic=lambda: 0.0)


def test_login_quotes_user_name_and_password(server: FakeImapServer) -> None:
    account = replace(local_account(server.port), username='in "fo\\')
    session_on(account, 'pass "word\\').close()
    assert server.said(b"LOGIN") == [b'LOGIN "in \\"fo\\\\" "pass \\"word\\\\"']


def test_a_password_outside_ascii_goes_by_plain(server: FakeImapServer) -> None:
    server.capabilities = b"IMAP4rev1 AUTH=PLAIN"
    session_on(local_account(server.port), "wachtwoord-é").close()
    (said,) = server.said(b"AUTHENTICATE PLAIN")
    import base64

    assert base64.b64decode(said.split(b" ")[2]) == "\0info@example.org\0wachtwoord-é".encode()


def test_a_password_outside_ascii_without_plain_is_refused_in_words(server: FakeImapServer) -> None:
    with pytest.raises(LoginRefusedError, match="ASCII"):
        session_on(local_account(server.port), "wachtwoord-é")


def test_logindisabled_keeps_the_password_at_home(server: FakeImapServer) -> None:
    server.capabilities = b"IMAP4rev1 LOGINDISABLED"
    with pytest.raises(LoginRefusedError):
        session_on(local_account(server.port))
    assert server.said(b"LOGIN") == server.said(b"AUTH") == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"%T NO [AUTHENTICATIONFAILED] no\r\n", LoginRefusedError),
        (b"%T NO invalid user or password\r\n", LoginRefusedError),
        (b"%T BAD no\r\n", LoginRefusedError),
        (b"%T NO [UNAVAILABLE] Maximum number of connections exceeded\r\n", TransientRefusalError),
        (b"%T NO [INUSE] later\r\n", TransientRefusalError),
        (b"%T NO User is authenticated but not connected.\r\n", TransientRefusalError),
        (b"%T NO [THROTTLED] later\r\n", ThrottledError),
        (Cut(b""), ConnectFailedError),
        (Cut(b"* BYE shutting down\r\n"), ServerUnreachableError),
    ],
)
def test_a_refused_login_is_final_and_a_busy_server_is_not(
    server: FakeImapServer, answer: bytes, expected: type[Exception]
) -> None:
    server.on(b"LOGIN", answer)
    with pytest.raises(expected):
        session_on(local_account(server.port))


def test_a_server_that_repeats_the_password_does_not_get_it_into_an_error(server: FakeImapServer) -> None:
    server.on(b"LOGIN", lambda asked: b"%T BAD what is " + asked.line + b"\r\n")
    with pytest.raises(LoginRefusedError) as caught:
        session_on(local_account(server.port))
    shown = f"{caught.value} {caught.value.hint} {caught.value.__cause__} {caught.value.__suppress_context__}"
    assert PASSWORD not in shown
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "greeting", [b"* BYE Too many connections\r\n", Cut(b"* BYE\r\n"), b"* BYE [UNAVAILABLE] later\r\n"]
)
def test_a_greeting_of_bye_may_pass(server: FakeImapServer, greeting: bytes) -> None:
    server.greeting = greeting
    with pytest.raises(ServerUnreachableError) as caught:
        session_on(local_account(server.port))
    assert not (isinstance(caught.value, ConnectFailedError) and caught.value.permanent)


@pytest.mark.parametrize("greeting", [b"220 mail ESMTP\r\n", b"SSH-2.0\r\n", Cut(b""), b"* OK {99999999999}\r\n"])
def test_something_else_than_an_imap_server_is_told_as_such(server: FakeImapServer, greeting: bytes) -> None:
    server.greeting = Cut(greeting)
    with pytest.raises(ServerUnreachableError):
        session_on(replace(local_account(server.port), read_timeout=0.3, connect_timeout=0.3))


def test_a_closed_port_is_unreachable_with_a_hint() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # so that it is nobody else's, nor by chance this client's own; nobody listens
        account = local_account(closed.getsockname()[1])
        with pytest.raises(ConnectFailedError, match="cannot be reached") as caught:
            session_on(account)
    assert caught.value.hint


def test_a_server_that_never_greets_is_given_up(server: FakeImapServer) -> None:
    server.greeting = Silence(b"")
    with pytest.raises(ServerUnreachableError):
        session_on(replace(local_account(server.port), read_timeout=0.2))


def test_a_greeting_that_drips_is_given_up_although_no_single_read_times_out() -> None:
    class Dripping:
        """A socket that gives one byte a call; each takes 50 seconds of the clock below."""

        def gettimeout(self) -> float:
            return 60.0

        def settimeout(self, seconds: float) -> None:
            return None

        def recv(self, size: int) -> bytes:
            clock[0] += 50.0
            return b"*"

    clock = [0.0]
    dripped = wire_module.Wire.__new__(wire_module.Wire)
    dripped._account = replace(local_account(1), read_timeout=60.0)
    dripped._monotonic = lambda: clock[0]
    dripped._received = lambda _: None
    dripped._buffer, dripped._at, dripped._buffered_for = b"", 0, None
    dripped.sock = Dripping()  # type: ignore[assignment]
    dripped.grant(200.0)
    with pytest.raises(ConnectionBrokenError, match="too slowly"):
        dripped.readline()
    assert clock[0] == 200.0


def test_plaintext_to_another_machine_is_a_configuration_error(server: FakeImapServer) -> None:
    class Elsewhere:
        def getpeername(self) -> tuple[str, int]:
            return ("192.0.2.7", 143)

    account = local_account(server.port)
    with pytest.raises(ConfigurationError):
        wire_module._refuse_plaintext_to_others(Elsewhere(), account)  # type: ignore[arg-type]
    wire_module._refuse_plaintext_to_others(Elsewhere(), replace(account, allow_plaintext=True))  # type: ignore[arg-type]


@pytest.mark.parametrize("peer", [("127.0.0.1", 1), ("127.8.8.8", 1), ("::1", 1, 0, 0), ("::ffff:127.0.0.1", 1, 0, 0)])
def test_plaintext_to_this_machine_is_allowed_under_any_of_its_addresses(peer: tuple[object, ...]) -> None:
    class Here:
        def getpeername(self) -> tuple[object, ...]:
            return peer

    wire_module._refuse_plaintext_to_others(Here(), local_account(1))  # type: ignore[arg-type]


def test_where_starttls_is_no_longer_offered_no_password_is_sent(server: FakeImapServer) -> None:
    with pytest.raises(ConnectFailedError, match="does not offer STARTTLS") as caught:
        session_on(replace(local_account(server.port), security="starttls"))
    assert caught.value.permanent
    assert server.said(b"LOGIN") == []


def test_a_preauthenticated_greeting_does_not_get_around_starttls(server: FakeImapServer) -> None:
    server.greeting = b"* PREAUTH welcome\r\n"
    server.capabilities = b"IMAP4rev1 STARTTLS"
    with pytest.raises(ConnectFailedError):
        session_on(replace(local_account(server.port), security="starttls"))
    assert server.said(b"LOGIN") == []


def test_a_preauthenticated_connection_needs_no_password(server: FakeImapServer) -> None:
    server.greeting = b"* PREAUTH welcome\r\n"

    def no_password(account: Account) -> str:
        raise AssertionError(account)

    connect(local_account(server.port), resolve_password=no_password, monotonic=lambda: 0.0).close()


@pytest.mark.parametrize("answer", [b"%T NO not now\r\n", b"%T BAD what\r\n", Cut(b"%T OK go\r\n")])
def test_starttls_that_fails_sends_no_password(server: FakeImapServer, answer: bytes) -> None:
    server.capabilities = b"IMAP4rev1 STARTTLS"
    server.on(b"STARTTLS", answer)
    with pytest.raises(ServerUnreachableError):
        session_on(replace(local_account(server.port), security="starttls"))
    assert server.said(b"LOGIN") == []


def test_data_sent_in_the_clear_behind_starttls_is_never_read_as_if_it_had_come_through_tls() -> None:
    injected = wire_module.Wire.__new__(wire_module.Wire)
    injected._buffer, injected._at = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", 0
    injected._buffered_for = object()
    injected.sock = object()  # type: ignore[assignment]
    with pytest.raises(ConnectFailedError, match="in the clear") as caught:
        injected.readline()
    assert caught.value.permanent
    with pytest.raises(ConnectFailedError):
        injected.read(5)


def test_tls_against_a_plaintext_port_says_what_to_check(server: FakeImapServer) -> None:
    with pytest.raises(ConnectFailedError) as caught:
        session_on(replace(local_account(server.port), security="tls"))
    assert caught.value.hint is not None
    assert "993" in caught.value.hint


def test_a_ca_file_that_is_none_is_a_configuration_error(server: FakeImapServer, tmp_path: Path) -> None:
    bad = tmp_path / "ca.pem"
    bad.write_text("no certificate")
    for path in (bad, tmp_path / "missing.pem"):
        with pytest.raises(ConfigurationError, match="ca_file"):
            session_on(replace(local_account(server.port), security="tls", ca_file=path))


@pytest.mark.parametrize(
    "failure", [ValueError, UnicodeError, OverflowError, IndexError, MemoryError, ssl.SSLError, OSError]
)
def test_whatever_imapclient_lets_out_becomes_our_error(
    server: FakeImapServer, failure: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise failure("canary-text")

    monkeypatch.setattr("imapclient.IMAPClient.login", fail)
    with pytest.raises(ServerUnreachableError) as caught:
        session_on(local_account(server.port))
    assert "canary" not in f"{caught.value} {caught.value.hint}"


def test_no_log_ever_holds_mail_names_or_passwords_also_at_debug(
    server: FakeImapServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("imapclient", "imapclient.imapclient", "imapclient.imaplib", "imaplib"):
        caplog.set_level(logging.DEBUG, logger=name)
    server.capabilities = b"IMAP4rev1 ID AUTH=PLAIN"
    server.on(b"LIST", b'* LIST () "/" canary-name\r\n%T OK canary-done\r\n')
    server.on(b"UID FETCH", body(1, b"Subject: canary-subject\r\n\r\ncanary-body\r\n") + b"%T OK canary\r\n")
    for password in ("canary-password", "canary-wachtwoord-é"):
        source = source_on(local_account(server.port), password=password)
        source.mailboxes()
        source.examine(INBOX)
        for outcome in source.fetch([entry(1)]):
            assert b"canary" in octets_of(outcome)
        source.close()
    server.on(b"(LOGIN|AUTH)", b"%T NO canary-refused\r\n")
    with pytest.raises(LoginRefusedError):
        source_on(local_account(server.port), password="canary-password").connect()
    out, err = capfd.readouterr()
    assert "canary" not in caplog.text + out + err
    # The loggers are on, and would have told: this is what they say otherwise.
    assert "Connected to host" in caplog.text


def test_closing_says_logout_and_does_not_wait_for_the_answer(server: FakeImapServer) -> None:
    server.on(b"LOGOUT", Silence(b""))
    session_on(local_account(server.port)).close()
    server.close()
    assert server.said(b"LOGOUT")
