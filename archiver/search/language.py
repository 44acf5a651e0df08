"""The query language: a Whoosh parser with our own strict plugins, from text to a Whoosh query tree.

Whoosh's stock plugins turn every mistake into words and so answer another question than was asked; here a mistake is a
QueryError with its position and what was expected. Error texts never repeat the query, because they reach logs.

What the words of a query mean: all must occur, each in any field; OR joins its two neighbours (`a b OR c` is a
and (b or c)), AND binds tighter than OR, NOT or `-` before a word, phrase, field or group excludes it. The tree's
leaves are Term, Prefix, Phrase, Sequence (a phrase that ends in a prefix), NumericRange over AT and Every, under the
names of `archiver.model.fields`; words without a field are under ANYWHERE. Knows nothing of SQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from archiver.errors import QueryError
from archiver.model.fields import FieldKind, QueryField, field_named, field_names
from archiver.search.analysis import address_token, domain_token, tokens
from archiver.search.dates import EXPECTED_DATE, Interval, parse_date, parse_range
from archiver.search.light import light_imports

with light_imports():
    from whoosh import query as tree_of
    from whoosh.qparser import plugins, syntax
    from whoosh.qparser.default import QueryParser
    from whoosh.qparser.taggers import FnTagger, RegexTagger

__all__ = [
    "ANYWHERE",
    "AT",
    "MAX_CHARACTERS",
    "MAX_DEPTH",
    "MAX_WORDS",
    "SIZE",
    "Parsed",
    "SavedQueries",
    "parse",
    "parse_query",
    "tree_of",
]

ANYWHERE = "anywhere"
"""The name under which words without a field stand in the tree: any column of the index."""
AT = "at"
"""The name under which dates stand in the tree, in Unix seconds."""
SIZE = "size"
"""The name under which sizes of messages stand in the tree, in octets."""

MAX_CHARACTERS = 4000
MAX_DEPTH = 20
MAX_WORDS = 200

_ADDRESS_COLUMNS = frozenset({"sender", "recipient", "cc", "bcc"})

# `name:` that nobody means as a field, when no field has that name.
_SCHEMES = frozenset({"mailto", "tel", "sip", "sips", "callto", "skype", "cid", "mid", "urn", "news", "data", "sms"})

_QUOTES = '"“”„‟«»'


SavedQueries = Callable[[], Mapping[str, str]]
"""Gives the queries that were saved, by name; asked only when a query names one."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a query means: its tree, and the words as typed that were left out because they say nothing."""

    tree: tree_of.Query
    ignored: tuple[str, ...] = ()


def parse(
    text: str,
    now: datetime,
    *,
    languages: tuple[str, ...] = ("nl", "fr", "en", "de"),
    saved: SavedQueries | None = None,
) -> tree_of.Query:
    """Return the tree of `parse_query`."""
    return parse_query(text, now, languages=languages, saved=saved).tree


def parse_query(
    text: str,
    now: datetime,
    *,
    languages: tuple[str, ...] = ("nl", "fr", "en", "de"),
    saved: SavedQueries | None = None,
) -> Parsed:
    """Parse a query; `now` with its time zone gives the dates their meaning. An empty query is Every.

    `languages` (ISO 639-1) are those whose function words say nothing, `saved` gives the searches saved by name.
    Raises QueryError with the position of the first mistake, in characters from 0.
    """
    return Parsed(_tree(text, now))


def _tree(text: str, now: datetime) -> tree_of.Query:
    if len(text) > MAX_CHARACTERS:
        raise QueryError(
            "the query is too long", position=MAX_CHARACTERS, expected=f"at most {MAX_CHARACTERS} characters"
        )
    text = text.encode("utf-8", "replace").decode()  # a terminal may hand over octets that are no text
    if not text.strip():
        return tree_of.Every()
    tree = _Parser(now).parse(text, normalize=False)
    if (
        tree is None
        or tree == tree_of.NullQuery
        or (isinstance(tree, tree_of.compound.CompoundQuery) and not len(tree))
    ):
        raise QueryError("there is nothing to search for", position=0, expected="a word, a “phrase” or a field")
    return tree


class _Parser(QueryParser):  # type: ignore[misc]
    """Whoosh's parser with the strict plugins, and the moment that relative dates count from."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        super().__init__(
            None,
            None,
            plugins=[_Phrases(), _Fields(), _Groups(), _Operators(), _Words()],
            group=syntax.AndGroup,
        )


# --- nodes: what a word or phrase means in its field -----------------------------------------------------------------


class _Value(syntax.TextNode):  # type: ignore[misc]
    """A word or phrase, with the field that it got; becomes a leaf of the query tree."""

    def __init__(self, text: str, *, quoted: bool) -> None:
        super().__init__(text)
        self.quoted = quoted

    def query(self, parser: _Parser) -> tree_of.Query | None:
        field = field_named(self.fieldname) if self.fieldname else None
        leaf = self._words(field) if field is None else _LEAVES[field.kind](self, field, parser.now)
        return _placed(leaf, self)

    def _words(self, field: QueryField | None) -> tree_of.Query | None:
        name = field.name if field else ANYWHERE
        prefix = not self.quoted and self.text.endswith("*")
        if name == ANYWHERE and prefix and not self.text.strip("*"):
            return tree_of.Every()
        if not self.quoted and "*" in self.text.rstrip("*").lstrip("-"):
            raise self.mistake("a * stands only at the end of a word", "the beginning of a word and then *")
        if field and not self.quoted and not prefix and _ADDRESS_COLUMNS.issuperset(field.columns):
            exact = domain_token(self.text) if self.text.startswith("@") else address_token(self.text)
            if exact:
                return tree_of.Term(name, exact)
        words = tokens(self.text)
        if prefix and not tokens(self.text.rstrip("*")[-1:]):
            prefix = False  # `jan@*`: there is no beginning of a word to complete
        if not words:
            if field or self.quoted:
                raise self.mistake("there is no word here", "letters or digits")
            return None  # a lone dash or ampersand between words
        if prefix:
            last = tree_of.Prefix(name, words[-1])
            return tree_of.Sequence([*(tree_of.Term(name, w) for w in words[:-1]), last]) if words[1:] else last
        return tree_of.Phrase(name, words) if words[1:] else tree_of.Term(name, words[0])

    def mistake(self, message: str, expected: str, hint: str | None = None) -> QueryError:
        return QueryError(message, position=self.startchar, expected=expected, hint=hint)


def _placed(leaf: tree_of.Query | None, node: syntax.SyntaxNode) -> tree_of.Query | None:
    if leaf is not None:
        leaf.startchar, leaf.endchar = node.startchar, node.endchar
    return leaf


def _text(node: _Value, field: QueryField, _now: datetime) -> tree_of.Query | None:
    return node._words(field)  # noqa: SLF001 - the table below is part of the node


def _domain(node: _Value, field: QueryField, _now: datetime) -> tree_of.Query:
    token = domain_token(node.text)
    if token is None:
        raise node.mistake("this is not a domain", "a domain such as example.be")
    return tree_of.Term(field.name, token)


def _chosen(node: _Value, field: QueryField, _now: datetime) -> tree_of.Query:
    value = field.value_named(node.text)
    if value is None:
        raise node.mistake(f"{field.name}: does not know this value", " or ".join(field.values))
    return tree_of.Term(field.name, value)


def _identifier(node: _Value, field: QueryField, _now: datetime) -> tree_of.Query:
    value = node.text.lower()
    if not re.fullmatch(r"[0-9a-f]{4,64}", value):
        raise node.mistake(f"{field.name}: needs an identifier as archiver shows them", "4 to 64 digits 0-9 a-f")
    return tree_of.Term(field.name, value)


def _literal(node: _Value, field: QueryField, _now: datetime) -> tree_of.Query:
    value = node.text.strip()
    if not node.quoted and value.endswith("*") and field.kind is not FieldKind.MESSAGE_ID:
        return tree_of.Prefix(field.name, value.rstrip("*"))
    if field.kind is FieldKind.MESSAGE_ID:
        value = value.removeprefix("<").removesuffix(">")
    if not value:
        raise node.mistake(f"{field.name}: needs a value", f"for example {field.example}")
    return tree_of.Term(field.name, value)


def _dates(node: _Value, field: QueryField, now: datetime) -> tree_of.Query:
    ranged = field.kind is FieldKind.DATE
    interval = parse_range(node.text, now) if ranged else parse_date(node.text, now)
    if interval is None:
        expected = EXPECTED_DATE + (", or a range such as 2025-01..2025-03" if ranged else "")
        raise node.mistake("this is not a date", expected)
    if field.kind is FieldKind.SINCE:
        interval = Interval(interval.start, None)
    elif field.kind is FieldKind.UNTIL:
        interval = Interval(None, interval.end)
    start, end = (int(t.timestamp()) if t else None for t in (interval.start, interval.end))
    return tree_of.NumericRange(AT, start, end, startexcl=False, endexcl=True)


def _size(_node: _Value, _field: QueryField, _now: datetime) -> tree_of.Query:
    return tree_of.NumericRange(SIZE, 2_000_001, None)


_Leaf = Callable[[_Value, QueryField, datetime], "tree_of.Query | None"]
_LEAVES: dict[FieldKind, _Leaf] = {
    FieldKind.TEXT: _text,
    FieldKind.DOMAIN: _domain,
    FieldKind.SINCE: _dates,
    FieldKind.UNTIL: _dates,
    FieldKind.DATE: _dates,
    FieldKind.DIRECTION: _chosen,
    FieldKind.HAS: _chosen,
    FieldKind.ACCOUNT: _literal,
    FieldKind.MAILBOX: _literal,
    FieldKind.MESSAGE_ID: _literal,
    FieldKind.ID: _identifier,
    FieldKind.THREAD: _identifier,
    FieldKind.CUSTOMER: _literal,
    FieldKind.CANDIDATE: _literal,
    FieldKind.STANDING: _chosen,
    FieldKind.SIZE: _size,
    FieldKind.TYPE: _chosen,
    FieldKind.LANGUAGE: _chosen,
    FieldKind.CONTACT: _literal,
    FieldKind.SAVED: _literal,
}


# --- plugins: how the text is cut into nodes -------------------------------------------------------------------------


class _Words(plugins.Plugin):  # type: ignore[misc]
    """Whatever nothing else claimed, up to white space, a parenthesis or a quotation mark."""

    class _Tagger(RegexTagger):  # type: ignore[misc]
        def create(self, _parser: _Parser, match: re.Match[str]) -> _Value:
            return _Value(match.group(), quoted=False)

    def taggers(self, _parser: _Parser) -> list[tuple[Any, int]]:
        stray = FnTagger(rf"[{_QUOTES[1:]}]", syntax.Whitespace)  # a typographic mark without its partner
        return [(stray, 190), (self._Tagger(rf"[^\s(){_QUOTES}]+"), 200)]


class _Phrases(plugins.Plugin):  # type: ignore[misc]
    """Phrases in straight or typographic quotation marks; a straight one without its partner is a mistake."""

    class _Tagger(RegexTagger):  # type: ignore[misc]
        def create(self, _parser: _Parser, match: re.Match[str]) -> _Value:
            return _Value(match["straight"] if match["straight"] is not None else match["curly"], quoted=True)

    class _Unclosed(RegexTagger):  # type: ignore[misc]
        def create(self, _parser: _Parser, match: re.Match[str]) -> None:
            raise QueryError("a quotation mark is not closed", position=match.start(), expected='a closing "')

    def taggers(self, _parser: _Parser) -> list[tuple[Any, int]]:
        phrase = r'"(?P<straight>[^"]*)"|[“„«](?P<curly>[^“”„«»"]*)[”“»]'
        return [(self._Tagger(phrase), 0), (self._Unclosed('"'), 10)]


class _Fields(plugins.Plugin):  # type: ignore[misc]
    """`name:` in front of a word, phrase or group; URLs, times, paths and `Re:` are words."""

    class _Tagger(RegexTagger):  # type: ignore[misc]
        def create(self, _parser: _Parser, match: re.Match[str]) -> syntax.FieldnameNode | None:
            name, following = match["name"].lower(), match.string[match.end() : match.end() + 1]
            if len(name) == 1 or following in {"/", ":", "\\"}:
                return None
            field = field_named(name)
            if field is None:
                if name in _SCHEMES or not following or following.isspace():
                    return None
                raise _unknown(name, match.start())
            if not following or following.isspace() or following == ")":
                raise QueryError(
                    f"{field.name}: has no value",
                    position=match.end(),
                    expected=f"a value right after the colon, for example {field.example}",
                )
            return syntax.FieldnameNode(field.name, match.group())

    def taggers(self, _parser: _Parser) -> list[tuple[Any, int]]:
        return [(self._Tagger(r"(?<![^\s(\-])(?P<name>[A-Za-z][A-Za-z-]*):"), 0)]

    def filters(self, _parser: _Parser) -> list[tuple[Any, int]]:
        return [(self.give, 100)]

    def give(self, parser: _Parser, group: syntax.GroupNode) -> syntax.GroupNode:
        """Give each field name to the node behind it; white space still stands between nodes here."""
        filled = group.empty_copy()
        field: syntax.FieldnameNode | None = None
        for node in group:
            if isinstance(node, syntax.GroupNode):
                node = self.give(parser, node)  # noqa: PLW2901
            if field is not None:
                if not isinstance(node, (_Value, syntax.GroupNode)):
                    raise QueryError(
                        f"{field.fieldname}: has no value",
                        position=field.endchar,
                        expected="a word, a “phrase” or a parenthesis right after the colon",
                    )
                node.set_fieldname(field.fieldname)
                field = None
            if isinstance(node, syntax.FieldnameNode):
                field = node
            else:
                filled.append(node)
        return filled


def _unknown(name: str, position: int) -> QueryError:
    from difflib import get_close_matches

    near = get_close_matches(name, field_names(), n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}: ?" if near else "put it in quotation marks to search for it as text"
    known = ", ".join(f"{n}:" for n in ("from", "to", "subject", "body", "filename", "since", "until"))
    return QueryError("there is no such field", position=position, expected=f"one of {known} …", hint=hint)


class _Groups(plugins.GroupPlugin):  # type: ignore[misc]
    """Parentheses, all of them in pairs and none of them empty."""

    def do_groups(self, parser: _Parser, group: syntax.GroupNode) -> syntax.GroupNode:
        levels: list[tuple[syntax.GroupNode, int]] = [(parser.group(), 0)]
        words = 0
        for node in group:
            if isinstance(node, self.OpenBracket):
                levels.append((parser.group(), node.startchar))
                if len(levels) > MAX_DEPTH:
                    raise QueryError(
                        "parentheses are nested too deeply", position=node.startchar, expected=f"at most {MAX_DEPTH}"
                    )
            elif isinstance(node, self.CloseBracket):
                if len(levels) == 1:
                    raise QueryError(
                        "a parenthesis is closed that was not opened", position=node.startchar, expected="an opening ("
                    )
                inner, _ = levels.pop()
                if all(n.is_ws() for n in inner):
                    raise QueryError("the parentheses are empty", position=node.startchar, expected="a word")
                levels[-1][0].append(inner)
            else:
                words += isinstance(node, _Value)
                levels[-1][0].append(node)
            if words > MAX_WORDS:
                raise QueryError(
                    "the query has too many words", position=node.startchar, expected=f"at most {MAX_WORDS}"
                )
        if len(levels) > 1:
            raise QueryError("a parenthesis is not closed", position=levels[-1][1], expected="a closing )")
        return levels[0][0]


class _Operators(plugins.OperatorsPlugin):  # type: ignore[misc]
    """AND, OR, NOT in capitals and `-` in front of something, each with all its operands."""

    def __init__(self) -> None:
        alone = r"(?<![^\s()]){}(?![^\s()])"
        super().__init__(
            And=alone.format("AND"),
            Or=alone.format("OR"),
            Not=alone.format("NOT") + r"|(?<![^\s(])-(?=[^\s\-)])",
            AndNot=None,
            AndMaybe=None,
            Require=None,
        )

    def filters(self, parser: _Parser) -> list[tuple[Any, int]]:
        return [(self.check, 590), *super().filters(parser)]

    def check(self, parser: _Parser, group: syntax.GroupNode) -> syntax.GroupNode:
        """Refuse operators that lack an operand; runs after white space is gone."""
        before: syntax.SyntaxNode | None = None
        for node in group:
            if isinstance(node, syntax.GroupNode):
                self.check(parser, node)
            infix = isinstance(node, syntax.InfixOperator)
            if infix and before is None:
                raise QueryError(f"{node.text} has nothing in front of it", position=node.startchar, expected="a word")
            if isinstance(before, syntax.Operator) and (
                infix or (isinstance(node, syntax.Operator) and isinstance(before, syntax.PrefixOperator))
            ):
                raise _no_operand(before)
            before = node
        if isinstance(before, syntax.Operator):
            raise _no_operand(before)
        return group


def _no_operand(operator: syntax.Operator) -> QueryError:
    return QueryError(
        f"{operator.text} has nothing behind it", position=operator.endchar, expected="a word, a “phrase” or a field"
    )
