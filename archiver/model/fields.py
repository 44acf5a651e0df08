"""The fields of the query language: one table that drives parser, compiler, help and documentation.

Knows names, aliases, what kind of value a field takes, and an example of each. Knows nothing of Whoosh or of SQL: a
TEXT field names columns of the full-text index, every other kind is answered from the catalogue by `archiver.search`.
A new field of an existing kind is one more row here and nothing else.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from archiver.model.files import FileType, endings

INDEX_COLUMNS = (
    "body", "subject", "sender", "recipient", "cc", "bcc", "quoted", "filenames", "attachments",
)  # fmt: skip
"""Columns of the full-text index, in their order on disk. `sender` is From, `recipient` is To, `body` the own text: the
first, because FTS5 names the column of every posting in two octets but for those of the first."""


class FieldKind(Enum):
    """What a field takes as its value, and so who answers it."""

    TEXT = "words"  # the full-text index, in the columns that the field names
    DOMAIN = "domain"  # the end of an address, in the address columns
    SINCE = "date"  # from the beginning of the date given
    UNTIL = "date, included"  # up to and with the end of the date given
    DATE = "date or range"  # within the date, or a..b
    DIRECTION = "direction"
    HAS = "thing"
    ACCOUNT = "account"
    MAILBOX = "mailbox"
    MESSAGE_ID = "Message-ID"
    ID = "id"
    THREAD = "id of a message"
    CUSTOMER = "customer"  # by reference, VAT number or name: those that a message belongs to
    CANDIDATE = "customer that it might be"  # likewise, those that a message might belong to
    STANDING = "standing"  # how a message stands towards customers, or whether a program sent it
    SIZE = "size or range"  # of the whole message, in octets
    TYPE = "kind of file"  # a `archiver.model.files.FileType` that the message carries
    LANGUAGE = "language"  # that the message was guessed to be written in
    CONTACT = "person or address"  # a contact of a customer: mail with any of the person's addresses
    SAVED = "name of a saved search"  # stands for the query of that name, and never reaches the tree


class QueryField(Struct, frozen=True):
    """One field: `columns` only for TEXT and DOMAIN, `values` where only these are valid.

    `value_aliases` are other spellings of a value, as (spelling, value).
    """

    name: str
    kind: FieldKind
    help: str
    example: str
    aliases: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    value_aliases: tuple[tuple[str, str], ...] = ()

    def value_named(self, text: str) -> str | None:
        """Return the valid value that is meant, in whatever case; None when there is none."""
        text = text.lower()
        return text if text in self.values else dict(self.value_aliases).get(text)


_ADDRESSES = ("sender", "recipient", "cc", "bcc")

_LANGUAGES = (
    ("dutch", "nl"), ("nederlands", "nl"), ("french", "fr"), ("français", "fr"), ("francais", "fr"), ("frans", "fr"),
    ("english", "en"), ("engels", "en"), ("anglais", "en"), ("englisch", "en"), ("german", "de"), ("deutsch", "de"),
    ("duits", "de"), ("allemand", "de"), ("néerlandais", "nl"), ("niederländisch", "nl"), ("französisch", "fr"),
)  # fmt: skip

_DIRECTIONS = (
    ("in", "incoming"), ("received", "incoming"), ("inkomend", "incoming"), ("entrant", "incoming"),
    ("eingehend", "incoming"), ("out", "outgoing"), ("sent", "outgoing"), ("uitgaand", "outgoing"),
    ("sortant", "outgoing"), ("ausgehend", "outgoing"), ("intern", "internal"), ("interne", "internal"),
)  # fmt: skip

_TYPES = (
    *(
        (ending, kind.value)
        for ending, kind in endings().items()
        if ending not in {"key", "numbers", "pages", *FileType}
    ),
    ("word", "document"), ("documents", "document"), ("excel", "sheet"), ("spreadsheet", "sheet"), ("sheets", "sheet"),
    ("powerpoint", "slides"), ("presentation", "slides"), ("images", "image"), ("picture", "image"),
    ("photo", "image"), ("foto", "image"), ("mail", "message"), ("email", "message"), ("vcard", "contact"),
    ("invitation", "calendar"),
)  # fmt: skip

QUERY_FIELDS: tuple[QueryField, ...] = (
    QueryField(
        "from", FieldKind.TEXT, "name or address in From", "from:jan@example.be",
        ("sender", "van", "von", "afzender", "absender"), ("sender",),
    ),
    QueryField(
        "to", FieldKind.TEXT, "name or address in To", 'to:"Jan Peeters"', ("recipient", "aan", "an"), ("recipient",),
    ),
    QueryField("cc", FieldKind.TEXT, "name or address in Cc", "cc:boekhouding", (), ("cc",)),
    QueryField("bcc", FieldKind.TEXT, "name or address in Bcc", "bcc:archive", (), ("bcc",)),
    QueryField(
        "participants", FieldKind.TEXT, "name or address in any address field", "participants:peeters",
        ("participant", "with", "address"), _ADDRESSES,
    ),
    QueryField(
        "domain", FieldKind.DOMAIN, "domain, or a parent of it, of any address", "domain:example.be",
        ("domein", "domaine"), _ADDRESSES,
    ),
    QueryField(
        "subject", FieldKind.TEXT, "words of the subject", "subject:offerte",
        ("subj", "onderwerp", "sujet", "objet", "betreff"), ("subject",),
    ),
    QueryField(
        "body", FieldKind.TEXT, "words of the text, quoted text included", 'body:"licence key"', ("text",),
        ("body", "quoted"),
    ),
    QueryField("quoted", FieldKind.TEXT, "words of quoted or forwarded text only", "quoted:invoice", (), ("quoted",)),
    QueryField(
        "attachment", FieldKind.TEXT, "words of attachments: their names and their text", "attachment:contract",
        ("bijlage", "annexe", "anhang"), ("filenames", "attachments"),
    ),
    QueryField("filename", FieldKind.TEXT, "words of attachments' names", "filename:pdf", ("file",), ("filenames",)),
    QueryField(
        "type", FieldKind.TYPE, "kind of a file attached", "type:pdf", (), (), tuple(FileType), _TYPES,
    ),
    QueryField(
        "has", FieldKind.HAS, "an attachment; or a defect, something that could not be read", "has:attachment", (), (),
        ("attachment", "defect"),
        (
            ("attachments", "attachment"), ("file", "attachment"), ("files", "attachment"), ("bijlage", "attachment"),
            ("anhang", "attachment"), ("annexe", "attachment"), ("defects", "defect"), ("problem", "defect"),
        ),
    ),
    QueryField(
        "size", FieldKind.SIZE, "size of the whole message, a bound or a range", "size:>2M", ("grootte", "groesse"),
    ),
    QueryField(
        "since", FieldKind.SINCE, "this day, month or year, or later", "since:2025-03",
        ("after", "sinds", "vanaf", "depuis", "seit"),
    ),
    QueryField(
        "until", FieldKind.UNTIL, "up to and with this day, month or year", "until:yesterday", ("till", "tot", "bis"),
    ),
    QueryField(
        "date", FieldKind.DATE, "within a day, week, month, quarter, year or range", "date:2025-01..2025-03",
        ("on", "datum"),
    ),
    QueryField(
        "direction", FieldKind.DIRECTION, "which way the message went", "direction:incoming", ("richting",), (),
        ("incoming", "outgoing", "internal", "other"), _DIRECTIONS,
    ),
    QueryField(
        "customer", FieldKind.CUSTOMER, "mail linked to this customer: number, name or VAT number",
        "customer:K1001", ("client", "klant", "kunde"),
    ),
    QueryField(
        "candidate", FieldKind.CANDIDATE, "mail that might be this customer's", 'candidate:"Peeters Bouw"',
    ),
    QueryField(
        "contact", FieldKind.CONTACT, "mail with a customer's contact, by name or address", 'contact:"Jan Peeters"',
    ),
    QueryField(
        "is", FieldKind.STANDING, "linked, unlinked, ambiguous, or sent by a program (automatic)", "is:unlinked", (),
        (), ("linked", "unlinked", "ambiguous", "automatic"),
    ),
    QueryField(
        "language", FieldKind.LANGUAGE, "language it is written in", "language:nl",
        ("lang", "taal", "langue", "sprache"), (), ("nl", "fr", "en", "de", "es", "it", "pt"),
        _LANGUAGES,
    ),
    QueryField("account", FieldKind.ACCOUNT, "account it was collected from", "account:info"),
    QueryField("mailbox", FieldKind.MAILBOX, "mailbox it was seen in, or below it", "mailbox:Sent", ("folder", "in")),
    QueryField("message-id", FieldKind.MESSAGE_ID, "header field Message-ID", "message-id:a1@example.be", ("msgid",)),
    QueryField("id", FieldKind.ID, "identifier that archiver shows, or how it begins", "id:3fa94c"),
    QueryField("thread", FieldKind.THREAD, "thread that this message is in", "thread:3fa94c"),
    QueryField("saved", FieldKind.SAVED, "the search that was saved under this name", "saved:open-offers"),
)  # fmt: skip


def field_named(name: str) -> QueryField | None:
    """Return the field with this name or alias, in whatever case; None when there is none."""
    name = name.lower()
    for field in QUERY_FIELDS:
        if name == field.name or name in field.aliases:
            return field
    return None


def field_names() -> tuple[str, ...]:
    """Return every name and alias, for suggestions and completion."""
    return tuple(name for field in QUERY_FIELDS for name in (field.name, *field.aliases))


def describe_fields() -> str:
    """Render the table as aligned text for `archiver search --help` and the documentation."""
    width = max(len(field.example) for field in QUERY_FIELDS)
    return "\n".join(f"  {field.example:<{width}}  {field.help}" for field in QUERY_FIELDS)


def field_table() -> str:
    """Render the table as Markdown for docs/search.md."""
    lines = ["| field | also | what it takes | example |", "|---|---|---|---|"]
    for field in QUERY_FIELDS:
        also = ", ".join(f"`{alias}:`" for alias in field.aliases)
        values = f": {', '.join(f'`{value}`' for value in field.values)}" if field.values else ""
        lines.append(f"| `{field.name}:` | {also} | {field.help}{values} | `{field.example}` |")
    return "\n".join(lines)
