"""Text of strangers, made safe to show.

Knows which code points could steer a terminal or deceive a reader's eye, and writes them as visible escapes. Knows
nothing of terminals, colours or mail. JSON needs none of this: `json.dumps` escapes what it must by itself.

Escaped are: C0 and C1 controls and DEL (ECMA-48: they steer terminals), bidirectional overrides, embeddings and
isolates (Unicode TR 36 §2.5), code points that are drawn as nothing (zero-width, fillers, tags), line and paragraph
separators, noncharacters, lone surrogates, and combining marks beyond five in a row, which would paint over other
lines. Kept are the joiners that emoji and the scripts from Arabic to Malayalam need to be written at all.
"""

from __future__ import annotations

import re
from functools import cache

_EMOJI = "\\u2190-\\u21ff\\u2600-\\u27bf\\u2b00-\\u2bff\\ufe0f\\U0001f000-\\U0001faff"
_JOINING_SCRIPTS = "\\u0600-\\u0dff"
_MARKS = "\\u0300-\\u036f\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff"
_JOINERS = "\\u200c\\u200d"
_INVISIBLE = (
    "\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b\\u2060-\\u2064\\u206a-\\u206f\\u3164\\ufeff"
    "\\uffa0\\ufff0-\\ufffb\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a\\U000e0000-\\U000e0fff"
    "\\U000110bd\\U000110cd\\U00013430-\\U0001343f"
)
_CONTROLS = "\\x00-\\x1f\\x7f-\\x9f"
_BIDI = "\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069"
_BROKEN = "\\u2028\\u2029\\ud800-\\udfff\\ufdd0-\\ufdef\\ufffe\\uffff"
_PLANE_ENDS = "".join(f"\\U{plane:04x}fffe\\U{plane:04x}ffff" for plane in range(1, 17))

_UNSAFE = (
    f"[{_CONTROLS}{_BIDI}{_INVISIBLE}{_BROKEN}{_PLANE_ENDS}]"
    f"|(?<![{_EMOJI}{_JOINING_SCRIPTS}])[{_JOINERS}]"
    f"|[{_JOINERS}](?![{_EMOJI}{_JOINING_SCRIPTS}])"
    f"|(?<=[\\ufe00-\\ufe0f])[\\ufe00-\\ufe0f]"
    f"|(?<=[{_MARKS}]{{5}})[{_MARKS}]"
)
# Newsletters hide their preview text behind dozens of these; one escape each would bury the mail.
_INVISIBLE_RUN = f"[{_JOINERS}{_INVISIBLE}](?:[ \\u00a0]*[{_JOINERS}{_INVISIBLE}]){{3,}}"


def visible(text: str) -> str:
    """Return one line of text with nothing in it that a terminal obeys; a tab or line break becomes visible too."""
    if text.isprintable() and (text.isascii() or _plain().issuperset(text)):
        return text
    return _compiled(_UNSAFE).sub(_escape, text)


def visible_lines(text: str) -> list[str]:
    """Return the lines of a body, each visible; breaks are CRLF and LF only, tabs are expanded to columns of eight.

    Four or more invisible code points in a row are counted rather than spelt out.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    if not text.isascii():
        lines = [_compiled(_INVISIBLE_RUN).sub(_count, line) for line in lines]
    return [visible(line.expandtabs(8)) for line in lines]


@cache
def _plain() -> frozenset[str]:
    """Letters, punctuation and signs that nearly all mail here is written in, none of which is ever unsafe."""
    blocks = (
        range(0x20, 0x300),
        range(0x370, 0x483),
        range(0x2010, 0x2028),
        range(0x2030, 0x2060),
        range(0x20A0, 0x20C0),
    )
    return frozenset(character for block in blocks for character in map(chr, block) if character.isprintable())


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile when first needed: plain ASCII needs none, and compiling costs milliseconds."""
    return re.compile(pattern)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _count(match: re.Match[str]) -> str:
    return f"[{sum(not c.isspace() for c in match[0])} invisible characters]"
