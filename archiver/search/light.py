"""Importing Whoosh without the modules that it imports and parsing does not need.

Whoosh's queries import its storage, its analysers, pickle, html and several hundred patterns of English morphology, for
functions that running a query on Whoosh's own index calls. Parsing calls none of them, and they are three quarters of
the import; `archiver search` must start fast. A stand-in takes the place of each such name and, when it is used after
all, imports the real module and hands over to it: nobody else in the process notices.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

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


class _StandIn(ModuleType):
    """A module that is imported when an attribute of it is asked for."""

    def __init__(self, name: str, functions: tuple[str, ...]) -> None:
        super().__init__(name)
        for function in functions:
            setattr(self, function, _later(name, function))

    def __getattr__(self, attribute: str) -> object:
        # While it stands in, and for what import itself asks (__path__, __spec__), there is nothing else here.
        if attribute.startswith("__") or sys.modules.get(self.__name__) is self:
            raise AttributeError(attribute)
        return _real(self.__name__, attribute)


def _later(module: str, function: str) -> Callable[..., object]:
    def call(*args: object, **kwargs: object) -> object:
        real = _real(module, function)
        assert callable(real)  # noqa: S101 - for the type checker
        return real(*args, **kwargs)

    return call


def _real(module: str, attribute: str) -> object:
    from importlib import import_module

    return getattr(import_module(module), attribute)


@contextmanager
def light_imports() -> Iterator[None]:
    """Let stand-ins be imported within instead of what is not needed; what is imported already stays as it is."""
    placed = {name: _StandIn(name, functions) for name, functions in _UNNEEDED.items() if name not in sys.modules}
    sys.modules.update(placed)
    try:
        yield
    finally:
        for name, module in placed.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
