"""A disk that can lose its power: the operations of archiver.store.durable, done for real and remembered.

What was not made durable before the cut may be on the platter or not, each by itself: a file's contents until
`sync_file`, a name until `sync_directory`. `PowerCut.states` enumerates what may be found afterwards. SQLite's files do
not pass here: its commits are taken as durable when they return (synchronous=FULL).
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from archiver.store.durable import Disk


class PowerCutError(BaseException):
    """The world stops; no `except Exception` may go on after it."""


@dataclass
class Volatile:
    """One operation that a cut may undo."""

    kind: str  # "contents", "created", "renamed", "removed"
    path: Path
    source: Path | None = None
    octets: bytes = b""
    replaced: bytes | None = None
    """What the name meant before, when a file was renamed over another."""


@dataclass
class PowerCut(Disk):
    """Stops before (`after=False`) or after the operation number `at`; counts when `at` is None."""

    at: int | None = None
    after: bool = False
    forgets_directory_syncs: bool = False
    steps: int = 0
    volatile: list[Volatile] = field(default_factory=list)
    begins: set[int] = field(default_factory=set)
    """Steps that begin something, before which a database may have committed."""

    @contextlib.contextmanager
    def _step(self, *, begins: bool = False) -> Iterator[None]:
        self.steps += 1
        if begins:
            self.begins.add(self.steps)
        if self.steps == self.at and not self.after:
            raise PowerCutError
        yield
        if self.steps == self.at and self.after:
            raise PowerCutError

    def create(self, path: Path, octets: bytes, *, mode: int = 0o600) -> None:
        with self._step(begins=True):
            super().create(path, octets, mode=mode)
            self.volatile += [Volatile("created", path), Volatile("contents", path)]

    @contextlib.contextmanager
    def writing(self, path: Path, *, mode: int = 0o600) -> Iterator[BinaryIO]:
        with self._step(begins=True), super().writing(path, mode=mode) as file:
            self.volatile += [Volatile("created", path), Volatile("contents", path)]
            yield file

    def sync_file(self, path: Path) -> None:
        with self._step():
            self.volatile = [v for v in self.volatile if not (v.kind == "contents" and v.path == path)]

    def rename(self, source: Path, target: Path) -> None:
        with self._step():
            replaced = target.read_bytes() if target.exists() else None
            super().rename(source, target)
            for each in self.volatile:
                if each.kind == "contents" and each.path == source:
                    each.path = target
            self.volatile = [v for v in self.volatile if not (v.kind == "created" and v.path == source)]
            self.volatile.append(Volatile("renamed", target, source, replaced=replaced))

    def sync_directory(self, path: Path) -> None:
        with self._step():
            if not self.forgets_directory_syncs:
                self.volatile = [v for v in self.volatile if v.kind == "contents" or v.path.parent != path]

    def make_directory(self, path: Path) -> bool:
        with self._step(begins=True):
            return super().make_directory(path)

    def remove(self, path: Path) -> None:
        with self._step(begins=True):
            octets = path.read_bytes() if path.exists() else None
            super().remove(path)
            if octets is not None:
                self.volatile.append(Volatile("removed", path, octets=octets))

    def states(self) -> list[tuple[Volatile, ...]]:
        """Return the sets of operations that the cut may have undone: every subset of few, of many the telling ones."""
        every = tuple(self.volatile)
        if len(every) <= 2:
            return [each for n in range(len(every) + 1) for each in itertools.combinations(every, n)]
        singles = [(each,) for each in every[-4:]]
        return [(), *singles, every[-2:], every[-3:], every]


def lose(undone: tuple[Volatile, ...]) -> None:
    """Bring a directory to the state in which these operations never reached the platter."""
    for each in reversed(undone):
        if each.kind == "contents" and each.path.exists():
            each.path.write_bytes(each.path.read_bytes()[: each.path.stat().st_size // 2])
    for each in reversed(undone):
        if each.kind == "renamed" and each.path.exists() and each.source is not None:
            each.path.rename(each.source)
            if each.replaced is not None:
                each.path.write_bytes(each.replaced)
        elif each.kind == "created":
            each.path.unlink(missing_ok=True)
        elif each.kind == "removed":
            each.path.write_bytes(each.octets)
