"""The invented firm and its customers, as the labelled messages know them.

Knows who is who, with every trap that records can set: shared mailboxes, groups with one domain, customers at freemail
providers, numbers that look like something else. Knows nothing of how archiver links: the labels are what a careful
colleague would say.
"""

from __future__ import annotations

from dataclasses import dataclass, field

OWN_DOMAIN = "zilverlinde.example"
OWN_ADDRESSES = ("zilverlinde.support@gmail.com",)
STAFF = (
    ("Liesbet Vanhove", "liesbet@zilverlinde.example"),
    ("Wannes Dewilde", "wannes@zilverlinde.example"),
    ("Inès Charlier", "ines@zilverlinde.example"),
    ("Zilverlinde Support", "support@zilverlinde.example"),
)

COLUMNS = (
    "reference", "name", "address", "postal_code", "city", "country", "vat", "domains", "licences", "contact", "email",
    "phone", "mobile", "notes",
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    name: str
    emails: tuple[str, ...]
    phone: str = ""

    @property
    def email(self) -> str:
        return self.emails[0]


@dataclass(frozen=True)
class Firm:
    """A customer; `language` is what it writes, `vat` canonical."""

    reference: str
    name: str
    language: str
    country: str
    vat: str = ""
    domains: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    people: tuple[Person, ...] = field(default=())

    @property
    def domain(self) -> str:
        return self.domains[0]

    @property
    def person(self) -> Person:
        return self.people[0]


def be_vat(stem: int) -> str:
    """Return a Belgian VAT number whose check digits hold (modulo 97)."""
    body = f"0{stem % 10_000_000:07d}"
    return f"BE{body}{97 - int(body) % 97:02d}"


def fr_vat(siren_stem: int) -> str:
    """Return a French VAT number: a SIREN that satisfies Luhn, with its key."""
    for last in range(10):
        siren = f"{siren_stem:08d}{last}"
        if _luhn(siren):
            return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"
    raise AssertionError


def de_vat(stem: int) -> str:
    """Return a German VAT number (ISO 7064, MOD 11,10)."""
    product = 10
    for digit in f"{stem:08d}":
        total = (int(digit) + product) % 10 or 10
        product = 2 * total % 11
    return f"DE{stem:08d}{(11 - product) % 10}"


def nl_vat(stem: int) -> str:
    """Return a Dutch VAT number of the older kind (weighted, modulo 11), of the first establishment."""
    body = f"{stem:08d}"
    check = sum(int(d) * w for d, w in zip(body, range(9, 1, -1), strict=True)) % 11
    return nl_vat(stem + 1) if check == 10 else f"NL{body}{check}B01"


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _firms() -> tuple[Firm, ...]:
    person = Person
    plain = [
        ("Bakkerij De Korenaar", "korenaar", "nl", "BE"), ("Garage Steenhouwer", "garage-steenhouwer", "nl", "BE"),
        ("Fietsen Van Loock", "fietsenvanloock", "nl", "BE"), ("Drukkerij Sint-Joris", "sintjorisdruk", "nl", "BE"),
        ("Tuincentrum Groenendaal", "groenendaaltuin", "nl", "NL"), ("Apotheek Ter Linden", "apoterlinden", "nl", "BE"),
        ("Boulangerie Châtaigne", "chataigne", "fr", "FR"), ("Garage du Viaduc", "garageduviaduc", "fr", "FR"),
        ("Librairie Trois Hiboux", "troishiboux", "fr", "BE"), ("Hôtel de l'Étang", "hoteletang", "fr", "BE"),
        ("Schreinerei Weißhaupt", "schreinerei-weisshaupt", "de", "DE"), ("Bäckerei Müllner", "muellner", "de", "DE"),
        ("Druckhaus Tannberg", "tannberg-druck", "de", "DE"), ("Northgate Cycles", "northgatecycles", "en", "BE"),
        ("Tidewater Instruments", "tidewater", "en", "NL"), ("Larkfield Joinery", "larkfieldjoinery", "en", "BE"),
    ]  # fmt: skip
    names = (
        "Griet Moerman", "Dirk Steenhouwer", "Annelies Van Loock", "Katrien Daneels", "Pieter Vangeel", "Sofie Baert",
        "Hélène Lefèvre", "Benoît Marchal", "Zoé Delvaux", "Jérôme Piret", "Karl Weißhaupt", "Änne Müllner",
        "Jürgen Tannberg", "Aoife Brennan", "Nils Åkerström", "Beth Larkfield",
    )  # fmt: skip
    makers = {"BE": be_vat, "FR": fr_vat, "DE": de_vat, "NL": nl_vat}
    firms = []
    for number, ((name, label, language, country), who) in enumerate(zip(plain, names, strict=True)):
        first, _, last = who.partition(" ")
        local = _ascii(first) + "." + _ascii(last.replace(" ", ""))
        firms.append(
            Firm(
                f"K{1001 + number}",
                name,
                language,
                country,
                makers[country](40000000 + 3717 * (number + 1)),
                (f"{label}.example",) if number % 3 else (f"{label}.example", f"{label}-group.test"),
                (f"LND-{2200 + number}-7F{number:02X}-{1200 + 7 * number:04d}", f"ZL{880000 + 131 * number}"),
                (
                    person(
                        who, (f"{local}@{label}.example", f"{_ascii(first)}@{label}.example"), f"+324711200{number:02d}"
                    ),
                    person(f"{name} boekhouding", (f"facturen@{label}.example",)),
                ),
            )
        )
    return (*firms, *_difficult())


def _difficult() -> tuple[Firm, ...]:
    """Return the customers whose records set traps."""
    person = Person
    accountant = "dossiers@fidubraem.example"
    return (
        # At a freemail provider, without a domain of their own.
        Firm("K2001", "Kapsalon Nadia", "nl", "BE", be_vat(55512301), (), ("LND-3301-AA01-0001",),
             (person("Nadia Elhaouari", ("kapsalon.nadia@gmail.com",)),)),
        Firm("K2002", "Plomberie Gaspard", "fr", "BE", be_vat(55512402), (), ("LND-3302-AA02-0002",),
             (person("Gaspard Thiry", ("gaspard.thiry@skynet.be",)),)),
        # Two customers of one accountant, whose mailbox is a contact of both.
        Firm("K2003", "Frituur 't Pleintje", "nl", "BE", be_vat(55512503), ("frituurpleintje.example",), ("LND-3303-AA03-0003",),
             (person("Rudy Claes", ("rudy@frituurpleintje.example",)), person("Fidu Braem", (accountant,)))),
        Firm("K2004", "Bloemen Iris", "nl", "BE", be_vat(55512604), ("bloemeniris.example",), ("LND-3304-AA04-0004",),
             (person("Iris Maes", ("iris@bloemeniris.example",)), person("Fidu Braem", (accountant,)))),
        # Two companies of one group, with one domain.
        Firm("K2005", "Vandaele Bouw", "nl", "BE", be_vat(55512705), ("groepvandaele.example",), ("LND-3305-AA05-0005",),
             (person("Stijn Vandaele", ("stijn@groepvandaele.example",)),)),
        Firm("K2006", "Vandaele Beton", "nl", "BE", be_vat(55512806), ("groepvandaele.example",), ("LND-3306-AA06-0006",),
             (person("Els Vandaele", ("els@groepvandaele.example",)),)),
        # The same name under two top-level domains: two customers.
        Firm("K2007", "Meridiaan België", "nl", "BE", be_vat(55512907), ("meridiaan.example",), (),
             (person("Tine Goris", ("tine@meridiaan.example",)),)),
        Firm("K2008", "Meridiaan Nederland", "nl", "NL", nl_vat(55513008), ("meridiaan.test",), (),
             (person("Joost de Wit", ("joost@meridiaan.test",)),)),
        # A part of another customer's domain is a customer of its own.
        Firm("K2009", "Universiteit Halveweg", "nl", "BE", be_vat(55513109), ("halveweg.example",), (),
             (person("Centrale inkoop", ("inkoop@halveweg.example",)),)),
        Firm("K2010", "Spin-off Lab Noord", "nl", "BE", be_vat(55513210), ("labnoord.halveweg.example",), (),
             (person("An Peeters", ("an@labnoord.halveweg.example",)),)),
        # Behind a public suffix of two labels, and with letters that are not ASCII.
        Firm("K2011", "Fairley Veterinary", "en", "GB", "", ("fairley-vets-example.co.uk",), ("LND-3311-AA11-0011",),
             (person("Owen Fairley", ("owen@fairley-vets-example.co.uk",)),)),
        Firm("K2012", "Café Brûlé", "fr", "FR", fr_vat(55513412), ("cafébrûlé.example",), (),
             (person("Maëlle Roche", ("maelle@cafébrûlé.example",)),)),
        # References of digits only, as many firms number their customers.
        Firm("20250117", "Slagerij Boone", "nl", "BE", be_vat(55513513), ("slagerijboone.example",), (),
             (person("Ronny Boone", ("ronny@slagerijboone.example",)),)),
        Firm("4711", "Kölnisch Optik", "de", "DE", de_vat(55513614), ("koelnisch-optik.example",), (),
             (person("Petra Kölnisch", ("petra@koelnisch-optik.example",)),)),
        # Only domains, no contact yet; and only a contact, no domain.
        Firm("K2015", "Camping De Vliet", "nl", "NL", nl_vat(55513715), ("devliet.example",), (), ()),
        Firm("K2016", "Atelier Noisette", "fr", "BE", be_vat(55513816), (), (),
             (person("Lou Noisette", ("lou@atelier-noisette.example",)),)),
    )  # fmt: skip


def _ascii(text: str) -> str:
    import unicodedata

    plain = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss"))
    return "".join(c for c in plain if c.isascii() and (c.isalnum() or c in ".-"))


FIRMS = _firms()
BY_REFERENCE = {firm.reference: firm for firm in FIRMS}
ORDINARY = tuple(firm for firm in FIRMS if firm.reference.startswith("K1"))
"""Those without a trap: a domain or two of their own, two contacts, a VAT number, two licences."""


def customers_csv() -> str:
    """Return all customers in the interchange format."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for firm in FIRMS:
        head = [firm.reference, firm.name, "Kerkstraat 1", "9300", "Aalst", firm.country, firm.vat,
                "|".join(firm.domains), "|".join(firm.licences)]  # fmt: skip
        rows = [[p.name, "|".join(p.emails), p.phone, "", ""] for p in firm.people] or [[""] * 5]
        writer.writerow([*head, *rows[0]])
        writer.writerows([firm.reference, *[""] * 8, *row] for row in rows[1:])
    return out.getvalue()
