"""Importing Whoosh without the modules that it imports and parsing does not need.

Whoosh's queries import its storage, its analysers, pickle, html and several hundred patterns of English morphology, for
functions that running a query on Whoosh's own index calls. Parsing calls none of them, and they are three quarters of
the import; `archiver search` must start fast.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from archiver.standins import stand_ins

_UNNEEDED = {
    "html": ("escape",),
    "pickle": ("dumps", "loads", "dump", "load"),
    "urllib.request": ("urlretrieve",),
    "whoosh.analysis": ("Token",),
    "whoosh.columns": (),
    "whoosh.filedb.filestore": ("OverlayStorage",),
    "whoosh.lang.morph_en": ("variations",),
}
"""Modules, and the functions (or classes that are only called) that Whoosh imports from each by name."""


def light_imports() -> AbstractContextManager[None]:
    """Let stand-ins be imported within instead of what is not needed; what is imported already stays as it is."""
    return stand_ins(_UNNEEDED)
