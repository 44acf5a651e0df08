"""Questions to a person at a terminal: yes or no, and one passphrase for a command that opens the archive twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archiver.cli.escape import visible
from archiver.cli.invocation import Invocation
from archiver.cli.secrets import asker
from archiver.errors import UsageError

if TYPE_CHECKING:
    from archiver.cli.application import AskPassphrase

_YES = frozenset({"y", "yes", "j", "ja", "o", "oui"})
_NO = frozenset({"n", "no", "nee", "nein", "non"})


def confirmed(invocation: Invocation, question: str, *, default: bool = False) -> bool:
    """Ask until the answer is yes or no; an empty one is the `default`. Dutch, French and German are understood."""
    choices = "[Y/n]" if default else "[y/N]"
    while True:
        answer = invocation.read_line(f"{visible(question)} {choices} ").strip().casefold()
        if not answer:
            return default
        if answer in _YES or answer in _NO:
            return answer in _YES
        invocation.terminal.note("Please answer y or n.")


def must_be_able_to_ask(invocation: Invocation, *, yes: bool) -> None:
    """Raise UsageError, before any work, when something is to be confirmed and nobody is there to do so."""
    if not (yes or invocation.person_present):
        raise UsageError("this has to be confirmed, and there is no terminal to ask on", hint="--yes confirms it")


def asker_once(invocation: Invocation) -> AskPassphrase:
    """Return an asker that remembers the answer while the command runs: it looks first, and writes afterwards."""
    ask, answers = asker(invocation), list[str | None]()

    def asked() -> str | None:
        if not answers:
            answers.append(ask())
        return answers[0]

    return asked
