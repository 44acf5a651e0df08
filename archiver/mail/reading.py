"""A message's text as a reader wants it: in the order written, own and quoted apart, and the links of its HTML.

Knows nothing that `archiver.mail.body` and `archiver.mail.quotes` do not know: what is shown is what is searched, to
the word. Deliberately in a module of its own, for indexing needs none of this.
"""

from __future__ import annotations

from archiver.mail.charset import decode, one_line
from archiver.mail.defects import Defects
from archiver.mail.header import parameter
from archiver.mail.quotes import passages
from archiver.mail.structure import read
from archiver.mail.text import parse_body, release
from archiver.model.shown import Hyperlink, Passage

MAX_LINKS = 1000
_MAX_WORDS = 200
_MAX_ADDRESS = 2000
_SHOWN_SCHEMES = ("http:", "https:", "mailto:", "tel:", "ftp:")


def shown_text(octets: bytes) -> tuple[Passage, ...]:
    """Return the text of a message in the order written; never raises for any octets.

    All of an attached message counts as quoted. Joined, own and quoted passages are `Message.text` and `.quoted`, but
    for the marks of quotes and blank lines.
    """
    root, body = parse_body(octets, Defects())
    if root is None:
        return ()
    release(root)
    found: list[Passage] = []
    for text, whole in body.written:
        pieces = [(text.strip("\n"), True)] if whole else passages(text)
        found += [Passage(piece, quoted) for piece, quoted in pieces if piece.strip()]
    return tuple(found)


def links(octets: bytes) -> tuple[Hyperlink, ...]:
    """Return the links of a message's HTML parts in their order, each address once, at most MAX_LINKS of them.

    Left out are those within the message, those that name nothing to go to, and those that a program would run. Never
    raises for any octets.
    """
    from archiver.mail.html import declared_charset, hyperlinks

    root = read(octets, Defects())
    found: dict[str, str] = {}
    for node in root.walk():
        if node.media not in {"text/html", "text/xhtml"} or node.disposition == "attachment":
            continue
        content, _ = node.octets()
        text, _ = decode(content, parameter(node.parameters, "charset") or declared_charset(content))
        for words, address in hyperlinks(text):
            url = one_line(address)[:_MAX_ADDRESS]
            if url.lower().startswith(_SHOWN_SCHEMES):
                found[url] = found.get(url) or one_line(words)[:_MAX_WORDS]
            if len(found) >= MAX_LINKS:
                break
    release(root)
    return tuple(Hyperlink(words, url) for url, words in found.items())
