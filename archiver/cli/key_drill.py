"""`archiver key drill`: whether what lies in the safe still opens the archive."""

from __future__ import annotations

import click

from archiver.cli.invocation import Invocation
from archiver.cli.layout import Span
from archiver.cli.secrets import asker
from archiver.cli.wording import count, size


@click.command("drill")
@click.option("--passphrase", metavar="NAME", help="Try the passphrase of this key instead of the recovery code.")
@click.option("--message", metavar="ID", help="Open this message; without it any one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def drill(invocation: Invocation, passphrase: str | None, message: str | None, as_json: bool) -> None:
    """Try the recovery code on one message.

    The code is asked for, and opens a message with nothing else. What keeps the archive unlocked here is not used, so
    that what works now works on another machine too; with `archiver --archive DIR` the archive may be a backup. Nothing
    is changed, and nothing of the message is shown.
    """
    prompt = "Recovery code: " if passphrase is None else f"Passphrase of {passphrase}: "
    done = invocation.app.key_drill(
        invocation.settings(),
        ask=asker(invocation, words=prompt),
        passphrase=passphrase,
        message=message,
    )
    terminal = invocation.terminal
    if as_json:
        from archiver.cli.key_shapes import drill as shape

        terminal.json(shape(done))
        return
    what = "recovery code" if passphrase is None else "passphrase"
    if done.blob_id is None or done.octets is None:
        terminal.line(Span("The archive opens", "good"), f" with this {what}. It holds no message to try.")
        return
    terminal.line(Span("The archive opens", "good"), f" with this {what}: {count(done.messages, 'message')}.")
    terminal.line(f"Message {done.blob_id.hex()[:12]} ({size(done.octets)}) was opened and is what was stored.")
