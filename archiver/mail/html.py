"""HTML of mail to plain lines, quotes marked with ">" as in plain mail.

Knows what mail programs write around quoted text. Runs nothing, fetches nothing, and is bounded: by octets read, by
nodes walked, by characters kept. Deliberately keeps no layout beyond lines and the cells of a table.
"""

from __future__ import annotations

import re
from html import unescape

from msgspec import Struct, field
from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_HTML = 4 << 20
MAX_NODES = 200_000
MAX_CHARACTERS = 2 << 20
MAX_QUOTE_DEPTH = 8
MAX_NESTING = 1000
"""Deeper HTML is not parsed but stripped of its tags: the parser takes time by the square of the nesting."""

_UNSUSPICIOUS = 2000
"""With fewer tags than this, nesting cannot cost much, and is not measured."""

MAX_ATTRIBUTES = 1_000
"""More of one element are not parsed either: each is compared with all before it, 300,000 of them for half a minute."""

_SHORTEST_CROWD = 3 * MAX_ATTRIBUTES
"""Characters that so many attributes take at least, for looking only at elements that can have them."""

_SKIPPED = frozenset(
    (  # noqa: SIM905 - a table
        "script style head title template noscript object svg math iframe select textarea audio video canvas noembed "
        "noframes"
    ).split()
)
_BLOCKS = frozenset(
    (  # noqa: SIM905 - a table
        "p div tr li ul ol table blockquote h1 h2 h3 h4 h5 h6 pre hr section article header footer address dl dt dd "
        "center form fieldset main nav aside figure caption thead tbody tfoot body"
    ).split()
)
_SPACED = frozenset("p h1 h2 h3 h4 h5 h6 blockquote table ul ol".split())  # noqa: SIM905 - a table
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all"
    r"|(?<![-\w])font-size\s*:\s*0(?:px|pt|em)?\s*(?:;|$)|(?<![-\w])opacity\s*:\s*0(?:\.0+)?\s*(?:;|$)",
    re.IGNORECASE,
)
_QUOTE_CLASSES = re.compile(
    r"\b(?:gmail_quote|gmail_extra_quote|yahoo_quoted|protonmail_quote|moz-forward-container|zmail_extra"
    r"|OutlookMessageHeader|tutanota_quote|freebirdQuote|gmx_quote)\b"
)
_QUOTE_NAMES = frozenset("quote quoted-content messageReplySection messageForwardSection".split())  # noqa: SIM905 - a table
_REST_IDS = frozenset(
    (  # noqa: SIM905 - a table
        "divRplyFwdMsg appendonsend x_divRplyFwdMsg x_appendonsend mail-editor-reference-message-container "
        "OLK_SRC_BODY_SECTION divtagdefaultwrapper_quote ms-outlook-mobile-body-separator-line"
    ).split()
)
_CLOSED_BY_THEMSELVES = frozenset(
    [
        "p",
        "li",
        "td",
        "th",
        "tr",
        "dt",
        "dd",
        "option",
        "br",
        "img",
        "hr",
        "input",
        "meta",
        "link",
        "col",
        "area",
        "base",
        "wbr",
        "param",
        "tbody",
        "thead",
        "o",
        "body",
        "html",
    ]
)
_TAG_NAME = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_TAG = re.compile(r"<[^<>]*>")
_ATTRIBUTE = re.compile(
    r"""[\s/]++[^\s/>=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+)?+"""  # as HTML, section 13.2.5
)
_WHOLE_TAG = re.compile(rf"</?[a-zA-Z][^\s/>]*+((?:{_ATTRIBUTE.pattern}|[\s/=]++)*+)")
_WHITE = re.compile(r"[ \t\r\n\f\u200b\u200c\u200d\u00ad\u034f]+")
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:-]{2,40})", re.IGNORECASE)


_CELL = " | "


class _Lines(Struct):
    """Lines being built; `depth` of quoting counts at the beginning of each line."""

    lines: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    depth: int = 0
    kept: int = 0
    line_depth: int = 0

    def write(self, text: str) -> None:
        if not self.pieces:
            self.line_depth = self.depth
        self.pieces.append(text)
        self.kept += len(text)

    def next_cell(self) -> None:
        """Part cells of a row; those without text, which lay out newsletters, leave no trace."""
        while self.pieces and not self.pieces[-1].strip():
            self.pieces.pop()
        if self.pieces and self.pieces[-1] != _CELL:
            self.write(_CELL)

    def end_line(self, *, space: bool = False) -> None:
        if self.pieces:
            line = _WHITE.sub(" ", "".join(self.pieces)).strip().rstrip("|").rstrip()
            self.pieces.clear()
            if line:
                self.lines.append("> " * self.line_depth + line)
        if space and self.lines and self.lines[-1]:
            self.lines.append("")

    def end_verbatim(self, text: str) -> None:
        """Write the text of a <pre>, whose line ends count."""
        first, *others = text.split("\n")
        self.write(first)
        for other in others:
            line = "".join(self.pieces).rstrip()
            self.pieces.clear()
            self.lines.append("> " * self.line_depth + line)
            self.write(other)


def declared_charset(octets: bytes) -> str | None:
    """Return the charset that a <meta> element in the first 2 KiB names, or None."""
    match = _CHARSET.search(octets, 0, 2048)
    return match[1].decode("ascii") if match else None


def html_to_text(html: str) -> tuple[str, bool]:
    """Return the visible text as lines, and whether all of it was read.

    Scripts, styles and hidden elements give nothing; links and images give their text; what other people wrote is
    marked with "> ". Never raises for any HTML.
    """
    whole = len(html) <= MAX_HTML
    html = html[:MAX_HTML].encode("utf-8", "replace").decode("utf-8")
    if is_too_deep(html):
        stripped = _TAG.sub("\n", html)
        return _WHITE.sub(" ", unescape(stripped[:MAX_CHARACTERS])).strip(), False
    root = LexborHTMLParser(html).body
    if root is None:
        return "", whole
    out = _Lines()
    complete = _walk(root, out)
    out.end_line()
    return "\n".join(out.lines).strip("\n"), whole and complete


def hyperlinks(html: str) -> list[tuple[str, str]]:
    """Return the words and the address of every link with an address; none of HTML too deep to be parsed."""
    html = html[:MAX_HTML].encode("utf-8", "replace").decode("utf-8")
    if is_too_deep(html):
        return []
    return [
        (" ".join(link.text().split()), address.strip())
        for link in LexborHTMLParser(html).css("a[href]")
        if (address := link.attributes.get("href"))
    ]


def body_look(html: str) -> dict[str, str]:
    """Return the attributes of the <body>, which say what is drawn on what; of HTML that `is_too_deep` none."""
    if is_too_deep(html):
        return {}
    body = LexborHTMLParser(html[:MAX_HTML].encode("utf-8", "replace").decode("utf-8")).body
    return {name: value for name, value in body.attributes.items() if value} if body is not None else {}


def is_too_deep(html: str) -> bool:
    """Tell whether elements are nested so deeply, or have so many attributes, that a parser would take too long."""
    if html.count("<") > _UNSUSPICIOUS and _nesting(html) > MAX_NESTING:
        return True
    return len(html) > _SHORTEST_CROWD and any(
        len(tag[1]) > _SHORTEST_CROWD and sum(1 for _ in _ATTRIBUTE.finditer(tag[1])) > MAX_ATTRIBUTES
        for tag in _WHOLE_TAG.finditer(html)
    )


def _nesting(html: str) -> int:
    """Estimate how deeply elements are nested."""
    depth = deepest = 0
    for match in _TAG_NAME.finditer(html):
        if match[2].lower() in _CLOSED_BY_THEMSELVES:
            continue
        depth = max(0, depth - 1) if match[1] else depth + 1
        deepest = max(depth, deepest)
    return deepest


def _walk(root: LexborNode, out: _Lines) -> bool:
    """Walk in document order without recursion: nesting cannot exhaust the stack."""
    quotes: list[int] = []  # how much each open element adds to the depth
    verbatim = 0
    level = 0
    node: LexborNode | None = root.child
    nodes = 0
    while node is not None:
        nodes += 1
        if nodes > MAX_NODES or out.kept > MAX_CHARACTERS:
            return False
        tag = node.tag or ""
        child: LexborNode | None = None
        if tag == "-text":
            text = node.text_content or ""
            if verbatim:
                out.end_verbatim(text)
            elif text:
                out.write(text)
        elif tag not in _SKIPPED and tag[:1] not in "-!_":
            child = node.child
            added, shown = _enter(tag, node, out)
            if not shown:
                child = None
            elif child is not None:
                quotes.append(added)
                verbatim += tag == "pre"
                level += 1
                node = child
                continue
            else:
                out.depth -= added
            _leave(tag, out)
        # No child to visit: on to the next sibling, or up until there is one.
        following = node.next
        while following is None and level:
            node = node.parent
            level -= 1
            if node is None:
                return True
            tag = node.tag or ""
            verbatim -= tag == "pre"
            _leave(tag, out)
            out.depth -= quotes.pop()
            following = node.next
        node = following
    return True


def _enter(tag: str, node: LexborNode, out: _Lines) -> tuple[int, bool]:
    """Begin an element; return what it adds to the quoting depth until its end, and whether it is shown."""
    if tag == "br":
        out.end_line() if out.pieces else out.lines.append("")
        return 0, True
    block = tag in _BLOCKS
    if block:
        out.end_line(space=tag in _SPACED)
        if tag == "li":
            out.write("- ")
    elif tag in {"td", "th"}:
        out.next_cell()
    elif tag == "img":
        alternative = node.attributes.get("alt")
        if alternative:
            out.write(f" {alternative} ")
        return 0, True
    if not block and tag not in {"span", "td", "font", "a"}:
        return 0, True
    attributes = node.attributes
    if not attributes:
        added = int(tag == "blockquote")
    else:
        if "hidden" in attributes:
            return 0, False
        style = attributes.get("style")
        if style and (":" in style) and _HIDDEN.search(style):
            return 0, False
        added = _quotes(tag, attributes, style or "", out)
    added = min(added, MAX_QUOTE_DEPTH - out.depth)
    out.depth += added
    return added, True


def _quotes(tag: str, attributes: dict[str, str | None], style: str, out: _Lines) -> int:
    """Return 1 when this element holds quoted text; mark everything from here on when it begins a quoted message."""
    if tag == "blockquote":
        return 1
    if tag not in {"div", "table", "hr", "span"}:
        return 0
    identity = attributes.get("id") or ""
    if identity in _REST_IDS or identity.endswith("divRplyFwdMsg"):
        # Outlook writes the quoted message beside this element, not in it: all that follows is quoted.
        out.depth = min(out.depth + 1, MAX_QUOTE_DEPTH)
        return 0
    classes = attributes.get("class")
    if classes and _QUOTE_CLASSES.search(classes):
        # Gmail's quote holds the attribution line and a blockquote, which counts by itself.
        return 1
    named = (attributes.get("name") or "") in _QUOTE_NAMES
    return int(named or (tag == "div" and "border-left" in style and "solid blue" in style))


def _leave(tag: str, out: _Lines) -> None:
    if tag in _BLOCKS:
        out.end_line(space=tag in _SPACED)
