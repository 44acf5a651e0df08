"""Which domains can stand for one company, and which only look like one that does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archiver.core.linking import providers
from archiver.core.linking.domains import ascii_domain, is_domain, is_public_suffix, is_shared, parents, registrable
from archiver.core.linking.lookalikes import resembles
from tests.twins.awkward import awkward

LISTS = (
    providers.FREEMAIL, providers.ACCESS_BE_NL_LU, providers.ACCESS_FR_DE_CH_AT_UK, providers.ACCESS_ELSEWHERE,
    providers.DISPOSABLE, providers.SERVICES, providers.TENANTS,
)  # fmt: skip


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        (" Acme.BE ", "acme.be"),
        ("acme.be.", "acme.be"),
        ("BÜCHER.be", "xn--bcher-kva.be"),
        ("xn--bcher-kva.be", "xn--bcher-kva.be"),
        ("bücher。be", "xn--bcher-kva.be"),
        ("a..b", "a..b"),
        ("ü" * 300, "ü" * 300),
        ("", ""),
    ],
)
def test_a_domain_has_one_form(written: str, canonical: str) -> None:
    assert ascii_domain(written) == canonical


@pytest.mark.parametrize(
    ("domain", "owned"),
    [
        ("acme.be", "acme.be"),
        ("mail.acme.be", "acme.be"),
        ("mail.acme.co.uk", "acme.co.uk"),
        ("acme.github.io", "acme.github.io"),
        ("x.acme.onmicrosoft.com", "acme.onmicrosoft.com"),
        ("shop.bücher.be", "xn--bcher-kva.be"),
        ("acme.local", "acme.local"),
    ],
)
def test_what_somebody_registered_is_found(domain: str, owned: str) -> None:
    assert registrable(domain) == owned


@pytest.mark.parametrize(
    "domain",
    [
        "be",
        "co.uk",
        "github.io",
        "onmicrosoft.com",
        "localhost",
        "192.0.2.1",
        "[192.0.2.1]",
        "a..be",
        ".be",
        "",
        "x" * 300 + ".be",
    ],
)
def test_nobody_registered_these(domain: str) -> None:
    assert registrable(domain) is None


def test_public_suffixes_are_known_with_those_of_platforms() -> None:
    assert all(is_public_suffix(domain) for domain in ("be", "CO.UK", "github.io", "s3.amazonaws.com"))
    assert not any(is_public_suffix(domain) for domain in ("acme.be", "acme.co.uk", "", "192.0.2.1", "..", "a..be"))


@pytest.mark.parametrize(
    "domain",
    [
        "gmail.com",
        "GMAIL.com",
        "telenet.be",
        "users.telenet.be",
        "skynet.be",
        "proximus.be",
        "scarlet.be",
        "voo.be",
        "ziggo.nl",
        "kpnmail.nl",
        "xs4all.nl",
        "wanadoo.fr",
        "free.fr",
        "laposte.net",
        "sfr.fr",
        "web.de",
        "t-online.de",
        "bluewin.ch",
        "pt.lu",
        "btinternet.com",
        "icloud.com",
        "proton.me",
        "tuta.com",
        "mail.ru",
        "qq.com",
        "163.com",
        "yahoo.com",
        "yahoo.com.br",
        "hotmail.es",
        "live.dk",
        "outlook.pt",
        "gmx.at",
        "ymail.com",
        "yopmail.com",
        "googlegroups.com",
        "amazonses.com",
        "onmicrosoft.com",
        "zendesk.com",
    ],
)
def test_strangers_have_mailboxes_here(domain: str) -> None:
    assert is_shared(domain)


@pytest.mark.parametrize(
    "domain",
    [
        "acme.be",
        "live.acme.be",
        "yahoo.be.acme.example",
        "yahoo-acme.be",
        "mygmail.com",
        "gmail.com.acme.be",
        "notgmail.com",
        "acme.onmicrosoft.com",
        "acme.zendesk.com",
        "live.onmicrosoft.com",
        "hotmail",
        "orange.acme.fr",
        "be",
        "",
        "192.0.2.1",
    ],
)
def test_these_are_not_a_providers(domain: str) -> None:
    assert not is_shared(domain)


def test_the_configuration_can_add_to_them() -> None:
    assert is_shared("coop.be", {"coop.be"})
    assert is_shared("mail.coop.be", {"coop.be"})
    assert not is_shared("mycoop.be", {"coop.be"})


def test_the_lists_are_canonical_each_name_once_and_several_hundred() -> None:
    names = [name for listed in LISTS for name in listed.split()]
    assert len(names) == len(set(names)) > 700
    assert [name for name in names if ascii_domain(name) != name or not is_domain(name)] == []
    assert [name for name in names if name not in providers.TENANTS.split() and registrable(name) is None] == []


@pytest.mark.parametrize(
    "domain", ["acrne.be", "acme-be.com", "notacme.be", "acme.be.evil.com", "acme.com", "аcme.be", "acmé.be", "acm3.be"]
)
def test_these_look_like_acme(domain: str) -> None:
    assert resembles(domain, "acme.be")


@pytest.mark.parametrize(
    "domain", ["acme.be", "mail.acme.be", "bolt.be", "acmeologists-of-the-world.be", "", "be", "macramé-shop.fr"]
)
def test_these_do_not_look_like_acme(domain: str) -> None:
    assert not resembles(domain, "acme.be")


def test_a_slip_in_a_long_name_may_be_of_two_letters_and_in_a_short_one_of_none() -> None:
    assert resembles("peetersbouv.be", "peetersbouw.be")
    assert resembles("petersbouv.be", "peetersbouw.be")
    assert not resembles("bolt.be", "bult-x.be")
    assert not resembles("abd.be", "abc.be")


@pytest.mark.parametrize("text", ["..", "acme.be..", "‥", "acme.be‥", "acme.be .", "acme.be\u3000․", " acme.be.\t."])
def test_what_ends_in_an_empty_label_or_a_space_stays_as_it_is_written(text: str) -> None:
    domain = ascii_domain(text)
    assert domain == text.strip().lower()
    assert ascii_domain(domain) == domain


@example("..", "")
@example("‥", "")
@given(st.text(max_size=300) | awkward(300), st.text(max_size=40) | awkward(40))
def test_no_text_makes_them_raise(text: str, other: str) -> None:
    domain = ascii_domain(text)
    assert ascii_domain(domain) == domain or not domain.isascii()
    registrable(text)
    is_public_suffix(text)
    is_shared(text, {other})
    resembles(text, other)
    assert parents(text)[0] == text


def test_the_rules_of_one_top_level_domain_say_what_the_whole_list_says() -> None:
    from publicsuffixlist import PSLFILE, PublicSuffixList

    whole = PublicSuffixList()
    rules = [line.split(" ")[0].strip() for line in Path(PSLFILE).read_text("utf-8").splitlines()]
    tried = 0
    for rule in (rule for rule in rules[::7] if rule and not rule.startswith("//")):
        suffix = ascii_domain(rule.lstrip("!").replace("*", "any"))
        for domain in (suffix, f"a.{suffix}", f"b.a.{suffix}"):
            assert is_public_suffix(domain) == (whole.privatesuffix(domain) is None) or is_shared(domain), domain
            tried += 1
    assert tried > 3000


def test_neither_the_suffix_list_nor_the_providers_are_loaded_before_they_are_needed() -> None:
    program = (
        "import sys, archiver.core.linking.rules, archiver.core.linking.directory\n"
        "heavy = 'publicsuffixlist', 'stdnum', 'archiver.core.linking.providers', 'archiver.core.linking.near_misses'\n"
        "print([name for name in sys.modules if name in heavy])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
