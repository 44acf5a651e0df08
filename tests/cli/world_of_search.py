"""Invented mail as a search meets it: copies, conversations, attachments, quotes, two customers, three languages."""

from __future__ import annotations

from datetime import timedelta

from archiver.model.address import EmailAddress
from archiver.model.message import Direction, Part, PartKind
from archiver.model.search import SavedSearch
from tests.cli.twin import NOW, Mail, Twin
from tests.cli.twin_customers import janssens, peeters

AN = EmailAddress("An Peeters", "an@klant.example")
JEAN = EmailAddress("Jean Janssens", "jean@janssens.example")
US = EmailAddress("Support", "info@ons.example")
COLLEAGUE = EmailAddress("Zoë", "zoe@ons.example")
TEXT = Part("1", "text/plain", PartKind.TEXT, 300, charset="utf-8")


def file(path: str, name: str, content_type: str = "application/pdf") -> Part:
    return Part(path, content_type, PartKind.ATTACHMENT, 48_213, filename=name)


def marks(text: str, *words: str) -> tuple[tuple[int, int], ...]:
    """Where these words stand in a text, the first of each."""
    return tuple((text.index(word), text.index(word) + len(word)) for word in words)


def found() -> Twin:
    """Eight messages about licences, three of them one conversation."""
    key = "Dag An, de licentiesleutel voor twee werkplekken staat hieronder; de vorige vervalt op 1 april."
    contract = "… de licentie gaat in op de dag van levering en wordt stilzwijgend verlengd …"
    french = "La licence de nos trois postes expire fin mars, pouvez-vous nous faire une offre de renouvellement ?"
    quoted = "> Wat kost een licentie voor vijf werkplekken?"
    day = timedelta(days=1)
    twin = Twin(
        mails=[
            Mail(
                subject="Licentie vernieuwen", text="Onze licentie vervalt, wat nu?", from_=(AN,), at=NOW - 9 * day,
                thread=1, language="nl", marks=((5, 13),),
            ),
            Mail(
                subject="Re: Licentie vernieuwen", text=key, from_=(US,), to=(AN,), direction=Direction.OUTGOING,
                at=NOW - day, thread=1, language="nl", marks=marks(key, "licentiesleutel"), copies=2,
                mailboxes=("info/Sent", "info/INBOX", "zoe/INBOX"), parts=(TEXT, file("2", "licentie 2026.pdf")),
            ),
            Mail(
                subject="Re: Licentie vernieuwen", text=f"Dank u! licentie\n{quoted}", snippet=quoted, place="quoted",
                from_=(AN,), at=NOW - timedelta(hours=3), thread=1, language="nl", marks=marks(quoted, "licentie"),
            ),
            Mail(
                subject="Contract getekend terug", text=f"In bijlage. licentie {contract}", snippet=contract,
                place="attachment", file="contract \x1b[31m2026.pdf", from_=(JEAN,), at=NOW - 40 * day, thread=2,
                parts=(TEXT, file("2", "contract \x1b[31m2026.pdf")), marks=marks(contract, "licentie"), language="nl",
            ),
            Mail(
                subject="Licence expirée, 日本語の件名", text=f"{french} (licentie)", snippet=french, from_=(JEAN,),
                at=NOW - 400 * day, thread=3, language="fr", marks=marks(french, "licence"),
                mailboxes=("info/INBOX", "info/Frans"),
                parts=(TEXT, file("2", "postes.xlsx", "application/octet-stream"), file("3", "offre.pdf")),
            ),
            Mail(
                subject="Licenties overzicht", text="Intern: licentie per klant.", from_=(COLLEAGUE,), to=(US,),
                direction=Direction.INTERNAL, at=NOW - 800 * day, thread=4, language=None, marks=((8, 16),),
            ),
        ]
    )  # fmt: skip
    twin.book.keep(peeters(), janssens())
    twin.searching.suggestions = {"licenite": "licentie", '(licenite) since:"2025"': '(licentie) since:"2025"'}
    twin.searching.ignored = ("de", "voor")
    for name, query in (("open-offertes", "subject:offerte -direction:outgoing"), ("licenties", "licentie")):
        twin.searching.saved[name] = SavedSearch(name, query, NOW - 3 * day)
    return twin
