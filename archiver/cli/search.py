"""`archiver search`: the query as people type it, and which of its answers are printed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from archiver.cli.asked import LIMIT, Asked
from archiver.cli.invocation import Invocation, QueryTyped
from archiver.cli.secrets import asker
from archiver.errors import QueryError, UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from archiver.cli.answers import FacetCounts, SearchPage
    from archiver.cli.application import AskPassphrase, OpenArchive
    from archiver.cli.shapes import Json
    from archiver.config import Settings
    from archiver.model.search import SavedSearch, Sort


class QueryCommand(click.Command):
    """A command whose words may begin with "-" (to exclude them), and whose options are long ones only.

    click would take `-draft` for an option; let through unknown ones, and a mistyped `--limt` becomes a search term.
    So single dashes pass and unknown double dashes are refused here.
    """

    ignore_unknown_options = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse unknown long options before `--`, with the near ones."""
        known = [name for parameter in self.get_params(ctx) for name in (*parameter.opts, *parameter.secondary_opts)]
        for word in args:
            if word == "--":
                break
            name = word.partition("=")[0]
            if name.startswith("--") and name not in known:
                from difflib import get_close_matches

                raise click.NoSuchOption(name, possibilities=get_close_matches(name, known), ctx=ctx)
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete what a single dash excludes, where click sees an option only."""
        if len(incomplete) > 1 and incomplete[0] == "-" != incomplete[1]:
            return _complete(ctx, self.params[0], incomplete)
        return super().shell_complete(ctx, incomplete)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Explain the query language from the table that the parser itself uses."""
        from archiver.cli.query_help import sections

        for title, rows in sections():
            with formatter.section(title):
                formatter.write_dl(rows)


def _complete(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from archiver.cli.query_completion import completions

    return completions(ctx, incomplete)


@click.command(
    "search",
    cls=QueryCommand,
    # No -h here: a single dash excludes a word, whatever it begins with.
    context_settings={"help_option_names": ["--help"], "ignore_unknown_options": True},
)
@click.argument("words", nargs=-1, metavar="[QUERY]...", type=click.UNPROCESSED, shell_complete=_complete)
@click.option("--limit", type=click.IntRange(0), default=LIMIT, show_default=True, metavar="N", help="At most N hits.")
@click.option("--offset", type=click.IntRange(0), default=0, metavar="N", help="Leave out the first N hits.")
@click.option(
    "--sort",
    type=click.Choice(["date", "relevance"]),
    default="date",
    show_default=True,
    help="Newest first, or best first.",
)
@click.option("--since", metavar="DATE", help="Only from this day on; like since:DATE in the query.")
@click.option("--until", metavar="DATE", help="Only up to and including this day; like until:DATE in the query.")
@click.option("--customer", metavar="CUSTOMER", help="Only mail with this customer: a reference, VAT number or name.")
@click.option("--unlinked", is_flag=True, help="Only mail that fits no customer.")
@click.option("--threads", is_flag=True, help="One hit a conversation.")
@click.option("--facets", is_flag=True, help="Count by customer, year, direction, file and language too.")
@click.option("--open", "open_", is_flag=True, help="Show the first hit, as `archiver show` does.")
@click.option("--save", metavar="NAME", help="Keep the query: from then on saved:NAME stands for it.")
@click.option("--no-pager", is_flag=True, help="Do not use a pager, however long it is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    invocation: Invocation,
    words: tuple[str, ...],
    limit: int,
    offset: int,
    sort: Sort,
    since: str | None,
    until: str | None,
    customer: str | None,
    unlinked: bool,
    threads: bool,
    facets: bool,
    open_: bool,
    save: str | None,
    no_pager: bool,
    as_json: bool,
) -> None:
    """Find mail.

    All words must occur, in whatever form: `factuur` finds facturen too. Without a QUERY everything is listed, newest
    first. A customer's reference stands behind each of their messages, with a question mark where it only might be
    theirs.
    """
    asked = Asked(words, limit, offset, sort, since, until, customer, unlinked=unlinked, threads=threads)
    if open_ and facets:
        raise UsageError("--open and --facets exclude each other", hint="choose one")
    settings = invocation.settings()
    ask = _asking_once(asker(invocation))
    replaced = _save(invocation, settings, ask, asked, save) if save is not None else None
    terminal = invocation.terminal
    with terminal.paged(wanted=not (no_pager or as_json)), invocation.app.open_archive(settings, ask=ask) as archive:
        query = _query(invocation, asked, archive)
        with _faults_of(asked, query):
            page = archive.search(query.whole, limit=1 if open_ else limit, offset=offset, sort=sort, threads=threads)
            counts = archive.facets(query.whole) if facets else None
        if open_ and page.items:
            _open(invocation, archive, page, as_json=as_json)
        elif as_json:
            terminal.json(_shape(invocation, page, counts, archive))
        else:
            _show(invocation, page, counts, archive, asked)
    if save is not None and not as_json:
        terminal.note(f"Saved: {invocation.program} search saved:{save}")
        if replaced is not None and terminal.err_is_terminal:  # never into a log
            terminal.told("before:", "faint", replaced.query)


def _query(invocation: Invocation, asked: Asked, archive: OpenArchive) -> QueryTyped:
    record = archive.customer(asked.customer) if asked.customer is not None else None
    invocation.query = asked.query(record)
    return invocation.query


@contextmanager
def _faults_of(asked: Asked, query: QueryTyped) -> Iterator[None]:
    try:
        yield
    except QueryError as error:
        fault = asked.fault(error, query)
        raise fault from (None if fault is not error else error.__cause__)


def _asking_once(ask: AskPassphrase) -> AskPassphrase:
    """Return what asks a person once only, however often the archive is opened for one command."""
    told: list[str | None] = []

    def once() -> str | None:
        if not told:
            told.append(ask())
        return told[0]

    return once


def _save(
    invocation: Invocation, settings: Settings, ask: AskPassphrase, asked: Asked, name: str
) -> SavedSearch | None:
    """Keep the query before it is looked for: what will not do is refused before anything is shown.

    Returns what the name stood for until now.
    """
    if asked.everything:
        raise UsageError("there is no query to save", hint="archiver search --save NAME QUERY")
    record = None
    if asked.customer is not None:
        with invocation.app.open_archive(settings, ask=ask) as archive:
            record = archive.customer(asked.customer)
    query = invocation.query = asked.query(record)
    with _faults_of(asked, query):
        return invocation.app.save_search(settings, ask=ask, name=name, query=query.whole)


def _open(invocation: Invocation, archive: OpenArchive, page: SearchPage, *, as_json: bool) -> None:
    from archiver.cli.show import show_message

    show_message(invocation, archive, page.items[0].summary.row, as_json=as_json)


def _shape(invocation: Invocation, page: SearchPage, counts: FacetCounts | None, archive: OpenArchive) -> Json:
    from archiver.cli import facets
    from archiver.cli.shapes import search_page

    shape = search_page(page, archive, invocation.zone)
    return {**shape, "facets": facets.shape(counts)} if counts is not None else shape


def _show(
    invocation: Invocation, page: SearchPage, counts: FacetCounts | None, archive: OpenArchive, asked: Asked
) -> None:
    from archiver.cli import hits

    hits.show_page(invocation, page, archive, asked)
    if counts is not None and page.total:
        from archiver.cli import facets

        facets.show(invocation.terminal, counts)
    hits.close(invocation, page, asked)
