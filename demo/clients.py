"""The firm's customers as its bookkeeping exports them: CSV with `;` between cells, as Belgian spreadsheets write it.

Knows the columns that archiver reads, and whom the bookkeeping forgot. Nothing in it can be dialled or invoiced: VAT
numbers have right check digits and are nobody's, telephone numbers are those kept for fiction in Ireland and the United
Kingdom, and elsewhere begin with the zeros that no exchange has.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from demo.people import Customer, Person, customers

FORGOTTEN = frozenset(
    {
        "Garage Steenhouwer",
        "Librairie Les Trois Hiboux",
        "Pépinières Dubuisson",
        "Harbour Lane Bakery",
        "Copper Beech Veterinary",
    }
)
"""Companies that write to us and are in no record: their mail is unlinked."""

SHARED = ("ict@dewilg.test", "Apotheek Ter Linden")
"""The address of somebody who does the computers of two customers, and the other of the two."""

CALLER = ("K1007", "+32 53 00 00 01")
"""A customer's reference and what the telephone's display shows when they call."""

COLUMNS = (
    "reference", "name", "address", "postal_code", "city", "country", "vat", "domains", "licences", "contact", "email",
    "phone", "mobile", "notes",
)  # fmt: skip

_NOTES = {
    "Bakkerij De Korenaar": "Bellen na 13 uur: ze bakken 's nachts.",
    "Hôtel de l'Étang": "Fermé en janvier.",
    "Zorghuis De Wilg": "Tom Aerts does their computers, and those of Apotheek Ter Linden.",
}


@dataclass(frozen=True, slots=True)
class _Details:
    """What stands on a letterhead; `phone` is completed with a running number."""

    street: str
    postal_code: str
    country: str
    phone: str


_DETAILS = {
    "Bakkerij De Korenaar": _Details("Molenstraat 4", "9300", "BE", "053/00.00.{:02d}"),
    "Garage Steenhouwer": _Details("Battelsesteenweg 410", "2800", "BE", "015/00.00.{:02d}"),
    "Fietsen Van Loock": _Details("Brabantdam 112", "9000", "BE", "09/000.00.{:02d}"),
    "Drukkerij Sint-Joris": _Details("Sint-Jorisstraat 27", "8000", "BE", "050/00.00.{:02d}"),
    "Tuincentrum Groenendaal": _Details("Kempische Steenweg 301", "3500", "BE", "011/00.00.{:02d}"),
    "Apotheek Ter Linden": _Details("Tiensestraat 88", "3000", "BE", "016/00.00.{:02d}"),
    "Bouwbedrijf Coppieters": _Details("Doorniksewijk 15", "8500", "BE", "056/00.00.{:02d}"),
    "Slagerij 't Hoekje": _Details("Gasthuisstraat 2", "2300", "BE", "014/00.00.{:02d}"),
    "Notariskantoor Verhaegen": _Details("Mechelsesteenweg 190 bus 3", "2018", "BE", "03/000.00.{:02d}"),
    "Zorghuis De Wilg": _Details("Hasseltweg 64", "3600", "BE", "089/00.00.{:02d}"),
    "Boulangerie Châtaigne": _Details("Rue de Fer 31", "5000", "BE", "081/00.00.{:02d}"),
    "Garage du Viaduc": _Details("Quai de Rome 7", "4000", "BE", "04/000.00.{:02d}"),
    "Librairie Les Trois Hiboux": _Details("Rue du Midi 55", "1000", "BE", "02/000.00.{:02d}"),
    "Menuiserie Français & Fils": _Details("Rue de Nimy 140", "7000", "BE", "065/00.00.{:02d}"),
    "Cabinet Dentaire Molière": _Details("Chaussée d'Ixelles 212", "1050", "BE", "02/000.00.{:02d}"),
    "Hôtel de l'Étang": _Details("Avenue du Lac 1", "4900", "BE", "087/00.00.{:02d}"),
    "Pépinières Dubuisson": _Details("Chaussée de Bruxelles 99", "7500", "BE", "069/00.00.{:02d}"),
    "Ateliers Forge Noire": _Details("Rue de Marcinelle 18", "6000", "BE", "071/00.00.{:02d}"),
    "Northgate Cycles": _Details("12 Capel Street", "D01", "IE", "020 91{:05d}"),
    "Harbour Lane Bakery": _Details("3 Harbour Lane", "BS1 4RW", "GB", "0117 496 0{:03d}"),
    "Tidewater Instruments": _Details("Maasboulevard 100", "3063 NS", "NL", "010 000 00{:02d}"),
    "Copper Beech Veterinary": _Details("8 Western Road", "T12", "IE", "020 91{:05d}"),
    "Larkfield Joinery": _Details("Unit 5, Clifton Moor", "YO30 4XF", "GB", "01632 960 {:03d}"),
    "Silverpine Hostels": _Details("Coupure 44", "9000", "BE", "09/000.00.{:02d}"),
    "Müller Precision Parts": _Details("Herbesthaler Straße 23", "4700", "BE", "087/00.00.{:02d}"),
}

_MOBILES = {"BE": "0470 00 {:02d} {:02d}", "GB": "07700 900{:02d}{:01d}"}
_FOREIGN_VAT = {"NL": "NL000099998B57", "IE": "IE 1234567T"}


def customers_csv() -> str:
    """Return the file: a row a contact, the company's own cells filled in the first row only; always the same."""
    known = [customer for customer in customers() if customer.company not in FORGOTTEN]
    people = {person.address: person for customer in known for person in customer.contacts}
    address, also_of = SHARED
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, restval="", delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    for number, customer in enumerate(known, start=1):
        guests = (people[address],) if customer.company == also_of else ()
        for place, person in enumerate((*customer.contacts, *guests)):
            company = {} if place else _company(customer, number)
            writer.writerow({**company, **_contact(customer, person, number, place)})
    return file.getvalue()


def _company(customer: Customer, number: int) -> dict[str, str]:
    details = _DETAILS[customer.company]
    return {
        "reference": customer.reference,
        "name": customer.company,
        "address": details.street,
        "postal_code": details.postal_code,
        "city": customer.city,
        "country": details.country,
        "vat": _vat(details.country, number),
        "domains": customer.domain,
        "licences": customer.licence,
        "phone": details.phone.format(number),
        "notes": _NOTES.get(customer.company, ""),
    }


def _contact(customer: Customer, person: Person, number: int, place: int) -> dict[str, str]:
    theirs = person.address.endswith(f"@{customer.domain}")
    mobile = _MOBILES.get(_DETAILS[customer.company].country, "") if theirs else ""
    return {"contact": person.name, "email": person.address, "mobile": mobile.format(number, place)}


def _vat(country: str, number: int) -> str:
    """Return a number as letterheads print it; the Belgian check digits are 97 less the rest by 97."""
    if country != "BE":
        return _FOREIGN_VAT.get(country, "")
    digits = f"0999{number * 263:04d}"
    digits += f"{97 - int(digits) % 97:02d}"
    return f"BE {digits[:4]}.{digits[4:7]}.{digits[7:]}"
