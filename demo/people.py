"""The invented firm, its staff and its customers; every domain is reserved (RFC 2606), every name made up.

Knows who writes to whom and in which language; nothing of what they write.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRM = "Zilverlinde Software"
DOMAIN = "zilverlinde.example"
PRODUCTS = ("Lindeplan", "Lindefact", "Lindestock")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an address."""

    name: str
    address: str

    @property
    def first(self) -> str:
        """The name to greet with."""
        return self.name.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer: `language` is nl, fr or en; `reference` is the firm's number for it, `licence` its licence number."""

    reference: str
    company: str
    domain: str
    language: str
    city: str
    licence: str
    contacts: tuple[Person, ...]


STAFF = {
    "support": (
        Person("Wannes Dewilde", f"support@{DOMAIN}"),
        Person("Inès Charlier", f"support@{DOMAIN}"),
    ),
    "info": (Person("Liesbet Vanhove", f"info@{DOMAIN}"),),
}

# A row each: the company, its domain, language and city, then its contacts with the local parts of their addresses.
_CUSTOMERS = (
    ("Bakkerij De Korenaar", "korenaar.example", "nl", "Aalst", ("Griet Moerman:griet", "Joris Moerman:joris")),
    ("Garage Steenhouwer", "garage-steenhouwer.example", "nl", "Mechelen", ("Dirk Steenhouwer:dirk",)),
    ("Fietsen Van Loock", "fietsenvanloock.example", "nl", "Gent", ("Annelies Van Loock:annelies", "Bert Claes:bert")),
    ("Drukkerij Sint-Joris", "drukkerij-sintjoris.example", "nl", "Brugge", ("Katrien Daneels:boekhouding",)),
    ("Tuincentrum Groenendaal", "groenendaal-tuin.example", "nl", "Hasselt", ("Pieter Vangeel:pieter.vangeel",)),
    ("Apotheek Ter Linden", "apotheekterlinden.example", "nl", "Leuven", ("Sofie Baert:s.baert", "Noor Baert:noor")),
    ("Bouwbedrijf Coppieters", "coppieters-bouw.example", "nl", "Kortrijk", ("Ömer Coppieters:omer",)),
    ("Slagerij 't Hoekje", "slagerijhoekje.example", "nl", "Turnhout", ("Ronny Smeets:info",)),
    ("Notariskantoor Verhaegen", "notaris-verhaegen.example", "nl", "Antwerpen", ("Ilse Verhaegen:ilse.verhaegen",)),
    ("Zorghuis De Wilg", "dewilg.test", "nl", "Genk", ("Hilde Schepers:administratie", "Tom Aerts:ict")),
    ("Boulangerie Châtaigne", "chataigne.example", "fr", "Namur", ("Hélène Lefèvre:helene", "Loïc Lefèvre:loic")),
    ("Garage du Viaduc", "garage-viaduc.example", "fr", "Liège", ("Benoît Marchal:benoit.marchal",)),
    ("Librairie Les Trois Hiboux", "troishiboux.example", "fr", "Bruxelles", ("Zoé Delvaux:zoe", "Rémi Noël:remi")),
    ("Menuiserie Français & Fils", "menuiserie-francais.example", "fr", "Mons", ("Gaël Français:gael",)),
    ("Cabinet Dentaire Molière", "dentaire-moliere.example", "fr", "Ixelles", ("Anaïs Molière:secretariat",)),
    ("Hôtel de l'Étang", "hoteletang.example", "fr", "Spa", ("Jérôme Piret:reception", "Maëlle Piret:direction")),
    ("Pépinières Dubuisson", "pepinieres-dubuisson.example", "fr", "Tournai", ("Geneviève Dubuisson:compta",)),
    ("Ateliers Forge Noire", "forgenoire.test", "fr", "Charleroi", ("Stéphane Wauters:stephane",)),
    ("Northgate Cycles", "northgatecycles.example", "en", "Dublin", ("Aoife Brennan:aoife", "Sean Kinsella:sean")),
    ("Harbour Lane Bakery", "harbourlane.example", "en", "Bristol", ("Martha Penhale:accounts",)),
    ("Tidewater Instruments", "tidewater.test", "en", "Rotterdam", ("Nils Åkerström:nils", "Priya Raman:priya")),
    ("Copper Beech Veterinary", "copperbeechvet.example", "en", "Cork", ("Owen Fairley:practice",)),
    ("Larkfield Joinery", "larkfield-joinery.example", "en", "York", ("Beth Larkfield:beth",)),
    ("Silverpine Hostels", "silverpinehostels.example", "en", "Ghent", ("José Ibáñez:jose", "Kate Moorcroft:kate")),
    ("Müller Precision Parts", "mueller-precision.example", "en", "Eupen", ("Jürgen Müller:juergen.mueller",)),
)


def customers() -> tuple[Customer, ...]:
    """All customers, always the same; licence numbers look like LND-2204-7F3A-0012."""
    found = []
    for number, (company, domain, language, city, contacts) in enumerate(_CUSTOMERS, start=1):
        # A fixed scramble: numbers that differ from each other in more than the last digit are easier to search for.
        scrambled = (number * 40_503 + 12_345) % 65_536
        people = tuple(Person(name, f"{local}@{domain}") for name, _, local in (c.partition(":") for c in contacts))
        found.append(
            Customer(
                reference=f"K{1000 + number * 7}",
                company=company,
                domain=domain,
                language=language,
                city=city,
                licence=f"LND-{2200 + number}-{scrambled:04X}-{number:04d}",
                contacts=people,
            )
        )
    return tuple(found)
