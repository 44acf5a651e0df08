"""The kinds of situation that a labelled set is made of, and the set itself.

A situation is a function that writes one message (and companions, where it needs earlier mail) with the customers that
a careful colleague would file it under. Knows no rule of archiver's and asks none: labels come from who wrote what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from random import Random

from tests.labelled.letters import LANGUAGES, Letter, Writer, mailbox
from tests.labelled.world import FIRMS, ORDINARY, OWN_DOMAIN, STAFF, Firm, Person

STRANGERS = (
    ("Maarten Quispel", "m.quispel@gmail.com"), ("Odile Fontanel", "odile.fontanel@orange.fr"),
    ("Horst Zabel", "horst.zabel@web.de"), ("Emma Thackeray", "emma.thackeray@outlook.com"),
    ("Jelle Ruts", "jelle.ruts@telenet.be"), ("Carine Lebrun", "carine.lebrun@skynet.be"),
    ("Sales Desk", "offers@brightwidgets.example"), ("Nico Haan", "n.haan@ziggo.nl"),
    ("Pia Olsen", "pia@olsen-konsult.test"), ("Ravi Menon", "ravi.menon@yahoo.co.uk"),
)  # fmt: skip
"""People who are nobody's contact; none of their domains is a customer's."""


@dataclass(frozen=True)
class Labelled:
    """A message with the references it belongs to; `candidates` is None where a colleague would not care."""

    octets: bytes
    links: frozenset[str] = frozenset()
    candidates: frozenset[str] | None = None
    companions: tuple[tuple[bytes, frozenset[str]], ...] = field(default=())


@dataclass
class Scene:
    """What a situation writes with."""

    random: Random
    writer: Writer

    @property
    def language(self) -> str:
        return self.random.choice(LANGUAGES)

    def firm(self, *, language: str | None = None, but: Firm | None = None) -> Firm:
        return self.random.choice([f for f in ORDINARY if f is not but and language in (None, f.language)])

    def colleague(self) -> str:
        return mailbox(*self.random.choice(STAFF))

    def desk(self) -> str:
        return self.random.choice([f"support@{OWN_DOMAIN}", f"info@{OWN_DOMAIN}", f"Zilverlinde <sales@{OWN_DOMAIN}>"])

    def stranger(self) -> tuple[str, str]:
        return self.random.choice(STRANGERS)

    def stranger_box(self) -> str:
        return mailbox(*self.stranger())

    def letter(self, from_: str, language: str, *, signed: str = "", **fields: object) -> Letter:
        """A letter to our desk, unless `to` says otherwise, in a language."""
        values: dict[str, object] = {
            "to": self.desk(), "subject": self.writer.subject(language), "body": self.writer.text(language, signed=signed),
            **fields,
        }  # fmt: skip
        return Letter(from_, **values)  # type: ignore[arg-type]

    def done(self, letter: Letter, *links: Firm, candidates: tuple[Firm, ...] | None = (),
             companions: tuple[tuple[bytes, frozenset[str]], ...] = ()) -> Labelled:  # fmt: skip
        return Labelled(
            self.writer.octets(letter),
            frozenset(firm.reference for firm in links),
            None if candidates is None else frozenset(firm.reference for firm in candidates),
            companions,
        )


Situation = Callable[[Scene], Labelled]
SITUATIONS: dict[str, Situation] = {}
MODULES = (
    "clients", "gateways", "machines", "numbers", "participants", "passed_on", "reports", "roles", "signatures", "traps",
)  # fmt: skip
"""The modules that fill SITUATIONS when they are imported."""


def situation(function: Situation) -> Situation:
    """Add a kind of situation, under the function's name."""
    SITUATIONS[function.__name__.replace("_", " ")] = function
    return function


def firm(reference: str) -> Firm:
    return next(f for f in FIRMS if f.reference == reference)


def box(person: Person, address: str | None = None) -> str:
    return mailbox(person.name, address or person.email)


def labelled_set(seed: int, each: int) -> Iterator[tuple[str, Labelled]]:
    """Yield (kind, message), `each` of every kind; the same for the same seed."""
    for module in MODULES:
        import_module(f"tests.labelled.{module}")
    for name, write in sorted(SITUATIONS.items()):
        random = Random(f"{seed} {name}")
        writer = Writer(random)
        for _ in range(each):
            yield name, write(Scene(random, writer))
