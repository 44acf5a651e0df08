"""What a process of ours and its child say to each other: values as JSON, with paths among them."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

_T = TypeVar("_T")


def encode(value: object) -> bytes:
    """Return a value as one line of JSON, without its end."""
    return msgspec.json.encode(value, enc_hook=str)


def decode(octets: bytes, kind: type[_T]) -> _T:
    """Return what `encode` was given; raises msgspec.DecodeError for what is no such value."""
    return msgspec.json.decode(octets, type=kind, dec_hook=_path)


def _path(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError  # how msgspec wants to be told that a type is none of ours
