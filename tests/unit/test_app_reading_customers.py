"""Reading by customer in a real archive: mail is imported, customers are added, and staff look things up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from msgspec.structs import replace

from archiver.app.creating import prepare_archive
from archiver.app.customers import CustomerEditor, change_customers
from archiver.app.reading import OpenArchive, open_archive
from archiver.app.syncing import import_paths
from archiver.config import ArchiveSettings, Settings
from archiver.core.progress import silent
from archiver.crypto.kdf import KdfBounds, KdfParameters
from archiver.errors import QueryError, UsageError
from archiver.model.customer import Contact, Customer
from archiver.model.identity import Identity
from archiver.model.link import Outcome, Rule, Standing
from archiver.model.message import Direction

PASSPHRASE = "only for tests, long enough"
CHEAP = KdfParameters(passes=1, lanes=1, memory_kib=8)
BOUNDS = KdfBounds.exactly(CHEAP)
OURS = "Support <info@ours.example>"
JAN, AN = "Jan Peeters <jan@peeters-bouw.example>", "An Maes <an@peeters-bouw.example>"
PEETERS = Customer(
    "K1001",
    "Peeters Bouw bvba",
    vat="BE0428759497",
    domains=("peeters-bouw.example",),
    contacts=(Contact("Jan Peeters", ("jan@peeters-bouw.example",)),),
)
ACME = Customer("K1002", "Acme nv", contacts=(Contact("Shared", ("both@accountant.example",)),))
LELIE = Customer("K1003", "De Lelie vzw", contacts=(Contact("Shared", ("both@accountant.example",)),))


@dataclass
class Office:
    """An archive on disk, and letters dropped into it."""

    settings: Settings
    folder: Path
    number: int = 0

    def letter(
        self,
        sender: str,
        to: str = OURS,
        *,
        subject: str = "Vraag",
        text: str = "Goedendag",
        day: int = 0,
        reply_to: int = 0,
        **fields: str,
    ) -> int:
        """Write a letter of March 2025 and return its number; `reply_to` is another's."""
        self.number += 1
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, to, subject
        at = datetime(2025, 3, day or self.number, 9, tzinfo=UTC)
        message["Date"] = at.strftime("%a, %d %b %Y %H:%M:%S +0000")
        message["Message-ID"] = f"<{self.number}@mail.example>"
        if reply_to:
            message["In-Reply-To"] = f"<{reply_to}@mail.example>"
        for name, value in fields.items():
            message[name.replace("_", "-")] = value
        message.set_content(text)
        (self.folder / f"{self.number:03}.eml").write_bytes(message.as_bytes())
        return self.number

    def take_in(self) -> None:
        report = import_paths(
            self.settings,
            [self.folder],
            ask=lambda: PASSPHRASE,
            on_progress=silent,
            stopped=lambda: False,
            bounds=BOUNDS,
        )
        assert report.exit_code == 0
        for path in self.folder.iterdir():
            path.unlink()

    @contextmanager
    def editing(self) -> Iterator[CustomerEditor]:
        with change_customers(self.settings, ask=lambda: PASSPHRASE, command="customer", bounds=BOUNDS) as editor:
            yield editor

    def add(self, *customers: Customer) -> None:
        with self.editing() as editor:
            for customer in customers:
                editor.add(customer)

    @contextmanager
    def reading(self) -> Iterator[OpenArchive]:
        with open_archive(self.settings, ask=lambda: PASSPHRASE, bounds=BOUNDS) as archive:
            yield archive


@pytest.fixture
def office(tmp_path: Path) -> Office:
    settings = Settings(
        ArchiveSettings(tmp_path / "archive", tmp_path / "archive-keys"), Identity(("ours.example",)), ()
    )
    prepare_archive(settings, PASSPHRASE, kdf=CHEAP, bounds=BOUNDS).commit()
    (tmp_path / "letters").mkdir()
    return Office(settings, tmp_path / "letters")


def numbers(summaries: object) -> list[int]:
    """The numbers of letters, by their Message-IDs."""
    return [int(str(each.message_id).partition("@")[0]) for each in summaries]  # type: ignore[attr-defined]


def row_of(archive: OpenArchive, number: int) -> int:
    (item,) = archive.search(f"message-id:{number}@mail.example").items
    return item.summary.row


def test_a_customers_history_both_ways_folded_and_filtered(office: Office) -> None:
    office.letter(JAN, subject="Offerte", day=1)
    office.letter(OURS, JAN, subject="Re: Offerte", day=2, reply_to=1)
    office.letter(AN, subject="Factuur", day=3)
    office.letter("x@stranger.example", day=4)
    office.letter(AN, subject="Re: Offerte", day=31, reply_to=2)
    office.take_in()
    office.add(PEETERS)
    with office.reading() as archive:
        peeters = archive.customer("k1001")
        page = archive.history(peeters)
        assert [numbers(thread.messages) for thread in page.threads] == [[5, 2, 1], [3]]
        assert [thread.contact for thread in page.threads] == ["an@peeters-bouw.example", "an@peeters-bouw.example"]
        assert (page.total, page.more, page.candidates) == (4, False, 0)
        assert [numbers(t.messages) for t in archive.history(peeters, contact="jan").threads] == [[2, 1]]
        assert [numbers(t.messages) for t in archive.history(peeters, contact="an@peeters-bouw.example").threads] == [
            [5], [3],
        ]  # fmt: skip
        assert [
            numbers(t.messages) for t in archive.history(peeters, since="2025-03-02", until="2/3/2025").threads
        ] == [[2]]
        assert archive.history(peeters, until="2025-02").total == 0
        assert archive.history(peeters, since="2025", direction=Direction.OUTGOING).total == 1
        assert archive.history(peeters, limit=1).more
        figures = archive.customer_figures(peeters)
        assert (figures.linked, figures.candidates) == (4, 0)
        assert figures.oldest is not None
        assert figures.newest is not None
        assert (figures.oldest.day, figures.newest.day) == (1, 31)
        with pytest.raises(UsageError) as caught:
            archive.history(peeters, since="someday")
        assert "yesterday" in (caught.value.hint or "")


def test_mail_is_searched_by_customer_as_staff_call_them(office: Office) -> None:
    office.letter(JAN, subject="Offerte")
    office.letter("both@accountant.example", subject="Offerte")
    office.letter("x@stranger.example", subject="Offerte")
    office.take_in()
    office.add(PEETERS, ACME, LELIE)
    with office.reading() as archive:
        for text in ("K1001", "k1001", "peeters", '"bouw peeters"', "BE0428759497", '"0428.759.497"', "pee*"):
            page = archive.search(f"offerte customer:{text}")
            assert numbers(item.summary for item in page.items) == [1], text
        (doubtful,) = archive.search("candidate:acme is:ambiguous").items
        assert numbers([doubtful.summary]) == [2]
        assert (doubtful.summary.customers, set(doubtful.summary.candidates)) == ((), {"K1002", "K1003"})
        assert archive.search("customer:acme").total == 0
        assert numbers(item.summary for item in archive.search("is:unlinked").items) == [3]
        with pytest.raises(QueryError) as caught:
            archive.search("customer:peters")
        assert "K1001" in (caught.value.hint or "")
        assert "Peeters" not in f"{caught.value.message} {caught.value.hint}"


def test_a_merged_customers_number_means_the_one_that_is_left(office: Office) -> None:
    office.letter("a@acme.example")
    office.letter(JAN)
    office.take_in()
    office.add(PEETERS, Customer("K9", "Acme", domains=("acme.example",)))
    with office.editing() as editor:
        records = {record.customer.reference: record for record in editor.archive.customers()}
        editor.merge(records["K9"], records["K1001"])
    with office.reading() as archive:
        assert [record.customer.reference for record in archive.customers()] == ["K1001"]
        assert archive.customer("K9").customer.reference == "K1001"
        assert [record.customer.reference for record in archive.merged_into(archive.customer("K1001"))] == ["K9"]
        assert numbers(item.summary for item in archive.search("customer:K9").items) == [2, 1]
        assert archive.history(archive.customer("K9")).total == 2


def test_why_says_what_linked_a_message_and_what_nearly_did(office: Office) -> None:
    office.letter(JAN, text="Zie ook BE 0428.759.497.")
    office.letter(
        "x@gmail.com", text="Hallo\n\nOp 1 maart schreef Jan Peeters:\n> mijn adres is jan@peeters-bouw.example\n"
    )
    office.take_in()
    office.add(PEETERS)
    with office.reading() as archive:
        linked = archive.why(row_of(archive, 1))
        (link,) = linked.verdict.links
        assert (link.rule, link.standing) == (Rule.CONTACT, Standing.LINKED)
        assert linked.customers[link.customer].customer.reference == "K1001"
        assert {reason.rule for reason in linked.verdict.reasons if reason.outcome is Outcome.LINKS} >= {
            Rule.CONTACT, Rule.VAT,
        }  # fmt: skip
        nobodys = archive.why(row_of(archive, 2))
        assert nobodys.verdict.links == ()
        assert {reason.note for reason in nobodys.verdict.reasons} >= {"shared-domain", "quoted-only"}
        assert set(nobodys.customers) >= {each for reason in nobodys.verdict.reasons for each in reason.customers}


def test_why_tells_of_decisions_by_hand_and_of_the_thread(office: Office) -> None:
    office.letter(JAN)
    office.letter("x@stranger.example", reply_to=1)
    office.take_in()
    office.add(PEETERS, ACME)
    with office.editing() as editor:
        archive = editor.archive
        editor.unlink(row_of(archive, 1), archive.customer("K1001"), why="private")
        editor.link(row_of(archive, 1), archive.customer("K1002"), why="they said so")
    with office.reading() as archive:
        found = archive.why(row_of(archive, 1))
        assert [(decision.links, decision.why) for decision in found.decisions] == [
            (False, "private"),
            (True, "they said so"),
        ]
        assert {record.customer.reference for record in found.customers.values()} == {"K1001", "K1002"}
        assert [found.customers[each].customer.reference for each in found.verdict.linked] == ["K1002"]
        suggested = archive.why(row_of(archive, 2))
        assert [
            found.customers[c].customer.reference
            for r in suggested.verdict.reasons
            if r.rule is Rule.THREAD
            for c in r.customers
        ] == ["K1002"]


def test_what_nobody_answered_waits_with_its_age(office: Office) -> None:
    office.letter(JAN, subject="Beantwoord")
    office.letter(OURS, JAN, reply_to=1)
    office.letter(JAN, subject="Wacht")
    office.letter(AN, reply_to=3)
    office.letter("x@stranger.example")
    office.letter("both@accountant.example")
    office.letter(JAN, subject="Afwezig", Auto_Submitted="auto-replied")
    office.take_in()
    office.add(PEETERS, ACME, LELIE)
    with office.reading() as archive:
        page = archive.waiting()
        assert numbers(item.message for item in page.items) == [3, 6]
        assert page.total == 2
        assert page.items[0].messages == 2
        assert page.items[0].age > timedelta(days=100)
        assert numbers(item.message for item in archive.waiting(everyone=True).items) == [3, 5, 6]
        assert numbers(item.message for item in archive.waiting(record=archive.customer("K1001")).items) == [3]
        assert numbers(item.message for item in archive.waiting(since="2025-03-06").items) == [6]
        assert numbers(item.message for item in archive.waiting(everyone=True, limit=1, offset=1).items) == [5]


def test_unlinked_mail_comes_in_groups_with_proposals_that_work(office: Office) -> None:
    office.letter("Info <info@de-lelie.example>", Cc="An <an@de-lelie.example>")
    office.letter(OURS, "an@de-lelie.example")
    office.letter("Nieuw | Firma Nieuw bv <jo@firma-nieuw.example>")
    office.letter("Piet <piet@gmail.com>")
    office.letter("noreply@shop.example")
    office.letter(JAN)
    office.take_in()
    office.add(PEETERS, LELIE)
    with office.reading() as archive:
        page = archive.unlinked()
        assert [group.name for group in page.items] == [
            "de-lelie.example", "piet@gmail.com", "firma-nieuw.example", "shop.example",
        ]  # fmt: skip
        assert (page.messages, page.total) == (5, 4)
        lelie, piet, nieuw, shop = page.items
        assert (lelie.incoming, lelie.outgoing, lelie.shared) == (1, 1, False)
        assert numbers([lelie.newest]) == [2]
        assert [(p.record and p.record.customer.reference, p.because) for p in lelie.proposals] == [
            ("K1003", "name-like"), (None, "new"),
        ]  # fmt: skip
        assert piet.shared
        assert (shop.automatic, shop.proposals) == (True, ())
        assert numbers(archive.unlinked_messages(lelie)) == [2, 1]
        assert numbers(archive.unlinked_messages(lelie, limit=1)) == [2]
        assert [group.name for group in archive.unlinked(text="LELIE").items] == ["de-lelie.example"]
        assert [group.name for group in archive.unlinked(limit=2, offset=1).items] == [
            "piet@gmail.com",
            "firma-nieuw.example",
        ]
        draft = nieuw.proposals[-1].draft
        assert draft is not None
        assert (draft.name, draft.domains) == ("Firma Nieuw bv", ("firma-nieuw.example",))
    with office.editing() as editor:
        editor.add(replace(draft, reference="K2000"))
    with office.reading() as archive:
        assert [group.name for group in archive.unlinked(text="nieuw").items] == []
        assert archive.customer_figures(archive.customer("K2000")).linked == 1


def test_a_conversation_proposes_its_customer(office: Office) -> None:
    office.letter(JAN)
    office.letter("helper@elsewhere.example", reply_to=1)
    office.take_in()
    office.add(PEETERS)
    with office.reading() as archive:
        (group,) = archive.unlinked().items
        assert [(p.record and p.record.customer.reference, p.because) for p in group.proposals] == [
            ("K1001", "thread"), (None, "new"),
        ]  # fmt: skip


def test_ambiguous_mail_has_its_own_queue_and_is_in_nobodys_history(office: Office) -> None:
    office.letter("both@accountant.example")
    office.letter("both@accountant.example")
    office.take_in()
    office.add(ACME, LELIE)
    with office.reading() as archive:
        page = archive.ambiguous(limit=1)
        assert (page.total, numbers(page.items)) == (2, [2])
        assert numbers(archive.ambiguous(offset=1).items) == [1]
        acme = archive.customer("K1002")
        assert (archive.history(acme).total, archive.history(acme).candidates) == (0, 2)
        assert archive.history(acme, candidates=True).total == 2
        assert archive.unlinked().total == 0


def test_customers_come_by_name_and_are_found(office: Office) -> None:
    office.add(PEETERS, ACME, LELIE, Customer("K1", "Ünal"))
    with office.reading() as archive:
        assert [record.customer.name for record in archive.customers()] == [
            "Acme nv", "De Lelie vzw", "Peeters Bouw bvba", "Ünal",
        ]  # fmt: skip
        assert archive.find_customers("peet", limit=1)[0].record.customer.reference == "K1001"
        with pytest.raises(UsageError):
            archive.customer("nobody at all")
