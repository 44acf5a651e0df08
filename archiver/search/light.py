"""Importing Whoosh without the modules that it imports and parsing does not need.

`whoosh.compat` imports urllib.request (and so http, ssl and email) for a function that nothing here calls, and
`whoosh.query.terms` compiles several hundred patterns of English morphology for a query type that is not used. Together
they are half of Whoosh's import, and `archiver search` must start fast. Whoever needs the real ones imports them as
ever.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_UNNEEDED = {"urllib.request": "urlretrieve", "whoosh.lang.morph_en": "variations"}


def _refuse(*_args: object, **_kwargs: object) -> None:
    raise NotImplementedError("left out by archiver.search.light")


@contextmanager
def light_imports() -> Iterator[None]:
    """Let the unneeded modules be empty for the imports within; those that are imported already stay as they are."""
    placed = {name: ModuleType(name) for name in _UNNEEDED if name not in sys.modules}
    for name, module in placed.items():
        setattr(module, _UNNEEDED[name], _refuse)
    sys.modules.update(placed)
    try:
        yield
    finally:
        for name, module in placed.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
