"""Importing a library without modules that it imports and does not need for what is done here.

A stand-in takes the place of such a module while the library is imported. Should it be used after all, it imports the
real module and hands over to it: nobody else in the process notices, and nothing is missing. A release of the library
that imports more by name than was foreseen has the real module at once. Knows no library.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType

Functions = tuple[str, ...] | Mapping[str, object]
"""What a library imports from a module by name: functions, classes that are only called, objects whose methods are; a
mapping also says what is to be there instead."""


class _StandIn(ModuleType):
    """A module that is imported when an attribute of it is asked for."""

    def __init__(self, name: str, functions: Functions) -> None:
        super().__init__(name)
        for function in functions:
            setattr(self, function, functions[function] if isinstance(functions, Mapping) else _Later(name, function))

    def __getattr__(self, attribute: str) -> object:
        if attribute.startswith("__"):  # what import itself asks (__path__, __spec__)
            raise AttributeError(attribute)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return _real(self.__name__, attribute)


class _Later:
    """What is called or asked instead: no function, which a class would make a method of."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def __call__(self, *args: object, **kwargs: object) -> object:
        real = _real(self._module, self._name)
        assert callable(real)  # noqa: S101 - for the type checker
        return real(*args, **kwargs)

    def __getattr__(self, attribute: str) -> object:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(_real(self._module, self._name), attribute)


def _real(module: str, attribute: str) -> object:
    from importlib import import_module

    return getattr(import_module(module), attribute)


@contextmanager
def stand_ins(modules: Mapping[str, Functions]) -> Iterator[None]:
    """Let stand-ins be imported within instead of these modules; what is imported already stays as it is."""
    placed = {name: _StandIn(name, functions) for name, functions in modules.items() if name not in sys.modules}
    sys.modules.update(placed)
    try:
        yield
    finally:
        for name, module in placed.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
