"""What a sender wrote, kept apart from what a message repeats of others.

Knows how mail programs mark quotes, replies and forwards in English, Dutch, French and German (and the commonest
words of some others). Deliberately cautious: text that merely looks like a quote within a line stays the sender's
own. Every line is looked at a bounded number of times, and no expression here can backtrack over more than a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Protocol

_MAX_LINE = 400
"""A longer line is no mark of a quote."""


@cache
def _wrote() -> re.Pattern[str]:
    return re.compile(
        r"(?:wrote|writes|said|schreef(?: het volgende)?|schrieb(?: am [^:]{0,80})?|a écrit|écrivait|escribió"
        r"|ha scritto|scrisse|escreveu|skrev|napisał(?:\(a\))?|kirjoitti|пишет|писал(?:а|\(а\))?|написал(?:а|\(а\))?"
        r"|写道|wrote on [^:]{0,80}|(?:schreef|schrieb|wrote|a écrit)[^:]{0,120})\s?[:：]?\s*\Z",
        re.IGNORECASE,
    )


_OPENER = re.compile(
    r"\*{0,2}_{0,2}(?:On|Op|Le|Am|El|Il|Em|Den|W dniu|Dnia|In (?:a message|article|reply|antwort)|At|Quoting|Citeren"
    r"|Zitat von)\b",
    re.IGNORECASE,
)
_FORWARD_WORDS = (
    "original message", "original appointment", "forwarded message", "forwarded messages", "forwarded by",
    "begin forwarded message", "message forwarded", "reply message", "oorspronkelijk bericht",
    "oorspronkelijke bericht", "origineel bericht", "doorgestuurd bericht", "doorgestuurd door",
    "begin doorgestuurd bericht", "begin van doorgestuurd bericht", "message d'origine", "message original",
    "message initial", "message transféré", "message transmis", "début du message réexpédié",
    "début du message transféré", "début du message transmis", "ursprüngliche nachricht", "ursprüngliche mail",
    "ursprungliche nachricht", "originalnachricht", "original-nachricht", "weitergeleitete nachricht",
    "weitergeleitet von", "anfang der weitergeleiteten nachricht", "anfang der weitergeleiteten e-mail",
    "mensaje original", "mensaje reenviado", "messaggio originale", "messaggio inoltrato", "mensagem original",
    "mensagem encaminhada", "originalmeddelande", "oprindelig meddelelse", "alkuperäinen viesti",
    "vidarebefordrat meddelande", "пересылаемое сообщение", "исходное сообщение", "原始邮件", "转发邮件",
)  # fmt: skip
_FORWARD_STARTS = (
    "begin forwarded message", "begin doorgestuurd bericht", "début du message réexpédié",
    "début du message transféré", "début du message transmis", "anfang der weitergeleiteten nachricht",
    "anfang der weitergeleiteten e-mail",
)  # fmt: skip
"""What begins a forwarded message without a rule in front of it."""
_ATTACHMENT_FOLLOWS = "inline attachment follows"


@cache
def _from() -> re.Pattern[str]:
    return re.compile(r"\s*[*_]{0,2}(?:from|van|de|von|da|från|fra)\s?[*_]{0,2}\s?[:：][*_]{0,2}\s*\S", re.IGNORECASE)


@cache
def _field() -> re.Pattern[str]:
    return re.compile(
        r"\s*[*_]{0,2}(sent|date|verzonden|verstuurd|datum|envoyé|gesendet|enviado|inviato|data|skickat|sendt|fecha"
        r"|sent on|to|aan|à|pour|an|para|a|till|til|cc|subject|onderwerp|objet|betreff|asunto|oggetto|assunto|ämne"
        r"|emne)\s?[*_]{0,2}\s?[:：]",
        re.IGNORECASE,
    )


_DATES = frozenset(
    [
        "sent",
        "date",
        "verzonden",
        "verstuurd",
        "datum",
        "envoyé",
        "gesendet",
        "enviado",
        "inviato",
        "data",
        "skickat",
        "sendt",
        "fecha",
    ]
)
_INITIALS = re.compile(r"[A-Z][A-Za-z]{0,3}> ?")
_RULE = re.compile(r"\s*+[-_=*]{8,}+\s*\Z")
_MARKS = re.compile(r"\A(?:\s?>)+ ?")
# Those that few messages need are compiled when one does: a search that shows a page waits for each of them.
# What _mark can begin with, in either case; dotless and dotted i because ignoring case makes them the same letter.
_MARK_INITIALS = frozenset("-_*=abcdefiloqvwzABCDEFILOQVWZ\u0130\u0131")
_FROM_WORDS = ("from", "van", "de", "von", "da", "från", "fra")
_RULE_MARKS = "-_*=>"
_ATTRIBUTION_LINES = 4


def split_quotes(text: str) -> tuple[str, str]:
    """Split clean text into (own part, quoted text), the latter without its ">" marks.

    From a separator ("Original Message"), a forwarded header block or an attribution without marks onwards everything
    is quoted: replies below such a block exist, but cannot be told from it.
    """
    own: list[str] = []
    quoted: list[str] = []
    _split(text.split("\n"), own, quoted)
    return _tidy(own), _tidy(quoted)


def passages(text: str) -> list[tuple[str, bool]]:
    """Return clean text as it stands, in pieces that are the sender's own or quoted (True), as `split_quotes` has it.

    Quoted text keeps its marks. Blank lines between pieces are dropped.
    """
    lines = text.split("\n")
    turns: list[tuple[bool, int]] = []
    _split(lines, _Turns(turns, quoted=False), _Turns(turns, quoted=True))
    found: list[tuple[list[str], bool]] = []
    at = 0
    for quoted, count in turns:
        piece = lines[at : at + count]
        at += count
        # A blank line belongs to what it stands in.
        if found and (found[-1][1] is quoted or not any(line.strip() for line in piece)):
            found[-1][0].extend(piece)
        else:
            found.append((piece, quoted))
    return [(tidy, quoted) for piece, quoted in found if (tidy := _tidy(piece))]


class _Side(Protocol):
    """Where the lines of one side go, in their order."""

    def append(self, line: str, /) -> None: ...
    def extend(self, lines: Iterable[str], /) -> None: ...


class _Turns:
    """Counts the lines that come to a side, among those of the other one."""

    def __init__(self, turns: list[tuple[bool, int]], *, quoted: bool) -> None:
        self._turns = turns
        self._quoted = quoted

    def append(self, _line: str, /) -> None:
        self._turns.append((self._quoted, 1))

    def extend(self, lines: Iterable[str], /) -> None:
        self._turns.append((self._quoted, sum(1 for _ in lines)))


def _split(lines: list[str], own: _Side, quoted: _Side) -> None:
    """Give each line to its side."""
    at, count = 0, len(lines)
    while at < count:
        line = lines[at]
        start = line.lstrip(" \t\xa0|")
        initial = start[:1]
        if initial == ">":
            if not start.startswith(">From ") or at == 0 or lines[at - 1][:1] == ">":
                quoted.append(_MARKS.sub("", start, count=1))
            else:  # the ">" that mbox put before a line of the sender's own
                own.append(line)
            at += 1
            continue
        if initial and len(line) <= _MAX_LINE:
            # Most lines begin with another letter and end without a colon: no expression need look at them.
            if initial in _MARK_INITIALS or start.rstrip()[-1:] in ":：":
                length, rest = _mark(lines, at, start, initial)
                if rest:
                    quoted.extend(_MARKS.sub("", one, count=1) for one in lines[at:])
                    break
                if length:
                    quoted.extend(lines[at : at + length])
                    at += length
                    continue
            if initial.isupper() and ">" in start[1:6] and _INITIALS.match(start):
                quoted.append(start.partition(">")[2].lstrip())
                at += 1
                continue
        own.append(line)
        at += 1


def _mark(lines: list[str], at: int, start: str, initial: str) -> tuple[int, bool]:
    """Look for a mark at this line; return how many lines it has (0: none), and whether all that follows is quoted."""
    if initial in "-_*=" or start[:5].lower() in {"begin", "début", "anfan"}:
        if _is_separator(start):
            return 1, True
        if _RULE.match(start):
            following = _next(lines, at + 1)
            if following is not None and _is_block(lines, following):
                return 1, True
    if ":" in start[:12] and start.lstrip("*_").lower().startswith(_FROM_WORDS) and _is_block(lines, at):
        return 1, True
    if _OPENER.match(start):
        return _attribution(lines, at)
    tail = start.rstrip()
    if tail[-1:] in ":：" and _wrote().search(tail[-160:]):
        following = _next(lines, at + 1)
        if following is not None and lines[following].lstrip().startswith(">"):
            return 1, False
    return 0, False


def _is_separator(start: str) -> bool:
    """Tell whether a line says that another message follows: a short rule with such words behind it, or words alone.

    Without an expression: one of so many words takes longer to make than a page of mail to be split.
    """
    words = start.lstrip(_RULE_MARKS)
    if len(start) - len(words) < 2:
        return _small(start).startswith(_FORWARD_STARTS)
    words = _small(words).lstrip()
    if words.startswith(_ATTACHMENT_FOLLOWS):
        words = words.removeprefix(_ATTACHMENT_FOLLOWS)
        while words[:1] == ":" or words[:1].isspace():
            words = words[1:]
    else:
        words = words.removeprefix("start of ")
    if not words.startswith(_FORWARD_WORDS):
        return False
    following = (words[len(known) :][:1] for known in _FORWARD_WORDS if words.startswith(known))
    return any(not (after.isalnum() or after == "_") for after in following)


def _small(text: str) -> str:
    """Return a text in small letters, with the letters that expressions take for i and s when they ignore case."""
    if not text.isascii():
        text = text.replace("\u0130", "i").replace("\u0131", "i").replace("\u017f", "s")
    return text.lower()


def _attribution(lines: list[str], at: int) -> tuple[int, bool]:
    """Read "On …, … wrote:", which programs fold over a few lines; without ">" below it needs a date to count."""
    joined = ""
    for extra, line in enumerate(lines[at : at + _ATTRIBUTION_LINES]):
        stripped = line.strip()
        if not stripped and extra:
            break
        joined = f"{joined} {stripped}" if joined else stripped
        if len(joined) > _MAX_LINE:
            break
        if _wrote().search(joined[-200:]) is None:
            continue
        following = _next(lines, at + extra + 1)
        marked = following is not None and lines[following].lstrip().startswith(">")
        if marked:
            return extra + 1, False
        if joined.endswith((":", "：")) and any(map(str.isdigit, joined)) and following is not None:
            return extra + 1, True
    return 0, False


def _is_block(lines: list[str], at: int) -> bool:
    """Whether the header of another message stands here: From with a date and one more field within eight lines."""
    if len(lines[at]) > _MAX_LINE or _from().match(lines[at]) is None:
        return False
    dated = False
    others = 0
    for line in lines[at + 1 : at + 9]:
        field = _field().match(line) if len(line) <= 4 * _MAX_LINE else None
        if field is not None:
            if field[1].lower() in _DATES:
                dated = True
            else:
                others += 1
            if dated and others:
                return True
    return False


def _next(lines: list[str], at: int) -> int | None:
    """Return the next line that is not empty, at most three further on."""
    for position in range(at, min(at + 3, len(lines))):
        if lines[position].strip():
            return position
    return None


def _tidy(lines: list[str]) -> str:
    """Join, without trailing blanks and with at most one empty line in a row."""
    kept: list[str] = []
    for line in lines:
        stripped = line.rstrip()
        if stripped or (kept and kept[-1]):
            kept.append(stripped)
    return "\n".join(kept).strip("\n")
