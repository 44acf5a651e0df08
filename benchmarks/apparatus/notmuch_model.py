"""What notmuch takes a message for, as far as archiver takes it for something else: difference by difference.

A query is answered from the words of a message, read as archiver reads it but for some differences that are switched
on. Where archiver and notmuch disagree about a message, the fewest differences that turn archiver's answer into
notmuch's are why. Words are cut as Xapian's TermGenerator cuts them, parts are read with Python's own parser. Knows
neither index: the answer without any difference must be archiver's, which is a check of it as well.
"""

from __future__ import annotations

import re
import subprocess
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message as EmailMessage
from enum import Enum
from functools import lru_cache
from itertools import combinations
from pathlib import Path

from archiver.model.catalogue import IndexDocument
from archiver.search.analysis import fold_addresses, tokens


class Difference(Enum):
    """Why the two may disagree; the texts are those of docs/search.md."""

    ATTACHMENTS = "attachments: archiver searches their text"
    ACCENTS = "accents: notmuch does not fold them"
    CUT = "how words are cut: notmuch keeps ' & _ and others within a word"
    WHOLE = "whole addresses: in notmuch also the end of a longer one"
    TRACES = "who got it and who sent it: archiver knows Delivered-To, Sender and the like, too"
    NONE = "addresses that are none (dots side by side or at an end, quotation marks within): notmuch leaves them out"
    TYPES = "content types of parts are words in notmuch"
    HTML = "HTML: the version beside a text, entities; notmuch reads it as it stands"
    PARTS = "which parts are text, and how they are decoded"
    SIGNED = "signed data (S/MIME in one piece): notmuch reads the message in it"
    COPIES = "several files under one Message-ID are one message in notmuch, their words in the same places"
    DATE = "dates: a message without a valid Date is of 1970 in notmuch"


@dataclass
class Query:
    """The same question for both: `must`, any or all of the words, none of `never`; within a field and a month."""

    kind: str
    ours: str
    theirs: str
    words: tuple[str, ...]
    field: str = "all"
    any_of: bool = False
    never: str | None = None
    month: tuple[int, int] | None = None


@dataclass
class Mail:
    """A message as archiver's index has it, and where it lies."""

    path: Path
    key: str
    at: int
    dated: bool
    document: IndexDocument = field(repr=False)


def why(query: Query, mails: Sequence[Mail], *, theirs: bool) -> tuple[Difference, ...] | None:
    """Return the fewest differences with which the files of a message give notmuch's answer; None when none do.

    Without any, the answer must be the other one, that of archiver; raises ValueError when it is not.
    """
    if answer(query, mails, ()) == theirs:
        raise ValueError("the words of the message do not give what archiver found")
    for many in (1, 2, 3):
        for some in combinations(Difference, many):
            if answer(query, mails, some) == theirs:
                return some
    return None


def answer(query: Query, mails: Sequence[Mail], differences: Collection[Difference]) -> bool:
    """Say whether any of the files answers a query, read with these differences."""
    texts = [_texts(mail, differences) for mail in mails]
    if Difference.COPIES in differences:
        texts = [{name: [text for each in texts for text in each[name]] for name in texts[0]}]
    whole = query.kind == "address" and not {Difference.WHOLE, Difference.CUT} & set(differences)
    cut = _addresses if whole else _cut(differences)
    for mail, each in zip(mails, texts, strict=False):
        fields = (each if query.field == "all" else {query.field: each[query.field]}).values()
        words = [cut(text) for some in fields for text in some]
        laid_over = Difference.COPIES in differences and len(mails) > 1
        held = [_holds(word, words, cut, laid_over=laid_over) for word in query.words]
        wanted = any(held) if query.any_of else all(held)
        spared = query.never is None or not _holds(query.never, words, cut, laid_over=laid_over)
        at = 0 if Difference.DATE in differences and not mail.dated else mail.at
        if wanted and spared and (query.month is None or query.month[0] <= at < query.month[1]):
            return True
    return False


def _holds(wanted: str, texts: Sequence[list[str]], cut: Callable[[str], list[str]], *, laid_over: bool) -> bool:
    """Say whether words are in any of the texts; laid over each other, a phrase may have its words of several."""
    if wanted.endswith("*"):
        return any(word.startswith(wanted[:-1]) for words in texts for word in words)
    phrase = cut(wanted)
    size = len(phrase)
    if laid_over and all(any(word in words for words in texts) for word in phrase):
        return True
    return any(
        words[at : at + size] == phrase
        for words in texts
        for at in range(len(words) - size + 1)
        if words[at] == phrase[0]
    )


# --- what a message says ---------------------------------------------------------------------------------------------


def _texts(mail: Mail, differences: Collection[Difference]) -> dict[str, list[str]]:
    d = mail.document
    people = {"from": [d.from_], "to": [d.to, d.cc, d.bcc]}
    plain, html, types, headers, signed = _parts(mail.path)
    if Difference.TRACES in differences:
        people = headers
    if Difference.NONE in differences:
        people = {name: [_readable(text) for text in texts] for name, texts in people.items()}
    texts = {
        "subject": [d.subject],
        **people,
        "body": [d.text, d.quoted],
        "files": [d.filenames] if Difference.ATTACHMENTS in differences else [d.filenames, d.attachments],
    }
    if Difference.PARTS in differences:
        texts["body"] = plain or texts["body"]
    if Difference.HTML in differences:
        texts["body"] = [*texts["body"], *html] if plain else html
    if Difference.SIGNED in differences:
        texts["body"] = [*texts["body"], *signed]
    if Difference.TYPES in differences:
        texts["types"] = types
    return texts


_NO_ADDRESS = re.compile(
    r"(?<![^\s,<])(?:[^\s,<>@]+\s+<?)*"
    r"(?:\.[^\s,<>@]*|[^\s,<>@]*(?:\.\.[^\s,<>@]*|\.)|[^\s,<>@\"]+\"[^\s,<>@]*)@[^\s,<>]*"
)
_SIGNED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_TAG = re.compile("<(?:'[^']*(?:'|\\Z)|\"[^\"]*(?:\"|\\Z)|[^'\">])*(?:>|\\Z)")
"""A tag as notmuch's filter has it: an apostrophe in a comment swallows what follows, up to the next one."""


def _readable(people: str) -> str:
    """Return an address list without what is no addr-spec (RFC 5322 §3.4.1), and without the name before it."""
    return _NO_ADDRESS.sub(" ", people)


@lru_cache(maxsize=4096)
def _parts(path: Path) -> tuple[list[str], list[str], list[str], dict[str, list[str]], list[str]]:
    """Return texts, HTML without its tags, content types, addresses and signed texts, by Python's own parser."""
    message = message_from_bytes(path.read_bytes(), policy=policy.compat32)
    plain, html = _said(message)
    types = [part.get_content_type() for part in message.walk()]
    people = {
        name: [_of_header(value) for field in fields for value in message.get_all(field, [])]
        for name, fields in {"from": ("From",), "to": ("To", "Cc", "Bcc")}.items()
    }
    inner = [_inside(part.get_payload(decode=True)) for part in message.walk() if part.get_content_type() in _SIGNED]
    signed = [text for each in inner for texts in _said(message_from_bytes(each)) for text in texts]
    return plain, html, types, people, signed


def _said(message: EmailMessage) -> tuple[list[str], list[str]]:
    """Return the texts of a message and its HTML without tags."""
    plain, html = [], []
    for part in message.walk():
        if part.get_content_maintype() != "text" or part.get_content_disposition() == "attachment":
            continue
        text = _decoded(part.get_payload(decode=True), part.get_content_charset())
        if part.get_content_subtype() == "html":
            html.append(_TAG.sub(" ", text))
        else:
            plain.append(text)
    return plain, html


def _inside(signed: object) -> bytes:
    """Return what lies in signed data (RFC 5652 §5), nothing when it is encrypted or openssl is not there."""
    if not isinstance(signed, bytes):
        return b""
    command = ["openssl", "cms", "-verify", "-noverify", "-inform", "DER"]
    try:
        return subprocess.run(command, input=signed, capture_output=True, check=False).stdout
    except FileNotFoundError:
        return b""


def _of_header(value: object) -> str:
    """Decode the encoded words of a header field (RFC 2047)."""
    try:
        return str(make_header(decode_header(str(value))))
    except (LookupError, UnicodeError, HeaderParseError):
        return str(value)


def _decoded(payload: object, charset: str | None) -> str:
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(charset or "utf-8", "replace")
    except LookupError:
        return payload.decode("latin-1")


# --- how it is cut ---------------------------------------------------------------------------------------------------


def _cut(differences: Collection[Difference]) -> Callable[[str], list[str]]:
    if Difference.CUT in differences:
        return as_xapian
    return _with_accents if Difference.ACCENTS in differences else tokens


def _addresses(text: str) -> list[str]:
    """Return whole addresses, a token each, and nothing else."""
    return [token for token in fold_addresses(text).lower().split() if "＠" in token.strip("＠")]


def _with_accents(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text).lower())


_WORD = r"[^\W]"
_INFIX = "'\u2019\u2018\u201b&\u00b7\u05f4\u2027\u200b\u200c\u200d\u2060\ufeff"
_XAPIAN = re.compile(
    rf"(?P<initials>(?<!\w)[A-Z](?:\.[A-Z])+(?!\w))|{_WORD}+(?:(?:[{_INFIX}]|(?<=\d)[,.;](?=\d)){_WORD}+)*(?:[+#]{{1,3}}(?![\w+#]))?"
)


@lru_cache(maxsize=20_000)
def as_xapian(text: str) -> list[str]:
    """Cut text as Xapian 1.4 does (queryparser/termgenerator_internal.cc): words of up to 64 octets."""
    found = []
    for match in _XAPIAN.finditer(unicodedata.normalize("NFC", text)):
        word = match.group()
        word = word.replace(".", "") if match["initials"] else word
        word = re.sub("[\u2019\u2018\u201b]", "'", re.sub("[\u200b-\u200d\u2060\ufeff]", "", word)).lower()
        if len(word.encode()) <= 64:
            found.append(word)
    return found
