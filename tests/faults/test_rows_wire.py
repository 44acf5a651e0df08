"""Rows 31, 51 and 52 of `rows.py`, and every damage the proxy can do: what a network does, with and without TLS."""

from __future__ import annotations

import os
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

from archiver.imap import reader
from tests.fakes.imap_server import FakeImapServer
from tests.faults.proxy import Fault, Proxy, Way
from tests.faults.trial import Collection, Trial
from tests.faults.weather import cuts
from tests.live.authority import make_authority
from tests.live.dovecot import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("other-ca"))


@pytest.fixture
def proxies() -> Iterator[list[Proxy]]:
    opened: list[Proxy] = []
    yield opened
    for proxy in opened:
        proxy.close()


def server_side(authority: Authority, certificate: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate or authority.certificate, authority.key)
    return context


def through(trial: Trial, proxy: Proxy, opened: list[Proxy], authority: Authority | None = None) -> Proxy:
    """Send the trial's account through the proxy, over TLS when there is an authority."""
    opened.append(proxy)
    trial.account = replace(
        trial.account,
        port=proxy.port,
        security="plaintext" if authority is None else "tls",
        ca_file=None if authority is None else authority.ca,
    )
    return proxy


def test_row_31_octets_that_drip_are_given_up_although_no_read_times_out(
    trial: Trial, proxies: list[Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "BASE_PATIENCE", 0.3)

    def drip_once(number: int) -> Fault:
        # The greeting and the login pass; then an octet each 20 ms, where 5 s between two would be no timeout.
        return Fault("drip", at=250, seconds=0.02) if number == 1 else Fault()

    through(trial, Proxy(trial.server.port, drip_once), proxies)
    assert trial.run().exit_code == 0
    assert trial.sound()
    assert trial.imap.connections == 2


@pytest.mark.parametrize("which", ["expired", "other host", "unknown authority", "self-signed"])
def test_row_51_a_certificate_that_does_not_verify_gets_no_password_and_is_not_asked_again_and_again(
    trial: Trial, proxies: list[Proxy], authority: Authority, stranger: Authority, which: str
) -> None:
    certificates = {"expired": authority.expired_certificate, "other host": authority.other_host_certificate}
    shown = server_side(authority, certificates.get(which))
    if which == "self-signed":
        shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        shown.load_cert_chain(*_self_signed(authority))
    proxy = through(trial, Proxy(trial.server.port, tls=shown), proxies, authority)
    if which == "unknown authority":
        trial.account = replace(trial.account, ca_file=stranger.ca)
    outcome = trial.run()
    assert outcome.exit_code == 20
    assert "does not verify" in (outcome.problem or "")
    assert outcome.hint is not None
    assert (proxy.connections, trial.imap.commands) == (1, [])
    for _ in range(10):
        trial.run(now=False)
    # Ten minutes, a run each: the second failure in a row brings a rest, each later one a longer rest.
    assert proxy.connections == 4


def _self_signed(authority: Authority) -> tuple[Path, Path]:
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import NameOID

    key = serialization.load_pem_private_key(authority.key.read_bytes(), None)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())  # type: ignore[arg-type]
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())  # type: ignore[arg-type]
    )
    path = authority.key.with_name("self-signed.pem")
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path, authority.key


def test_row_51_a_pin_is_the_only_exception_and_holds_for_one_certificate(
    trial: Trial, proxies: list[Proxy], authority: Authority, stranger: Authority
) -> None:
    through(trial, Proxy(trial.server.port, tls=server_side(authority)), proxies, authority)
    trial.account = replace(trial.account, ca_file=None, certificate_sha256=stranger.sha256)
    assert trial.run().exit_code == 20
    assert trial.imap.commands == []
    trial.account = replace(trial.account, certificate_sha256=authority.sha256)
    assert trial.run().exit_code == 0
    assert trial.sound()


def test_row_51_tls_older_than_1_2_is_refused(trial: Trial, proxies: list[Proxy], authority: Authority) -> None:
    old = server_side(authority)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    through(trial, Proxy(trial.server.port, tls=old), proxies, authority)
    assert trial.run().exit_code == 20
    assert trial.imap.commands == []


def test_row_52_starttls_taken_out_of_the_capabilities_is_missed(trial: Trial, proxies: list[Proxy]) -> None:
    trial.imap.capabilities = b"IMAP4rev1 STARTTLS"

    def stripped(data: bytes) -> bytes:
        return data.replace(b" STARTTLS", b" XTARTTLS")

    through(trial, Proxy(trial.server.port, lambda _: Fault(rewrite=stripped)), proxies)
    trial.account = replace(trial.account, security="starttls")
    outcome = trial.run()
    assert (outcome.exit_code, outcome.problem) == (
        20,
        f"127.0.0.1 port {trial.account.port} does not offer STARTTLS",
    )
    assert trial.said(b"LOGIN|AUTHENTICATE") == []


@pytest.mark.parametrize(
    "injected", [b"* CAPABILITY IMAP4rev1\r\n", b"A1 OK injected\r\n", b"* PREAUTH you are in\r\n", b"* OK x"]
)
def test_row_52_what_is_injected_in_the_clear_behind_starttls_is_never_read(
    trial: Trial, proxies: list[Proxy], injected: bytes
) -> None:
    server = FakeImapServer(capabilities=b"IMAP4rev1 STARTTLS")
    server.on(b"STARTTLS", b"%T OK begin\r\n" + injected)
    try:
        through(trial, Proxy(server.port), proxies)
        trial.account = replace(trial.account, security="starttls", connect_timeout=0.2, read_timeout=0.2)
        assert trial.run().exit_code == 20
        assert server.said(b"LOGIN|AUTHENTICATE|LIST") == []
    finally:
        server.close()


DAMAGE = [
    Fault("cut"),
    Fault("reset"),
    Fault("inject", octets=b"* 1 FETCH (UID 1 BODY[] {3}\r\nbad)\r\n"),
    Fault("inject", octets=b"* BYE go away\r\n"),
    Fault("inject", octets=b"\0\xff\r\n"),
    Fault("swallow", count=7),
    Fault("duplicate", count=40),
    Fault("flip"),
]


@pytest.mark.parametrize("fault", DAMAGE, ids=lambda fault: f"{fault.kind}-{fault.octets[:5].hex()}")
@pytest.mark.parametrize("way", get_args(Way))
def test_under_tls_no_damage_to_a_stream_reaches_the_archive(
    trial: Trial, proxies: list[Proxy], authority: Authority, fault: Fault, way: Way
) -> None:
    import dataclasses

    inner = Proxy(trial.server.port, tls=server_side(authority))
    proxies.append(inner)
    places = iter([40, 700, 1600, 2100, 2600, 3100, 3600])

    def damaged(number: int) -> Fault:
        return dataclasses.replace(fault, at=next(places, 1 << 40), way=way)

    through(trial, Proxy(inner.port, damaged), proxies, authority)
    trial.account = replace(trial.account, read_timeout=0.3, connect_timeout=0.5)
    for _ in range(5):
        trial.run()
        assert set(trial.kept().values()) <= set(trial.on_server().values())
    trial.account = replace(trial.account, read_timeout=5.0, connect_timeout=5.0)
    assert trial.run().exit_code == 0
    assert trial.sound()


@pytest.mark.parametrize("kind", ["stall", "throttle"])
def test_a_line_that_stalls_or_crawls_costs_time_and_no_mail(trial: Trial, proxies: list[Proxy], kind: str) -> None:
    def fault(number: int) -> Fault:
        return Fault(kind, at=300 * number, rate=20_000) if number < 4 else Fault()

    through(trial, Proxy(trial.server.port, fault), proxies)
    trial.account = replace(trial.account, read_timeout=0.8 if kind == "stall" else 5.0)
    assert trial.run().exit_code == 0
    assert trial.sound()


def test_a_sync_cut_at_any_octet_is_completed_by_the_next_one(trial: Trial, proxies: list[Proxy]) -> None:
    proxy = through(trial, Proxy(trial.server.port), proxies)
    every = int(os.environ.get("ARCHIVER_CUT_EVERY", "173"))
    tally = cuts(lambda: Collection(trial.account), proxy, trial.on_server(), ("reset", "cut"), every=every)
    assert tally.bad == []
    assert tally.runs > 40
    assert tally.exits[20] > 0  # runs that could not get over it by themselves were among them
