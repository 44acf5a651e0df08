"""Content lines of vCard: RFC 6350 (4.0), RFC 2426 (3.0) and what is still written of 2.1. No meaning of properties.

Nothing is raised: a line that is none is left out and reported by its number.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator

from msgspec import Struct

_HEAD = re.compile(r"^(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)((?:;(?:[^\":;]|\"[^\"]*\")*)*):", re.DOTALL)
_PARAMETER = re.compile(r";((?:[^\":;]|\"[^\"]*\")*)")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_COMPONENT = re.compile(r"(?:\\.|[^;\\])*", re.DOTALL)
_LIMIT = 75  # octets of a line without its end (RFC 6350 §3.2)


class Property(Struct, frozen=True):
    """One property; `value` is raw: escaped, and of several components where the name says so. `types` in lower case.

    `preference` is 1 for the most preferred, 100 where nothing was said (RFC 6350 §5.3).
    """

    line: int
    name: str
    value: str
    types: frozenset[str] = frozenset()
    preference: int = 100
    derived: bool = False

    @property
    def text(self) -> str:
        """The value as one text."""
        return unescaped(self.value)

    @property
    def components(self) -> tuple[str, ...]:
        """The components of the value, of ADR, N and ORG."""
        parts, position = [], 0
        while position <= len(self.value):
            found = _COMPONENT.match(self.value, position)
            end = found.end() if found else len(self.value)
            parts.append(unescaped(self.value[position:end]))
            position = end + 1
        return tuple(parts)


def properties(text: str) -> Iterator[Property | int]:
    """Yield the properties of a file in order; the number of a line instead where it holds none."""
    for line, content in _unfolded(text):
        found = _HEAD.match(content)
        if found is None:
            yield line
            continue
        yield _property(line, found[1].upper(), found[2], content[found.end() :])


def _property(line: int, name: str, parameters: str, value: str) -> Property:
    types: set[str] = set()
    preference, charset, quoted, derived = 100, "utf-8", False, False
    for match in _PARAMETER.finditer(parameters):
        key, equals, raw = match[1].partition("=")
        key, said = (key.strip().upper(), raw) if equals else ("TYPE", key)
        said = said.replace('"', "").strip()
        if key == "TYPE":
            types.update(part.strip().lower() for part in said.split(","))
        elif key == "PREF" and said.isascii() and said.isdigit():
            preference = min(int(said[:4]), 100)
        elif key == "CHARSET":
            charset = said
        elif key == "ENCODING":
            types.add(said.lower())
        elif key == "DERIVED":
            derived = said.lower() == "true"
    quoted = "quoted-printable" in types
    if "pref" in types:
        preference = 1
    return Property(
        line, name, _from_quoted(value, charset) if quoted else value, frozenset(types), preference, derived
    )


def _from_quoted(value: str, charset: str) -> str:
    octets = quopri.decodestring(value.encode("utf-8", "surrogatepass"))
    try:
        return octets.decode(charset)
    except (LookupError, UnicodeDecodeError):
        return octets.decode("cp1252", errors="replace")


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Yield content lines with the number of their first line; a folded line begins with a space or a tab (§3.2)."""
    start, content = 0, ""
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        soft = content.endswith("=") and "QUOTED-PRINTABLE" in content.partition(":")[0].upper()
        if soft:
            content = content[:-1] + line.removeprefix(" ")
        elif line[:1] in (" ", "\t") and content:
            content += line[1:]
        else:
            if content.strip():
                yield start, content
            start, content = number, line
    if content.strip():
        yield start, content


def unescaped(value: str) -> str:
    """Return a value without the escapes of RFC 6350 §3.4; whatever else is escaped stands for itself."""
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def escaped(text: str) -> str:
    """Return text with everything escaped that separates (RFC 6350 §3.4)."""
    return text.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;").replace("\n", "\\n")


def folded(line: str) -> str:
    """Return a content line cut into lines of at most 75 octets, no character of UTF-8 across two (RFC 6350 §3.2)."""
    lines, room, current = [], _LIMIT, ""
    for character in line:
        octets = len(character.encode("utf-8", "surrogatepass"))
        if octets > room:
            lines.append(current)
            current, room = " ", _LIMIT - 1
        current += character
        room -= octets
    return "\r\n".join((*lines, current))
