"""Invented mail with customers, as the reading commands meet it: linked, ambiguous, unlinked, waiting, decided."""

from __future__ import annotations

from datetime import timedelta

from archiver.core.customer_ports import Correspondent
from archiver.model.address import EmailAddress
from archiver.model.catalogue import Seen
from archiver.model.customer import Contact, Customer
from archiver.model.link import Decision, Link, Outcome, Reason, Rule, Standing, Verdict
from archiver.model.message import Direction, Part, PartKind
from tests.cli.twin import NOW, Damage, Mail, OpenTwin, Repair, RepairStep, Status, Sync, Twin, blob_id
from tests.cli.twin_customers import CREATED, Group, Proposed, UnlinkedPage, Waiting, WaitingPage, janssens, peeters

AN = EmailAddress("An Peeters", "an@klant.example")
BOOKS = EmailAddress("", "boekhouding@klant.example")
ACCOUNTANT = EmailAddress("Els Maes", "els@boekhouder.example")
US = EmailAddress("Support", "info@ons.example")
STRANGER = EmailAddress("Bram \x1b[31mDe Smet", "bram@desmet-dakwerken.example")
FREEMAIL = EmailAddress("Katrien Vos", "katrien.vos@gmail.com")
TEXT = Part("1", "text/plain", PartKind.TEXT, 300, charset="utf-8")
PDF = Part("2", "application/pdf", PartKind.ATTACHMENT, 48_213, filename="offerte \x1b[2J.pdf")


def damaged() -> Damage:
    """A message that does not open any more, and lies on a server still."""
    what, words = f"message {'ab' * 6}", "the next `archiver sync` fetches it again, if the server still has it"
    return Damage(what, words, b"\xab" * 32, "message", NOW, (Seen("info", "INBOX", 7, 12, ()),))


def repaired() -> Repair:
    """One pack with a message that is lost for now."""
    pack = "cd" * 32
    steps = (
        RepairStep("salvage", f"pack {pack}", f"copy 199 messages out of pack {pack[:12]}, and set it aside"),
        RepairStep("mark", f"pack {pack}", f"mark 1 message of pack {pack[:12]} as damaged, to be fetched again"),
    )
    return Repair(steps, (damaged(),), fetchable=1)


def mails() -> list[Mail]:
    """Eight messages: a conversation of three, single ones, one that fits two customers, three that fit nobody."""
    day = timedelta(days=1)
    return [
        Mail(at=NOW - 9 * day, from_=(AN,)),
        Mail(
            subject="Re: Offerte 2026-014",
            direction=Direction.OUTGOING,
            from_=(US,),
            to=(AN,),
            at=NOW - 8 * day,
            text="Dag An,\n\nIn bijlage onze offerte; ze blijft dertig dagen geldig. Laat gerust weten wat u ervan "
            "vindt, dan plannen wij de installatie nog deze maand in.\n\nVriendelijke groet\nSupport\n",
            parts=(TEXT, PDF),
        ),
        Mail(
            subject="Re: Offerte 2026-014",
            from_=(AN,),
            at=NOW - timedelta(hours=2),
            text="Akkoord met de offerte, graag starten op 1 april.\n",
        ),
        Mail(subject="Factuur 2026/118", from_=(BOOKS,), at=NOW - timedelta(hours=20), thread=2, text="Zie bijlage.\n"),
        Mail(
            subject="Jaarrekening",
            from_=(ACCOUNTANT,),
            at=NOW - 3 * day,
            thread=3,
            text="Beste, graag de stand van de licenties per 31 december.\n",
        ),
        Mail(subject="Vraag over prijzen", from_=(STRANGER,), at=NOW - 2 * day, thread=4, text="Wat kost het?\n"),
        Mail(
            subject="Re: Vraag over prijzen",
            direction=Direction.OUTGOING,
            from_=(US,),
            to=(STRANGER,),
            at=NOW - day,
            thread=4,
            text="Hierbij onze prijslijst.\n",
        ),
        Mail(subject="Licentie kwijt", from_=(FREEMAIL,), at=NOW - 12 * day, thread=5, text="Mijn sleutel is weg.\n"),
    ]


def linked() -> Twin:
    """Two customers who share their accountant, and what nobody knows yet."""
    one, other = peeters(), janssens()
    accountant = Contact("Els Maes", (ACCOUNTANT.addr_spec,))
    twin = Twin(
        mails=mails(),
        status_report=Status(messages=8, unlinked=3, customers=2, indexed=8),
        sync_report=Sync(linked=7, ambiguous=1, unlinked=4),
    )
    twin.book.keep(
        Customer(
            one.reference,
            one.name,
            vat=one.vat,
            domains=one.domains,
            licences=one.licences,
            contacts=(*one.contacts, accountant),
        ),
        Customer(other.reference, other.name, domains=other.domains, contacts=(accountant,)),
    )
    twin.book.decisions.append(
        Decision(
            1,
            blob_id(3),
            2,
            links=True,
            who="els",
            at=CREATED,
            why="they pay this one",
            undone_at=NOW,
            undone_by="an",
        )
    )
    _set(twin)
    return twin


def _set(twin: Twin) -> None:
    """Say what the application answers where the twin does not work it out by itself."""
    open_ = OpenTwin(twin.mails, twin.book, twin.world)
    records = {record.customer.reference: record for record in twin.book.records}
    hour = timedelta(hours=1)
    twin.world.waiting = WaitingPage(
        3,
        [
            Waiting(open_.summary(7), 1, 12 * 24 * hour),
            Waiting(open_.summary(4), 1, 3 * 24 * hour),
            Waiting(open_.summary(2), 3, 2 * hour),
        ],
    )
    stranger, freemail = STRANGER, FREEMAIL
    twin.world.unlinked = UnlinkedPage(
        3,
        2,
        [
            Group(
                "desmet-dakwerken.example",
                open_.summary(6),
                addresses=(Correspondent(stranger.addr_spec, stranger.name, 1, 1, 0, 6),),
                incoming=1,
                outgoing=1,
                proposals=[
                    Proposed("name-like", record=records["K1002"]),
                    Proposed(
                        "new",
                        draft=Customer(
                            "",
                            "Desmet Dakwerken",
                            domains=("desmet-dakwerken.example",),
                            contacts=(Contact("Bram De Smet", (stranger.addr_spec,)),),
                        ),
                    ),
                ],
            ),
            Group(
                freemail.addr_spec,
                open_.summary(7),
                shared=True,
                addresses=(Correspondent(freemail.addr_spec, freemail.name, 1, 0, 0, 7),),
                incoming=1,
                proposals=[Proposed("thread", record=records["K1001"])],
            ),
        ],
    )
    twin.world.verdicts = {
        2: Verdict(
            (Link(1, Rule.CONTACT), Link(2, Rule.VAT, Standing.SUGGESTED)),
            (
                Reason(Rule.CONTACT, Outcome.LINKS, "From", "an@klant.example", (1,)),
                Reason(Rule.VAT, Outcome.SUGGESTS, "subject or text", "BE0403019261", (2,), "overruled"),
                Reason(Rule.DOMAIN, Outcome.NOTHING, "To", "info@ons.example", (), "own-address"),
            ),
        ),
        4: Verdict(
            (Link(1, Rule.CONTACT, Standing.AMBIGUOUS), Link(2, Rule.CONTACT, Standing.AMBIGUOUS)),
            (Reason(Rule.CONTACT, Outcome.AMBIGUOUS, "From", "els@boekhouder.example", (1, 2), "several-customers"),),
        ),
        7: Verdict(
            (),
            (
                Reason(Rule.DOMAIN, Outcome.NOTHING, "From", "katrien.vos@gmail.com", (), "shared-domain"),
                Reason(Rule.DOMAIN, Outcome.NOTHING, "Cc", "jan@kIant.example", (1,), "look-alike"),
            ),
        ),
    }
