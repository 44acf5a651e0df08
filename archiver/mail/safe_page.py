"""A message as one HTML page that loads nothing, runs nothing and submits nothing, for reading it as it was laid out.

Knows which of a message's parts a reader sees and what goes around them; what becomes of their HTML is the business of
`archiver.mail.safe_markup`. Each page carries a Content-Security-Policy (CSP Level 3) that forbids all that the markup
should be free of already. May take long for hostile mail: `archiver.mail.safe_html` runs it within bounds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape

from archiver.mail.body import Body
from archiver.mail.charset import clean, decode
from archiver.mail.defects import Defects
from archiver.mail.extract import header_lines
from archiver.mail.header import parameter, unstructured
from archiver.mail.html import MAX_HTML, body_look, declared_charset, html_to_text, is_too_deep
from archiver.mail.quotes import passages
from archiver.mail.safe_markup import MAX_TAGS, Images, plain_host, safe_address, safe_markup
from archiver.mail.safe_style import safe_colour, safe_style
from archiver.mail.structure import NESTED, Node
from archiver.mail.text import parse_body, release
from archiver.model.message import Part, PartKind

_FIELDS = ("From", "To", "Cc", "Bcc", "Date", "Subject")
_MAX_FIELD = 4000
_MAX_TEXT = 2 << 20
_HTML = frozenset({"text/html", "text/xhtml", "application/xhtml+xml"})
_DECEIVING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ADDRESS = re.compile(r"https?://[^\s<>\"\u00ab\u00bb]{1,2000}", re.IGNORECASE)
_ENDS_SENTENCE = ".,;:!?'*_"
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
    "frame-src 'none'; object-src 'none'"
)
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 1.5rem auto; padding: 0 1rem;
  overflow-wrap: break-word; }
header, footer { font-size: .9rem; }
h1 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 .6rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .9rem; margin: 0 0 1rem; }
dt, .note { color: GrayText; }
dd { margin: 0; overflow-wrap: anywhere; }
.note { font-size: .9rem; }
.paper { color-scheme: light; background: #fff; color: #000; padding: 1rem; border: 1px solid #8888;
  border-radius: .3rem; margin: 1rem 0; overflow: auto; contain: content; }
.paper img { max-width: 100%; height: auto; }
.text { white-space: pre-wrap; margin: 1rem 0; }
blockquote.quoted { margin: 1rem 0; padding-left: .8rem; border-left: 3px solid #8886; opacity: .75; }
.image { border: 1px dotted #888; padding: 0 .3em; color: #555; font-size: .85em; }
.goes { color: #a00; background: #fff; font: .85em monospace; padding: 0 .2em; }
section.attached { border-left: 3px solid #8886; padding-left: 1rem; margin-top: 2rem; }
@media print { body { margin: 0; max-width: none; }
  .paper { border: 0; padding: 0; overflow: visible; contain: none; } }
"""


def page(octets: bytes) -> str:
    """Return a message as a whole page; never raises for any octets but for want of memory."""
    root, body = parse_body(octets, Defects())
    if root is None:
        return _page("Message", ["<p>This message could not be read.</p>"])
    kinds = {part.path: part.kind for part in body.parts}
    images = Images(_inline_images(root))
    content = list(_content(root, kinds, images))
    if not any(content):
        content = [_text(text, whole=whole) for text, whole in body.written]
    fields = dict(reversed(header_lines(octets)))  # the first one of each name counts
    subject = _plain(fields.get("Subject", ""))
    out = ["<header>", f'<h1 dir="auto">{escape(subject or "(no subject)")}</h1>', _fields(fields), "</header>"]
    out += [piece for piece in content if piece] or ["<p class=note>This message has no text.</p>"]
    out += ["<footer>", *_notes(images), *_attachments(body, root, images), "</footer>"]
    release(root)
    return _page(subject or "Message", out)


def _page(title: str, content: list[str]) -> str:
    return "\n".join(
        [
            "<!DOCTYPE html>",
            "<html>",
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="referrer" content="no-referrer">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            *content,
            "</body>",
            "</html>",
            "",
        ]
    )


def _content(root: Node, kinds: dict[str, PartKind], images: Images) -> Iterator[str]:
    """Yield what a reader sees of a message or a part of it: of alternatives the HTML, attached messages in a frame."""
    if root.media == "multipart/alternative":
        chosen = _chosen(root, kinds)
        for child in root.children:
            if child is chosen or not _is_text_only(child):
                yield from _content(child, kinds, images)
    elif root.is_multipart:
        for child in root.children:
            yield from _content(child, kinds, images)
    elif root.media in NESTED:
        for child in root.children:
            fields = {name.title(): unstructured(value) for name, value in reversed(child.fields)}
            inside = [piece for piece in _content(child, kinds, images) if piece]
            title = escape(_plain(fields.get("Subject", "")) or "Attached message")
            yield f'<section class="attached"><h1 dir="auto">{title}</h1>{_fields(fields)}{"".join(inside)}</section>'
    elif root.children:  # what was signed
        for child in root.children:
            yield from _content(child, kinds, images)
    elif kinds.get(root.path) is PartKind.HTML or (root.media in _HTML and kinds.get(root.path) is PartKind.TEXT):
        yield _html(root, images)
    elif kinds.get(root.path) in {PartKind.TEXT, PartKind.REPORT}:
        yield _text(_decoded(root, None), whole=False)


def _chosen(node: Node, kinds: dict[str, PartKind]) -> Node | None:
    """Return the alternative to show: the last with HTML that says something, else the last with text."""
    for wanted in (PartKind.HTML, PartKind.TEXT):
        for child in reversed(node.children):
            leaves = [leaf for leaf in child.walk() if not leaf.is_multipart and kinds.get(leaf.path) is wanted]
            if any(leaf.source[leaf.start : min(leaf.end, leaf.start + 4096)].strip() for leaf in leaves):
                return child
    return None


def _is_text_only(node: Node) -> bool:
    return all(leaf.is_multipart or leaf.media.startswith(("text/", "image/")) for leaf in node.walk())


def _html(node: Node, images: Images) -> str:
    html = _decoded(node, declared_charset)
    if html.count("<") > MAX_TAGS or len(html) > MAX_HTML or is_too_deep(html):
        lines, _ = html_to_text(html)
        return '<p class="note">Too large to be shown as it was laid out.</p>' + _text(clean(lines), whole=False)
    markup = safe_markup(html, images)
    if not markup.strip():
        return ""
    look = body_look(html)
    style = [safe_style(look.get("style", "")) or ""]
    style += [
        f"{name}:{colour}"
        for name, attribute in (("background-color", "bgcolor"), ("color", "text"))
        if (colour := safe_colour(look.get(attribute, "")))
    ]
    shown = ";".join(one for one in style if one)
    return f'<div class="paper" dir="auto" style="{escape(shown)}">{markup}</div>'


def _text(text: str, *, whole: bool) -> str:
    text = text[:_MAX_TEXT]
    out = []
    for piece, quoted in [(text.strip("\n"), True)] if whole else passages(text):
        if piece.strip():
            tag = 'blockquote class="quoted text"' if quoted else 'div class="text"'
            out.append(f'<{tag} dir="auto">{_linked(_plain(piece))}</{tag.partition(" ")[0]}>')
    return "".join(out)


def _linked(text: str) -> str:
    """Return text with its web addresses as links; as they are written they cannot deceive but by their letters."""
    out = []
    at = 0
    for match in _ADDRESS.finditer(text):
        shown = match[0].rstrip(_ENDS_SENTENCE)
        if shown.endswith(")") and "(" not in shown:
            shown = shown[:-1]
        address = safe_address(shown)
        if address is None:
            continue
        out.append(escape(text[at : match.start()]))
        out.append(
            f'<a href="{escape(address)}" rel="noopener noreferrer nofollow" target="_blank">{escape(shown)}</a>'
        )
        at = match.start() + len(shown)
    out.append(escape(text[at:]))
    return "".join(out)


def _fields(fields: dict[str, str]) -> str:
    shown = [(name, _plain(fields[name])[:_MAX_FIELD]) for name in _FIELDS if name != "Subject" and fields.get(name)]
    rows = "".join(f'<dt>{name}</dt><dd dir="auto">{escape(value)}</dd>' for name, value in shown)
    return f"<dl>{rows}</dl>" if rows else ""


def _notes(images: Images) -> Iterator[str]:
    if images.remote:
        number = sum(images.remote.values())
        hosts = sorted(images.remote, key=lambda host: -images.remote[host])
        named = ", ".join(escape(plain_host(host)) for host in hosts[:5]) + (", …" if len(hosts) > 5 else "")
        yield f'<p class="note">Not loaded: {number} image{"" if number == 1 else "s"} from {named}.</p>'


def _attachments(body: Body, root: Node, images: Images) -> Iterator[str]:
    """Yield a list of the files that came with the message, but for images that stand in it."""
    standing = {leaf.path for leaf in root.walk() if leaf.content_id and leaf.content_id.lower() in images.used}
    kinds = {PartKind.ATTACHMENT, PartKind.CALENDAR, PartKind.INLINE, PartKind.MESSAGE}
    files = [part for part in body.parts if part.kind in kinds and part.path not in standing]
    if files:
        yield f'<p class="note">With it came: {"; ".join(_file(part) for part in files)}.</p>'


def _file(part: Part) -> str:
    return f"<bdi>{escape(_plain(part.filename or part.content_type))}</bdi> ({part.size:,} octets)"


def _inline_images(root: Node) -> dict[str, Callable[[], bytes]]:
    """Return how to read each part that an image of the HTML can name by its Content-ID (RFC 2392)."""

    def reader(node: Node) -> Callable[[], bytes]:
        return lambda: node.octets()[0]

    return {
        node.content_id.lower(): reader(node)
        for node in root.walk()
        if node.content_id and not node.is_multipart and node.media not in NESTED
    }


def _decoded(node: Node, declared: Callable[[bytes], str | None] | None) -> str:
    octets = node.octets()[0][: MAX_HTML * 2]
    charset = parameter(node.parameters, "charset") or (declared(octets) if declared is not None else None)
    return decode(octets, charset)[0]


def _plain(text: str) -> str:
    """Return text without what turns the direction of writing or steers a program."""
    return _DECEIVING.sub("", text)
