"""Mail and queries by chance, of every shape that the query language has, for asking two engines the same.

Few words, so that they meet: forms of words and compounds in four languages, what folding and cutting touch, addresses.
Knows what shapes a query is made of, so that a run can say how often each was asked.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from tests.twins.whoosh_oracle import DIRECTIONS, Mail, blob_id

_FORMS = (
    "contract", "contracten", "licentie", "licenties", "licentiesleutel", "licentiesleutels", "sleutel",
    "sleutels", "factuur", "facturen", "jaarfactuur", "betalen", "betaald", "betaling", "geleverd", "leveren",
    "levering", "klanten", "klantnummer", "nummer", "licence", "licences", "key", "keys", "pay", "paying",
    "payment", "offre", "offres", "facture", "factures", "paiement", "résilié", "résilier", "cheval", "chevaux",
    "Rechnung", "Rechnungen", "Rechnungsnummer", "Nummer", "Vertrag", "Verträge", "Vertraege", "Schlüssel",
    "Lizenzschlüssel", "Lizenz", "bestellen", "bestelling", "installatie", "installaties", "update", "updates",
    "verlenging", "verlengen", "verlengd",
)  # fmt: skip
_ODD = (
    "één", "een", "e-mail", "l'offre", "Straße", "strasse", "東京", "京都", "東京都", "서비스", "0123.456.789",
    "invoice_2025.pdf", "or", "NOTE", "jan@example.be", "mail", "2025", "ﬁn", "été", "not", "niet", "de", "van", "the",
    "A1-2025", "x", "foto's", "IT", "a", "und", "สวัสดีครับ", "Привет", "ПРИВЕТ", "İzmir", "O'Brien", "AT&T",
    "x_y", "Ærø", "Łódź", "½", "C++", "aanvraagformulieringsprocedureoverzicht", "ﾃｽﾄ",
)  # fmt: skip
_ALL = (*_FORMS, *_ODD)
_ADDRESSES = (
    "Jan Peeters jan@example.be", "piet-jan@example.be", "An Élan an@my-example.be", "root", "x@sub.example.be",
    "jan@example.be.evil.test", "Licenties BV root@sub.example.be",
)  # fmt: skip
_TYPES = ("pdf", "document", "sheet", "image", "archive")
_START = 1_735_689_600  # 2025-01-01
_DAY = 86_400
_SIZES = (0, 1, 999, 1000, 1001, 1024, 50_000, 100_000, 1_500_000, 2_000_000, 2_000_001, 30_000_000)

_GROUPS = (
    "and", "or", "AND", "NOT", "not", "not not", "either not", "parentheses", "field group", "weighted group",
)  # fmt: skip
_TEXT_FIELDS = (
    "subject", "body", "quoted", "attachment", "filename", "subj", "onderwerp", "objet", "betreff", "text", "bijlage",
)  # fmt: skip
_PERSON_FIELDS = ("from", "to", "cc", "bcc", "bcc", "participants", "van", "von", "aan", "with")


def mailbox(random: Random, most: int = 14) -> list[Mail]:
    """Return some messages; a few are copies of others, or all but copies."""
    mails: list[Mail] = []
    for number in range(random.randint(1, most)):
        if mails and random.random() < 0.25:
            mails.append(_copy(random, mails, random.randrange(number)))
        else:
            mails.append(_mail(random, number))
    return mails


def _day(random: Random) -> int:
    """Return a day, counted from the start; often one that a query begins or ends with, seldom one of other years."""
    if random.random() < 0.4:
        return random.choice((0, 20, 31, 41, 59, 61, 62, 90, 120, 131, 132, 151, 152, 181, 212, 243))
    return random.randint(-400, 330) if random.random() < 0.3 else random.randint(0, 330)


def _copy(random: Random, mails: Sequence[Mail], of: int) -> Mail:
    """Return a message once more, as another mailbox has it; one time in three not quite the same message."""
    mail = mails[of]
    copy = replace(
        mail,
        account=random.choice(("info", "sales")), mailbox=random.choice(("INBOX", "Sent")),
        files=random.randint(0, 1), octets=random.choice(_SIZES), direction=random.choice(DIRECTIONS),
        thread_of=mail.thread_of if 0 <= mail.thread_of < of else of,
        body=random.choice((mail.body, random.choice(_FORMS))),
    )  # fmt: skip
    match random.randint(0, 8):
        case 0:
            return replace(copy, sender=random.choice(_ADDRESSES))
        case 1:
            return replace(copy, sent=random.choice((0, 1, 7200)))
        case 2:
            return replace(copy, at=mail.at + random.choice((1, 15, 16)))
        case _:
            return copy


def _mail(random: Random, number: int) -> Mail:
    def text(most: int) -> str:
        return " ".join(random.choices(_FORMS if random.random() < 0.6 else _ALL, k=random.randint(0, most)))

    def people() -> str:
        return " ".join(random.choices(_ADDRESSES, k=random.randint(0, 2)))

    return Mail(
        at=_START + _day(random) * _DAY + random.choice((-1, 0, 0, 1, 17, 43_200, 86_399)),
        subject=text(4), sender=people(), recipient=people(), cc=people(), bcc=people(), body=text(9), quoted=text(6),
        filenames=text(2), attachments=text(6), direction=random.choice(DIRECTIONS), files=random.randint(0, 1),
        account=random.choice(("info", "sales")), mailbox=random.choice(("INBOX", "Sent")),
        message_id=f"{number}.a~1@example.be" if random.random() < 0.8 else None,
        thread_of=random.randint(-2, number),
        links=tuple({random.randint(1, 3): random.randint(0, 2) for _ in range(random.randint(0, 2))}.items()),
        automatic=random.random() < 0.3, octets=random.choice(_SIZES),
        types=tuple(random.sample(_TYPES, random.randint(0, 2))),
        language=random.choice(("nl", "fr", "en", "de", None)),
        defects=random.choice((0, 0, 1, 2)),
    )  # fmt: skip


class Asker:
    """Makes queries by chance; `shapes` are those that the last one is made of.

    Phrases are often of words that a mail has; every other leaf is of the shape `preferred`, if there is one.
    """

    def __init__(self, random: Random, mails: Sequence[Mail] = (), preferred: str | None = None) -> None:
        self._random, self._preferred = random, preferred
        self._texts = [text.split() for mail in mails for text in (mail.body, mail.attachments, mail.quoted)]
        self._texts = [words for words in self._texts if len(words) > 1]
        self.shapes: list[str] = []

    def query(self) -> str:
        """Return a query, and keep what it is made of."""
        self.shapes = []
        return self._group(self._random.choice((0, 1, 1, 1, 2, 2, 3)))

    def _group(self, depth: int) -> str:  # noqa: PLR0911 - one return for each shape
        random = self._random
        if depth == 0:
            return self._leaf()
        how = random.choice(_GROUPS)
        if how == "field group":
            self.shapes.append(how)
            parts = [self._words(single=True) for _ in range(random.randint(1, 3))]
            return f"{random.choice(_TEXT_FIELDS)}:({random.choice((' ', ' OR ')).join(parts)})"
        self.shapes.append(how.lower())
        parts = [self._group(random.randint(0, depth - 1)) for _ in range(random.randint(2, 3))]
        match how:
            case "and":
                return " ".join(parts)
            case "or" | "AND":
                return f" {how.upper()} ".join(parts)
            case "NOT":
                return f"({parts[0]}) NOT ({parts[1]})"
            case "not":
                return f"-({parts[0]})"
            case "not not":
                return f"NOT (-({parts[0]}))"
            case "either not":
                return f"{self._leaf()} OR NOT ({parts[0]})"
            case "parentheses":
                return f"({' '.join(parts)}) {self._leaf()}"
            case _:
                return f"({' OR '.join(parts)})^{random.choice(('2', '0.5', '10'))} {self._leaf()}"

    def _leaf(self) -> str:
        random = self._random
        if self._preferred and random.random() < 0.5:
            return self._of(self._preferred)
        kind = random.random()
        if kind < 0.5:
            return self._words()
        if kind < 0.6:
            self.shapes.append("words in a field")
            return f"{random.choice(_TEXT_FIELDS)}:{self._words(single=True)}"
        if kind < 0.68:
            return self._person()
        if kind < 0.71:
            self.shapes.append("weighted field")
            weighted = ("subject:offres", "from:jan", "domain:example.be", "body:sleutel", 'attachment:"contract"')
            return f"{random.choice(weighted)}^{random.choice(('0.5', '3'))}"
        return self._of(random.choice(tuple(_VALUES)))

    def _person(self) -> str:
        self.shapes.append("person")
        values = (
            "jan", "jan@example.be", "@example.be", "*@my-example.be", "élan", '"jan peeters"', "root", "p*",
            "example.be", "*eeters", "peters~", "licentie", '"an elan"~2', "pe?ters",
        )  # fmt: skip
        return f"{self._random.choice(_PERSON_FIELDS)}:{self._random.choice(values)}"

    def _words(self, *, single: bool = False) -> str:
        random = self._random
        return self._of(random.choice([name for name in _WORDS if not (single and name in _NOT_IN_FIELDS)]))

    def _of(self, shape: str) -> str:
        random = self._random
        self.shapes.append(shape)
        if shape in _OF_A_MAIL and self._texts and random.random() < 0.6:
            return _OF_A_MAIL[shape](self._random.choice(self._texts), random)
        return (_WORDS.get(shape) or _VALUES[shape])(random)


_NOT_IN_FIELDS = frozenset(("function word", "function word alone", "everything"))


def _beside(words: Sequence[str], random: Random) -> str:
    """Return words that stand near each other, most often as they stand."""
    at, many = random.randrange(len(words) - 1), random.randint(2, 3)
    if random.random() < 0.7:
        return " ".join(words[at : at + many])
    near = words[at : at + 5]
    return " ".join(random.sample(near, min(many, len(near))))


def _apart(words: Sequence[str], random: Random) -> str:
    """Return two words with a distance that is theirs, or about."""
    one, other = random.sample(range(len(words)), 2)
    slop = min(max(abs(one - other) + random.choice((-1, 0, 0, 1)), 1), 9)
    return f'"{words[one]} {words[other]}"~{slop}'


_OF_A_MAIL: dict[str, Callable[[Sequence[str], Random], str]] = {
    "phrase": lambda words, random: f'"{_beside(words, random)}"',
    "weighted phrase": lambda words, random: f'"{_beside(words, random)}"^3',
    "phrase with distance": _apart,
    "phrase to a beginning": lambda words, random: (
        _beside(words, random).replace(" ", "-")[: random.randint(-3, -1)] + "*"
    ),
}
"""How phrases are asked for whose words a mail has."""


def _form(random: Random) -> str:
    return random.choice(_FORMS)


def _phrase(random: Random, least: int = 2) -> str:
    return " ".join(random.choices(_FORMS if random.random() < 0.7 else _ALL, k=random.randint(least, 3)))


def _plain(random: Random, shortest: int = 5) -> str:
    return random.choice([word for word in _FORMS if word.isascii() and len(word) >= shortest])


def _holed(random: Random) -> str:
    word = _plain(random)
    at = random.randint(1, len(word) - 2)
    return word[:at] + random.choice("?*") + word[at + random.randint(0, 1) :]


def _slip(random: Random, slips: int) -> str:
    word = list(_plain(random, 3 + 2 * slips).lower())
    for _ in range(random.randint(0, slips)):
        at = random.randrange(len(word))
        match random.choice(("put in", "take out", "replace")):
            case "put in":
                word.insert(at, random.choice("aeinrst"))
            case "take out" if len(word) > 2 * slips + 1:
                del word[at]
            case _:
                word[at] = random.choice("aeinrst")
    return "".join(word)


def _spelt(random: Random) -> str:
    """Write a word as somebody else might: case, accents that are not there, pieces of letters, wide letters."""
    word = random.choice(_FORMS)
    match random.randint(0, 4):
        case 0:
            return word.upper()
        case 1:
            return unicodedata.normalize("NFD", word)
        case 2:
            return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in word)
        case 3:
            return "".join({"e": "é", "a": "à", "i": "ï"}.get(c, c) for c in word)
        case _:
            return word.swapcase()


def _two(random: Random) -> str:
    return " ".join(random.sample(("東", "京", "都", "서", "비", "스"), 2)).replace(" ", "")


_WORDS: dict[str, Callable[[Random], str]] = {
    "word": _form,
    "odd word": lambda random: random.choice(_ODD),
    "weighted word": lambda random: f"{_form(random)}^{random.choice(('2', '0.3'))}",
    "quoted word": lambda random: f'"{_form(random)}"',
    "phrase": lambda random: f'"{_phrase(random)}"',
    "weighted phrase": lambda random: f'"{_phrase(random)}"^3',
    "phrase with distance": lambda random: f'"{_phrase(random)}"~{random.randint(1, 5)}',
    "phrase of a text": lambda random: f'"{random.choice(_ODD)}"',
    "prefix": lambda random: _plain(random)[: random.randint(1, 5)] + "*",
    "odd prefix": lambda random: random.choice(
        ("e*", "e-m*", "東*", "東京*", "st*", "0123.4*", "jan@ex*", "l'o*", "A1-2*")
    ),
    "phrase to a beginning": lambda random: f"{_plain(random)}{random.choice('-.')}{_plain(random)[:3]}*",
    "word of nobody": lambda random: random.choice(("zzyzx", "aap", "contracter", "sleutelx", "0", "Ω")),
    "word spelt otherwise": _spelt,
    "wildcard in front": lambda random: "*" + _plain(random)[random.randint(1, 3) :],
    "wildcard inside": _holed,
    "wildcard around": lambda random: f"*{_plain(random)[1 : random.randint(3, 5)]}*",
    "fuzzy 1": lambda random: _slip(random, 1) + random.choice(("~", "~1")),
    "fuzzy 2": lambda random: _slip(random, 2) + "~2",
    "elision": lambda random: random.choice(("l'", "d’", "qu'")) + _plain(random),
    "characters": _two,
    "function word": lambda random: f"{random.choice(('de', 'van', 'the', 'und', 'a', 'l'))} {_form(random)}",
    "function word alone": lambda random: random.choice(
        ("de", "the", '"van"', "VAN", "-und", f"de OR {_form(random)}", "subject:de", "niet", "not")
    ),
    "everything": lambda _random: "*",
}


def _any_of(*values: str) -> Callable[[Random], str]:
    return lambda random: random.choice(values)


def _identified(name: str) -> Callable[[Random], str]:
    return lambda random: f"{name}:{blob_id(random.randint(0, 9)).hex()[: random.randint(4, 20)]}"


_VALUES: dict[str, Callable[[Random], str]] = {
    "since": _any_of("since:2025-03", "since:yesterday", "since:last month", "sinds:maart", "after:3 weeks ago"),
    "until": _any_of("until:2025-02-10", "tot:mei 2025", "until:1/6/2025", "bis:vor 2 Wochen"),
    "date": _any_of(
        "date:2025-04", "date:2025-02..2025-05", "date:..2025-01-20", "date:>2025-06", "date:<=2025-03-03",
        "date:[2025-03 TO 2025-08]", "date:maart 2025", "date:Q2 2025", "date:2025-W20", "date:12 mei 2025..juin 2025",
        "date:(maart 2025 OR april 2025)",
    ),
    "size": _any_of(
        "size:>1k", "size:>=1000", "size:<1k", "size:<=1KiB", "size:100k..2M", "size:>2M", "size:[1 TO 1,5 MB]",
        "size:..0", "size:>1,5 MB",
    ),
    "type": _any_of("type:pdf", "type:word", "type:xlsx", "type:image", "type:ARCHIVE", "type:slides"),
    "language": _any_of("language:nl", "lang:French", "taal:duits", "language:en", "language:it"),
    "has": _any_of("has:attachment", "has:defect", "has:files"),
    "direction": _any_of("direction:incoming", "direction:out", "direction:intern", "direction:other"),
    "account": _any_of("account:info", "account:SALES", "account:s*"),
    "mailbox": _any_of("mailbox:sent", "mailbox:S*", "mailbox:inbox", "in:Sent"),
    "customer": _any_of("customer:K1", "klant:k3", "customer:peeters", "customer:k*"),
    "candidate": _any_of('candidate:"K2"', "candidate:peeters"),
    "contact": _any_of('contact:"Jan Peeters"', "contact:an", "contact:jan@example.be", "contact:jan*", "contact:a*"),
    "is": _any_of("is:linked", "is:unlinked", "is:ambiguous", "is:automatic"),
    "domain": _any_of("domain:example.be", "domain:be.evil.test", "domain:my-example.be", "domain:sub.example.be"),
    "id": _identified("id"),
    "thread": _identified("thread"),
    "message-id": lambda random: f"message-id:<{random.randint(0, 9)}.a~1@example.be>",
    "saved": _any_of("saved:open-offers", "saved:Recent", "saved:both"),
}  # fmt: skip

SHAPES: Sequence[str] = (
    *_WORDS, *_VALUES, "person", "words in a field", "and", "or", "not", "parentheses", "field group",
    "weighted group", "not not", "either not", "weighted field",
)  # fmt: skip
"""Every shape that queries are made of."""
