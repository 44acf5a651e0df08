"""Importing Whoosh without the modules that it imports and parsing does not need.

Whoosh's queries import its storage, its analysers, pickle, html and several hundred patterns of English morphology, for
functions that running a query on Whoosh's own index calls. Parsing calls none of them, and they are three quarters of
the import; `archiver search` must start fast. The patterns of its parser's plugins are compiled when one is used: ours
are others.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module

from archiver.standins import Functions, stand_ins

_LEFT_OUT = ("whoosh.query.nested", "whoosh.query.qcolumns", "whoosh.query.spans")
"""Kinds of query that this language has not; they define classes on what matches."""


class _Pattern:
    """A pattern that is compiled when something asks it."""

    def __init__(self, expression: str, flags: int) -> None:
        self._expression, self._flags = expression, flags

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(re.compile(self._expression, self._flags), name)


def _pattern(pattern: object, flags: int = 0, verbose: bool = False) -> object:  # noqa: FBT001, FBT002 - Whoosh's
    """Do as whoosh.util.text.rcompile does, later."""
    return _Pattern(pattern, flags | re.VERBOSE * verbose) if isinstance(pattern, str) else pattern


_UNNEEDED: Mapping[str, Functions] = {
    "html": ("escape",),
    "pickle": ("dumps", "loads", "dump", "load"),
    "queue": (),
    "random": (),
    "urllib.request": ("urlretrieve",),
    "whoosh.analysis": ("Token",),
    "whoosh.columns": (),
    "whoosh.filedb.filestore": ("OverlayStorage",),
    "whoosh.lang.morph_en": ("variations",),
    "whoosh.matching": ("AndMaybeMatcher", "MultiMatcher", "RequireMatcher"),
    "whoosh.util.text": {"rcompile": _pattern},
    "whoosh.util.times": ("datetime_to_long",),
    **dict.fromkeys(_LEFT_OUT, ()),
}
"""Modules, and the functions (or classes that are only called) that Whoosh imports from each by name."""


@contextmanager
def light_imports() -> Iterator[None]:
    """Let stand-ins be imported within instead of what is not needed; what is imported already stays as it is."""
    with stand_ins(_UNNEEDED):
        yield
    queries = sys.modules.get("whoosh.query")
    if queries is not None and "SpanQuery" not in vars(queries):
        vars(queries).setdefault("__getattr__", _left_out)


def _left_out(name: str) -> object:
    """Find what whoosh.query would have of the kinds left out (PEP 562)."""
    if not name.startswith("_"):
        for module in map(import_module, _LEFT_OUT):
            if module.__name__.endswith(f".{name}"):
                return module
            if name in vars(module):
                return vars(module)[name]
    raise AttributeError(f"module 'whoosh.query' has no attribute {name!r}")
