"""`archiver saved`: the searches that were kept by name with `archiver search --save`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span, cells, pad
from archiver.cli.secrets import asker
from archiver.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from archiver.model.search import SavedSearch

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group("saved", invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@_JSON
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List, show and remove saved searches.

    `archiver search --save NAME QUERY` keeps one; from then on saved:NAME stands for it, also among other words.
    Without a command, all are listed.
    """
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, as_json=as_json)
    elif as_json:
        raise UsageError("--json belongs behind the command", hint=f"archiver saved {ctx.invoked_subcommand} --json")


@command.command("list")
@_JSON
@click.pass_obj
def list_(invocation: Invocation, as_json: bool) -> None:
    """List saved searches by name."""
    _list(invocation, as_json=as_json)


@command.command("show")
@click.argument("name")
@_JSON
@click.pass_obj
def show(invocation: Invocation, name: str, as_json: bool) -> None:
    """Print the query that a name stands for."""
    search = _named(_all(invocation), name)
    if as_json:
        from archiver.cli.shapes import saved_search

        invocation.terminal.json(saved_search(search, invocation.zone))
    else:
        invocation.terminal.line(visible(search.query))


@command.command("remove")
@click.argument("name")
@_JSON
@click.pass_obj
def remove(invocation: Invocation, name: str, as_json: bool) -> None:
    """Forget a saved search; the mail stays."""
    invocation.app.remove_search(invocation.settings(), ask=asker(invocation), name=name)
    if as_json:
        invocation.terminal.json({"name": name, "removed": True})
    else:
        invocation.terminal.line(f"Removed {visible(name)}.")


def _all(invocation: Invocation) -> Sequence[SavedSearch]:
    with invocation.app.open_archive(invocation.settings(), ask=asker(invocation), take_in=False) as archive:
        return archive.saved_searches()


def _named(searches: Sequence[SavedSearch], name: str) -> SavedSearch:
    from difflib import get_close_matches

    by_name = {search.name.casefold(): search for search in searches}
    if name.casefold() in by_name:
        return by_name[name.casefold()]
    near = get_close_matches(name.casefold(), by_name)
    hint = f"did you mean {by_name[near[0]].name}?" if near else "archiver saved lists all"
    raise UsageError("no search is saved under this name", hint=hint)


def _list(invocation: Invocation, *, as_json: bool) -> None:
    terminal, searches = invocation.terminal, _all(invocation)
    if as_json:
        from archiver.cli.shapes import listing, saved_search

        items = [saved_search(search, invocation.zone) for search in searches]
        terminal.json(listing(len(items), items))
        return
    if not searches:
        terminal.line("No search is saved yet: archiver search --save NAME QUERY keeps one.")
        return
    columns = max(cells(visible(search.name)) for search in searches)
    for search in searches:
        terminal.wrapped(
            Span(pad(visible(search.name), columns), "accent"), f"  {visible(search.query)}", hanging=columns + 2
        )
    terminal.line(Span(f"Look one up: {invocation.program} search saved:{visible(searches[0].name)}", "faint"))
