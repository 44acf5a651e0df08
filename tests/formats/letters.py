"""The mail of the fixtures: four languages, attachments, a conversation, and what is barely mail. All invented.

Only `make` reads this: a fixture has its mail in it, so that what is written here may change without any of them.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from tests.twins.office_files import docx, zipped

OURS = "info@ours.example"
ERASED = "Vergeet mij"
"""Subject of the message that is erased again."""
SECOND = "Tweede bericht, aan niemand die wij kennen"
"""Subject of the message that is linked by hand."""
NEWSLETTER = "Nieuwsbrief van de buren"
"""Subject of the message whose link is taken away by hand."""
CUSTOMERS = """reference,name,address,postal_code,city,country,vat,domains,licences,contact,email,phone,mobile,notes
K1,Bakkerij Peeters,Dorpsstraat 1,9000,Gent,BE,BE0428759497,peeters.example,LIC-4711,Jan Peeters,jan@peeters.example,,,
K2,Ateliers Dubois,Rue Haute 2,1000,Bruxelles,BE,,dubois.example,,Anne Dubois,anne@dubois.example,,,préfère le français
K3,Schmidt & Söhne,,,,DE,,,,Eva Schmidt,eva@post.example,,,
"""


def letter(
    number: int, sender: str, subject: str, text: str, *parts: bytes, to: str = OURS, day: int = 3, more: str = ""
) -> bytes:
    """A message in UTF-8 with CRLF, and with its parts behind the text where it has any."""
    head = (
        f"From: {sender}\nTo: {to}\nSubject: {subject}\nDate: Mon, {day:02} Mar 2025 09:{number:02}:00 +0100\n"
        f"Message-ID: <{number}@mail.example>\n{more}MIME-Version: 1.0\n"
    )
    plain = f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}\n"
    if not parts:
        return (head + plain).replace("\n", "\r\n").encode()
    mark = f"--part-{number}\n"
    start = f'{head}Content-Type: multipart/mixed; boundary="part-{number}"\n\n{mark}{plain}'
    octets = start.replace("\n", "\r\n").encode()
    for part in parts:
        octets += mark.replace("\n", "\r\n").encode() + part
    return octets + f"--part-{number}--\r\n".encode()


def attached(kind: str, name: str, octets: bytes) -> bytes:
    """A body part for `letter`."""
    head = (
        f'Content-Type: {kind}; name="{name}"\nContent-Disposition: attachment; filename="{name}"\n'
        "Content-Transfer-Encoding: base64\n\n"
    )
    return head.replace("\n", "\r\n").encode() + base64.encodebytes(octets).replace(b"\n", b"\r\n")


def first() -> Sequence[tuple[str, bytes]]:
    """What a first sync finds: mailbox and octets."""
    passed_on = b"Content-Type: message/rfc822\r\n\r\n" + letter(
        40, "Eva Schmidt <eva@post.example>", "Weitergeleitet", "Das Original dieser Nachricht mit dem Zebra."
    )
    return (
        ("INBOX", letter(1, "Jan Peeters <jan@peeters.example>", "Vraag over de factuur",
            "Beste,\n\nkunt u de factuur van maart nog eens sturen? De vorige facturen zijn betaald. Zebra.")),
        ("Sent", letter(2, OURS, "Re: Vraag over de factuur", "Dag Jan,\n\nin bijlage de factuur. Zebra.\n\n> kunt u",
            attached("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "factuur.docx",
                docx(["Factuur 2025-031", "opzegtermijn drie maanden"])),
            to="jan@peeters.example", more="In-Reply-To: <1@mail.example>\nReferences: <1@mail.example>\n")),
        ("INBOX", letter(3, "Anne Dubois <anne@dubois.example>", "Clé de licence",
            "Bonjour,\n\nnous avons perdu la clé de licence de notre imprimante. Merci d'avance. Zebra.")),
        ("INBOX", letter(4, "=?utf-8?Q?Eva_Schmidt?= <eva@post.example>", "Kündigung des Vertrages",
            "Guten Tag,\n\nhiermit kündigen wir den Vertrag fristgerecht. Mit freundlichen Grüßen. Zebra.")),
        ("INBOX", letter(5, "Someone Else <someone@elsewhere.example>", "Prices of the printers",
            "Hello,\n\ncould you send us your prices? We read of licence LIC-4711. Zebra.",
            attached("text/csv", "list.csv", "article;prijs\npapyrus;12\n".encode("utf-16")))),
        ("INBOX", letter(6, "a@elsewhere.example", SECOND, "Zebra. Dit is een bericht van een vreemde.")),
        ("INBOX", letter(7, "news@peeters.example", NEWSLETTER, "Zebra. Het nieuws van deze maand.")),
        ("INBOX", letter(8, "b@elsewhere.example", ERASED, "Zebra. Mijn gegevens: schaduwwoord.")),
        ("INBOX", letter(9, "Jan Peeters <jan@peeters.example>", "Doorgestuurd", "Zie hieronder. Zebra.", passed_on)),
        ("INBOX", letter(10, "c@elsewhere.example", "Archive", "Zebra, in a zip.",
            attached("application/zip", "all.zip", zipped({"inner/note.txt": "kangoeroe", "b.txt": "tweede"})))),
        # The same octets in two places are one message.
        ("Archief", letter(1, "Jan Peeters <jan@peeters.example>", "Vraag over de factuur",
            "Beste,\n\nkunt u de factuur van maart nog eens sturen? De vorige facturen zijn betaald. Zebra.")),
        ("Archief", b"From: =?iso-8859-1?Q?Ren=E9?= <rene@dubois.example>\nSubject: caf\xe9\nDate: bad\n\nZebra\n"),
        ("Archief", b"no header at all, zebra"),
        ("Archief", b"Subject: \x00 zebra \xff\xfe\r\nFrom: <<>>\r\n\r\n\x00\x01\x02 zebra \xf0\x28\x8c\x28"
            + bytes(range(256))),
    )  # fmt: skip


def imported() -> Sequence[bytes]:
    """What comes from files afterwards, in another epoch of keys."""
    return (
        letter(20, "Anne Dubois <anne@dubois.example>", "Facture", "La facture du mois passé, merci. Zebra.", day=10),
        letter(21, "x@elsewhere.example", "VAT", "Our VAT number is BE 0428.759.497. Zebra.", day=10),
    )


def waiting() -> Sequence[bytes]:
    """What is collected and not taken in, the first before a rotation, the second after it."""
    return (
        letter(
            30, "Jan Peeters <jan@peeters.example>", "Wacht nog", "Dit bericht is nog niet opgenomen. Zebra.", day=17
        ),
        letter(31, "Eva Schmidt <eva@post.example>", "Wartet noch", "Diese Nachricht wartet noch. Zebra.", day=17),
    )
