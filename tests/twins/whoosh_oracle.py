"""A second opinion on queries: the same documents in a small in-memory Whoosh index, asked with the same query tree.

Also the world that both are asked about: messages with what the catalogue knows of them, in real encrypted databases.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
from whoosh import fields, query
from whoosh.analysis import Token, Tokenizer
from whoosh.filedb.filestore import RamStorage

from archiver.model.catalogue import IndexDocument
from archiver.model.fields import INDEX_COLUMNS, FieldKind, field_named
from archiver.model.files import FileType
from archiver.model.message import Direction
from archiver.search.analysis import _TOKEN, address_token, fold, fold_addresses
from archiver.search.index import FullTextIndex
from archiver.search.query.language import ANYWHERE, parse
from archiver.search.rows import ROW_BITS
from archiver.search.searcher import FullTextSearcher
from archiver.search.words.compounds import SHORTEST_PART, is_compound
from archiver.search.words.groupings import other_ways
from archiver.search.words.stems import same_word
from archiver.store.connection import StoreConnection, open_database
from archiver.store.index_db import open_index_file
from archiver.store.schema import APPLICATION_ID, MIGRATIONS, migrate

NOW = datetime(2025, 11, 22, 12, 0, tzinfo=UTC)
DIRECTIONS = ("incoming", "outgoing", "internal", "other")
CUSTOMERS = {"k1": (1,), "k2": (2,), "k3": (3,), "peeters": (1, 2)}
"""Customers by what a query may call them: a name may be that of several."""


CONTACTS = {"jan peeters": ("jan@example.be",), "an": ("an@my-example.be", "root@sub.example.be")}
"""Contacts of customers by their names, with their addresses."""
LANGUAGES = ("nl", "fr", "en", "de")
SAVED = {
    "open-offers": "subject:offerte -is:automatic",
    "recent": "since:2025-03 (licentie OR *sleutel)",
    "both": "saved:open-offers OR saved:recent",
}
"""Saved searches."""


@dataclass(frozen=True)
class Mail:
    """One message: its words, and what the catalogue knows of it. `at` is in Unix seconds."""

    at: int
    subject: str = ""
    sender: str = ""
    recipient: str = ""
    cc: str = ""
    bcc: str = ""
    body: str = ""
    quoted: str = ""
    filenames: str = ""
    attachments: str = ""
    direction: str = "incoming"
    files: int = 0
    account: str = "info"
    mailbox: str = "INBOX"
    message_id: str | None = None
    thread_of: int = -1  # number of another mail of the same thread
    links: tuple[tuple[int, int], ...] = ()  # customer's id and standing: 0 linked, 1 ambiguous, 2 suggested
    automatic: bool = False
    octets: int = 1
    types: tuple[str, ...] = ()
    language: str | None = None
    defects: int = 0
    sent: int | None = None  # the Date, in seconds relative to `at`

    def document(self, row: int) -> IndexDocument:
        return IndexDocument(
            row=row,
            subject=self.subject,
            from_=self.sender,
            to=self.recipient,
            cc=self.cc,
            bcc=self.bcc,
            text=self.body,
            quoted=self.quoted,
            filenames=self.filenames,
            attachments=self.attachments,
            direction=Direction(self.direction),
            language=self.language,
            types=frozenset(FileType(each) for each in self.types),
        )


@dataclass
class World:
    """The mails, indexed; `rows` in the order of the mails."""

    mails: Sequence[Mail]
    connection: StoreConnection
    index: FullTextIndex
    searcher: FullTextSearcher
    rows: list[int] = field(default_factory=list)

    def found(self, text: str, **options: Any) -> list[int]:
        """Numbers of the mails found, in the order of the answer."""
        options.setdefault("limit", 1000)
        return [self.rows.index(hit.row) for hit in self.searcher.search(text, **options).hits]

    def matching(self, text: str) -> set[int]:
        """Return the rows of all that match, whether they are hits of their own or copies."""
        plan = self.searcher._ask(text).plan
        return set(self.searcher._statements.newest(plan, len(self.rows) + 1)[0])

    def blob_id(self, number: int) -> bytes:
        return hashlib.sha256(f"mail {number}".encode()).digest()


def customers_named(text: str, prefix: bool) -> tuple[Sequence[int], Sequence[str]]:
    """Look a customer up as the searcher is told to."""
    name = text.lower()
    if not prefix:
        return CUSTOMERS.get(name, ()), [] if name in CUSTOMERS or not name.startswith("k") else ["K1", "K2"]
    return sorted({each for known, ids in CUSTOMERS.items() if known.startswith(name) for each in ids}), []


def contacts_named(text: str, prefix: bool) -> tuple[Sequence[str], Sequence[str]]:
    """Look a contact up by name or address, as the searcher is told to."""
    wanted = text.lower()
    found: dict[str, None] = {}
    for name, addresses in CONTACTS.items():
        if name.startswith(wanted) if prefix else wanted == name:
            found.update(dict.fromkeys(addresses))
        found.update(dict.fromkeys(a for a in addresses if (a.startswith(wanted) if prefix else a == wanted)))
    return tuple(found), ("Jan Peeters",)


@contextmanager
def world(folder: Path, mails: Sequence[Mail]) -> Iterator[World]:
    """Index mails in encrypted databases, as the store opens them."""
    key = bytes(range(32))
    with open_database(folder / "archive.db", key, create=True) as catalogue:
        migrate(catalogue, APPLICATION_ID, MIGRATIONS)
    with open_index_file(folder / "index.db", key) as connection:
        connection.attach(folder / "archive.db", key, "cat")
        with open_database(folder / "archive.db", key) as writable:
            rows = _fill_catalogue(writable, mails)
        index = FullTextIndex(connection)
        index.add([m.document(row) for m, row in zip(mails, rows, strict=True)], len(mails))
        searcher = FullTextSearcher(
            connection,
            lambda: NOW,
            languages=LANGUAGES,
            customers=customers_named,
            contacts=contacts_named,
            saved=lambda: SAVED,
        )
        yield World(mails, connection, index, searcher, rows)


def _fill_catalogue(catalogue: StoreConnection, mails: Sequence[Mail]) -> list[int]:
    rows: list[int] = []
    boxes: dict[tuple[str, str], int] = {}
    known = [(account, mailbox) for account in ("info", "sales") for mailbox in ("INBOX", "Sent")]
    with catalogue.transaction():
        for box, (account, mailbox) in enumerate(dict.fromkeys([*known, *((m.account, m.mailbox) for m in mails)]), 1):
            boxes[account, mailbox] = box
            catalogue.execute(
                "INSERT INTO mailboxes (id, account, name, uid_validity, display) VALUES (?, ?, ?, 1, ?)",
                (box, account, mailbox.encode(), mailbox),
            )
        for number, mail in enumerate(mails):
            row = mail.at << ROW_BITS
            while row in rows:
                row += 1
            rows.append(row)
            thread = rows[mail.thread_of] if 0 <= mail.thread_of < number else row
            catalogue.execute(
                "INSERT INTO messages (row, sequence, blob_id, thread, direction, octets, attachments, archived,"
                " message_id, sent, subject, preview, people, parts, flags)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, '', '', ?, x'90', ?)",
                (
                    row,
                    number + 1,
                    hashlib.sha256(f"mail {number}".encode()).digest(),
                    thread,
                    DIRECTIONS.index(mail.direction),
                    mail.octets,
                    mail.files,
                    mail.message_id,
                    mail.sent,
                    msgspec.msgpack.encode([[crc32(mail.sender.encode())]] if mail.sender else []),
                    2 if mail.automatic else 1,
                ),
            )
            catalogue.execute_many(
                "INSERT INTO links (customer, row, rule, standing, direction) VALUES (?, ?, 1, ?, ?)",
                [
                    (customer, row, standing, DIRECTIONS.index(mail.direction))
                    for customer, standing in dict(mail.links).items()
                ],
            )
            catalogue.execute_many(
                "INSERT INTO defects (row, position, code, detail) VALUES (?, ?, 1, '')",
                [(row, position) for position in range(mail.defects)],
            )
            catalogue.execute(
                "INSERT INTO locations (mailbox, uid, row) VALUES (?, ?, ?)",
                (boxes[mail.account, mail.mailbox], number + 1, row),
            )
    return rows


# --- the oracle ------------------------------------------------------------------------------------------------------


class _Cut(Tokenizer):  # type: ignore[misc]
    """Whoosh's analyser for text that is folded already."""

    def __call__(self, value: str, positions: bool = False, **_kwargs: Any) -> Iterator[Token]:
        token = Token(positions)
        for position, match in enumerate(re.finditer(_TOKEN, value)):
            token.text, token.boost, token.stopped = match.group().lower(), 1.0, False
            token.pos = position
            yield token


class _Memory(RamStorage):  # type: ignore[misc]
    """Whoosh's storage in memory, whose passing files are in memory too.

    Its own are in one folder for all processes, which whoever is ready first removes.
    """

    def temp_storage(self, name: str | None = None) -> RamStorage:
        return _Memory()


class Oracle:
    """The mails in Whoosh; `found` gives the numbers of those that a query finds.

    Other forms of a word are those that the predicates of `stems` and `compounds` accept, asked about every word there
    is. Wildcards and near words are Whoosh's own, without the tokens of whole addresses.
    """

    def __init__(self, mails: Sequence[Mail]) -> None:
        names = {name: fields.TEXT(analyzer=_Cut(), phrase=True) for name in INDEX_COLUMNS}
        number = fields.NUMERIC(numtype=int, bits=64, signed=True)
        words = fields.KEYWORD
        schema = fields.Schema(
            number=fields.NUMERIC(stored=True), at=number, size=number, direction=fields.ID, has=words, type=words,
            language=fields.ID, account=fields.ID, mailbox=fields.ID, everything=fields.ID, customer=words,
            candidate=words, standing=words, id=fields.ID, thread=fields.ID, messageid=fields.ID, **names,
        )  # fmt: skip
        self._mails = mails
        self._index = _Memory().create_index(schema)
        writer = self._index.writer()
        for number, mail in enumerate(mails):
            texts = {name: fold(getattr(mail, name)) for name in INDEX_COLUMNS}
            texts |= {name: fold_addresses(getattr(mail, name)) for name in ("sender", "recipient", "cc", "bcc")}
            root = mail.thread_of if 0 <= mail.thread_of < number else number
            writer.add_document(
                number=number, at=mail.at, size=mail.octets, direction=mail.direction,
                has=" ".join(["attachment"] * bool(mail.files) + ["defect"] * bool(mail.defects)),
                type=" ".join(mail.types), language=mail.language or "none",
                account=mail.account.lower(), mailbox=mail.mailbox.lower(), everything="yes",
                id=blob_id(number).hex(), thread=str(root), messageid=mail.message_id or "",
                **_standings(mail), **texts,
            )  # fmt: skip
        writer.commit()
        reader = self._index.reader()
        self._reader = reader
        lexicon = {term.decode() for name in INDEX_COLUMNS for term in reader.lexicon(name)}
        self._forms: dict[str, set[str]] = {}
        self.words = {word for word in lexicon if "＠" not in word}
        """Every word of the mails, without the tokens of whole addresses."""

    def found(self, text: str) -> set[int]:
        """Return the numbers of the mails that a query finds."""
        tree = self._for_whoosh(parse(text, NOW, languages=LANGUAGES, saved=lambda: SAVED))
        with self._index.searcher() as searcher:
            return {hit["number"] for hit in searcher.search(tree, limit=None)}

    def forms(self, word: str) -> set[str]:
        """Return a word with its other forms and the compounds that it is a part of."""
        if word not in self._forms:
            self._forms[word] = self._worked_out(word)
        return self._forms[word]

    def _worked_out(self, word: str) -> set[str]:
        variants = {other for other in self.words if same_word(word, other, LANGUAGES)} | {word}
        letters = {other for other in self.words if re.fullmatch("[a-z]+", other)}
        parts = {part for part in variants if len(part) >= SHORTEST_PART} if len(word) >= SHORTEST_PART else set()
        parts = parts if re.fullmatch("[a-z]+", word) else set()
        return variants | {
            whole for whole in letters for part in parts if is_compound(part, whole, letters.__contains__)
        }

    def groupings(self, words: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the runs of words that are the same number as these."""
        return list(other_ways(words, self.words.__contains__))

    def _for_whoosh(self, node: query.Query) -> query.Query:  # noqa: PLR0911 - one return for each kind of node
        """Spread fields over their columns; Not gets something to be taken from, as Whoosh's matchers want it."""
        match node:
            case query.Every():
                return _EVERYTHING
            case query.Not():
                return query.AndNot(_EVERYTHING, self._for_whoosh(node.query))
            case query.And() | query.Or():
                return type(node)([self._for_whoosh(part) for part in node.subqueries if not _is_empty(part)])
            case query.NumericRange():
                return query.NumericRange(node.fieldname, node.start, node.end, node.startexcl, node.endexcl)
            case query.Sequence():
                columns = _columns(node.subqueries[0].fieldname)
                return query.Or([query.Sequence([type(p)(c, p.text) for p in node.subqueries]) for c in columns])
            case query.Phrase() if node.slop > 1:
                return query.Or([self._near(c, node) for c in _columns(node.fieldname)])
            case query.Phrase():
                runs = [node.words, *(self.groupings(node.words) if getattr(node, "bare", False) else ())]
                return query.Or([_run(c, words) for c in _columns(node.fieldname) for words in runs])
            case query.Variations():
                runs = [*([word] for word in self.forms(node.text)), *self.groupings([node.text])]
                return query.Or([_run(c, words) for c in _columns(node.fieldname) for words in runs])
            case query.Wildcard() | query.FuzzyTerm():
                return query.Or([part for c in _columns(node.fieldname) for part in self._expanded(c, node)])
            case query.Term() | query.Prefix():
                return self._value(node, prefix=isinstance(node, query.Prefix))
        raise AssertionError(node)

    def _expanded(self, column: str, node: query.Query) -> list[query.Query]:
        """Let Whoosh expand a pattern or a near word over the words of a column; they are those of the whole index."""
        if isinstance(node, query.Wildcard):
            expanding = query.Wildcard(column, node.text)
        else:
            expanding = query.FuzzyTerm(column, node.text, maxdist=node.maxdist, prefixlength=0)
        found = expanding._btexts(self._reader)
        words = {term.decode() if isinstance(term, bytes) else term for term in found}
        return [query.Term(column, word) for word in words & self.words]

    def _near(self, column: str, node: query.Phrase) -> query.Query:
        """Find the words in any order, all within (n - 1) * slop + 1 tokens.

        By the positions that Whoosh has. A word that is asked for twice may be the same one in the text.
        """
        found = []
        for number, places in self._positions(column, node.words).items():
            if any(max(chosen) - min(chosen) <= (len(node.words) - 1) * node.slop for chosen in product(*places)):
                found.append(query.Term("number", number))
        return query.Or(found)

    def _positions(self, column: str, words: Sequence[str]) -> dict[int, list[list[int]]]:
        """Return where each of the words stands, for mails that have them all."""
        places: list[dict[int, list[int]]] = []
        for word in words:
            if (column, word) not in self._reader:
                return {}
            matcher, here = self._reader.postings(column, word), {}
            while matcher.is_active():
                here[self._reader.stored_fields(matcher.id())["number"]] = matcher.value_as("positions")
                matcher.next()
            places.append(here)
        return {number: [each[number] for each in places] for number in set.intersection(*map(set, places))}

    def _value(self, node: query.Query, *, prefix: bool) -> query.Query:  # noqa: PLR0911 - one return for each kind
        name, text = node.fieldname, str(node.text)
        named = field_named(name)
        kind = FieldKind.TEXT if named is None else named.kind
        match kind:
            case FieldKind.CUSTOMER | FieldKind.CANDIDATE:
                return query.Or([query.Term(name, str(each)) for each in customers_named(text, prefix)[0]])
            case FieldKind.CONTACT:
                tokens = [address_token(each) for each in contacts_named(text, prefix)[0]]
                return query.Or([query.Term(c, token) for c in _columns("participants") for token in tokens])
            case FieldKind.STANDING:
                return query.Term("standing", text)
            case FieldKind.ID:
                return query.Prefix("id", text)
            case FieldKind.THREAD:
                roots = {
                    str(mail.thread_of if 0 <= mail.thread_of < number else number)
                    for number, mail in enumerate(self._mails)
                    if blob_id(number).hex().startswith(text)
                }
                return query.Or([query.Term("thread", root) for root in roots])
            case FieldKind.MESSAGE_ID:
                return query.Term("messageid", text)
            case FieldKind.ACCOUNT | FieldKind.MAILBOX:
                text = text.lower()
        return query.Or([type(node)(c, text) for c in _columns(name)])


def blob_id(number: int) -> bytes:
    """Return the identifier of a mail in the world."""
    return hashlib.sha256(f"mail {number}".encode()).digest()


def _standings(mail: Mail) -> dict[str, str]:
    links = dict(mail.links)
    standing = {
        "linked": 0 in links.values(),
        "ambiguous": 1 in links.values(),
        "unlinked": mail.direction != "internal" and not {0, 1} & set(links.values()),
        "automatic": mail.automatic,
    }
    return {
        "customer": " ".join(str(each) for each, how in links.items() if how == 0),
        "candidate": " ".join(str(each) for each, how in links.items() if how),
        "standing": " ".join(name for name, holds in standing.items() if holds),
    }


_EVERYTHING = query.Term("everything", "yes")


def _is_empty(node: query.Query) -> bool:
    return isinstance(node, query.compound.CompoundQuery) and not node.subqueries


def _columns(name: str) -> Sequence[str]:
    if name == ANYWHERE:
        return INDEX_COLUMNS
    found = field_named(name)
    return found.columns if found and found.columns else (name,)


def _run(column: str, words: Sequence[str]) -> query.Query:
    return query.Phrase(column, list(words)) if words[1:] else query.Term(column, words[0])
