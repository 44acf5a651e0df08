"""`archiver key rotate` and `archiver key accept`: a new epoch, and a keyring that was put back on purpose."""

from __future__ import annotations

import click

from archiver.cli.invocation import Invocation
from archiver.cli.secrets import asker
from archiver.cli.wording import count, size


@click.command("rotate")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def rotate(invocation: Invocation, as_json: bool) -> None:
    """Make new keys behind all passphrases.

    Asks for a passphrase that opens the archive, or the recovery code. The databases are written anew under new keys,
    mail itself stays as it is, and everybody's passphrase goes on working: it ends what somebody may know of the old
    keys, for instance after `archiver key remove`. It may be interrupted at any moment, and other commands may run
    meanwhile.
    """
    done = invocation.app.key_rotate(invocation.settings(), ask=asker(invocation))
    terminal = invocation.terminal
    if as_json:
        from archiver.cli.key_shapes import rotation

        terminal.json(rotation(done, invocation.zone))
        return
    terminal.line(
        f"Rotated: epoch {done.epoch}, sealed to {count(done.slots, 'key')};"
        f" {size(done.octets)} written anew in {done.seconds:.1f} s."
    )
    if done.session_until is not None:
        terminal.line(f"Still unlocked until {invocation.date(done.session_until)}; other users run archiver unlock.")
    terminal.line("Copies of the archive made before still open with the old keys.")


@click.command("accept")
@click.pass_obj
def accept(invocation: Invocation) -> None:
    """Accept an older keyring that was put back.

    For when an older copy of keyring.json or of archive.db was put back on purpose; otherwise it is refused. Look at
    `archiver key list` first: every key in it opens the archive from then on. Asks for a passphrase that opens the
    archive, or the recovery code.
    """
    from archiver.cli.escape import visible

    slots = invocation.app.key_accept(invocation.settings(), ask=asker(invocation))
    names = ", ".join(visible(slot.name) for slot in slots)
    invocation.terminal.line(f"Accepted; these keys open the archive: {names}.")
