"""Text out of XML, by expat, streamed: no document type, no entities but the five, nesting and time bounded.

Knows XML and no vocabulary; what an element means is the caller's. An XML that declares a document type is refused
(entities are how small files become large ones), and no office program writes one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from xml.parsers import expat

from archiver.mail.attachments.bounds import DAMAGED, LIMIT, Sink, UnreadError

MAX_DEPTH = 400
_PIECE = 1 << 20
"""Octets given to expat at a time: it looks at an unfinished token again with each piece."""

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]


def parse_xml(pieces: Iterable[bytes], sink: Sink, start: Start, end: End, text: Text) -> None:
    """Parse; element and attribute names come without their namespace's prefix.

    Raises UnreadError: damaged when it is not well-formed or declares a document type, limit when it is nested too
    deeply, timeout; and whatever the handlers raise.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 1 << 16
    names: dict[str, str] = {}
    depth = 0

    def local(name: str) -> str:
        found = names.get(name)
        if found is None:
            found = name.rpartition(":")[2]
            if len(names) < 5000:
                names[name] = found
        return found

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise UnreadError(LIMIT)
        if attributes:
            attributes = {local(key): value for key, value in attributes.items()}
        start(local(name), attributes)

    def on_end(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(local(name))

    def refuse(*_: object) -> None:
        raise UnreadError(DAMAGED)

    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        for octets in pieces:
            for at in range(0, len(octets), _PIECE):
                sink.allowance.tick()
                parser.Parse(octets[at : at + _PIECE])
        parser.Parse(b"", True)  # noqa: FBT003 - takes no keywords
    except (expat.ExpatError, ValueError, LookupError):  # the latter two: an encoding that Python lacks
        raise UnreadError(DAMAGED) from None
    finally:
        # The handlers refer to each other and to the parser: without this, text stays until the collector comes by.
        parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None
        parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = None


def texts_of_elements(pieces: Iterable[bytes], sink: Sink) -> None:
    """Write the text of every element on a line of its own."""

    def start(_: str, attributes: dict[str, str]) -> None:
        for value in attributes.values():
            # What people call things stands in elements mostly, in some formats in attributes such as these.
            if " " in value and len(value) < 500 and "://" not in value:
                sink.write(value + "\n")

    def text(value: str) -> None:
        if value.strip():
            sink.write(value)

    def end(_: str) -> None:
        if sink.pieces and sink.pieces[-1] != "\n":
            sink.write("\n")

    parse_xml(pieces, sink, start, end, text)
