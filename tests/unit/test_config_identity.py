"""Whose address it is: domains, subdomains, single addresses, details, internationalised names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.model.address import EmailAddress
from archiver.model.identity import Identity
from tests.twins.awkward import awkward

IDENTITY = Identity(("Example.BE", ".team.example", "bücher.example"), ("Support@Partner.example",))


@pytest.mark.parametrize(
    "address",
    [
        "info@example.be",
        "INFO@EXAMPLE.BE",
        "anna+news@example.be",
        "x@one.team.example",
        "x@deep.one.team.example",
        "support@partner.example",
        "Support+ticket-12@Partner.example",
        "a@bücher.example",
        "a@xn--bcher-kva.example",
        "a@BÜCHER.example",
    ],
)
def test_our_own_addresses_are_owned_however_they_are_written(address: str) -> None:
    assert IDENTITY.owns(EmailAddress("Somebody", address))


@pytest.mark.parametrize(
    "address",
    [
        "info@shop.example.be",
        "info@notexample.be",
        "info@example.be.evil.example",
        "x@team.example",
        "x@notteam.example",
        "sales@partner.example",
        "+support@partner.example",
        "supportx@partner.example",
        "example.be",
        "root",
        "",
        "@",
        "example.be@other.example",
        "a@b@other.example",
    ],
)
def test_addresses_that_only_resemble_ours_are_not_owned(address: str) -> None:
    assert not IDENTITY.owns(EmailAddress("Example.BE", address))


def test_an_identity_without_anything_is_false_and_owns_nothing() -> None:
    assert not Identity()
    assert not Identity().owns(EmailAddress("", "a@example.be"))
    assert Identity((), ("a@example.be",))


@given(st.text(max_size=40) | awkward(40), st.text(max_size=40) | awkward(40))
def test_no_address_however_broken_makes_it_raise(local: str, domain: str) -> None:
    Identity((domain,), (f"{local}@{domain}",)).owns(EmailAddress("", f"{local}@{domain}"))
