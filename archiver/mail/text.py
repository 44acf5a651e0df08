"""A message's text alone, for a reader who has the rest from the catalogue.

Reads the tree of parts and the body as `archiver.mail.parse` does, so that the text is the same to the character, and
deliberately no address, date or other field of the header: what reads those takes longer to load than this to run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from archiver.mail.body import Body, read_body
from archiver.mail.defects import Defects
from archiver.mail.structure import Node, read
from archiver.model.message import Message

T = TypeVar("T")


def parse_text(octets: bytes) -> Message:
    """Return a message of which only text, quoted text and parts are filled in; never raises for any octets."""
    defects = Defects()
    root, body = parse_body(octets, defects)
    if root is not None:
        release(root)
    return Message(text=body.text, quoted=body.quoted, parts=tuple(body.parts), defects=defects.found())


def texts(octets: bytes) -> tuple[str, str]:
    """Return own and quoted text as `parse_text` does, without decoding attachments; never raises for any octets."""
    root, body = parse_body(octets, Defects(), attachments=False)
    if root is not None:
        release(root)
    return body.text, body.quoted


def parse_body(octets: bytes, defects: Defects, *, attachments: bool = True) -> tuple[Node | None, Body]:
    """Return the tree of parts, None when it cannot be read, and what the body says; problems go into `defects`.

    Without `attachments` nothing is said of these.
    The caller gives the tree to `release` when it is done with it.
    """
    root = guarded("structure", lambda: read(octets, defects), None, defects)
    if root is None:
        return None, Body()
    return root, guarded("body", lambda: read_body(root, defects, attachments=attachments), Body(), defects)


def release(root: Node) -> None:
    """Cut the cycles of a tree, which would keep the octets in memory until the collector comes by."""
    for node in root.walk():
        node.parent = None


def guarded(piece: str, read_piece: Callable[[], T], otherwise: T, defects: Defects) -> T:
    """Read a piece; when that fails, by a fault of ours or for want of memory, the defect names it."""
    try:
        return read_piece()
    except MemoryError:
        defects.add("parse-memory", piece)
    except Exception as problem:  # noqa: BLE001 - a fault of ours must not lose a message; it is recorded by its class
        defects.add("parse-failed", f"{piece}: {type(problem).__name__}")
    return otherwise
