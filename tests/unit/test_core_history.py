"""A customer's history over stores in memory: threads folded, newest first, and nothing lost or added by folding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from archiver.core.history import Asked, History, Messages, history, takes_part, waiting
from archiver.model.address import EmailAddress
from archiver.model.catalogue import Summary
from archiver.model.customer import Contact, Customer
from archiver.model.delivery import Delivery, SealedRecord
from archiver.model.identity import Identity
from archiver.model.link import Link, Rule, Standing
from archiver.model.message import BlobId, Direction
from tests.twins.archive import START, message_of
from tests.twins.customer_stores import MemoryCorrespondence, MemoryCustomers, MemoryLinks
from tests.twins.stores import MemoryCatalogue

IN, OUT, INTERNAL = Direction.INCOMING, Direction.OUTGOING, Direction.INTERNAL
LINKED, AMBIGUOUS, SUGGESTED = Standing.LINKED, Standing.AMBIGUOUS, Standing.SUGGESTED
OURS = EmailAddress("Support", "info@ours.test")
JAN = EmailAddress("J.", "jan@klant.test")
AN = EmailAddress("An Maes", "an@klant.test")
KLANT = Customer(
    "K1", "Klant bv", domains=("klant.test",), contacts=(Contact("Jan Peeters", ("jan@klant.test", "jp@home.test")),)
)
is_ours = Identity(("ours.test",)).owns


@dataclass
class World:
    """A catalogue in memory with two customers, and mail put into it."""

    catalogue: MemoryCatalogue = field(default_factory=MemoryCatalogue)
    last: int = 0
    loaded: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        customers = MemoryCustomers(self.catalogue)
        self.one = customers.add(KLANT, now=START)
        self.two = customers.add(Customer("K2", "Ander"), now=START)
        self.correspondence = MemoryCorrespondence(self.catalogue)

    def take(
        self,
        thread: str = "",
        *,
        direction: Direction = IN,
        standing: Standing | None = LINKED,
        links: Sequence[Link] = (),
        at: datetime | None = None,
        **fields: object,
    ) -> int:
        """Take a message in and return its row; by default the first customer's, a minute after the one before."""
        self.last += 1
        blob_id = BlobId(sha256(str(self.last).encode()).digest())
        fields.setdefault("references", (thread,) if thread else ())
        fields.setdefault("from_", (OURS,) if direction is OUT else (JAN,))
        fields.setdefault("to", (JAN,) if direction is OUT else (OURS,))
        message = message_of(blob_id, at=at or START + timedelta(minutes=self.last), **fields)  # type: ignore[arg-type]
        kept = tuple(links) if standing is None else (Link(self.one, Rule.CONTACT, standing),)
        message = replace(message, direction=direction, links=kept)
        record = SealedRecord(blob_id, self.last, 1, 1, bytes(32))
        return self.catalogue.take_in(Delivery("ab" * 32, (record,), ()), [message])[blob_id]

    def summaries(self, rows: Sequence[int]) -> Sequence[Summary]:
        self.loaded += rows
        return self.catalogue.summaries(rows)

    def history(self, asked: Asked | None = None, *, limit: int = 20, offset: int = 0) -> History:
        return history(
            self.correspondence,
            MemoryLinks(self.catalogue),
            self.summaries,
            KLANT,
            self.one,
            asked or Asked(),
            is_ours=is_ours,
            limit=limit,
            offset=offset,
        )

    def folded(self, asked: Asked | None = None, **page: int) -> list[list[int]]:
        return [[each.row for each in thread.messages] for thread in self.history(asked, **page).threads]


def test_threads_come_by_their_newest_message_and_hold_theirs_newest_first() -> None:
    world = World()
    a1, b1, a2, c1, b2 = (world.take(thread) for thread in "abacb")
    assert world.folded() == [[b2, b1], [c1], [a2, a1]]
    assert (world.history().total, world.history().more) == (5, False)


def test_pages_follow_one_another_and_the_last_one_says_so() -> None:
    world = World()
    for thread in "abcdeabc":
        world.take(thread)
    whole = world.folded()
    assert [*world.folded(limit=2), *world.folded(limit=2, offset=2), *world.folded(limit=2, offset=4)] == whole
    assert [world.history(limit=2, offset=offset).more for offset in (0, 2, 3, 4, 9)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert world.folded(limit=2, offset=9) == []


def test_a_thread_holds_only_the_customers_messages() -> None:
    world = World()
    mine = world.take("a")
    world.take("a", standing=None, links=[Link(world.two, Rule.CONTACT)])
    world.take("a", standing=None)
    assert world.folded() == [[mine]]


def test_what_might_be_theirs_is_apart_and_counted() -> None:
    world = World()
    linked, doubtful, named = world.take("a"), world.take("a", standing=AMBIGUOUS), world.take("b", standing=SUGGESTED)
    assert world.folded() == [[linked]]
    assert (world.history().total, world.history().candidates) == (1, 2)
    assert world.folded(Asked(candidates=True)) == [[named], [doubtful]]
    assert (world.history(Asked(candidates=True)).total, world.history(Asked(candidates=True)).candidates) == (2, 2)


def test_filters_leave_out_messages_within_threads_too() -> None:
    world = World()
    a1, a2, a3 = world.take("a"), world.take("a", direction=OUT), world.take("a")
    b1 = world.take("b", direction=OUT)
    assert world.folded(Asked(direction=OUT)) == [[b1], [a2]]
    assert world.folded(Asked(low=a2, high=b1)) == [[a3, a2]]
    assert world.folded(Asked(high=a2)) == [[a1]]
    assert world.history(Asked(direction=OUT)).total == 2
    assert world.history(Asked(low=a2, high=b1)).total == 2


def test_only_what_is_looked_at_is_loaded() -> None:
    world = World()
    rows = [world.take("long") for _ in range(250)]
    page = world.history()
    assert world.loaded == [rows[-1]]
    (thread,) = page.threads
    assert len(thread.messages) == 250
    assert thread.messages[0].row == rows[-1]
    assert [each.row for each in thread.messages[1:3]] == rows[-2:-4:-1]
    assert len(world.loaded) == 3
    assert [each.row for each in thread.messages] == rows[::-1]
    assert len(world.loaded) == 250


def test_a_message_that_is_gone_by_then_is_left_out() -> None:
    world = World()
    older, newer = world.take("a"), world.take("a")
    messages = Messages(world.summaries([newer])[0], [newer, older - 5, older], world.summaries)
    assert [each.row for each in messages] == [newer, older]


# --- the customer's side ---------------------------------------------------------------------------------------------


def side(*, direction: Direction = IN, **fields: object) -> str:
    world = World()
    world.take(direction=direction, **fields)  # type: ignore[arg-type]
    return world.history().threads[0].contact


def test_the_contact_is_named_else_the_address_is_given() -> None:
    stranger = EmailAddress("Jan Peeters", "spy@other.test")
    assert side() == "Jan Peeters"
    assert side(direction=OUT) == "Jan Peeters"
    assert side(from_=(EmailAddress("", "Jan+offer@KLANT.test"),)) == "Jan Peeters"
    assert side(from_=(AN,)) == "an@klant.test"
    assert side(from_=(EmailAddress("", "x@shop.klant.test"),)) == "x@shop.klant.test"
    assert side(from_=(stranger,)) == "spy@other.test"
    assert side(from_=(stranger,), cc=(JAN,)) == "Jan Peeters"
    assert side(direction=OUT, to=(stranger, AN)) == "an@klant.test"
    assert side(from_=(AN,), cc=(EmailAddress("", "x@klant.test"),)) == "an@klant.test"
    assert side(from_=(), to=(OURS,)) == ""


def test_the_contact_of_a_forward_a_form_or_a_report_is_who_it_is_about() -> None:
    stranger = EmailAddress("", "spy@other.test")

    def internal(**fields: object) -> str:
        return side(direction=INTERNAL, from_=(OURS,), to=(OURS,), **fields)

    assert internal(forwarded=(stranger, JAN)) == "Jan Peeters"
    assert internal(reply_to=(AN,)) == "an@klant.test"
    assert internal(forwarded=(stranger,)) == "spy@other.test"
    assert internal() == ""
    assert side(from_=(EmailAddress("", "list@lists.test"),), author=(JAN,)) == "Jan Peeters"
    assert side(from_=(EmailAddress("", "mailer-daemon@host.test"),), reported=(AN,)) == "an@klant.test"
    assert side(direction=OUT, to=(OURS,), bcc=(JAN,)) == "Jan Peeters"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jan@klant.test", {"jan"}), ("JAN+x@klant.test", {"jan"}), ("jan", {"jan", "home"}), ("peet", {"jan", "home"}),
        ("Peeters, Jan", {"jan", "home"}), ("an", {"an"}), ("maes", {"an"}), ("@klant.test", {"jan", "an"}),
        ("jp@", {"home"}), ("klant", {"jan", "an"}), ("nobody", set()), ("jan maes", set()), ("!", set()),
        ("support", set()), ("info@ours.test", set()), ("@ours.test", set()),
    ],
)  # fmt: skip
def test_a_person_is_meant_by_an_address_or_by_words_of_a_name(text: str, expected: set[str]) -> None:
    people = {"jan": JAN, "an": AN, "home": EmailAddress("", "jp@home.test"), "ours": OURS}
    wanted = takes_part(KLANT, text, is_ours=is_ours)
    assert {name for name, address in people.items() if wanted(address)} == expected


def test_history_of_one_person() -> None:
    world = World()
    world.take("a")
    mine = world.take("b", from_=(AN,))
    sent = world.take("b", direction=OUT, to=(OURS, AN))
    asked = Asked(who=takes_part(KLANT, "maes", is_ours=is_ours))
    assert world.folded(asked) == [[sent, mine]]
    assert world.history(asked).total == 2


# --- what waits ------------------------------------------------------------------------------------------------------


def test_what_waits_comes_oldest_first_with_its_age_and_the_size_of_its_thread() -> None:
    world = World()
    first = world.take("a")
    world.take("a")
    answered = world.take("b")
    world.take("b", direction=OUT)
    theirs = world.take("c", standing=None, links=[Link(world.two, Rule.CONTACT)])
    unclear = world.take("d", standing=AMBIGUOUS)
    named = world.take("e", standing=SUGGESTED)
    nobodys = world.take("f", standing=None)
    assert answered

    def page(**asked: object) -> tuple[int, list[int]]:
        found = waiting(
            world.correspondence, world.summaries, lambda row: len(world.catalogue.thread(row)),
            now=START + timedelta(hours=2), **{"limit": 9, **asked},  # type: ignore[arg-type]
        )  # fmt: skip
        return found.total, [each.message.row for each in found.items]

    assert page() == (3, [first, theirs, unclear])
    assert page(everyone=True) == (5, [first, theirs, unclear, named, nobodys])
    assert page(customer=world.one) == page(customer=world.one, everyone=True) == (1, [first])
    assert page(limit=1, offset=1) == (3, [theirs])
    assert page(low=theirs) == (2, [theirs, unclear])
    found = waiting(
        world.correspondence, world.summaries, lambda row: len(world.catalogue.thread(row)),
        now=START + timedelta(hours=2), limit=1,
    )  # fmt: skip
    assert found.items[0].messages == 2
    assert found.items[0].age == timedelta(hours=1, minutes=59)


# --- properties ------------------------------------------------------------------------------------------------------

_message = st.tuples(
    st.sampled_from("abcdef"),
    st.sampled_from((IN, OUT, INTERNAL)),
    st.sampled_from((LINKED, AMBIGUOUS, SUGGESTED, None)),
)


@given(
    st.lists(_message, max_size=25),
    st.integers(1, 5),
    st.sampled_from((None, IN, OUT)),
    st.booleans(),
    st.tuples(st.integers(0, 25), st.integers(0, 25)),
)
def test_folded_threads_are_the_same_messages_as_a_flat_list(
    drawn: list[tuple[str, Direction, Standing | None]],
    limit: int,
    direction: Direction | None,
    candidates: bool,
    bounds: tuple[int, int],
) -> None:
    world = World()
    rows = [world.take(thread, direction=way, standing=standing) for thread, way, standing in drawn]
    low, high = (int((START + timedelta(minutes=each)).timestamp()) << 20 for each in bounds)
    asked = Asked(low=low, high=high, direction=direction, candidates=candidates)
    flat = [
        row
        for row, (_, way, standing) in zip(rows, drawn, strict=True)
        if low <= row < high
        and direction in {None, way}
        and standing is not None
        and (standing is not LINKED) == candidates
    ]
    pages, offset = [world.history(asked, limit=limit)], limit
    while pages[-1].more:
        pages.append(world.history(asked, limit=limit, offset=offset))
        offset += limit
    threads = [thread for page in pages for thread in page.threads]
    assert sorted(message.row for thread in threads for message in thread.messages) == flat
    assert {page.total for page in pages} == {sum(len(thread.messages) for thread in threads)}
    assert [thread.messages[0].row for thread in threads] == sorted(
        (max(m.row for m in thread.messages) for thread in threads), reverse=True
    )
    assert all(len({m.thread for m in thread.messages}) == 1 for thread in threads)
    assert len({thread.messages[0].thread for thread in threads}) == len(threads)
