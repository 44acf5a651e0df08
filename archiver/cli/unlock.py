"""`archiver unlock`: type the passphrase once a shift."""

from __future__ import annotations

import click

from archiver.cli.invocation import Invocation
from archiver.cli.secrets import asker
from archiver.cli.wording import seconds_in
from archiver.errors import LockedError


@click.command("unlock")
@click.option("--for", "duration", default="8h", show_default=True, metavar="TIME", help="How long: 30m, 8h, 1d.")
@click.pass_obj
def command(invocation: Invocation, duration: str) -> None:
    """Keep the archive open for a while, so that commands do not ask.

    The key is kept in the memory of the Linux kernel, for this user only, and forgotten at the stated time, at a reboot
    or by `archiver lock`.
    """
    seconds = seconds_in(duration)
    settings = invocation.settings()
    until = invocation.app.unlock(settings, ask=asker(invocation), seconds=seconds)
    if until is None:
        raise LockedError(
            "the key cannot be kept: this system has no kernel keyring for us",
            hint="every command asks for the passphrase, or reads the file named by ARCHIVER_PASSPHRASE_FILE",
        )
    invocation.terminal.line(f"Unlocked until {invocation.date(until)}. To lock it before: archiver lock")
