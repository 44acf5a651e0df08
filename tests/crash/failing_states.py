"""A directory as it was at several times, held in memory, and brought back by writing what is not as it was.

A file counts as untouched when it has the inode, mode, size and both times that it had when it was written here; the
time of its contents was set to that of the state, which is past, so that whatever is written is seen, however soon.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_MAPPED = ("-shm", "-wal")
"""What SQLite may write through a mapping, which sets no times; always written anew."""


class _Mark(NamedTuple):
    inode: int
    mode: int
    links: int
    size: int
    written: int
    changed: int


class _Entry(NamedTuple):
    """`octets` is None for a directory; `written` in nanoseconds."""

    mode: int
    written: int
    octets: bytes | None


class States:
    """What `home` has held, by name."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._states: dict[str, dict[str, _Entry]] = {}
        self._marks: dict[str, tuple[bytes, _Mark]] = {}

    def save(self, name: str) -> None:
        """Keep everything that is there now."""
        self._states[name] = {
            path: _Entry(
                stat.S_IMODE(found.st_mode),
                found.st_mtime_ns,
                None if stat.S_ISDIR(found.st_mode) else self._path(path).read_bytes(),
            )
            for path, found in self._walk("")
        }

    def files(self, name: str) -> set[str]:
        """Return the files of a state, from the directory on."""
        return {path for path, entry in self._states[name].items() if entry.octets is not None}

    def restore(self, name: str) -> None:
        """Make everything as it was, the neighbours whose names begin like the directory's gone."""
        state = self._states[name]
        for neighbour in self._home.parent.glob(self._home.name + "*"):
            if neighbour != self._home:
                _remove(neighbour)
        there = set()
        for path, found in list(self._walk("")):
            entry = state.get(path)
            if entry is not None and self._is(path, entry, found):
                there.add(path)
            elif entry is None or entry.octets is not None or not stat.S_ISDIR(found.st_mode):
                _remove(self._path(path))
            else:
                self._path(path).chmod(entry.mode)
                there.add(path)
        for path, entry in state.items():  # a directory comes before what is in it
            if path not in there:
                self._write(path, entry)

    def _is(self, path: str, entry: _Entry, found: os.stat_result) -> bool:
        if entry.octets is None:
            return stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == entry.mode
        octets, mark = self._marks.get(path, (None, None))
        return octets is entry.octets and mark == _mark(found) and not path.endswith(_MAPPED)

    def _write(self, path: str, entry: _Entry) -> None:
        place = self._path(path)
        if entry.octets is None:
            place.mkdir()
            place.chmod(entry.mode)
            return
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, entry.octets)
            os.fchmod(descriptor, entry.mode)
            os.utime(descriptor, ns=(entry.written, entry.written))
            self._marks[path] = entry.octets, _mark(os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def _walk(self, below: str) -> Iterator[tuple[str, os.stat_result]]:
        with os.scandir(self._path(below)) as entries:
            for entry in entries:
                path = f"{below}/{entry.name}" if below else entry.name
                with contextlib.suppress(FileNotFoundError):
                    found = entry.stat(follow_symlinks=False)
                    yield path, found
                    if stat.S_ISDIR(found.st_mode):
                        yield from self._walk(path)

    def _path(self, path: str) -> Path:
        return self._home / path


def _mark(found: os.stat_result) -> _Mark:
    return _Mark(found.st_ino, found.st_mode, found.st_nlink, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
