"""Writes docs/cli.md from the commands themselves: `python -m tests.cli.reference > docs/cli.md`.

Helps come from click, exit codes from the error classes, JSON from a run over the twin. A test compares the file.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest

from archiver import errors
from archiver.cli.root import COMMANDS, root
from archiver.errors import ArchiverError
from archiver.model.address import EmailAddress
from archiver.model.message import Part, PartKind
from archiver.model.status import Failure, MailboxStatus
from tests.cli.harness import Cli, Ran
from tests.cli.twin import NOW, Check, Mail, Status, Twin, blob_id
from tests.cli.twin_audit import events as audit_events
from tests.cli.worlds import linked, repaired

_WIDTH = 100
_SPECIAL = {
    0: "done",
    1: "a bug of archiver, or the system refused what nobody expected it to",
    4: "done as far as possible; something is missing or has failed (a full disk, too), and the next run tries again",
    130: "interrupted: Ctrl-C, or SIGTERM to `sync` and `import`; other signals end the process as such",
}
_INTRODUCTION = """\
# The command line

Made from the commands by `python -m tests.cli.reference > docs/cli.md`; a test fails when it is stale.

Results go to standard output; progress, prompts and problems to standard error. Control characters, bidirectional
overrides and invisible characters in mail are shown as escapes (`\\x1b`), also into a pipe; `show --raw` and
`show --part` give exact octets to a pipe or a file. Colour and bars are for terminals; `NO_COLOR` and `TERM=dumb` are
respected.

An error is one line `archiver: …`, usually followed by `hint: …`. `ARCHIVER_DEBUG=1` adds a traceback, on a terminal
only: a traceback may hold mail.

## Environment

- `ARCHIVER_CONFIG`: the configuration file, like `--config`.
- `ARCHIVER_ARCHIVE`: the archive's folder, like `--archive`.
- `ARCHIVER_REASON`: why, for the audit trail, like `--reason`.
- `ARCHIVER_PASSPHRASE_FILE`: a file with the passphrase (or recovery code) in one line, for where nobody can be asked.
  When others can read it you are warned: `chmod 600`.

## Exit codes

| code | meaning |
|---|---|
"""
_JSON = """
## JSON

With `--json` a command prints one object on standard output: on one line into a pipe, indented on a terminal, ASCII
only. Lists are `{"total": N, "items": […]}`, where `total` counts all there are, shown or not. Times are ISO 8601 with
an offset; what is absent is `null`. Fields may be added, never renamed or removed. `customers` are the references of
those that a message belongs to, `candidates` of those that it might belong to; no reference is in both. A `total` of
`history` counts messages, while its items are conversations; that of `unlinked` counts groups. An `age` is in seconds.

What `search` says of a hit besides the message itself: `snippet` is the passage that matched, `marks` the spans of
its characters to highlight, `[start, end)` each; `place` where it stands (`text`, `quoted`, `attachment`, then `file`
is the attachment's name); `score` is higher for better hits, 0 by date; `copies` are the ids of the same message
elsewhere, and `others` counts further hits of its conversation with `--threads`. Beside the `items`, `more` says
whether there are further pages, `suggestion` is a query that finds more, `ignored` are words that were left out,
`unindexed` counts messages that cannot be found yet. With `--facets` there is `facets`: `customers`, `years`,
`directions`, `types` and `languages`, each a list of objects with a `count`.
"""


def reference() -> str:
    """Return docs/cli.md."""
    return _INTRODUCTION + "".join(_exit_codes()) + "".join(_helps()) + _JSON + "".join(_examples())


def _exit_codes() -> Iterator[str]:
    meanings = dict(_SPECIAL)
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, ArchiverError) and kind.exit_code not in meanings:
            meanings[kind.exit_code] = " ".join((kind.__doc__ or "").split()).partition(";")[0]
    for code, meaning in sorted(meanings.items()):
        yield f"| {code} | {meaning.rstrip('.')} |\n"


def _helps() -> Iterator[str]:
    top = _context("archiver", root, None)
    yield _help(top)
    for name in COMMANDS:
        command = root.get_command(top, name)
        assert command is not None
        context = _context(name, command, top)
        yield _help(context)
        if isinstance(command, click.Group):
            for child in command.list_commands(context):
                below = command.get_command(context, child)
                assert below is not None
                yield _help(_context(child, below, context))


def _context(name: str, command: click.Command, parent: click.Context | None) -> click.Context:
    return command.make_context(
        name, [], parent=parent, resilient_parsing=True, terminal_width=_WIDTH, max_content_width=_WIDTH
    )


def _help(context: click.Context) -> str:
    return f"\n## {context.command_path}\n\n```\n{context.get_help()}\n```\n"


def _examples() -> Iterator[str]:
    parts = (
        Part("1", "text/plain", PartKind.TEXT, 34, charset="utf-8"),
        Part("2", "application/pdf", PartKind.ATTACHMENT, 48_213, filename="offerte.pdf"),
    )
    mailbox = MailboxStatus("info", "INBOX", 1_200, 1_194, 4, 2, 0, NOW)
    twin = Twin(
        mails=[Mail(cc=(EmailAddress("", "boekhouding@klant.example"),), parts=parts)],
        events=audit_events([blob_id(0)]),
        status_report=Status(accounts=(mailbox,), failures=(Failure("info", "INBOX", 7, 99, "no octets", 3, NOW),)),
        repair_report=repaired(),
        checks=[Check("info", ok=False, message="login refused", hint="look at the password")],
    )
    one = blob_id(0).hex()[:8]
    with pytest.MonkeyPatch.context() as patched, tempfile.TemporaryDirectory() as home:
        cli = Cli(patched, Path(home), app=twin)
        for words in (
            ["search"], ["show", one], ["thread", one], ["status"], ["verify"],
            ["repair", "--dry-run"], ["backup", "disk"],
            ["backup", "disk", "--verify"], ["restore", "."], ["doctor"], ["key", "list"],
            ["key", "rotate"], ["key", "drill"],
        ):  # fmt: skip
            ran = cli(*words, "--json")
            yield _example(words, ran)
        for words in (["audit", "list"], ["audit", "verify"], ["audit", "checkpoint"]):
            yield _example(words, cli(*words, "--json"))
        cli.app = linked()
        newest = blob_id(2).hex()[:8]
        for words in (
            ["customer", "list"], ["customer", "find", "peeters"], ["customer", "show", "K1001"],
            ["customer", "edit", "K1001", "--city", "Aalst"], ["history", "K1002", "--candidates"],
            ["waiting", "--limit", "1"], ["why", newest], ["unlinked", "gmail"],
            ["unlinked", "--create", "desmet-dakwerken.example"], ["ambiguous"], ["unlink", newest, "K1001"],
        ):  # fmt: skip
            ran = cli(*words, "--json")
            yield _example(words, ran)


def _example(words: Sequence[str], ran: Ran) -> str:
    return f"\n### archiver {' '.join(words)} --json\n\n```json\n{json.dumps(ran.json(), indent=2)}\n```\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
