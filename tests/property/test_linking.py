"""Linking as a function: of one message's evidence, all customers and decisions by hand, and of nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from archiver.core.customers.merging import merged, unmerged
from archiver.core.linking.directory import Directory, address_key
from archiver.core.linking.domains import ascii_domain, is_public_suffix, is_shared, parents
from archiver.core.linking.rules import Identifiers, decide, evidence_of, explain, identifiers_of, touched_by
from archiver.model.address import EmailAddress
from archiver.model.customer import Contact, Customer, CustomerRecord
from archiver.model.identity import Identity
from archiver.model.link import Decision, Evidence, Link, Rule, Standing
from archiver.model.message import BlobId, Direction, Message

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
IDENTITY = Identity(domains=("ours.example",), addresses=("support@partner.example",))

EMAILS = (
    "jan@acme.be", "jan+shop@acme.be", "JAN@ACME.BE", "els@north.acme.be", "books@count.be", "kim@gmail.com",
    "k.im@googlemail.com", "x@telenet.be", "x@firm.co.uk", "x@acrne.be", "x@acme.be.evil.com", "x@bücher.be",
    "x@xn--bcher-kva.be", "x@t.onmicrosoft.com", "info@ours.example", "x@sub.ours.example", "support@partner.example",
    "y@partner.example", "root", "x@[192.0.2.1]",
)  # fmt: skip
DOMAINS = (
    "acme.be", "north.acme.be", "count.be", "gmail.com", "telenet.be", "co.uk", "firm.co.uk", "be", "bücher.be",
    "onmicrosoft.com", "t.onmicrosoft.com", "ours.example", "example", "partner.example",
)  # fmt: skip
VAT_NUMBERS = ("BE0428759497", "NL001786999B01", "EL094259216")
LICENCES = ("ABCD-1234-EFGH", "ABCD-1234", "ABCD1234EFGH", "123456789", "77112233")
REFERENCES = ("1001", "K1001", "K-1001", "123456789")
SENTENCES = (
    "licentie ABCD-1234-EFGH", "abcd 1234 efgh", "ABCD-1234", "klantnummer 1001", "1001 stuks", "K1001", "K 1001",
    "123456789", "ref 123456789", "serial 77112233", "77112233",
)  # fmt: skip

addresses = st.sampled_from(EMAILS).map(lambda spec: EmailAddress("", spec))
several = st.lists(addresses, max_size=2).map(tuple)


@st.composite
def customers(draw: st.DrawFn, most: int = 4) -> list[CustomerRecord]:
    """Customers whose identifiers overlap as they do in bad data; numbered from 1, references of their own."""
    references = draw(st.lists(st.sampled_from(REFERENCES), max_size=most, unique=True))
    while len(references) < most:
        references.append(f"Z-{len(references)}")
    return [
        CustomerRecord(
            number,
            Customer(
                reference=reference,
                name=f"Customer {number}",
                vat=draw(st.none() | st.sampled_from(VAT_NUMBERS)),
                domains=tuple(draw(st.lists(st.sampled_from(DOMAINS), max_size=2, unique=True))),
                licences=tuple(draw(st.lists(st.sampled_from(LICENCES), max_size=2, unique=True))),
                contacts=(Contact(emails=tuple(draw(st.lists(st.sampled_from(EMAILS), max_size=3, unique=True)))),),
            ),
            NOON,
            NOON,
        )
        for number, reference in enumerate(references, 1)
    ]


@st.composite
def messages(draw: st.DrawFn) -> Message:
    return Message(
        from_=draw(several),
        sender=draw(several),
        reply_to=draw(several),
        to=draw(several),
        cc=draw(several),
        bcc=draw(several),
        author=draw(st.just(()) | several),
        forwarded=draw(st.just(()) | several),
        reported=draw(st.just(()) | several),
        vat_numbers=tuple(draw(st.lists(st.sampled_from(VAT_NUMBERS), max_size=2, unique=True))),
        text="\n".join(draw(st.lists(st.sampled_from(SENTENCES), max_size=3))),
    )


@st.composite
def decisions(draw: st.DrawFn) -> tuple[Decision, ...]:
    chosen = draw(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=2, unique_by=lambda one: one[0]))
    blob = BlobId(b"x" * 32)
    return tuple(
        Decision(number, blob, customer, links, "an", NOON + timedelta(hours=number), "")
        for number, (customer, links) in enumerate(chosen)
    )


directions = st.sampled_from(Direction)


def directory(records: Sequence[CustomerRecord]) -> Directory:
    return Directory(records, identity=IDENTITY)


def evidence(message: Message, direction: Direction, book: Directory, by_hand: tuple[Decision, ...] = ()) -> Evidence:
    return evidence_of(message, direction, book.code_book.found_in(message), by_hand)


def by_customer(links: Sequence[Link]) -> dict[int, Link]:
    return {link.customer: link for link in links}


@given(customers(), messages(), directions, decisions(), st.randoms())
def test_the_order_of_customers_addresses_and_numbers_makes_no_difference(
    records: list[CustomerRecord], message: Message, direction: Direction, by_hand: tuple[Decision, ...], rng: object
) -> None:
    book = directory(records)
    seen = evidence(message, direction, book, by_hand)
    turned = replace(
        seen,
        from_=seen.from_[::-1],
        to=seen.to[::-1],
        cc=seen.cc[::-1],
        reported=seen.reported[::-1],
        vat_numbers=seen.vat_numbers[::-1],
        codes=seen.codes[::-1],
        decisions=seen.decisions[::-1],
    )
    links = decide(seen, book).links
    assert decide(seen, directory(records[::-1])).links == links
    assert decide(turned, directory(records[2:] + records[:2])).links == links


@given(customers(), messages(), directions, decisions(), st.integers(0, 4))
def test_explaining_links_nothing_more_and_nothing_less(
    records: list[CustomerRecord], message: Message, direction: Direction, by_hand: tuple[Decision, ...], thread: int
) -> None:
    book = directory(records)
    seen = evidence(message, direction, book, by_hand)
    explained = explain(seen, book, message=message, thread=(thread,))
    decided = decide(seen, book)
    assert explained.links == decided.links
    assert set(decided.reasons) <= set(explained.reasons)
    assert set(decided.linked).isdisjoint(decided.candidates)
    assert [link.customer for link in decided.links] == sorted(by_customer(decided.links))
    assert all(link.rule is not Rule.THREAD for link in decided.links)


@given(customers(), messages(), directions, st.permutations(range(4)))
def test_a_customer_added_late_gives_the_links_of_one_added_early(
    records: list[CustomerRecord], message: Message, direction: Direction, order: list[int]
) -> None:
    """The numbers found with each directory there ever was are kept; those of the last one alone decide the same."""
    kept: set[str] = set()
    for count in range(len(order) + 1):
        book = directory([records[at] for at in order[:count]])
        kept.update(book.code_book.found_in(message))
    late = replace(evidence(message, direction, book), codes=tuple(sorted(kept)))
    assert (
        decide(late, book).links == decide(evidence(message, direction, directory(records)), directory(records)).links
    )


@given(customers(), messages(), directions, decisions())
def test_a_customer_who_has_nothing_in_common_with_a_message_changes_nothing(
    records: list[CustomerRecord], message: Message, direction: Direction, by_hand: tuple[Decision, ...]
) -> None:
    stranger = Customer(
        reference="Q-998877",
        name="Stranger",
        vat="FR40303265045",
        domains=("stranger.fr",),
        licences=("QQQQ-9999",),
        contacts=(Contact(emails=("a@stranger.fr",)),),
    )
    book = directory(records)
    more = directory([*records, CustomerRecord(99, stranger, NOON, NOON)])
    assert decide(evidence(message, direction, more, by_hand), more) == decide(
        evidence(message, direction, book, by_hand), book
    )


@given(customers(), customers(1), st.integers(1, 4), messages(), directions, decisions())
def test_a_changed_customer_changes_only_messages_that_its_identifiers_touch(
    records: list[CustomerRecord],
    changed: list[CustomerRecord],
    which: int,
    message: Message,
    direction: Direction,
    by_hand: tuple[Decision, ...],
) -> None:
    was = records[which - 1]
    now = replace(was, customer=replace(changed[0].customer, reference=was.customer.reference))
    before, after = directory(records), directory([now if one is was else one for one in records])
    codes = {*before.code_book.found_in(message), *after.code_book.found_in(message)}
    seen = evidence_of(message, direction, sorted(codes), by_hand)
    if decide(seen, before).links != decide(seen, after).links:
        assert _touches(touched_by(was.customer, now.customer), seen)


def _touches(identifiers: Identifiers, seen: Evidence) -> bool:
    fields = (
        seen.from_, seen.sender, seen.reply_to, seen.to, seen.cc, seen.bcc, seen.author, seen.forwarded, seen.reported,
    )  # fmt: skip
    for address in (one for field in fields for one in field):
        above = parents(ascii_domain(address.addr_spec.rpartition("@")[2]))
        if address_key(address.addr_spec) in identifiers.addresses or not identifiers.domains.isdisjoint(above):
            return True
    return not (identifiers.vat_numbers.isdisjoint(seen.vat_numbers) and identifiers.codes.isdisjoint(seen.codes))


@given(customers(), messages(), directions)
def test_no_link_hangs_on_a_domain_that_is_ours_or_nobodys(
    records: list[CustomerRecord], message: Message, direction: Direction
) -> None:
    book = directory(records)
    for reason in decide(evidence(message, direction, book), book).reasons:
        if "@" in reason.value:
            assert not book.owns(reason.value)
        elif reason.rule in {Rule.DOMAIN, Rule.FORWARD, Rule.REPORT}:
            assert not is_shared(reason.value)
            assert not is_public_suffix(reason.value)
            assert not book.owns_domain(reason.value)


@given(customers(), messages(), directions, st.integers(2, 4))
def test_merging_keeps_every_link_and_undoing_it_is_the_identity(
    records: list[CustomerRecord], message: Message, direction: Direction, loser: int
) -> None:
    before = directory(records)
    seen = evidence(message, direction, before)
    first, lost = records[0], records[loser - 1]
    both = merged(first.customer, lost.customer)
    joined = [
        replace(one, customer=both) if one is first else replace(one, merged_into=1) if one is lost else one
        for one in records
    ]
    after = directory(joined)
    mine = replace(seen, codes=tuple(sorted({*seen.codes, *after.code_book.found_in(message)})))
    links = decide(seen, before).links
    standings = {link.customer: link.standing for link in decide(mine, after).links}
    assert loser not in standings
    for link in links:
        if link.customer in {1, loser}:
            assert standings[1] <= link.standing
    undone = unmerged(both, first.customer, both)
    again = directory([replace(one, customer=undone) if one is first else one for one in records])
    assert decide(evidence(message, direction, again), again).links == links


@given(customers(), messages(), directions, st.integers(1, 4), st.booleans())
def test_a_decision_by_hand_holds_and_never_takes_a_link_from_another_customer(
    records: list[CustomerRecord], message: Message, direction: Direction, customer: int, links: bool
) -> None:
    book = directory(records)
    seen = evidence(message, direction, book)
    decision = Decision(1, BlobId(b"x" * 32), customer, links, "an", NOON, "")
    without, with_it = decide(seen, book), decide(replace(seen, decisions=(decision,)), book)
    if links:
        assert by_customer(with_it.links)[customer] == Link(customer, Rule.HAND, Standing.LINKED)
    else:
        assert customer not in by_customer(with_it.links)
    assert set(without.linked) - {customer} <= set(with_it.linked)


@given(
    st.lists(st.text(max_size=40) | st.builds("{}@{}".format, st.text(max_size=12), st.text(max_size=30)), max_size=4)
)
def test_whatever_stands_in_a_header_nothing_raises(texts: list[str]) -> None:
    hostile = tuple(EmailAddress(text, text) for text in texts)
    record = CustomerRecord(
        1,
        Customer(
            reference=texts[0] if texts else "",
            name="x",
            vat="".join(texts),
            domains=tuple(texts),
            licences=tuple(texts),
            contacts=(Contact(emails=tuple(texts)),),
        ),
        NOON,
        NOON,
    )
    book = directory([record])
    identifiers_of(record.customer)
    message = Message(
        from_=hostile, reply_to=hostile, to=hostile, forwarded=hostile, reported=hostile, text=" ".join(texts),
        quoted=" ".join(texts), vat_numbers=tuple(texts),
    )  # fmt: skip
    for direction in Direction:
        explain(evidence(message, direction, book), book, message=message)
