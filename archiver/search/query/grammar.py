"""How the text of a query is cut into words, phrases, fields, groups and operators: strict plugins for Whoosh's parser.

Knows the shapes (`name:`, quotation marks, parentheses, AND OR NOT -, `~` and `^` behind a phrase, `^` behind a
group, `[a TO b]` behind a field) and refuses what is incomplete, with its place. What a word or value then means is
`archiver.search.query.leaves`'s to say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from archiver.errors import QueryError
from archiver.model.fields import FieldKind, field_named, field_names
from archiver.search.light import light_imports
from archiver.search.query.leaves import Context, Value, completes, near, weight_of

with light_imports():
    from whoosh.qparser import plugins, syntax
    from whoosh.qparser.default import QueryParser
    from whoosh.qparser.taggers import FnTagger, RegexTagger

MAX_DEPTH = 20

_MAX_WORDS_OF_VALUE = 9
"""Words of the longest date or range that is looked for: `12 maart 2024..14 maart 2024` and some to spare."""

_SPANS = frozenset({FieldKind.SINCE, FieldKind.UNTIL, FieldKind.DATE, FieldKind.SIZE})

# `name:` that nobody means as a field, when no field has that name.
_SCHEMES = frozenset({"mailto", "tel", "sip", "sips", "callto", "skype", "cid", "mid", "urn", "news", "data", "sms"})

_ELSEWHERE = {
    "before": "until", "older": "until", "newer": "since", "label": "mailbox", "tag": "mailbox", "title": "subject",
    "path": "mailbox", "larger": "size", "smaller": "size", "kind": "type", "name": "filename", "list": "participants",
}  # fmt: skip
"""Fields of other programs' searches, and what comes nearest here."""

_QUOTES = '"“”„‟«»'


class Parser(QueryParser):  # type: ignore[misc]
    """Whoosh's parser with the strict plugins, and what they need to know.

    Given a text, only with those that have something to say of it: their patterns take longer to make than most
    queries take to be answered.
    """

    def __init__(self, context: Context, text: str | None = None) -> None:
        self.context = context
        needed = [plugin for plugin, signs in _SIGNS if text is None or any(sign in text for sign in signs)]
        super().__init__(None, None, plugins=[*(plugin() for plugin in needed), _Words()], group=syntax.AndGroup)


# --- plugins: how the text is cut into nodes -------------------------------------------------------------------------


class _Words(plugins.Plugin):  # type: ignore[misc]
    """Whatever nothing else claimed, up to white space, a parenthesis or a quotation mark."""

    class _Tagger(RegexTagger):  # type: ignore[misc]
        def create(self, _parser: Parser, match: re.Match[str]) -> Value:
            return Value(match.group(), quoted=False)

    def taggers(self, parser: Parser) -> list[tuple[Any, int]]:
        if not any(isinstance(plugin, _Phrases) for plugin in parser.plugins):
            return [(self._Tagger(r"[^\s()]+"), 200)]
        stray = FnTagger(rf"[{_QUOTES[1:]}]", syntax.Whitespace)  # a typographic mark without its partner
        return [(stray, 190), (self._Tagger(rf"[^\s(){_QUOTES}]+"), 200)]


class _Phrases(plugins.Plugin):  # type: ignore[misc]
    """Phrases in straight or typographic quotation marks; a straight one without its partner is a mistake."""

    class _Tagger(RegexTagger):  # type: ignore[misc]
        def create(self, _parser: Parser, match: re.Match[str]) -> Value:
            text = match["straight"] if match["straight"] is not None else match["curly"]
            return Value(text, quoted=True, slop=match["slop"], weight=match["weight"])

    class _Unclosed(RegexTagger):  # type: ignore[misc]
        def create(self, _parser: Parser, match: re.Match[str]) -> None:
            raise QueryError("a quotation mark is not closed", position=match.start(), expected='a closing "')

    def taggers(self, _parser: Parser) -> list[tuple[Any, int]]:
        phrase = r'(?:"(?P<straight>[^"]*)"|[“„«](?P<curly>[^“”„«»"]*)[”“»])'
        suffixes = r"(?:~(?P<slop>\w*))?(?:\^(?P<weight>\d+(?:\.\d+)?))?"
        return [(self._Tagger(phrase + suffixes), 0), (self._Unclosed('"'), 10)]


class _Ranges(plugins.Plugin):  # type: ignore[misc]
    """`[a TO b]` right behind a field's name: the same as `a..b`, and `*` for an open end."""

    class _Tagger(RegexTagger):  # type: ignore[misc]
        def create(self, _parser: Parser, match: re.Match[str]) -> Value | None:
            name = re.search(r"([A-Za-z-]+):$", match.string[: match.start()])
            field = field_named(name[1]) if name else None
            if field is None or field.kind not in _SPANS:
                return None
            ends = re.fullmatch(r"\[([^\[\]]*?)\s+TO\s+([^\[\]]*?)\]", match.group())
            if ends is None:
                raise QueryError("this is not a range", position=match.start(), expected="[a TO b], or a..b")
            low, high = ("" if end.strip() == "*" else end.strip() for end in ends.groups())
            return Value(f"{low}..{high}", quoted=True)

    def taggers(self, _parser: Parser) -> list[tuple[Any, int]]:
        return [(self._Tagger(r"(?<=:)\[[^\]]*\]?"), 0)]


class _Fields(plugins.Plugin):  # type: ignore[misc]
    """`name:` in front of a word, phrase or group; URLs, times, paths and `Re:` are words."""

    class _Tagger(RegexTagger):  # type: ignore[misc]
        def create(self, _parser: Parser, match: re.Match[str]) -> syntax.FieldnameNode | None:
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

    def taggers(self, _parser: Parser) -> list[tuple[Any, int]]:
        return [(self._Tagger(r"(?<![^\s(\-])(?P<name>[A-Za-z][A-Za-z-]*):"), 0)]

    def filters(self, _parser: Parser) -> list[tuple[Any, int]]:
        return [(self.give, 100), (self.join, 110)]

    def give(self, parser: Parser, group: syntax.GroupNode) -> syntax.GroupNode:
        """Give each field name to the node behind it; white space still stands between nodes here."""
        filled = group.empty_copy()
        field: syntax.FieldnameNode | None = None
        for node in group:
            if isinstance(node, syntax.GroupNode):
                node = self.give(parser, node)  # noqa: PLW2901
            if field is not None:
                if not isinstance(node, (Value, syntax.GroupNode)):
                    raise QueryError(
                        f"{field.fieldname}: has no value",
                        position=field.endchar,
                        expected="a word, a “phrase” or a parenthesis right after the colon",
                    )
                node.set_fieldname(field.fieldname)
                if isinstance(node, Value):
                    node.own_field = True
                field = None
            if isinstance(node, syntax.FieldnameNode):
                field = node
            else:
                filled.append(node)
        return filled

    def join(self, parser: Parser, group: syntax.GroupNode) -> syntax.GroupNode:
        """Join words that make one date or size (`since:last month`, `size:>1,5 MB`): as many as do, and no others."""
        joined = group.empty_copy()
        nodes, at = list(group), 0
        while at < len(nodes):
            node = nodes[at]
            at += 1
            if isinstance(node, syntax.GroupNode):
                node = self.join(parser, node)
            elif _may_go_on(node):
                run = [node]
                for space, word in zip(nodes[at::2], nodes[at + 1 :: 2], strict=False):
                    if len(run) == _MAX_WORDS_OF_VALUE or not (space.is_ws() and _goes_on(word, node)):
                        break
                    run.append(word)
                for length in range(len(run), 1, -1):
                    text = " ".join(each.text for each in run[:length])
                    if completes(node, text, parser.context):
                        node.text, node.endchar = text, run[length - 1].endchar
                        at += 2 * (length - 1)
                        break
            joined.append(node)
        return joined


def _may_go_on(node: syntax.SyntaxNode) -> bool:
    return isinstance(node, Value) and not node.quoted and node.field is not None and node.field.kind in _SPANS


def _goes_on(word: syntax.SyntaxNode, first: Value) -> bool:
    """Say whether a word may belong to the value before it: one without a field, or with the same by its group."""
    if not isinstance(word, Value) or word.quoted or word.own_field:
        return False
    return bool(word.fieldname == (None if first.own_field else first.fieldname))


def _unknown(name: str, position: int) -> QueryError:
    meant = _ELSEWHERE.get(name) or near(name, field_names())
    hint = f"did you mean {meant}: ?" if meant else "put it in quotation marks to search for it as text"
    known = ", ".join(f"{n}:" for n in ("from", "to", "subject", "body", "filename", "since", "until"))
    return QueryError("there is no such field", position=position, expected=f"one of {known} …", hint=hint)


class _Groups(plugins.GroupPlugin):  # type: ignore[misc]
    """Parentheses, all of them in pairs and none of them empty."""

    def __init__(self) -> None:
        super().__init__(closeexpr=r"\)(?P<weight>\^\d+(?:\.\d+)?)?")

    class CloseBracket(plugins.GroupPlugin.CloseBracket):  # type: ignore[misc]
        """A closing parenthesis, with the weight of its group."""

        def __init__(self, weight: str | None = None) -> None:
            self.weight = weight

    def do_groups(self, parser: Parser, group: syntax.GroupNode) -> syntax.GroupNode:
        levels: list[tuple[syntax.GroupNode, int]] = [(parser.group(), 0)]
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
                if node.weight is not None:  # kept apart, lest operators join others to the group
                    inner.set_boost(weight_of(node.weight[1:], node.startchar))
                    inner = _grouped(parser, inner)
                levels[-1][0].append(inner)
            else:
                levels[-1][0].append(node)
        if len(levels) > 1:
            raise QueryError("a parenthesis is not closed", position=levels[-1][1], expected="a closing )")
        return levels[0][0]


def _grouped(parser: Parser, inner: syntax.GroupNode) -> syntax.GroupNode:
    outer = parser.group()
    outer.append(inner)
    return outer


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

    def filters(self, parser: Parser) -> list[tuple[Any, int]]:
        return [(self.check, 590), *super().filters(parser)]

    def check(self, parser: Parser, group: syntax.GroupNode) -> syntax.GroupNode:
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


_SIGNS: tuple[tuple[type[plugins.Plugin], Sequence[str]], ...] = (
    (_Phrases, _QUOTES), (_Ranges, "["), (_Fields, ":"), (_Groups, "()"), (_Operators, ("-", "AND", "OR", "NOT")),
)  # fmt: skip
"""Each plugin with what a text has at least one of when it has anything for it."""


def _no_operand(operator: syntax.Operator) -> QueryError:
    return QueryError(
        f"{operator.text} has nothing behind it", position=operator.endchar, expected="a word, a “phrase” or a field"
    )
