"""`archiver init`: an archive, its keys, and a recovery code that somebody has really written down."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.cli.secrets import hand_over_recovery_code, must_be_able_to_hand_over, new_passphrase


@click.command("init")
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="ARCHIVER_PASSPHRASE_FILE",
    metavar="FILE",
    help="Read the passphrase from this file instead of asking (else ARCHIVER_PASSPHRASE_FILE).",
)
@click.option(
    "--recovery-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the recovery code to this new file (mode 0600) instead of showing it.",
)
@click.pass_obj
def command(invocation: Invocation, passphrase_file: Path | None, recovery_file: Path | None) -> None:
    """Create the archive and its first keys.

    Asks for a passphrase twice, shows a recovery code once and has it typed back; only then is anything written. With
    --passphrase-file and --recovery-file nobody is asked; move the recovery code to a safe place afterwards.
    """
    settings = invocation.settings()
    terminal = invocation.terminal
    must_be_able_to_hand_over(invocation, file=recovery_file)
    passphrase = new_passphrase(invocation, file=passphrase_file, option="--passphrase-file")
    prepared = invocation.app.prepare_archive(settings, passphrase)
    hand_over_recovery_code(invocation, prepared.recovery_code, file=recovery_file)
    try:
        prepared.commit()
    except BaseException:
        # A recovery code that opens nothing must not lie about; one of an archive that could not be taken away must.
        if recovery_file is not None and not (settings.archive.path / "archive.json").exists():
            with suppress(OSError):
                recovery_file.unlink(missing_ok=True)
        raise
    terminal.line("Created the archive:    ", Span(str(settings.archive.path), "strong"))
    terminal.line("Collector's credential: ", str(settings.archive.collector_key_file))
    terminal.line("  (keep it out of the archive's backups)")
    if recovery_file is not None:
        terminal.line("Recovery code:          ", str(recovery_file))
        terminal.line("  (print it, put it in a safe, and delete the file)")
    terminal.line()
    terminal.line("Next:")
    terminal.line("  archiver doctor     checks the configuration and the connections")
    terminal.line("  archiver sync       collects the mail")
    terminal.line("  archiver search     finds it")
