"""Who writes in the judged set: an invented software firm in Belgium, its staff and its customers."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

OWN = "uurwijs.example"
STAFF = ("Tom Verlinden", "Sofie Maes", "Ingrid Claes", "Bart Lenaerts", "Nadia Haddou")


@dataclass(frozen=True)
class Firm:
    """A customer: its reference, name, domain, language and the people who write."""

    reference: str
    name: str
    domain: str
    language: str
    people: tuple[str, ...]

    def address(self, person: str) -> str:
        plain = unicodedata.normalize("NFKD", person.lower()).encode("ascii", "ignore").decode()
        return f"{plain.replace(' ', '.')}@{self.domain}"


FIRMS = (
    Firm("K001", "Bakkerij Hoefnagels", "hoefnagels.example", "nl", ("Els Hoefnagels", "Joris Dillen")),
    Firm("K002", "Garage Peeters", "garagepeeters.example", "nl", ("Wim Peeters", "Katrien Aerts")),
    Firm("K003", "Kwekerij De Linde", "delinde.example", "nl", ("Anke Smits", "Piet Goossens")),
    Firm("K004", "Accountantskantoor Wuyts", "wuyts.example", "nl", ("Hilde Wuyts", "Koen Bral")),
    Firm("K005", "Menuiserie Lambert", "lambert.example", "fr", ("Chantal Lambert", "Olivier Piron")),
    Firm("K006", "Fiduciaire Delvaux", "delvaux.example", "fr", ("Benoît Delvaux", "Amélie Renard")),
    Firm("K007", "Transports Mercier", "mercier.example", "fr", ("Hélène Mercier", "Yves Collard")),
    Firm("K008", "Tischlerei Schröder", "schroeder.example", "de", ("Jürgen Schröder", "Petra Weiß")),
    Firm("K009", "Steuerbüro Krüger", "krueger.example", "de", ("Anja Krüger", "Dieter Vogel")),
    Firm("K010", "Autohaus Lindner", "lindner.example", "de", ("Sabine Lindner", "Uwe Franke")),
    Firm("K011", "Harbour Logistics", "harbour.example", "en", ("Alan Whitmore", "Grace Oduya")),
    Firm("K012", "Northfield Dental", "northfield.example", "en", ("Martha Quill", "Peter Lang")),
)
GREETING = {
    "nl": ("Beste", "Dag Tom", "Goeiemorgen", "Geachte heer, mevrouw", "Hallo"),
    "fr": ("Bonjour", "Bonjour Sofie", "Madame, Monsieur", "Cher Tom"),
    "de": ("Guten Tag", "Sehr geehrte Damen und Herren", "Hallo Herr Verlinden", "Liebe Sofie"),
    "en": ("Hello", "Dear Tom", "Good morning", "Hi there"),
}
CLOSING = {
    "nl": ("Met vriendelijke groeten", "Groeten", "Alvast bedankt"),
    "fr": ("Cordialement", "Bien à vous", "Merci d'avance"),
    "de": ("Mit freundlichen Grüßen", "Viele Grüße", "Vielen Dank im Voraus"),
    "en": ("Kind regards", "Best wishes", "Many thanks"),
}
WROTE = {
    "nl": "Op {day} schreef {who}:",
    "fr": "Le {day}, {who} a écrit :",
    "de": "Am {day} schrieb {who}:",
    "en": "On {day}, {who} wrote:",
}
