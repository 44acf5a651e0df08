"""Message identifiers (RFC 5322 section 3.6.4) out of Message-ID, In-Reply-To and References, however they are written.

Knows junk, comments and missing brackets. Deliberately does not thread: that is the catalogue's business.
"""

from __future__ import annotations

import re

from archiver.mail.charset import one_line

MAX_IDENTIFIERS = 100
"""Of a longer References field the last ones are kept: they are the nearest ancestors."""

MAX_LENGTH = 998
"""RFC 5322 section 2.1.1: a longer "identifier" is none."""

_BRACKETED = re.compile(r"<([^<>]+)>")
_MOST_BRACKETED = 2000
"""Characters between brackets, with white space; more is a sentence."""
_TOKEN = re.compile(r"[^\s<>\"(),;:\[\]]+")
_WHITE = re.compile(r"\s+")


def identifier(text: str) -> str | None:
    """Return the one identifier of a Message-ID field without its brackets; what stands there if it has none."""
    found = identifiers(text)
    if found:
        return found[0]
    # Two fields written into one, or no "@" at all: still the only name this message has.
    bare = one_line(text).strip("<> ").split(" ", 1)[0]
    return bare if 0 < len(bare) <= MAX_LENGTH else None


def identifiers(text: str) -> tuple[str, ...]:
    """Return the identifiers in a field, each once, oldest first, the last MAX_IDENTIFIERS of them.

    Bracketed ones count alone when there are any: "Your message of … <id>" and addresses in comments are common.
    """
    found = [_WHITE.sub("", match) for match in _BRACKETED.findall(text) if len(match.strip()) <= _MOST_BRACKETED]
    if not found:
        # Not one expression with the "@" in it: that looks for it anew from each letter of a word without one.
        found = [token for token in _TOKEN.findall(text) if "@" in token[1:-1]]
    kept = [one for one in dict.fromkeys(reversed(found)) if 0 < len(one) <= MAX_LENGTH][:MAX_IDENTIFIERS]
    return tuple(one_line(one) for one in reversed(kept))
