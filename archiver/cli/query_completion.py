"""Completing a word of a query: names of fields, and the values of those that have a few.

From the table that drives the parser, and the accounts of the configuration. Deliberately nothing out of the archive:
completion must neither unlock it nor ask for a passphrase.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from archiver.model.fields import QUERY_FIELDS, FieldKind, QueryField, field_named

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

_DATES = ("today", "yesterday")


def completions(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Return what the last word of a query may become; what stands before it, in quotes say, is kept."""
    from click.shell_completion import CompletionItem

    at = max(incomplete.rfind(c) for c in ' ("') + 1
    at += incomplete.startswith("-", at)  # what is excluded; other hyphens are within a name
    before, word = incomplete[:at], incomplete[at:]
    name, colon, value = word.partition(":")
    if not colon:
        lower = name.lower()
        return [
            CompletionItem(f"{before}{field.name}:", help=field.help)
            for field in QUERY_FIELDS
            if field.name.startswith(lower) and (lower or not before.endswith('"'))
        ]
    field = field_named(name)
    if field is None:
        return []
    typed = value.lower()
    return [CompletionItem(f"{before}{name}:{each}") for each in _values(ctx, field) if each.lower().startswith(typed)]


def _values(ctx: click.Context, field: QueryField) -> Iterable[str]:
    if field.kind is FieldKind.ACCOUNT:
        return _accounts(ctx)
    if field.kind in {FieldKind.SINCE, FieldKind.UNTIL, FieldKind.DATE}:
        return list(_dates(ctx))
    return [str(value) for value in field.values]


def _dates(ctx: click.Context) -> Iterator[str]:
    """Yield days by name, this month and the two before it, and the last years."""
    now = ctx.find_root().obj.clock()
    yield from _DATES
    year, month = now.year, now.month
    for _ in range(3):
        yield f"{year:04}-{month:02}"
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    yield from (f"{now.year - back:04}" for back in range(4))


def _accounts(ctx: click.Context) -> Iterable[str]:
    from archiver.errors import ArchiverError

    top = ctx.find_root()
    invocation = top.obj
    # While completing, click reads the global options without running the command they belong to.
    invocation.config, invocation.archive = top.params.get("config"), top.params.get("archive")
    try:
        return [account.name for account in invocation.settings().accounts]
    except ArchiverError:
        return []
