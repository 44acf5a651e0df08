"""What why tells of quoted text: only what stands nowhere else."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from archiver.core.linking.directory import Directory
from archiver.core.linking.rules import evidence_of, explain
from archiver.model.address import EmailAddress
from archiver.model.customer import Contact, Customer
from archiver.model.identity import Identity
from archiver.model.message import Direction, Message
from tests.twins.records import record

SHARED = Contact("Tom", ("tom@both.example",))
CUSTOMERS = Directory(
    (record(1, Customer("K1", "One", contacts=(SHARED,))), record(2, Customer("K2", "Two", contacts=(SHARED,)))),
    identity=Identity(domains=("ours.example",)),
)
ANSWER = Message(
    from_=(EmailAddress("", "info@ours.example"),),
    to=(EmailAddress("", "Tom@both.example"),),
    text="Fijn.",
    quoted="> Van: Tom <tom@both.example>",
)


@pytest.mark.parametrize(("name", "address", "told"), [("", "Tom@both.example", 0), ("", "x@else.example", 1)])
def test_a_quoted_address_is_told_only_where_it_takes_no_part(name: str, address: str, told: int) -> None:
    """An ambiguous contact in To is quoted below it in every answer: to say that it only stands there is wrong."""
    message = replace(ANSWER, to=(EmailAddress(name, address),))
    reasons = explain(evidence_of(message, Direction.OUTGOING), CUSTOMERS, message=message).reasons
    assert len([reason for reason in reasons if reason.note == "quoted-only"]) == told
