"""`archiver import`: mail from files, along the same path as mail from a server."""

from __future__ import annotations

from pathlib import Path

import click

from archiver.cli.invocation import Invocation
from archiver.cli.progress import Watch
from archiver.cli.secrets import asker
from archiver.cli.sync import stopping, tell_outcome


@click.command("import")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(exists=True, path_type=Path))
@click.pass_obj
def command(invocation: Invocation, paths: tuple[Path, ...]) -> int:
    """Take in mail from files: mbox, Maildir, .eml and folders of them.

    The files are only read. Mail that the archive has already is not kept twice, so the same import may be run again.
    """
    settings = invocation.settings()
    with Watch(invocation.terminal) as watch, stopping(watch) as stop:
        report = invocation.app.import_paths(
            settings, paths, ask=watch.pausing(asker(invocation)), on_progress=watch.tell, stopped=stop.is_set
        )
    return tell_outcome(invocation.terminal, report, interrupted=stop.is_set())
