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
        *_abroad(),
        *_entangled(),
    )  # fmt: skip


def _abroad() -> tuple[Firm, ...]:
    """Return customers of other countries of the EU, each with the VAT number that its register writes."""
    person = Person
    rows = (
        ("Menuiserie Alzette", "fr", "LU", "LU23456752", "menuiserie-alzette", "Josy Wagener", "josy.wagener"),
        ("Officine Bellandi", "en", "IT", "IT07453100120", "officinebellandi", "Chiara Bellandi", "chiara"),
        ("Tischlerei Donaublick", "de", "AT", "ATU47118239", "donaublick", "Resi Hollerer", "r.hollerer"),
        ("Zakład Jarzębina", "en", "PL", "PL8123400563", "jarzebina", "Ewa Sroka", "ewa.sroka"),
        ("Talleres Olmeda", "en", "ES", "ESB64234818", "talleresolmeda", "Inma Olmeda", "inma"),
        ("Ballyteague Crafts", "en", "IE", "IE6433435F", "ballyteague", "Niamh Furlong", "niamh"),
        ("Oficina Malhadas", "en", "PT", "PT501234560", "malhadas", "Rui Malhadas", "rui"),
        ("Koivuranta", "en", "FI", "FI20774740", "koivuranta", "Aino Koivu", "aino"),
        ("Snickeri Lindhaga", "en", "SE", "SE556012579001", "lindhaga", "Alva Lindh", "alva"),
        ("Vestergade Foto", "en", "DK", "DK23456788", "vestergadefoto", "Mads Vester", "mads"),
    )
    return tuple(
        Firm(f"K{3001 + n}", name, language, country, vat, (f"{label}.example",), (f"LND-34{n:02d}-BB{n:02d}-30{n:02d}",),
             (person(who, (f"{local}@{label}.example",)),))
        for n, (name, language, country, vat, label, who, local) in enumerate(rows)
    )  # fmt: skip


def _entangled() -> tuple[Firm, ...]:
    """Return customers whose people, names or hosts are tied to those of others."""
    person = Person
    both = person("Rita Sels", ("rita.sels.bureau@gmail.com",))
    return (
        # One person keeps the books of both, from a mailbox at a freemail provider.
        Firm("K4001", "Wasserij Blankaert", "nl", "BE", be_vat(61200101), ("wasserijblankaert.example",),
             ("LND-4101-CC01-0001",), (person("Ludo Blankaert", ("ludo@wasserijblankaert.example",)), both)),
        Firm("K4002", "Kinderopvang Zonnekind", "nl", "BE", be_vat(61200202), ("zonnekind.example",),
             ("LND-4102-CC02-0002",), (person("Mieke Stas", ("mieke@zonnekind.example",)), both)),
        # Sites at hosts that give every client a name of its own.
        Firm("K4003", "Yogastudio Lotuspad", "nl", "BE", be_vat(61200303), ("lotuspad.webnode.page",), (), ()),
        Firm("K4004", "Collectif Brindille", "fr", "BE", be_vat(61200404), ("brindille.github.io",), (), ()),
        Firm("K4005", "Immo Rijsveld", "nl", "BE", be_vat(61200505), ("rijsveld.onmicrosoft.com",), (),
             (person("Bart Rijs", ("bart@rijsveld.onmicrosoft.com",)),)),
        # Behind a public suffix of two labels of another country.
        Firm("K4006", "Derya Tekstil", "en", "", "", ("derya-tekstil-example.com.tr",), (),
             (person("Derya Aksoy", ("derya@derya-tekstil-example.com.tr",)),)),
        # A consultant on the premises of another customer, with a mailbox there.
        Firm("K4007", "Sels & Partners Consult", "nl", "BE", be_vat(61200707), ("selspartners.example",),
             ("LND-4107-CC07-0007",),
             (person("Koen Sels", ("koen@selspartners.example", "ext.koen.sels@wasserijblankaert.example")),)),
        # A mother company without mail of her own but a domain, and a daughter whose people write from either.
        Firm("K4008", "Holding Terkamer", "nl", "BE", be_vat(61200808), ("terkamer.example",), (), ()),
        Firm("K4009", "Terkamer Logistiek", "nl", "BE", be_vat(61200909), ("terkamer-logistiek.example",), (),
             (person("Jos Terkamer", ("jos@terkamer-logistiek.example", "jos@terkamer.example")),)),
        # Almost the name of another customer, and a reference that holds another's.
        Firm("K10010", "Bakkerij De Korenaar Gent", "nl", "BE", be_vat(61201010), ("korenaar-gent.example",),
             ("LND-2200-7F00-12001",), (person("Greet Moermans", ("greet@korenaar-gent.example",)),)),
    )  # fmt: skip


def _ascii(text: str) -> str:
    import unicodedata

    plain = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss"))
    return "".join(c for c in plain if c.isascii() and (c.isalnum() or c in ".-"))


FIRMS = _firms()
BY_REFERENCE = {firm.reference: firm for firm in FIRMS}
ORDINARY = tuple(firm for firm in FIRMS if firm.reference.startswith("K1") and len(firm.reference) == 5)
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
