"""The query language: a Whoosh parser with our own strict plugins, from text to a Whoosh query tree.

Whoosh's stock plugins turn every mistake into words and so answer another question than was asked; here a mistake is a
QueryError with its position and what was expected. Error texts never repeat the query, because they reach logs.

What the words of a query mean: all must occur, each in any field; OR joins its two neighbours (`a b OR c` is a
and (b or c)), AND binds tighter than OR, NOT or `-` before a word, phrase, field or group excludes it. The tree's
leaves are Variations, Term, Prefix, Wildcard, FuzzyTerm, Phrase, Sequence (a phrase that ends in a prefix),
NumericRange over AT and SIZE, and Every, under the names of `archiver.model.fields`; words without a field are under
ANYWHERE. Each has its place in the text as startchar and endchar. Knows nothing of SQL; docs/search.md is for people.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from archiver.errors import QueryError
from archiver.search.query.function_words import function_words
from archiver.search.query.grammar import MAX_DEPTH, Parser
from archiver.search.query.leaves import ANYWHERE, AT, MAX_WORDS, SIZE, Context, SavedQueries, tree_of

__all__ = [
    "ANYWHERE", "AT", "MAX_CHARACTERS", "MAX_DEPTH", "MAX_WORDS", "SIZE", "Parsed", "SavedQueries", "parse",
    "parse_query", "tree_of",
]  # fmt: skip

MAX_CHARACTERS = 4000


class Parsed(Struct, frozen=True):
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
    context = Context(now, languages, function_words(languages), saved, _read)
    tree = _read(text, context)
    return Parsed(tree, tuple(dict.fromkeys(context.ignored)))


def _read(text: str, context: Context) -> tree_of.Query:
    if len(text) > MAX_CHARACTERS:
        raise QueryError(
            "the query is too long", position=MAX_CHARACTERS, expected=f"at most {MAX_CHARACTERS} characters"
        )
    # A terminal may hand over octets that are no text; what stands for them is no letter and no wildcard.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if not text.strip():
        return tree_of.Every()
    tree = Parser(context, text).parse(text, normalize=False)
    if tree is None or _is_empty(tree):
        raise QueryError("there is nothing to search for", position=0, expected="a word, a “phrase” or a field")
    _leave_out(tree, context.ignored)
    return tree


def _is_empty(tree: tree_of.Query) -> bool:
    """Say whether there is no word in it at all: lone dashes and ampersands, whatever stands between them."""
    if isinstance(tree, tree_of.compound.CompoundQuery):
        return all(_is_empty(part) for part in tree.subqueries)
    return _is_empty(tree.query) if isinstance(tree, tree_of.Not) else bool(tree == tree_of.NullQuery)


def _leave_out(tree: tree_of.Query, ignored: list[str]) -> None:
    """Take function words out of every And in which something else is looked for.

    The word behind them keeps them as `between`: words of the query may be neighbours all the same.
    """
    if isinstance(tree, tree_of.And):
        silent = [part for part in tree.subqueries if getattr(part, "silent", False)]
        if silent and any(_says_something(part) for part in tree.subqueries):
            between: list[str] = []
            for part in tree.subqueries:
                if getattr(part, "silent", False):
                    between.append(part.text)
                else:
                    part.between, between = tuple(between), []
            tree.subqueries = [part for part in tree.subqueries if not getattr(part, "silent", False)]
            ignored.extend(part.typed for part in silent)
    for child in tree.children():
        _leave_out(child, ignored)


def _says_something(part: tree_of.Query) -> bool:
    if isinstance(part, tree_of.Not | tree_of.qcore._NullQuery) or part == tree_of.Every():  # noqa: SLF001
        return False
    return not getattr(part, "silent", False) and (part.is_leaf() or any(True for _ in part.leaves()))
