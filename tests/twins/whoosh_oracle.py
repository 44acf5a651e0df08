"""A second opinion on queries: the same documents in a small in-memory Whoosh index, asked with the same query tree.

Also the world that both are asked about: messages with what the catalogue knows of them, in real encrypted databases.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from whoosh import fields, query
from whoosh.analysis import Token, Tokenizer
from whoosh.filedb.filestore import RamStorage

from archiver.model.catalogue import IndexDocument
from archiver.model.fields import INDEX_COLUMNS, FieldKind, field_named
from archiver.search.analysis import _TOKEN, fold, fold_addresses
from archiver.search.index import FullTextIndex
from archiver.search.language import ANYWHERE, AT, parse
from archiver.search.rows import ROW_BITS
from archiver.search.searcher import FullTextSearcher
from archiver.store.connection import StoreConnection, open_database
from archiver.store.schema import APPLICATION_ID, MIGRATIONS, migrate

NOW = datetime(2025, 11, 22, 12, 0, tzinfo=UTC)
DIRECTIONS = ("incoming", "outgoing", "internal", "other")
CUSTOMERS = {"k1": (1,), "k2": (2,), "k3": (3,), "peeters": (1, 2)}
"""Customers by what a query may call them: a name may be that of several."""


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

    def blob_id(self, number: int) -> bytes:
        return hashlib.sha256(f"mail {number}".encode()).digest()


def customers_named(text: str, prefix: bool) -> tuple[Sequence[int], Sequence[str]]:
    """Look a customer up as the searcher is told to."""
    name = text.lower()
    if not prefix:
        return CUSTOMERS.get(name, ()), [] if name in CUSTOMERS or not name.startswith("k") else ["K1", "K2"]
    return sorted({each for known, ids in CUSTOMERS.items() if known.startswith(name) for each in ids}), []


@contextmanager
def world(folder: Path, mails: Sequence[Mail]) -> Iterator[World]:
    """Index mails in encrypted databases, as the store opens them."""
    key = bytes(range(32))
    with open_database(folder / "archive.db", key, create=True) as catalogue:
        migrate(catalogue, APPLICATION_ID, MIGRATIONS)
    with open_database(folder / "index.db", key, create=True, synchronous="NORMAL") as connection:
        connection.attach(folder / "archive.db", key, "cat")
        with open_database(folder / "archive.db", key) as writable:
            rows = _fill_catalogue(writable, mails)
        index = FullTextIndex(connection)
        index.add([m.document(row) for m, row in zip(mails, rows, strict=True)], len(mails))
        yield World(
            mails, connection, index, FullTextSearcher(connection, lambda: NOW, customers=customers_named), rows
        )


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
                " message_id, subject, preview, people, parts, flags)"
                " VALUES (?, ?, ?, ?, ?, 1, ?, 1, ?, '', '', x'90', x'90', ?)",
                (
                    row,
                    number + 1,
                    hashlib.sha256(f"mail {number}".encode()).digest(),
                    thread,
                    DIRECTIONS.index(mail.direction),
                    mail.files,
                    mail.message_id,
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
        for position, match in enumerate(_TOKEN.finditer(value)):
            token.text, token.boost, token.stopped = match.group().lower(), 1.0, False
            token.pos = position
            yield token


class Oracle:
    """The mails in Whoosh; `found` gives the numbers of those that a query finds, newest first."""

    def __init__(self, mails: Sequence[Mail]) -> None:
        names = {name: fields.TEXT(analyzer=_Cut(), phrase=True) for name in INDEX_COLUMNS}
        schema = fields.Schema(
            number=fields.STORED, at=fields.NUMERIC(numtype=int, bits=64, signed=True),
            direction=fields.ID, has=fields.ID,
            account=fields.ID, mailbox=fields.ID, everything=fields.ID, customer=fields.KEYWORD,
            candidate=fields.KEYWORD, standing=fields.KEYWORD, **names,
        )  # fmt: skip
        self._mails = mails
        self._index = RamStorage().create_index(schema)
        writer = self._index.writer()
        for number, mail in enumerate(mails):
            texts = {name: fold(getattr(mail, name)) for name in INDEX_COLUMNS}
            texts |= {name: fold_addresses(getattr(mail, name)) for name in ("sender", "recipient", "cc", "bcc")}
            writer.add_document(
                number=number, at=mail.at, direction=mail.direction, has="attachment" if mail.files else "nothing",
                account=mail.account.lower(), mailbox=mail.mailbox.lower(), everything="yes",
                **_standings(mail), **texts,
            )  # fmt: skip
        writer.commit()

    def found(self, text: str) -> set[int]:
        tree = _for_whoosh(parse(text, NOW))
        with self._index.searcher() as searcher:
            return {hit["number"] for hit in searcher.search(tree, limit=None)}


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


def _for_whoosh(node: query.Query) -> query.Query:  # noqa: PLR0911 - one return for each kind of node
    """Spread fields over their columns; Not gets something to be taken from, as Whoosh's matchers want it."""
    match node:
        case query.Every():
            return _EVERYTHING
        case query.Not():
            return query.AndNot(_EVERYTHING, _for_whoosh(node.query))
        case query.And() | query.Or():
            parts = [_for_whoosh(part) for part in node.subqueries if not _is_empty(part)]
            return type(node)(parts)
        case query.NumericRange():
            return query.NumericRange(AT, node.start, node.end, node.startexcl, node.endexcl)
        case query.Sequence():
            name = node.subqueries[0].fieldname
            return query.Or([query.Sequence([type(p)(c, p.text) for p in node.subqueries]) for c in _columns(name)])
        case query.Phrase():
            return query.Or([query.Phrase(c, node.words) for c in _columns(node.fieldname)])
        case query.Term() | query.Prefix() if node.fieldname in {"customer", "candidate"}:
            ids, _ = customers_named(node.text, isinstance(node, query.Prefix))
            return query.Or([query.Term(node.fieldname, str(each)) for each in ids])
        case query.Term() if node.fieldname == "is":
            return query.Term("standing", node.text)
        case query.Term() | query.Prefix():
            return query.Or([type(node)(c, _value(node)) for c in _columns(node.fieldname)])
    raise AssertionError(node)


def _is_empty(node: query.Query) -> bool:
    return isinstance(node, query.compound.CompoundQuery) and not node.subqueries


def _value(node: query.Term) -> str:
    found = field_named(node.fieldname)
    text = str(node.text)
    return text.lower() if found and found.kind in {FieldKind.ACCOUNT, FieldKind.MAILBOX} else text


def _columns(name: str) -> Sequence[str]:
    if name == ANYWHERE:
        return INDEX_COLUMNS
    found = field_named(name)
    return found.columns if found and found.columns else (name,)
