"""What a word, a phrase or a value means in its field: one leaf of the query tree for each.

Words become Variations (the word and its other forms) when they are bare, Term when they are quoted or stand in an
address field (names have no other forms), Phrase when punctuation cuts them into several; `*` and `?` make Prefix,
Sequence and Wildcard, `~` makes FuzzyTerm. A value of another field becomes Term, Prefix or NumericRange. Knows
nothing of how the text of a query is cut into words and operators: that is `archiver.search.query.grammar`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from msgspec import Struct, field
from msgspec.structs import replace

from archiver.errors import QueryError
from archiver.model.fields import FieldKind, QueryField, field_named
from archiver.search.analysis import address_token, domain_token, fold, tokens
from archiver.search.light import light_imports
from archiver.search.query.function_words import REPLIES

with light_imports():
    from whoosh import query as tree_of
    from whoosh.qparser import syntax

__all__ = [
    "ANYWHERE",
    "AT",
    "MAX_WORDS",
    "SIZE",
    "Context",
    "SavedQueries",
    "Value",
    "completes",
    "near",
    "tree_of",
    "weight_of",
]

ANYWHERE = "anywhere"
"""The name under which words without a field stand in the tree: any column of the index."""
AT = "at"
"""The name under which dates stand in the tree, in Unix seconds."""
SIZE = "size"
"""The name under which sizes of messages stand in the tree, in octets."""

MAX_WORDS = 200
MAX_SLOP = 50
MAX_WEIGHT = 100
MAX_SAVED_DEPTH = 8

SavedQueries = Callable[[], Mapping[str, str]]
"""Gives the queries that were saved, by name; asked only when a query names one."""

_ADDRESS_COLUMNS = frozenset({"sender", "recipient", "cc", "bcc"})

_ELIDED = r"(?i)(?:[ldjmnstc]|qu|jusqu|lorsqu|puisqu|quoiqu)['’](?=\w)"
_POSSESSIVE = r"(?i)(?<=\w)['’]s$"
_SUFFIXES = r"(?s)(?P<core>.*?[^~^])(?P<fuzzy>~\d*)?(?:\^(?P<weight>\d+(?:\.\d+)?))?"


class Context(Struct, frozen=True):
    """What parsing needs to know besides the text.

    `silent` are the folded function words, `ignored` collects those left out and `counted` counts words and values.
    `read` parses the query of a saved search and `within` are the names of those that are being read.
    """

    now: datetime
    languages: tuple[str, ...]
    silent: frozenset[str]
    saved: SavedQueries | None
    read: Callable[[str, Context], tree_of.Query]
    ignored: list[str] = field(default_factory=list)
    counted: list[int] = field(default_factory=lambda: [0])
    within: tuple[str, ...] = ()


class Value(syntax.TextNode):  # type: ignore[misc]
    """A word or phrase, with the field that it got; becomes a leaf of the query tree.

    `own_field` says that the field's name stands right in front of it, not of a group around it.
    """

    def __init__(self, text: str, *, quoted: bool, slop: str | None = None, weight: str | None = None) -> None:
        super().__init__(text)
        self.quoted = quoted
        self.slop = slop
        self.weight = weight
        self.own_field = False

    @property
    def field(self) -> QueryField | None:
        """The field of the table, None for words anywhere."""
        return field_named(self.fieldname) if self.fieldname else None

    def query(self, parser: Any) -> tree_of.Query | None:
        """Return the leaf; None when there is no word in it (a lone dash or ampersand)."""
        kind = FieldKind.TEXT if self.field is None else self.field.kind
        if kind is not FieldKind.TEXT and self.slop is not None:
            self.refuse("only a phrase of words has a distance", "a value without ~")
        parser.context.counted[0] += 1
        if parser.context.counted[0] > MAX_WORDS:
            self.refuse("the query has too many words", f"at most {MAX_WORDS}, those of saved searches counted")
        leaf = _LEAVES[kind](self, parser.context)
        if leaf is not None and kind is not FieldKind.SAVED:
            leaf.startchar, leaf.endchar = self.startchar, self.endchar
        return leaf

    def refuse(self, message: str, expected: str, hint: str | None = None) -> NoReturn:
        """Tell a mistake at this value's place."""
        raise QueryError(message, position=self.startchar, expected=expected, hint=hint)


def near(word: str, known: Sequence[str]) -> str | None:
    """Return the known word that was probably meant."""
    from difflib import get_close_matches

    word = word.lower()
    longer = [each for each in known if len(word) > 2 and each.startswith(word)]
    found = longer or get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else None


def weight_of(text: str | None, position: int) -> float:
    """Read the number behind a ^; 1.0 without one."""
    weight = 1.0 if text is None else float(text)
    if not 0 < weight <= MAX_WEIGHT:
        raise QueryError("this weight is out of bounds", position=position, expected=f"^ and 0.1 to {MAX_WEIGHT}")
    return weight


# --- words -----------------------------------------------------------------------------------------------------------


def _text(node: Value, context: Context) -> tree_of.Query | None:
    return _phrase(node) if node.quoted else _bare(node, context)


def _phrase(node: Value) -> tree_of.Query:
    name = node.field.name if node.field else ANYWHERE
    words = tokens(node.text)
    if not words:
        node.refuse("there is no word here", "letters or digits")
    slop = 1
    if node.slop is not None:
        if not node.slop.isdigit() or not 1 <= int(node.slop[:4]) <= MAX_SLOP:
            node.refuse("the distance of a phrase is a number", f"~ and 1 to {MAX_SLOP}")
        if not words[1:]:
            node.refuse("only a phrase of several words has a distance", "two words or more, or a word without quotes")
        slop = int(node.slop)
    weight = weight_of(node.weight, node.startchar)
    return tree_of.Phrase(name, words, slop=slop, boost=weight) if words[1:] else tree_of.Term(name, words[0], weight)


def _bare(node: Value, context: Context) -> tree_of.Query | None:
    cut = re.fullmatch(_SUFFIXES, node.text) if "~" in node.text or "^" in node.text else None
    text, fuzzy, weight = (cut["core"], cut["fuzzy"], cut["weight"]) if cut else (node.text, None, None)
    if fuzzy and ("/" in text or "@" in text):
        text, fuzzy = text + fuzzy, None  # an address on the web may end in ~1
    leaf = _fuzzy(node, text, fuzzy) if fuzzy else _exact_or_forms(node, text, context)
    if leaf is not None and weight is not None:
        leaf.boost = weight_of(weight, node.startchar)
    return leaf


def _exact_or_forms(node: Value, text: str, context: Context) -> tree_of.Query | None:  # noqa: PLR0911 - a return a shape
    name = node.field.name if node.field else ANYWHERE
    addresses = node.field is not None and _ADDRESS_COLUMNS.issuperset(node.field.columns)
    if node.field is None and not text.strip("*"):
        return tree_of.Every()
    if text.startswith("*@"):
        text = text[1:]
    if addresses:
        if "*" not in text:
            exact = domain_token(text) if text.startswith("@") else address_token(text)
            if exact:
                return tree_of.Term(name, exact)
    else:
        text = _unelided(text, context.languages)
    pattern = _pattern(node, text)
    if pattern is not None:
        return tree_of.Wildcard(name, pattern)
    text = text.lstrip("*") if text.strip("*") else text
    words = tokens(text)
    if not words:
        if node.field:
            node.refuse("there is no word here", "letters or digits")
        return None
    if text.endswith("*") and tokens(text.rstrip("*")[-1:]):  # not `jan@*`: there is no beginning of a word
        last = tree_of.Prefix(name, words[-1])
        return tree_of.Sequence([*(tree_of.Term(name, w) for w in words[:-1]), last]) if words[1:] else last
    if words[1:]:
        phrase = tree_of.Phrase(name, words)
        phrase.bare = not addresses
        return phrase
    if addresses:
        leaf = tree_of.Term(name, words[0])
        leaf.bare = True
        return leaf
    leaf = tree_of.Variations(name, words[0])
    capitals = len(text) > 1 and text.isupper()
    replied = text.endswith(":") and words[0] in REPLIES  # a subject was pasted
    leaf.silent = not node.own_field and (replied or (words[0] in context.silent and not capitals))
    leaf.typed = node.text
    return leaf


def _unelided(text: str, languages: tuple[str, ...]) -> str:
    """Return the word that an elided article stands before (`l'abonnement`), or that has a genitive's `'s`."""
    if "'" not in text and "’" not in text:
        return text
    if "fr" in languages and (match := re.match(_ELIDED, text)):
        return text[match.end() :]
    return re.sub(_POSSESSIVE, "", text)


def _pattern(node: Value, text: str) -> str | None:
    """Return the folded pattern of a word with wildcards in it; None for whole words and mere beginnings of words.

    A `?` at the end of a word is a question mark, and so is one among other punctuation (the query of a URL).
    """
    if "*" not in text and "?" not in text:
        return None
    core = re.sub(r"^[^\w*?]+|[^\w*]+$", "", text)
    inner = core.rstrip("*")
    if "*" not in inner and "?" not in inner:
        return None
    rest = core.lstrip("*?")
    if rest and fold(rest[0]).startswith(" "):
        if "*" in rest.rstrip("*") or "?" in rest:
            node.refuse("a * or ? stands within one word", "letters and digits around it")
        return None  # scripts without spaces are found anywhere already
    pieces = re.split(r"([*?]+)", core)
    folded = []
    for piece in pieces:
        if piece and piece[0] not in "*?":
            words = tokens(piece)
            if len(words) != 1 or _is_cut(piece, words[0]):
                if "*" in inner:
                    node.refuse("a * or ? stands within one word", "letters and digits around it")
                return None
            folded.append(words[0])
        else:
            folded.append(re.sub(r"\*+", "*", piece))
    pattern = "".join(folded)
    return pattern if pattern.strip("*?") else None


def _is_cut(piece: str, word: str) -> bool:
    return any(not tokens(c) and fold(c).strip() for c in piece) or fold(piece).lower() != word


def _fuzzy(node: Value, text: str, fuzzy: str) -> tree_of.Query:
    distance = fuzzy[1:] or "1"
    if distance not in {"1", "2"}:
        node.refuse("a word may be 1 or 2 letters off", "~, ~1 or ~2")
    words = tokens(text)
    if len(words) != 1 or "*" in text or "?" in text or fold(text[:1]).startswith(" "):
        node.refuse("only a single word can be a few letters off", "a word of letters and digits before ~")
    if len(words[0]) <= 2 * int(distance):
        node.refuse("this word is too short to be a few letters off", f"more than {2 * int(distance)} letters")
    name = node.field.name if node.field else ANYWHERE
    return tree_of.FuzzyTerm(name, words[0], maxdist=int(distance), prefixlength=0)


# --- other values ----------------------------------------------------------------------------------------------------


def _named(node: Value) -> QueryField:
    found = node.field
    assert found is not None  # noqa: S101 - for the type checker: only words have no field
    return found


def _domain(node: Value, _context: Context) -> tree_of.Query:
    cut = None if node.quoted else re.fullmatch(_SUFFIXES, node.text)
    text, weight = (cut["core"] + (cut["fuzzy"] or ""), cut["weight"]) if cut else (node.text, node.weight)
    token = domain_token(text.removeprefix("*.").removeprefix("*"))
    if token is None or "*" in text.lstrip("*"):
        node.refuse("this is not a domain", "a domain such as example.be, whose parts below it are found too")
    return tree_of.Term(_named(node).name, token, weight_of(weight, node.startchar))


def _chosen(node: Value, _context: Context) -> tree_of.Query:
    found = _named(node)
    value = found.value_named(node.text)
    if value is None:
        meant = near(node.text, [*found.values, *(spelling for spelling, _ in found.value_aliases)])
        node.refuse(
            f"{found.name}: does not know this value",
            f"one of {', '.join(found.values)}" if len(found.values) > 2 else " or ".join(found.values),
            f"did you mean {found.name}:{found.value_named(meant)} ?"
            if meant
            else "put it all in quotation marks to search for it as text",
        )
    return tree_of.Term(found.name, value)


def _language(node: Value, context: Context) -> tree_of.Query:
    if re.fullmatch(r"[A-Za-z]{2}", node.text):
        return tree_of.Term(_named(node).name, node.text.lower())
    return _chosen(node, context)


def _identifier(node: Value, _context: Context) -> tree_of.Query:
    name, value = _named(node).name, node.text.lower()
    if not re.fullmatch(r"[0-9a-f]{4,64}", value):
        node.refuse(f"{name}: needs an identifier as archiver shows them", "4 to 64 digits 0-9 a-f")
    return tree_of.Term(name, value)


def _literal(node: Value, _context: Context) -> tree_of.Query:
    found, value = _named(node), node.text.strip()
    if not node.quoted and value.endswith("*") and found.kind is not FieldKind.MESSAGE_ID:
        return tree_of.Prefix(found.name, value.rstrip("*"))
    if found.kind is FieldKind.MESSAGE_ID:
        value = value.removeprefix("<").removesuffix(">")
    if not value:
        node.refuse(f"{found.name}: needs a value", f"for example {found.example}")
    return tree_of.Term(found.name, value)


def _dates(node: Value, context: Context) -> tree_of.Query:
    from archiver.search.query.dates import EXPECTED_DATE, Interval, date_words, parse_date, parse_range

    kind = _named(node).kind
    ranged = kind is FieldKind.DATE
    interval = parse_range(node.text, context.now) if ranged else parse_date(node.text, context.now)
    if interval is None:
        if ranged and (turned := _turned(node.text)) and parse_range(turned, context.now) is not None:
            node.refuse("this range ends before it begins", "the earlier date first", f"write {turned}")
        meant = near(node.text, date_words()) if node.text.isalpha() else None
        node.refuse(
            "this is not a date",
            EXPECTED_DATE + (", a range such as 2025-01..2025-03, or >2025-03" if ranged else ""),
            f"did you mean {meant} ?" if meant else None,
        )
    if kind is FieldKind.SINCE:
        interval = Interval(interval.start, None)
    elif kind is FieldKind.UNTIL:
        interval = Interval(None, interval.end)
    start, end = (int(t.timestamp()) if t else None for t in (interval.start, interval.end))
    return tree_of.NumericRange(AT, start, end, startexcl=False, endexcl=True)


def _sizes(node: Value, _context: Context) -> tree_of.Query:
    from archiver.search.query.amounts import EXPECTED_SIZE, parse_size, parse_sizes

    found = parse_sizes(node.text)
    if found is None:
        if (turned := _turned(node.text)) and parse_sizes(turned) is not None:
            node.refuse("this range ends before it begins", "the smaller size first", f"write {turned}")
        single = parse_size(node.text) is not None
        node.refuse(
            "a size needs a bound" if single else "this is not a size",
            EXPECTED_SIZE,
            "put > or < in front of it" if single else None,
        )
    return tree_of.NumericRange(SIZE, *found)


def _turned(text: str) -> str | None:
    """Return a range with its ends exchanged; None for what has not two ends."""
    first, _, last = (end.strip() for end in text.partition(".."))
    return f"{last}..{first}" if first and last else None


def completes(node: Value, text: str, context: Context) -> bool:
    """Say whether a text of several words is one date or size of this value's field."""
    kind = None if node.field is None else node.field.kind
    if kind is FieldKind.SIZE:
        from archiver.search.query.amounts import parse_sizes

        return parse_sizes(text) is not None
    if kind is FieldKind.DATE:
        from archiver.search.query.dates import parse_range

        return parse_range(text, context.now) is not None
    from archiver.search.query.dates import parse_date

    return parse_date(text, context.now) is not None


def _saved(node: Value, context: Context) -> tree_of.Query:
    queries = {} if context.saved is None else {name.casefold(): text for name, text in context.saved().items()}
    name = node.text.strip().casefold()
    if name not in queries:
        meant = near(name, list(queries))
        node.refuse(
            "there is no saved search of this name",
            "the name of a saved search",
            f"did you mean saved:{meant} ?" if meant else "archiver saved lists them",
        )
    if name in context.within:
        node.refuse("saved searches name each other in a circle", "a query that does not lead back to itself")
    if len(context.within) >= MAX_SAVED_DEPTH:
        node.refuse("saved searches are nested too deeply", f"at most {MAX_SAVED_DEPTH}")
    try:
        tree = context.read(queries[name], replace(context, within=(*context.within, name)))
    except QueryError as error:
        if context.within:  # told already
            raise QueryError(
                error.message, position=node.startchar, expected=error.expected, hint=error.hint
            ) from error
        raise QueryError(
            f"within this saved search: {error.message}",
            position=node.startchar,
            expected=error.expected,
            hint=error.hint,
        ) from error
    _place(tree, node.startchar, node.endchar)
    return tree


def _place(tree: tree_of.Query, start: int, end: int) -> None:
    """Let all of a saved search stand where its name stands."""
    tree.startchar, tree.endchar = start, end
    for child in tree.children():
        _place(child, start, end)


_LEAVES: dict[FieldKind, Callable[[Value, Context], tree_of.Query | None]] = {
    FieldKind.TEXT: _text,
    FieldKind.DOMAIN: _domain,
    FieldKind.SINCE: _dates,
    FieldKind.UNTIL: _dates,
    FieldKind.DATE: _dates,
    FieldKind.SIZE: _sizes,
    FieldKind.DIRECTION: _chosen,
    FieldKind.HAS: _chosen,
    FieldKind.TYPE: _chosen,
    FieldKind.STANDING: _chosen,
    FieldKind.LANGUAGE: _language,
    FieldKind.ACCOUNT: _literal,
    FieldKind.MAILBOX: _literal,
    FieldKind.MESSAGE_ID: _literal,
    FieldKind.CUSTOMER: _literal,
    FieldKind.CANDIDATE: _literal,
    FieldKind.CONTACT: _literal,
    FieldKind.ID: _identifier,
    FieldKind.THREAD: _identifier,
    FieldKind.SAVED: _saved,
}
