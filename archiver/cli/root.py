"""The command `archiver` itself: global options, the list of commands, and loading only the one that is asked for.

The one-line helps stand here so that `archiver --help` and completion import no command; a test keeps them equal to
what the commands say of themselves.
"""

from __future__ import annotations

from pathlib import Path

import click

from archiver.cli.invocation import Invocation
from archiver.cli.lazy import LazyGroup, Loaders

COMMANDS: Loaders = {
    "init": ("archiver.cli.init", "Create the archive and its first keys."),
    "sync": ("archiver.cli.sync", "Collect new mail, take it in and index it."),
    "import": ("archiver.cli.import_", "Take in mail from files: mbox, Maildir, .eml and folders of them."),
    "search": ("archiver.cli.search", "Find mail."),
    "saved": ("archiver.cli.saved", "List, show and remove saved searches."),
    "show": ("archiver.cli.show", "Show one message, or save it or a part of it."),
    "thread": ("archiver.cli.thread", "List the conversation that a message belongs to."),
    "customer": ("archiver.cli.customer.group", "Keep the records of customers and their contacts."),
    "history": ("archiver.cli.history", "Show the mail with a customer, newest first."),
    "waiting": ("archiver.cli.waiting", "List conversations that nobody answered, oldest first."),
    "why": ("archiver.cli.why", "Explain why a message is linked to a customer, or is not."),
    "link": ("archiver.cli.link", "Link a message to a customer by hand."),
    "unlink": ("archiver.cli.unlink", "Say by hand that a message is not a customer's."),
    "unlinked": ("archiver.cli.unlinked", "List mail that fits no customer, and decide whose it is."),
    "ambiguous": ("archiver.cli.ambiguous", "List messages that fit several customers equally."),
    "relink": ("archiver.cli.relink", "Work out anew which mail belongs to which customer."),
    "status": ("archiver.cli.status", "Say whether every message on the servers is accounted for."),
    "verify": ("archiver.cli.verify", "Check the stored bytes for damage."),
    "repair": ("archiver.cli.repair", "Mend what is damaged, and lose nothing that still opens."),
    "backup": ("archiver.cli.backup", "Make a backup into DIR, while others work."),
    "restore": ("archiver.cli.restore", "Restore the archive from a backup or a copy of it."),
    "reindex": ("archiver.cli.reindex", "Build the full-text index anew."),
    "unlock": ("archiver.cli.unlock", "Keep the archive open for a while, so that commands do not ask."),
    "lock": ("archiver.cli.lock", "Forget the key that unlock keeps."),
    "key": ("archiver.cli.key", "Keep the keys that open the archive."),
    "audit": ("archiver.cli.audit", "Read and check the audit trail, and make checkpoints of it."),
    "doctor": ("archiver.cli.doctor", "Check the configuration and the connections."),
    "completion": ("archiver.cli.completion", "Print the completion script for a shell."),
}
"""Name, module (which has the click command as `command`) and one-line help, in the order of first use."""


UNRECORDED = frozenset({"init", "status", "doctor", "completion"})
"""Commands that the audit trail has nothing of: they show neither mail nor customers, and change none."""


def _print_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from archiver import __version__

        click.echo(f"archiver {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    loaders=COMMANDS,
    unrecorded=UNRECORDED,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every command has its own --help. Exit codes and JSON: docs/cli.md.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Configuration file (else ARCHIVER_CONFIG, ~/.config/archiver/config.toml, /etc/archiver/config.toml).",
)
@click.option(
    "--archive",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The archive (else ARCHIVER_ARCHIVE, else the configuration says).",
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Print the version."
)
@click.pass_obj
def root(invocation: Invocation, config: Path | None, archive: Path | None) -> None:
    """Keep a company's mail history: collected over IMAP, encrypted, searchable."""
    invocation.config = config
    invocation.archive = archive
