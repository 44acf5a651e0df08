"""Whose messages a message forwards, and what they wrote: inline forwards and attached messages.

Knows the forwards of Outlook, Gmail, Apple Mail, Thunderbird, Lotus Notes and Yahoo in English, Dutch, French and
German (and the commonest words of some others). A reply repeats the same header blocks, so one of Outlook's counts only
under a subject that says "FW", or where nobody wrote anything above it. Deliberately cautious: in doubt it is a reply,
and what a reply repeats is nobody's evidence. A name without an address gives nothing.

Behind a sender from the forwarder's own domain (a colleague, a web form) stand whom answers to the forwarded message go
to, and whom it went to: it is they that the forward is about. A forwarded delivery report gives whom it is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

from msgspec import Struct, field

from archiver.mail import forward_words
from archiver.mail.addresses import read_addresses
from archiver.mail.body import Body
from archiver.mail.charset import one_line
from archiver.mail.defects import Defects
from archiver.mail.reports import addresses_in_words, is_from_daemon, read_report
from archiver.mail.structure import NESTED, Node
from archiver.model.address import EmailAddress

MAX_FORWARDED = 20
"""Senders that are kept of one message."""

MAX_TEXT = 256 << 10
"""Characters of forwarded text that are kept."""

_FAILED = "x-failed-recipients"
_MAX_LINES = 5000
_MAX_LINE = 1000
_MAX_LEVELS = 8
_MAX_FIELDS = 14  # lines that the header block of a forwarded message may take

_TAGS = r"\s*(?:(?:\[[^\[\]]{1,60}\]|\*{1,5}[^*]{1,30}\*{1,5})\s*)*"
_FORWARD_SUBJECT = re.compile(
    _TAGS + r"(?:fwd?|fw|wg|wtr|tr|doorst|doorgest(?:uurd)?|dst|i|rv|enc|vl|vb|pd|trs?f|weitergeleitet|forwarded"
    r"|\(fwd\))\s?(?:\[\d{1,3}\]|\(\d{1,3}\))?\s?[:：]",
    re.IGNORECASE,
)
_FORWARD_TAIL = re.compile(r"\((?:fwd|fw)\)\s*\Z|\[(?:fwd|fw):[^\]]*\]?\s*\Z", re.IGNORECASE)
_REPLY_SUBJECT = re.compile(
    _TAGS + r"(?:re|aw|antw(?:oord|ort)?|sv|vs|odp|r|rif|res|ref|ynt|回复|答复)\s?(?:\[\d{1,3}\]|\(\d{1,3}\))?\s?[:：]",
    re.IGNORECASE,
)

_FORWARD = re.compile(
    r"\s*+(?:[-_*=~>+]{2,}+\s*+(?:start of |begin |inline )?(?:" + forward_words.FORWARDED + r")\b"
    r"|(?:begin forwarded message|begin (?:van )?(?:het )?doorgestuurde? (?:bericht|e-?mail)"
    r"|début du (?:message|courriel|e-?mail) (?:réexpédié|transféré|transmis)"
    r"|(?:anfang|beginn) der weitergeleiteten (?:nachricht|e-?mail))\s?[:：]?\s*\Z)",
    re.IGNORECASE,
)
_NEUTRAL = re.compile(r"\s*+[-_*=~]{2,}+\s*+(?:" + forward_words.ORIGINAL + r")\b", re.IGNORECASE)
_WORDS_ALONE = frozenset({"begin", "début", "anfan"})  # how the separators of Apple Mail begin, in lower case
_MARK_INITIALS = frozenset("-_*=~+|> \t\xa0abdefglosvwо")  # what a separator, or the name of a From field, begins with
_RULE = re.compile(r"\s*+[-_=*]{5,}+\s*\Z")
_LABEL = re.compile(
    r"\s*[*_|]{0,3}\s*(?:(?P<from>from|van|de|von|da|från|fra|od|lähettäjä|от|expéditeur|afzender|absender|kimden)"
    r"|(?P<date>sent|date|verzonden|verstuurd|datum|envoyé(?: le)?|gesendet|enviad[oa](?: el| em)?|inviato|data|skickat"
    r"|sendt|fecha|sent on|date d['’]envoi|verzonden op|wysłan[eo]|odesláno|lähetetty|küldve|gönderildi)"
    r"|(?P<to>to|aan|naar|à|a|pour|an|para|till|til|do|komu|vastaanottaja|címzett|kime|destinataires?|empfänger)"
    r"|(?P<subject>subject|onderwerp|objet|betreff|asunto|oggetto|assunto|ämne|emne|sujet|betreft|temat|předmět|aihe"
    r"|tárgy|konu)"
    r"|(?P<reply>reply-to|antwoord[ -](?:aan|naar)|beantwoorden|répondre à|antwort[ -]an)"
    r"|(?P<other>cc|kopie|copie|bcc|attachments?|bijlagen?"
    r"|importance|urgentie|priority|anlagen?|pièces? jointes?|organi[sz]ation|message-id|resent-\w+|x-[\w-]+))"
    r"\s?[*_]{0,2}\s?\|?\s?[:：][*_]{0,2}\s*\|?\s*(?P<value>.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_KINDS = ("from", "date", "to", "subject", "reply", "other")
_SPEC = r"[^\s<>()\[\]{},;:\"'|*]{1,64}@(?:[\w-]{1,63}\.){1,10}[\w-]{2,63}"
_ANGLE = re.compile(rf"[<\[(]\s*(?:mailto:\s*)?({_SPEC})\s*[>\])|]")
_MAILTO = re.compile(rf"mailto:\s*({_SPEC})", re.IGNORECASE)
_BARE = re.compile(rf"(?<![\w.@/+-])({_SPEC})(?![\w@-])")
# Yahoo writes separator and fields on one line: "----- Forwarded Message ----- From: … To: …Sent: …".
_ONE_LINE = re.compile(r"(-{3,}[^-\n]{5,40}-{3,})\s*(?=(?:from|van|de|von)\s?:)", re.IGNORECASE)
_ONE_LINE_FIELD = re.compile(
    r"(?<=\S)\s*(?=(?:To|Sent|Subject|Cc|CC|Aan|Verzonden|Onderwerp|À|Envoyé|Objet|An|Gesendet|Betreff)\s?:\s)"
)
_NOTES_LINE = re.compile(
    rf"\s*(?:\"?(?P<name>[^\"<>@]{{0,80}}?)\"?\s*)?<?(?P<spec>{_SPEC})>?(?:\s+(?:on|op|le|am|at)?\s*\d.{{0,60}})?\s*\Z"
)
_ATTRIBUTION = re.compile(
    r"(?:wrote|writes|schreef(?: het volgende)?|schrieb|a écrit|écrivait|escribió|ha scritto|escreveu|skrev)"
    r"[^:]{0,120}[:：]\s*\Z",
    re.IGNORECASE,
)
_NEWS = re.compile(r"\W{0,3}in (?:message|article|news)\b", re.IGNORECASE)  # what stands in brackets is an identifier
_OPENER = re.compile(r"\W{0,3}(?:on|op|le|am|el|il|em|den|at)\b", re.IGNORECASE)
_OPENER_INITIALS = frozenset("*_\"'([-olaedOLAED")
_SIGNATURE = re.compile(r"\s*(?:--|__)\s*\Z")
# What a telephone adds by itself is nothing that its owner wrote.
_DEVICE = re.compile(
    r"\s*(?:sent from|verzonden vanaf|verstuurd vanaf|envoyé (?:de|depuis)|gesendet von|von meinem|outlook (?:for|voor"
    r"|pour|für)|get outlook|download outlook|obtenir outlook|outlook herunterladen).{0,80}\Z",
    re.IGNORECASE,
)


class Forwards(Struct):
    """The senders of what a message forwards, outermost first, and what they wrote there.

    `domains` are the forwarder's; `behind` are whom answers to messages from there go to, and whom they were sent to.
    """

    domains: frozenset[str] = frozenset()

    senders: list[EmailAddress] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    behind: list[EmailAddress] = field(default_factory=list)

    @property
    def people(self) -> tuple[EmailAddress, ...]:
        """The senders, then those behind them, each once, bounded."""
        once: dict[str, EmailAddress] = {}
        for one in (*self.senders, *self.behind):
            if one.domain:
                once.setdefault(one.key, one)
        return tuple(once.values())[:MAX_FORWARDED]

    @property
    def text(self) -> str:
        """What they wrote, bounded."""
        return "\n\n".join(self.texts)[:MAX_TEXT]

    def add(self, sender: EmailAddress | None) -> None:
        """Take a sender in, once."""
        known = {one.key for one in self.senders}
        if sender is not None and sender.key not in known and len(known) < MAX_FORWARDED:
            self.senders.append(sender)

    def add_with(self, sender: EmailAddress | None, behind: Iterable[EmailAddress]) -> None:
        """Take a sender in, and who stands behind it."""
        self.add(sender)
        if sender is not None and sender.domain in self.domains:
            self.behind += behind


class _Block(Struct, frozen=True):
    """The header of a message within the text of another; its body begins at line `end`, in quoting depth `depth`."""

    sender: EmailAddress | None
    subject: str | None
    end: int
    depth: int
    behind: tuple[EmailAddress, ...] = ()


_Lines = list[tuple[int, str]]
"""(depth of quoting, the line without its marks)."""


def read_forwards(
    root: Node, subject: str, body: Body, *, report: bool, from_: Iterable[EmailAddress] = ()
) -> Forwards:
    """Return what a message forwards. `report` says that what is attached was returned, not forwarded."""
    found = Forwards(domains=frozenset(one.domain for one in from_ if one.domain))
    if body.shown:
        for shown, own, quoted in body.shown:
            _inline(shown, own, quoted, subject, found)
    elif _forwards(subject):
        _inline(body.text, body.text, "", subject, found)
    if body.nested and not report:
        _attached(root, found)
        found.texts.extend(body.attached)
    return found


def _forwards(subject: str) -> bool:
    """Whether the outermost mark of a subject says that the message forwards another."""
    if _FORWARD_SUBJECT.match(subject):
        return True
    return _FORWARD_TAIL.search(subject) is not None and _REPLY_SUBJECT.match(subject) is None


def _attached(root: Node, found: Forwards) -> None:
    """Read who sent the messages that are attached; a digest (RFC 2046 section 5.1.5) is a list's, not a forward."""
    for node in root.walk():
        if node.media not in NESTED or not node.children:
            continue
        if node.parent is not None and node.parent.media == "multipart/digest":
            continue
        inner = node.children[0]
        from_ = _people(inner, "from")[:3]
        if inner.media == "multipart/report" or is_from_daemon(from_):
            for one in read_report(inner, from_, _people(inner, "to"), partial(_people, inner, _FAILED), str).reported:
                found.add(one)
            continue
        behind = (*_people(inner, "reply-to"), *_people(inner, "to"))
        for one in from_:
            if one.domain:
                found.add_with(one, behind)


def _people(node: Node, name: str) -> tuple[EmailAddress, ...]:
    return read_addresses([value for field, value in node.fields if field == name][:1], Defects())[:MAX_FORWARDED]


def _inline(shown: str, own: str, quoted: str, subject: str, found: Forwards) -> None:
    """Read the forwards within a text, which is given as it stands, and divided into own and quoted text."""
    marked = _forwards(subject)
    if not marked and not _may_begin(own, quoted, answers=_REPLY_SUBJECT.match(subject) is not None):
        return
    start = _first_mark(shown, lenient=marked)
    if start is None:
        return
    cut = _on_lines_of_their_own(shown[start : start + 2 * MAX_TEXT])
    lines = [_unmarked(line) for line in cut.split("\n", _MAX_LINES)[:_MAX_LINES]]
    written = _is_written(shown[:start])
    at = 0
    for _ in range(_MAX_LEVELS):
        separated, block = _opened(lines, at)
        if block is None:
            return
        if not separated and not _forwards(subject) and (written or _REPLY_SUBJECT.match(subject) is not None):
            return
        text, following = _body(lines, block)
        if block.sender is not None and is_from_daemon((block.sender,)):
            for one in addresses_in_words(text):
                found.add(one)
        else:
            found.add_with(block.sender, block.behind)
        if text:
            found.texts.append(text)
        if following is None:
            return
        subject, written, at = block.subject or "", bool(text), following


def _may_begin(own: str, quoted: str, *, answers: bool) -> bool:
    """Whether quoted text begins as a forward may, to look no further at most replies.

    `answers` says that the subject is an answer's: then only a separator with the word makes it a forward.
    """
    last = own.rpartition("\n")[2]
    if last and _separates(last):
        return True  # a separator that is not taken for the beginning of a quote
    first, _, others = quoted[: 2 * _MAX_LINE].partition("\n")
    if first[:1].lower() not in _MARK_INITIALS:
        return first[:1] == ""
    if _FORWARD.match(first):
        return True
    ruled = _NEUTRAL.match(first) is not None or _RULE.match(first) is not None
    if ruled and _FORWARD.match(others.lstrip()):
        return True
    return not answers and (ruled or _LABEL.match(first) is not None) and not _is_written(own)


def _on_lines_of_their_own(shown: str) -> str:
    """Put the fields that follow a separator on its line on lines of their own."""
    line, newline, rest = shown.partition("\n")
    match = _ONE_LINE.search(line[:_MAX_LINE])
    if match is None:
        return shown
    return f"{match[1]}\n{_ONE_LINE_FIELD.sub(chr(10), line[match.end() :])}\n{newline}{rest}"


def _unmarked(line: str) -> tuple[int, str]:
    """Return the depth of quoting of a line, and the line without its marks."""
    text = line.lstrip("> \t\xa0")
    return line.count(">", 0, len(line) - len(text)), text


def _first_mark(shown: str, *, lenient: bool) -> int | None:
    """Return where the first quote of a text begins, if it begins as a forward may; None for replies.

    `lenient` takes a header block that is not complete enough to count without the subject's word for it.
    """
    at = 0
    for number, line in enumerate(shown.split("\n", _MAX_LINES)):
        begun, at = at, at + len(line) + 1
        if number >= _MAX_LINES:
            return None
        depth, text = _unmarked(line[:_MAX_LINE])
        if not text:
            continue
        if _separates(text):
            return begun
        match = _LABEL.match(text) if ":" in text[:24] or "：" in text[:24] else None
        if match is not None and match["from"] and match["value"] and _is_block(shown, at, lenient=lenient):
            return begun
        if depth and not (lenient and match is not None):
            return None
        if _attributes(text, shown, at):
            return begun if lenient and _address(text) is not None else None
    return None


def _separates(text: str) -> bool:
    """Whether a line says that another message begins below it."""
    if text[0] in "-_*=~+":
        return (_FORWARD.match(text) or _NEUTRAL.match(text)) is not None
    return text[:5].lower() in _WORDS_ALONE and _FORWARD.match(text) is not None


def _attributes(text: str, shown: str, after: int) -> bool:
    """Whether "On …, … wrote:" stands here, folded over at most three lines."""
    if text.rstrip()[-1:] in ":：":
        return _ATTRIBUTION.search(text[-200:]) is not None
    if len(text) > 200 or text[0] not in _OPENER_INITIALS or _OPENER.match(text) is None:
        return False
    for line in shown[after : after + 400].split("\n")[:2]:
        stripped = line.strip()
        if not stripped or stripped[0] == ">":
            return False
        if stripped[-1] in ":：":
            return _ATTRIBUTION.search(stripped[-200:]) is not None
    return False


def _is_block(shown: str, after: int, *, lenient: bool) -> bool:
    """Whether other fields of a header follow a From: a date and one more, or any one when that is enough."""
    kinds: set[str] = set()
    for line in shown[after : after + 4000].split("\n")[:8]:
        _, text = _unmarked(line)
        match = _LABEL.match(text)
        if match is not None:
            kinds.add(_kind(match))
    kinds.discard("from")
    return bool(kinds) if lenient else "date" in kinds and len(kinds) > 1


def _opened(lines: _Lines, at: int) -> tuple[bool, _Block | None]:
    """Read the separator, if any, and the header block from `at`; tell whether the separator says "forwarded"."""
    separated = False
    notes = False
    position = at
    while position < len(lines) and position < at + 6:
        text = lines[position][1]
        if text and _FORWARD.match(text):
            separated = True
            notes = notes or "/" in text or re.search(r"\b(?:by|door|par|von)\b", text, re.IGNORECASE) is not None
        elif text and not _NEUTRAL.match(text) and not _RULE.match(text):
            break
        position += 1
    if position >= len(lines):
        return separated, None
    block = _block(lines, position)
    if block is None and notes:
        block = _notes_block(lines, position)
    if block is None and (position == at or separated):
        block = _attributed(lines, position)
    return separated, block


def _block(lines: _Lines, at: int) -> _Block | None:
    """Read the fields from `at` down to the text below them; None without a From.

    HTML leaves empty lines between fields, and none before the text; a long field is folded, or stands below its label.
    """
    fields: dict[str, str] = {}
    depth, pending, position = lines[at][0], "", at
    while position < min(at + _MAX_FIELDS, len(lines)):
        line_depth, text = lines[position]
        match = _LABEL.match(text[:_MAX_LINE]) if text else None
        if match is not None:
            pending = _kind(match)
            if pending == "from" and "from" in fields:
                break
            fields.setdefault(pending, match["value"])
            depth = max(depth, line_depth)
        elif not text:
            following = _following(lines, position)
            if "subject" in fields or following is None or _LABEL.match(lines[following][1][:_MAX_LINE]) is None:
                break
        elif pending == "from" or (pending in {"to", "reply", "other"} and ("@" in text or ";" in text)):
            fields[pending] += f" {text[:_MAX_LINE]}"
        else:
            break
        position += 1
    if "from" not in fields:
        return None
    subject = one_line(fields["subject"])[:1000] if "subject" in fields else None
    behind = (*_addresses(fields.get("reply", "")), *_addresses(fields.get("to", "")))
    return _Block(_address(fields["from"]), subject, position, depth, behind)


def _kind(label: re.Match[str]) -> str:
    """Return which field a label names."""
    return next(kind for kind in _KINDS if label[kind])


def _following(lines: _Lines, at: int) -> int | None:
    """Return the next line that is not empty, at most two further on."""
    return next((one for one in range(at + 1, min(at + 3, len(lines))) if lines[one][1]), None)


def _notes_block(lines: _Lines, at: int) -> _Block | None:
    """Read what Lotus Notes puts below its separator: who and when on a line without a label, To and Subject below."""
    depth, text = lines[at]
    match = _NOTES_LINE.match(text[:_MAX_LINE])
    if match is None:
        return None
    subject = None
    end = at + 1
    for position in range(at + 1, min(at + _MAX_FIELDS, len(lines))):
        label = _LABEL.match(lines[position][1][:_MAX_LINE])
        if label is not None:
            end = position + 1
            subject = one_line(label["value"]) if label["subject"] else subject
    return _Block(EmailAddress((match["name"] or "").strip(), match["spec"]), subject, end, depth)


def _attributed(lines: _Lines, at: int) -> _Block | None:
    """Read "On …, Jan <jan@…> wrote:" as the header of what follows it."""
    joined = ""
    for position in range(at, min(at + 3, len(lines))):
        joined = f"{joined} {lines[position][1]}".strip()[:_MAX_LINE]
        if _ATTRIBUTION.search(joined[-200:]) and _NEWS.match(joined) is None:
            following = _following(lines, position)
            return _Block(_address(joined), None, position + 1, lines[following][0] if following is not None else 0)
    return None


def _address(value: str) -> EmailAddress | None:
    """Return the address in the value of a From field: that in brackets, else a link's, else a bare one."""
    value = value[:_MAX_LINE]
    match = _ANGLE.search(value) or _MAILTO.search(value)
    if match is None and "<" not in value:
        match = _BARE.search(value)
    if match is None:
        return None
    spec = match[1].rstrip(".")
    name = one_line(value[: match.start()]).strip(" \"'|*_<[(")
    return EmailAddress("" if "@" in name else name[:200], one_line(spec))


def _addresses(value: str) -> tuple[EmailAddress, ...]:
    """Return the addresses in the value of a Reply-To or To field."""
    value = value[:_MAX_LINE]
    specs = [match[1] for match in _ANGLE.finditer(value)] or [match[1] for match in _BARE.finditer(value)]
    return tuple(EmailAddress("", one_line(spec.rstrip("."))) for spec in specs[:MAX_FORWARDED])


def _body(lines: _Lines, block: _Block) -> tuple[str, int | None]:
    """Return what stands below a header block without the quotes in it, and where another message may begin."""
    kept: list[str] = []
    at = block.end
    while at < len(lines):
        depth, text = lines[at]
        if depth < block.depth and text:
            break
        if text and _begins(lines, at):
            return "\n".join(kept).strip(), at
        if depth <= block.depth:
            if text and _quotes_from(lines, at):
                break
            kept.append(text)
        at += 1
    return "\n".join(kept).strip(), None


def _begins(lines: _Lines, at: int) -> bool:
    """Whether a separator or a header block stands at this line."""
    text = lines[at][1][:_MAX_LINE]
    if _separates(text):
        return True
    if ":" not in text[:24] and "：" not in text[:24]:
        return False
    match = _LABEL.match(text)
    if match is None or not match["from"] or not match["value"]:
        return False
    below = [_LABEL.match(one[:_MAX_LINE]) for _, one in lines[at + 1 : at + 9]]
    return any(one and one["date"] for one in below) and any(one and (one["to"] or one["subject"]) for one in below)


def _quotes_from(lines: _Lines, at: int) -> bool:
    """Whether "On …, … wrote:" stands here, on one line or two: all below it is quoted."""
    text = lines[at][1].rstrip()
    if text[-1:] in ":：":
        begins = _OPENER.match(text) is not None or any(map(str.isdigit, text))
        return begins and _ATTRIBUTION.search(text[-200:]) is not None
    below = lines[at + 1][1].rstrip() if at + 1 < len(lines) else ""
    if below[-1:] not in (":", "：") or len(text) > 200 or _OPENER.match(text) is None:
        return False
    joined = f"{text} {below[:200]}"
    return _ATTRIBUTION.search(joined[-200:]) is not None and any(map(str.isdigit, joined))


def _is_written(own: str) -> bool:
    """Whether somebody wrote something above a quote: what a telephone adds, a signature, a rule count for nothing."""
    for line in own.split("\n"):
        if _SIGNATURE.match(line):
            return False
        if line.strip() and not _DEVICE.match(line) and not _RULE.match(line):
            return True
    return False
