"""`archiver key`: the slots that open the archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archiver.cli.invocation import Invocation
from archiver.cli.key_drill import drill
from archiver.cli.key_rotate import accept, rotate
from archiver.cli.layout import Span, table
from archiver.cli.secrets import asker, hand_over_recovery_code, must_be_able_to_hand_over, new_passphrase
from archiver.errors import DiskError, UsageError

if TYPE_CHECKING:
    from archiver.cli.application import SlotKind
    from archiver.cli.terminal import Terminal


@click.group("key", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Keep the keys that open the archive."""


command.add_command(rotate)
command.add_command(drill)
command.add_command(accept)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def list_(invocation: Invocation, as_json: bool) -> None:
    """List the keys by name, kind and age.

    Says too when they were last rotated. Needs no key itself.
    """
    from archiver.cli.escape import visible

    found = invocation.app.key_list(invocation.settings())
    terminal = invocation.terminal
    if as_json:
        from archiver.cli.key_shapes import keys

        terminal.json(keys(found, invocation.zone))
        return
    rows = [
        [
            Span(visible(item.name), "strong"),
            Span(visible(item.kind)),
            Span(invocation.date(item.created), "faint"),
        ]
        for item in found.slots
    ]
    terminal.lines(table(("name", "kind", "added"), rows, width=terminal.table_width))
    since = f"rotated {invocation.date(found.rotated)}" if found.rotated else "never rotated"
    terminal.line(Span(f"Epoch {found.epoch}, {since}.", "faint"))


@command.command("add")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["passphrase", "recovery", "machine"]),
    default="passphrase",
    show_default=True,
    help="A passphrase for a person, a recovery code for the safe, a key file for a machine.",
)
@click.option(
    "--new-passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Read the new passphrase from this file instead of asking.",
)
@click.option(
    "--recovery-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the recovery code to this new file (mode 0600) instead of showing it.",
)
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="For a machine: write its key to this new file (mode 0600), outside the archive.",
)
@click.option("--machine", is_flag=True, help="The same as --kind machine.")
@click.pass_obj
def add(
    invocation: Invocation,
    name: str,
    kind: SlotKind,
    new_passphrase_file: Path | None,
    recovery_file: Path | None,
    key_file: Path | None,
    machine: bool,
) -> None:
    """Add a key under a NAME of your choice.

    Asks for a passphrase that opens the archive, or the recovery code, and then for the new passphrase.

    A machine's key lets a timer take mail in unattended. systemd can keep it, in the machine's TPM where there is one;
    the commands for that are printed. Without them, name the file in the configuration: [archive] machine_key_file.
    """
    kind = "machine" if machine else kind
    for wanted, option, value in (
        ("passphrase", "--new-passphrase-file", new_passphrase_file),
        ("recovery", "--recovery-file", recovery_file),
        ("machine", "--key-file", key_file),
    ):
        if value is not None and kind != wanted:
            raise UsageError(f"{option} goes with --kind {wanted}", hint="archiver key add --help")
    if kind == "machine" and key_file is None:
        raise UsageError("a machine's key needs a file to live in", hint="name a new one: --key-file FILE")
    if kind == "recovery":
        must_be_able_to_hand_over(invocation, file=recovery_file)
    settings = invocation.settings()
    new = (
        new_passphrase(invocation, file=new_passphrase_file, option="--new-passphrase-file")
        if kind == "passphrase"
        else None
    )
    code = invocation.app.key_add(
        settings,
        name=name,
        kind=kind,
        ask=asker(invocation),
        new_passphrase=new,
        machine_key_file=key_file,
    )
    if code is not None:
        try:
            hand_over_recovery_code(invocation, code, file=recovery_file)
        except (UsageError, DiskError, KeyboardInterrupt) as error:
            kind_of_error = DiskError if isinstance(error, DiskError) else UsageError
            raise kind_of_error(
                f"the key {name} is in place, but its recovery code was not handed over",
                hint=f"archiver key remove {name}, then add it again",
            ) from None
    invocation.terminal.line(f"Added the key {name}.")
    if key_file is not None:
        _explain_machine_key(invocation.terminal, key_file)


@command.command("remove")
@click.argument("name")
@click.pass_obj
def remove(invocation: Invocation, name: str) -> None:
    """Remove a key; the last two stay.

    Asks for a passphrase that opens the archive, or the recovery code. Whoever used the key may know what is behind it:
    then `archiver key rotate`.
    """
    invocation.app.key_remove(invocation.settings(), name=name, ask=asker(invocation))
    invocation.terminal.line(f"Removed the key {name}. Copies of the archive made before still open with it.")
    invocation.terminal.hint("whoever used it may know the keys behind it: archiver key rotate makes new ones")


def _explain_machine_key(terminal: Terminal, file: Path) -> None:
    """Say how systemd hands the key to the program, sealed to this machine where it can."""
    from shlex import quote

    path = quote(str(file))
    terminal.line("To have systemd keep it, sealed to this machine (by its TPM where there is one), as root:")
    terminal.line(f"  systemd-creds encrypt --name=archiver-machine {path} \\")
    terminal.line("    /etc/credstore.encrypted/archiver-machine")
    terminal.line(f"  shred --remove {path}")
    terminal.line("and in the unit, under [Service]:")
    terminal.line("  LoadCredentialEncrypted=archiver-machine")
    terminal.line("--with-key=tpm2 refuses to go without a TPM. Where systemd-creds is missing, keep the file:")
    terminal.line(f"  LoadCredential=archiver-machine:{path}")
