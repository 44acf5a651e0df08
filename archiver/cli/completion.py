"""`archiver completion`: click's own completion scripts, for the shells it knows."""

from __future__ import annotations

import click

from archiver.cli.invocation import Invocation


@click.command("completion")
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell.

    bash: source <(archiver completion bash). zsh: the same, in ~/.zshrc. fish: archiver completion fish | source.
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:  # pragma: no cover - click.Choice has made sure
        raise click.UsageError(f"no completion for {shell}", ctx=ctx)
    # The template alone: click's source() starts a bash to look at its version.
    completion = kind(ctx.find_root().command, {}, "archiver", "_ARCHIVER_COMPLETE")
    script = completion.source_template % completion.source_vars()
    ctx.find_object(Invocation).terminal.text(script)  # type: ignore[union-attr]
