"""TOML tables read strictly: each value by its type, each problem collected with the line it stands on.

Knows TOML's types and nothing of archiver's keys. A problem never repeats a value, only its type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

from msgspec import Struct, field

from archiver.errors import ConfigurationError
from archiver.standins import Functions, stand_ins

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_UNNEEDED: Mapping[str, Functions] = {
    # Templates come with it, and their pattern.
    "string": {"ascii_letters": _LETTERS, "digits": "0123456789", "hexdigits": "0123456789abcdefABCDEF"},
    # Patterns of numbers and dates, of which most files have none.
    "tomllib._re": (
        "RE_DATETIME",
        "RE_LOCALTIME",
        "RE_NUMBER",
        "match_to_datetime",
        "match_to_localtime",
        "match_to_number",
    ),
}
"""Modules that tomllib imports, and the names that it takes from them."""

with stand_ins(_UNNEEDED):
    import tomllib

_Choice = TypeVar("_Choice", bound=str)

_KINDS: Sequence[tuple[type, str]] = (
    (bool, "true or false"),
    (str, "a text"),
    (int, "an integer"),
    (float, "a number"),
    (list, "a list"),
    (dict, "a table"),
)
_SECRETS = frozenset({"password", "pass", "passwd", "passphrase", "secret", "token"})


class _File(Struct):
    """What all tables of one file share: its lines by dotted key, the base of relative paths, the problems so far."""

    lines: Callable[[], Mapping[str, int]]
    base: Path
    home: Path
    problems: list[tuple[int, str]] = field(default_factory=list)


class Table:
    """One table of the file; `failed` tells whether any of its values was of a wrong kind."""

    def __init__(self, values: Mapping[str, object], path: str, file: _File) -> None:
        self._values = values
        self._path = path
        self._file = file
        self.failed = False

    def has(self, key: str) -> bool:
        """Tell whether the key is written, whatever its value."""
        return key in self._values

    def problem(self, key: str | None, text: str) -> None:
        """Record a problem with a key, or with the table as a whole."""
        dotted = self._path if key is None else self._dotted(key)
        lines = self._file.lines()
        line = lines.get(dotted) or lines.get(self._path) or 0
        place = f"line {line}: " if line else ""
        name = f"[{dotted}]" if key is None and "[" not in dotted else dotted
        self._file.problems.append((line, f"{place}{name} {text}"))

    def text(self, key: str, *, required: str | None = None) -> str | None:
        """Read a text; `required` says what to write when it is missing or empty."""
        value = self._values.get(key)
        if value is None and required is not None:
            self.problem(key, f"is missing; {required}")
        elif value is not None and not isinstance(value, str):
            self._wrong(key, "a text in quotes")
        elif isinstance(value, str):
            if not value.strip():
                self.problem(key, f"is empty; {required or 'leave the line out'}")
            elif any(not c.isprintable() for c in value):
                self.problem(key, "holds a control character")
            return value
        return None

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Read a list of texts."""
        value = self._values.get(key)
        if value is None:
            return default
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._wrong(key, 'a list of texts, as ["one", "two"]')
            return default
        return tuple(value)

    def path(self, key: str) -> Path | None:
        """Read a path: `~` is the home directory, a relative path starts where the configuration file lies."""
        value = self.text(key)
        if not value:
            return None
        if value == "~" or value.startswith("~/"):
            return self._file.home / value[2:]
        return self._file.base / value

    def integer(self, key: str, default: int, *, low: int, high: int) -> int:
        """Read an integer within bounds, both included."""
        value = self._values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong(key, f"an integer from {low} to {high}")
            return default
        if not low <= value <= high:
            self.problem(key, f"must be from {low} to {high}")
        return value

    def number(self, key: str, default: float, *, low: float, high: float) -> float:
        """Read a number within bounds, both included."""
        value = self._values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._wrong(key, f"a number from {low:g} to {high:g}")
            return default
        if not low <= value <= high:
            self.problem(key, f"must be from {low:g} to {high:g}")
        return float(value)

    def boolean(self, key: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self._values.get(key, default)
        if not isinstance(value, bool):
            self._wrong(key, "true or false, without quotes")
            return default
        return value

    def choice(self, key: str, choices: Sequence[_Choice], default: _Choice) -> _Choice:
        """Read one of a few words."""
        value = self._values.get(key, default)
        for choice in choices:
            if value == choice:
                return choice
        near = _near(value, choices) if isinstance(value, str) else ""
        self._wrong(key, " or ".join(f'"{choice}"' for choice in choices) + near)
        return default

    def table(self, key: str) -> Table:
        """Give a table below this one; an empty one when it is not written."""
        value = self._values.get(key, {})
        if not isinstance(value, dict):
            self._wrong(key, f"a table, written as [{key}]")
            value = {}
        return Table(value, self._dotted(key), self._file)

    def tables(self, key: str) -> Iterator[Table]:
        """Give the tables of an array of tables, in the order of the file."""
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._wrong(key, f"written as [[{key}]], once for each")
            return
        for number, item in enumerate(value, start=1):
            yield Table(item, f"{self._dotted(key)}[{number}]", self._file)

    def finish(self, known: Iterable[str]) -> None:
        """Report every key that is not known, with the one that was probably meant."""
        names = tuple(known)
        for key in self._values:
            if key in names:
                continue
            if key.lower() in _SECRETS and "password_file" in names:
                self.problem(
                    key, "does not belong in this file; put it into a file of mode 0600 and name that in password_file"
                )
            else:
                self.problem(key, f"is not a known key{_near(key, names)}")

    def _wrong(self, key: str, wanted: str) -> None:
        self.failed = True
        value = self._values.get(key)
        kind = next((name for type_, name in _KINDS if isinstance(value, type_)), "a date or time")
        told = isinstance(value, str) and '"' in wanted
        self.problem(key, f"must be {wanted}" if told else f"must be {wanted} (it is {kind})")

    def _dotted(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def read_toml(source: Path, *, base: Path, home: Path) -> Table:
    """Read a TOML file; raise ConfigurationError when it is absent, unreadable or no TOML."""
    try:
        octets = source.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(f"{source} does not exist", hint="write it from config.example.toml") from None
    except OSError as error:
        raise ConfigurationError(
            f"{source} cannot be read: {error.strerror or type(error).__name__}",
            hint="check that it is a file and that you may read it",
        ) from None
    try:
        text = octets.decode().removeprefix("\ufeff")
        values = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = octets[: error.start].count(b"\n") + 1
        raise ConfigurationError(
            f"{source} is not UTF-8", problems=(f"line {line}: not UTF-8",), hint="save it as UTF-8"
        ) from None
    except tomllib.TOMLDecodeError as error:
        # Only the position is passed on: the message may quote what stands there, which may be a password.
        at = re.search(r"line (\d+), column (\d+)", str(error))
        place = f"line {at[1]}, column {at[2]}" if at else "at the end of the file"
        raise ConfigurationError(
            f"{source} is not valid TOML",
            problems=(f"{place}: {_kind_of(error)}",),
            hint="texts stand in quotes, lists in brackets, and each key once",
        ) from None
    return Table(values, "", _File(cache(lambda: _lines(text)), base, home))


def problems_of(root: Table) -> tuple[str, ...]:
    """All problems found in the file, in the order of its lines."""
    ordered = sorted(root._file.problems, key=lambda problem: problem[0])  # noqa: SLF001
    return tuple(dict.fromkeys(text for _, text in ordered))


def _kind_of(error: tomllib.TOMLDecodeError) -> str:
    known = {
        "Cannot overwrite a value": "this key stands here a second time",
        "Cannot declare": "this table stands here a second time",
        "Expected '=' after a key": "= expected after the key",
        "Invalid value": "a value was expected",
        "Unterminated string": "the closing quote is missing",
        "Unclosed array": "the closing bracket is missing",
        "Expected newline or end of document": "nothing more was expected on this line",
        "Illegal character": "a character that is not allowed here",
    }
    return next((text for begin, text in known.items() if str(error).startswith(begin)), "not valid TOML")


def _near(key: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key.lower(), list(names), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


_HEADER = r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$"
_KEY = r"""\s*([A-Za-z0-9_.-]+|"[^"]*"|'[^']*')\s*="""


def _lines(text: str) -> Mapping[str, int]:
    """Find the line (1-based) of every dotted key; array tables count from 1.

    tomllib tells no positions, and this is only for messages: a line within a multi-line text that looks like a key can
    at worst make a message point at it.
    """
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(_HEADER, line)
        key = re.match(_KEY, line)
        if key:
            found.setdefault(f"{table}.{key[1].strip(chr(34) + chr(39))}" if table else key[1], number)
        elif header:
            table = header[2]
            if header[1] == "[[":
                counts[table] = counts.get(table, 0) + 1
                table = f"{table}[{counts[table]}]"
            else:
                parent, dot, rest = table.partition(".")
                table = f"{parent}[{counts[parent]}].{rest}" if dot and parent in counts else table
            found.setdefault(table, number)
    return found
