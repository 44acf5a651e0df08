"""The person's pager: the program that long output is read in, a screen at a time.

Knows how it is chosen (PAGER, else less) and started: without a shell, and with the text through a pipe, so that no
mail lies in a temporary file. Under sudo it is less, whatever the environment says, and starts nothing: who may run
archiver as its user may not for that reason run anything else. Knows nothing of what is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

Page = Callable[[str], bool]
"""Shows text and waits until the person is done; False when there is no pager, and nothing was shown."""

_DEFAULT = "less"
_NONE = frozenset({"", "cat"})
# Colours shown as such, no clearing of the screen, an end at once when all fits.
_LESS = "FRX"


def pager(environ: Mapping[str, str], *, encoding: str) -> Page:
    """Return what shows text in the pager that the environment names; `cat`, or an empty PAGER, is none."""

    def page(text: str) -> bool:
        import subprocess

        words = _words(_DEFAULT if _is_lent(environ) else environ.get("PAGER", _DEFAULT))
        if not words or environ.get("TERM") == "dumb":
            return False
        try:
            # A list of words, never a shell: the text of mail cannot reach a command line either way.
            process = subprocess.Popen(words, stdin=subprocess.PIPE, env=_surroundings(environ))
        except OSError:
            return False
        try:
            if process.stdin is not None:
                # Whoever has read enough quits, and the pipe is gone: no error of anybody's.
                with suppress(BrokenPipeError), process.stdin as pipe:
                    pipe.write(text.encode(encoding, "backslashreplace"))
        finally:
            _wait(process.wait)
        return True

    return page


def _words(command: str) -> list[str]:
    import shlex

    try:
        words = shlex.split(command)
    except ValueError:
        return [_DEFAULT]
    return [] if not words or words[0] in _NONE else words


def _surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a pager that neither remembers on disk what was searched for nor starts programs."""
    kept = {name: value for name, value in environ.items() if name not in {"LESSOPEN", "LESSCLOSE"}}
    if _is_lent(environ):
        kept = {name: value for name, value in kept.items() if not name.startswith(("LESS", "LV"))}
    return {"LESS": _LESS, "LESSSECURE": "1", "LESSHISTFILE": "-", "LV": "-c", **kept}


def _is_lent(environ: Mapping[str, str]) -> bool:
    """Tell whether sudo, or doas, lends a person another user's rights for this."""
    return bool(environ.get("SUDO_USER") or environ.get("DOAS_USER"))


def _wait(wait: Callable[[], int]) -> None:
    """Wait for the pager through any Ctrl-C: it is meant for the pager, which stays on the screen."""
    while True:
        try:
            wait()
        except KeyboardInterrupt:
            continue
        return
