"""A real Dovecot behind a line that fails: nothing lost, nothing twice, nothing wrong.

Small here; `benchmarks/reliability.py --only imap` cuts at every few octets and blows many more seeds.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from archiver.model.account import Account
from tests.faults.proxy import Fault, Proxy
from tests.faults.trial import Collection, account_on
from tests.faults.weather import Tally, Weather, account_through, cuts, on_server
from tests.live.dovecot import PASSWORD, Authority, Dovecot

EVERY = int(os.environ.get("ARCHIVER_CUT_EVERY", "2003"))
SEEDS = int(os.environ.get("ARCHIVER_SEEDS", "3"))


def some_mail(server: Dovecot, user: str) -> None:
    for mailbox in ("INBOX", "Sent", "Klanten"):
        server.deliver(
            user,
            [b"Subject: %b %d\n\n" % (mailbox.encode(), number) + b"line\n" * (number * 40) for number in range(4)],
            mailbox,
        )


@pytest.mark.parametrize("tls", [False, True])
def test_a_sync_cut_anywhere_is_completed_by_the_next_one(
    dovecot: Dovecot, authority: Authority, user: str, tls: bool
) -> None:
    some_mail(dovecot, user)
    proxy = Proxy(dovecot.imaps if tls else dovecot.imap)
    account = account_through(proxy, user, authority if tls else None)
    try:
        tally = cuts(
            lambda: Collection(account, password=PASSWORD),
            proxy,
            on_server(dovecot, user),
            ("cut",) if tls else ("reset", "cut"),
            every=EVERY * 2 if tls else EVERY,
        )
    finally:
        proxy.close()
    assert tally.bad == []
    assert tally.runs > 10
    assert tally.exits[20] > 0  # runs that could not get over it by themselves were among them


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_weather_and_other_clients_leave_the_archive_equal_to_the_server(
    dovecot: Dovecot, authority: Authority, seed: int, tmp_path: Path
) -> None:
    tally = Tally()
    user = dovecot.add(f"weather{seed}")
    Weather(dovecot, user, seed, tmp_path, authority if seed % 2 else None).blow(tally, runs=3)
    assert tally.bad == []
    assert tally.messages > 5
    assert sum(tally.faults.values()) >= 3  # one in each run, at least


@pytest.mark.parametrize(
    "injected", [b"* CAPABILITY IMAP4rev1\r\n", b"A1 OK injected\r\n", b"* PREAUTH you are in\r\n", b"* OK x"]
)
def test_row_52_data_injected_behind_a_real_starttls_ends_the_connection_without_a_password(
    dovecot: Dovecot, authority: Authority, user: str, injected: bytes
) -> None:
    some_mail(dovecot, user)

    def inject(data: bytes) -> bytes:
        return data + injected if b"Begin TLS" in data else data

    proxy = Proxy(dovecot.imap, lambda _: Fault(rewrite=inject))
    try:
        collection = Collection(_starttls(proxy, user, authority), password=PASSWORD)
        outcome = collection.run()
        assert (outcome.exit_code, collection.kept()) == (20, {})
        proxy.fault = lambda _: Fault()
        assert collection.run().exit_code == 0
        assert collection.kept() == on_server(dovecot, user)
    finally:
        proxy.close()


def _starttls(proxy: Proxy, user: str, authority: Authority) -> Account:
    return replace(account_on(proxy.port, user), security="starttls", ca_file=authority.ca, connect_timeout=2.0)


def test_row_53_a_wrong_password_reaches_a_real_server_once(dovecot: Dovecot, user: str) -> None:
    some_mail(dovecot, user)
    proxy = Proxy(dovecot.imap)
    try:
        collection = Collection(account_on(proxy.port, user), password=PASSWORD)
        collection.passwords = lambda _: "wrong"
        assert [collection.run().exit_code for _ in range(5)] == [21] * 5
        assert proxy.connections == 1
        collection.passwords = lambda _: PASSWORD
        assert collection.run().exit_code == 0
        assert collection.kept() == on_server(dovecot, user)
    finally:
        proxy.close()
