"""How text is folded and cut into tokens: the same for what is indexed and for what is asked.

`fold` turns text into a form that FTS5's plain `ascii` tokenizer cuts exactly as `tokens` does here, so that the
index, the query and the highlighting can never disagree. What becomes of a text:

- letters are compared without case and without accents (NFKC, casefold, marks stripped): `Één` → een, `Straße` →
  strasse, `ﬁ` → fi, `œuvre` → oeuvre, `Łódź` → lodz, `ﾃｽﾄ` → テスト. `ä` is a, not ae;
- a token is a run of letters, digits and vowel signs; everything else separates. An e-mail address, a file name, a
  VAT number or a hyphenated word is thus several tokens, and asked for as a phrase:
  `BE 0123.456.789` → be 0123 456 789, `e-mail` → e mail, `invoice_2025.pdf` → invoice 2025 pdf, `l'offre` → l offre;
- scripts written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) and Hangul, whose words carry endings,
  are cut into single characters: a word of them is a phrase, found anywhere;
- a token longer than MAX_TOKEN characters keeps its beginning: such words are encoded data;
- in address fields every addr-spec adds one token for itself and one for its domain and each parent of it, so that
  `from:jan@example.be` and `domain:example.be` are exact: neither finds `piet-jan@example.be` or `my-example.be`.

Deliberately knows nothing of stemming, stop words (there are none: "not" matters in support mail) or languages.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

MAX_TOKEN = 32
"""Characters kept of one token."""

_REMEMBERED = 200
"""Characters of an address field up to which its folded form is remembered: the same people write again and again."""

_STROKED = {
    "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ŋ": "n",
}  # fmt: skip
"""Letters that Unicode does not decompose and that people type without the stroke."""

# Marks that are spelling aids in their script. Vowel signs of Indic scripts and the voicing marks of kana are not among
# them: without those the words are other words.
_MARKS = (
    (0x0300, 0x036F), (0x0483, 0x0489), (0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F), (0x0670, 0x0670),
    (0x06D6, 0x06ED), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0xFE20, 0xFE2F),
)  # fmt: skip

_BY_CHARACTER = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x2E80, 0x2FDF), (0x3005, 0x3007),
    (0x3040, 0x30FF), (0x3100, 0x312F), (0x3130, 0x318F), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF), (0xA960, 0xA97F), (0xAC00, 0xD7FF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip

# The tokens for whole addresses and domains are built of characters that `fold` never lets through from a text.
_AT, _DOT, _DASH = "＠", "·", "‑"

_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_NON_ASCII = r"[^\x00-\x7f]+"
# Letters and digits of ASCII, and everything beyond it. Said by what it is not: a class that reaches to the end of
# Unicode takes milliseconds to compile, and every search waits for that.
_KEPT = r"[^\x00-/:-@\[-`{-\x7f]"
_LONG = rf"({_KEPT}{{{MAX_TOKEN}}}){_KEPT}+"
_SUSPECT = rf"\S{{{MAX_TOKEN + 1}}}"  # cheaper to look for than _LONG, and rare
_TOKEN = rf"{_KEPT}+"
_ADDR_SPEC = r"[^\s<>()\[\],;:\"]+@[^\s<>()\[\],;:\"'@]+"


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= code <= high for low, high in ranges)


class _Folding(dict[int, str]):
    """A table for str.translate that works each character out once."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_character(chr(code))
        return folded


def _fold_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":  # a soft hyphen or a joiner is no part of the word; a zero-width space ends it
        return " " if character == "\u200b" else ""
    plain = "".join(
        _STROKED.get(c, c) for c in unicodedata.normalize("NFKD", character.casefold()) if not _within(ord(c), _MARKS)
    )
    pieces = []
    for c in unicodedata.normalize("NFKC", plain.casefold()):
        if c.isascii():
            pieces.append(c if c.isalnum() else " ")
        elif unicodedata.category(c)[0] not in "LNM":
            pieces.append(" ")
        else:
            pieces.append(f" {c} " if _within(ord(c), _BY_CHARACTER) else c)
    return "".join(pieces)


@lru_cache(maxsize=1)
def _table() -> _Folding:
    return _Folding()


@lru_cache(maxsize=4096)
def _fold_run(run: str) -> str:
    """Fold a run of letters beyond ASCII; the same few come again and again in a text, so this halves the cost."""
    return run.translate(_table())


def fold(text: str) -> str:
    """Return the text as the tokenizer must see it; ASCII case is left to the tokenizer, which folds it for nothing."""
    if not text.isascii():
        text = re.sub(_NON_ASCII, lambda run: _fold_run(run.group()), unicodedata.normalize("NFKC", text))
    return re.sub(_LONG, r"\1", text) if len(text) > MAX_TOKEN and re.search(_SUSPECT, text) else text


def fold_addresses(text: str) -> str:
    """Fold names and addr-specs (RFC 5322 §3.4.1), and add the exact tokens for addresses and domains."""
    if not text:
        return text
    return _fold_short_list(text) if len(text) <= _REMEMBERED else _fold_list(text)


def _fold_list(text: str) -> str:
    exact = [token for spec in re.findall(_ADDR_SPEC, text) for token in _address_tokens(spec)]
    return " ".join((fold(text), *exact)) if exact else fold(text)


@lru_cache(maxsize=4096)
def _fold_short_list(text: str) -> str:
    return _fold_list(text)


def tokens(text: str) -> list[str]:
    """Cut text as the index cuts it: folded, lower case, in order."""
    # ASCII only, as FTS5 does it: folded Cherokee is upper case, and must stay so.
    return [token.lower() if token.isascii() else token.translate(_LOWER) for token in re.findall(_TOKEN, fold(text))]


def address_token(addr_spec: str) -> str | None:
    """Return the one token of a complete addr-spec; None when the text is none (`jan`, `@example.be`)."""
    match = re.fullmatch(_ADDR_SPEC, addr_spec.strip())
    return _address_tokens(match.group())[0] if match else None


def domain_token(domain: str) -> str | None:
    """Return the one token of a domain, written with or without its `@`; None when it cannot be one."""
    labels = _joined(domain.strip().lstrip("@").rstrip("."))
    return _AT + labels if labels else None


@lru_cache(maxsize=8192)
def _address_tokens(addr_spec: str) -> tuple[str, ...]:
    """Return the address first, then its domain, then the domain's parents down to two labels."""
    local, _, domain = addr_spec.rpartition("@")
    labels = _joined(domain.rstrip(".")).split(_DOT)
    parents = [_AT + _DOT.join(labels[at:]) for at in range(max(1, len(labels) - 1))]
    return (_joined(local) + _AT + _DOT.join(labels), *parents)


def _joined(text: str) -> str:
    """Fold a local part or domain into one token: dots and all other separators become characters of it."""
    return _DOT.join(_DASH.join(tokens(label)) for label in text.split("."))
