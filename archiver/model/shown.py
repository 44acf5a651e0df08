"""What a reader sees of a message: its text in the order written, and where its links go."""

from __future__ import annotations

from msgspec import Struct


class Passage(Struct, frozen=True):
    """A piece of a message's text: the sender's own, or repeated of others with its marks as they stand."""

    text: str
    quoted: bool = False


class Hyperlink(Struct, frozen=True):
    """A link of a message's HTML: its words ("" for an image) and its address, which may be anything."""

    text: str
    url: str
