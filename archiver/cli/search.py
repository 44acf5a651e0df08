"""`archiver search`: the query as people type it, the hits as people and scripts read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from archiver.cli.invocation import Invocation, QueryTyped
from archiver.cli.layout import Span, cells, cut, pad
from archiver.cli.secrets import asker
from archiver.cli.wording import ARROWS, arrow, correspondents, count, customers_of, subject_of
from archiver.errors import QueryError, UsageError

if TYPE_CHECKING:
    from archiver.cli.application import OpenArchive, SearchItem, SearchPage, Sort
    from archiver.model.customer import CustomerRecord

_DATE_COLUMNS = 16
_SNIPPET_LINES = 2
_QUOTES = frozenset('"“”„«»')


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

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Explain the query language from the table that the parser itself uses."""
        from archiver.model.fields import QUERY_FIELDS

        with formatter.section("Words"):
            formatter.write_dl(
                [
                    ("energy contract", "both words, anywhere in the message"),
                    ("'\"energy contract\"'", "these words next to each other (the shell needs the outer quotes)"),
                    ("contr*", "words that begin so"),
                    ("energy OR power", "either; AND binds stronger, parentheses group"),
                    ("-draft, NOT draft", "not this word"),
                ]
            )
        with formatter.section("Fields"):
            formatter.write_dl([(field.example, field.help) for field in QUERY_FIELDS])


@click.command(
    "search",
    cls=QueryCommand,
    # No -h here: a single dash excludes a word, whatever it begins with.
    context_settings={"help_option_names": ["--help"], "ignore_unknown_options": True},
)
@click.argument("words", nargs=-1, metavar="[QUERY]...", type=click.UNPROCESSED)
@click.option(
    "--limit", type=click.IntRange(0), default=20, show_default=True, metavar="N", help="Show at most N hits."
)
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
    as_json: bool,
) -> None:
    """Find mail.

    All words must occur. Without a QUERY everything is listed, newest first. A customer's reference stands behind each
    of their messages, with a question mark where it only might be theirs.
    """
    settings = invocation.settings()
    typed = " ".join(words)
    options = _options(limit, sort, since, until, customer, unlinked=unlinked)
    dates = [_date_term(field, value) for field, value in (("since", since), ("until", until)) if value is not None]
    with invocation.app.open_archive(settings, ask=asker(invocation)) as archive:
        terms = [_customer_term(archive.customer(customer))] if customer is not None else []
        terms += ["is:unlinked"] if unlinked else []
        query, invocation.query = _with_terms(typed, [*terms, *dates])
        try:
            page = archive.search(query, limit=limit, offset=offset, sort=sort)
        except QueryError as error:
            if dates and error.position - invocation.query.shifted > len(typed):
                raise UsageError(
                    "a date given with --since or --until cannot be understood", hint=_date_hint(error)
                ) from None
            raise
        if as_json:
            from archiver.cli.shapes import hit, listing

            invocation.terminal.json(listing(page.total, [hit(item, archive, invocation.zone) for item in page.items]))
        else:
            again = " ".join(["archiver search", *map(_quoted, words), *options])
            _show(invocation, page, archive, offset=offset, again=again, restricted=bool(query.strip()))


def _with_terms(typed: str, terms: Sequence[str]) -> tuple[str, QueryTyped]:
    if not terms:
        return typed, QueryTyped(typed)
    if not typed.strip():
        return " ".join(terms), QueryTyped("", shifted=-1)  # any mistake is one of the terms
    if not _balanced(typed):
        # Unbalanced parentheses must be reported for what they are, not be closed by ours.
        return " ".join([typed, *terms]), QueryTyped(typed)
    return " ".join([f"({typed})", *terms]), QueryTyped(typed, shifted=1)


def _date_term(field: str, value: str) -> str:
    if not value.strip() or _QUOTES.intersection(value):
        raise UsageError("a date given with --since or --until cannot be understood", hint=_date_hint(None))
    return f'{field}:"{value.strip()}"'


def _customer_term(record: CustomerRecord) -> str:
    return f'customer:"{record.customer.reference}"'


def _date_hint(error: QueryError | None) -> str:
    return f"expected {error.expected}" if error and error.expected else "write it as 2026-03-31, 2026-03 or 2026"


def _balanced(query: str) -> bool:
    depth, quoted = 0, False
    for character in query:
        if character == '"':
            quoted = not quoted
        elif not quoted:
            depth += (character == "(") - (character == ")")
            if depth < 0:
                return False
    return depth == 0 and not quoted


def _options(
    limit: int, sort: Sort, since: str | None, until: str | None, customer: str | None, *, unlinked: bool
) -> list[str]:
    """Return what was asked for beside the query, to be typed again."""
    asked = [("--since", since), ("--until", until), ("--customer", customer)]
    return [
        *([f"--limit {limit}"] if limit != 20 else []),
        *([f"--sort {sort}"] if sort != "date" else []),
        *(f"{name} {_quoted(value)}" for name, value in asked if value is not None),
        *(["--unlinked"] if unlinked else []),
    ]


def _quoted(word: str) -> str:
    from shlex import quote

    return quote(word)


def _show(
    invocation: Invocation, page: SearchPage, archive: OpenArchive, *, offset: int, again: str, restricted: bool
) -> None:
    terminal = invocation.terminal
    if not page.total:
        terminal.line("Nothing found." if restricted else "The archive is empty.")
        return
    plain = not terminal.can_show(ARROWS)
    for item in page.items:
        _show_hit(invocation, item, archive.short_id(item.summary.blob_id), plain=plain)
    shown = len(page.items)
    if not shown:
        terminal.line(f"{count(page.total, 'message')} found, none shown from number {offset + 1:,} on.")
    elif shown < page.total:
        last = offset + shown
        terminal.line(f"{offset + 1:,} to {last:,} of {count(page.total, 'message')}.")
        if last < page.total:
            terminal.line(Span(f"More: {again} --offset {last}", "faint"))
    else:
        terminal.line(f"{count(page.total, 'message')}.")


def _show_hit(invocation: Invocation, item: SearchItem, name: str, *, plain: bool) -> None:
    terminal, summary = invocation.terminal, item.summary
    date = pad(invocation.date(summary.at), _DATE_COLUMNS)
    head = f"{name}  {date}  {arrow(summary.direction, plain=plain)} "
    who = correspondents(summary)
    whose = _safe(customers_of(summary))
    room = terminal.table_width - cells(head) - (cells(whose) + 2 if whose else 0)
    terminal.line(
        Span(f"{name}  ", "accent"),
        Span(date, "faint"),
        f"  {arrow(summary.direction, plain=plain)} ",
        cut(_safe(who), room),
        Span(f"  {whose}" if whose else "", "accent"),
    )
    terminal.wrapped(Span(subject_of(summary), "strong"), indent=4, limit=2)
    if item.snippet.strip():
        terminal.wrapped(*highlighted(item.snippet, item.marks), indent=4, limit=_SNIPPET_LINES)
    if summary.attachments:
        files = ", ".join(summary.attachments)
        terminal.line(
            "    ",
            Span(cut(_safe(f"{count(len(summary.attachments), 'file')}: {files}"), terminal.table_width - 4), "faint"),
        )
    terminal.line()


def _safe(text: str) -> str:
    from archiver.cli.escape import visible

    return visible(text)


def highlighted(snippet: str, marks: Sequence[tuple[int, int]]) -> list[Span]:
    """Return the snippet as one line with its marks styled; marks that overlap or lie outside are cut to fit."""
    # One character for one: the marks count characters.
    flat = "".join(" " if c.isspace() else c for c in snippet)
    spans: list[Span] = []
    at = 0
    for start, end in sorted(marks):
        start, end = max(start, at), min(end, len(flat))  # noqa: PLW2901
        if start >= end:
            continue
        spans += [Span(flat[at:start]), Span(flat[start:end], "hit")]
        at = end
    return [span for span in [*spans, Span(flat[at:])] if span.text]
