"""HTML of strangers to markup that loads, runs and submits nothing.

Knows which elements and attributes are let through and what becomes of images and links. `nh3` parses as browsers do
and writes the tree out anew; what it wrote is then gone through tag by tag, so that every tag of the result is one
that was written here or let through by name. Deliberately no style sheets: of CSS only the style attributes, reduced
by `archiver.mail.safe_style`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from html import escape, unescape
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from msgspec import Struct, field

from archiver.mail.safe_style import safe_colour, safe_style

MAX_IMAGE = 10 << 20
"""Octets of one image that is put into the page."""
MAX_IMAGES = 30 << 20
"""Octets of all of them."""
MAX_TAGS = 50_000
"""HTML with more tags is shown as text: parsing can take time by the square of their number."""

LINK_MANNERS = 'rel="noopener noreferrer nofollow" target="_blank"'
"""What a link tells the browser: to give the page that it goes to neither this one nor where it came from."""

_TAGS = frozenset(
    (  # noqa: SIM905 - a table
        "a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del "
        "dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav "
        "nobr ol p pre q rp rt ruby s samp section small span strike strong sub sup table tbody td tfoot th thead time "
        "tr tt u ul var wbr"
    ).split()
)
_DROPPED_WHOLE = frozenset(
    (  # noqa: SIM905 - a table
        "script style title head template noscript iframe noembed noframes object applet svg math select option "
        "textarea audio video canvas frameset xmp plaintext"
    ).split()
)
_LENGTHS = frozenset(
    (  # noqa: SIM905 - a table
        "width height border cellpadding cellspacing colspan rowspan hspace vspace span start value size"
    ).split()
)
_ATTRIBUTES = {
    "*": {"style", "dir", "lang", "title", "align", "valign", "bgcolor", "width", "height"},
    "a": {"href"},
    "img": {"src", "alt", "border", "hspace", "vspace"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan", "nowrap"},
    "th": {"colspan", "rowspan", "nowrap"},
    "col": {"span"},
    "colgroup": {"span"},
    "font": {"color", "face", "size"},
    "ol": {"start", "type"},
    "ul": {"type"},
    "li": {"value", "type"},
}
_SCHEMES = {"http", "https", "mailto", "tel", "cid", "data"}
_LENGTH = re.compile(r"[+-]?[0-9]{1,5}(?:\.[0-9]{1,3})?(?:px|%|\*)?", re.IGNORECASE)
_WORD = re.compile(r"[a-zA-Z0-9-]{0,20}")
_FACE = re.compile(r"[\w ,.-]{1,200}")
_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)((?: [a-z][a-z-]*="[^"<>]*")*)>')
_ATTRIBUTE = re.compile(r' ([a-z][a-z-]*)="([^"]*)"')
_DATA = re.compile(r"data:image/[a-z.+-]{1,20}\s*((?:;[^,;]{0,80})*),", re.IGNORECASE)
_WEB = re.compile(r"https?:", re.IGNORECASE)
_OTHER_ADDRESS = re.compile(r"(?:mailto|tel):[^\s<>\"]", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]+")
_SHOWN_HOST = re.compile(
    r"(?:https?://|www\.)([^\s/?#<>()\"',;]+)|\A\s*((?:[\w-]{1,63}\.)+[^\W\d_]{2,24})(?:[/?#:]\S*)?\s*\Z", re.IGNORECASE
)
_SHOWN_MAIL = re.compile(r"[\w.+-]+@((?:[\w-]+\.)+[^\W\d_]{2,24})")
_NUMBERS_ONLY = re.compile(r"[0-9.]+|[0-9a-f:]*:[0-9a-f:.]*|0x[0-9a-f]+", re.IGNORECASE)
_MAX_ADDRESS = 4000
_MAX_WORDS = 300
_TINY = 3


class Images(Struct):
    """Images that came with a message, by Content-ID, as octets; and what became of all that were asked for.

    `remote` counts, by host, images that are not loaded.
    """

    by_id: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    remote: dict[str, int] = field(default_factory=dict)
    inlined: int = 0
    _uris: dict[str, str | None] = field(default_factory=dict)

    def uri(self, source: str) -> str | None:
        """Return a data: URI for the source of an image that came with the message; None for any other."""
        if source not in self._uris:
            octets = self._octets(source)
            kind = raster_type(octets) if octets is not None else None
            made = None
            if octets is not None and kind is not None:
                made = f"data:{kind};base64,{base64.b64encode(octets).decode('ascii')}"
            self._uris[source] = made
        uri = self._uris[source]
        if uri is None or self.inlined + len(uri) > MAX_IMAGES:
            return None
        self.inlined += len(uri)
        return uri

    def _octets(self, source: str) -> bytes | None:
        if source[:4].lower() == "cid:":
            key = unquote(source[4:]).strip("<> ").lower()
            read = self.by_id.get(key)
            if read is None:
                return None
            self.used.add(key)
            octets = read()
        else:
            match = _DATA.match(source)
            if match is None:
                return None
            content = source[match.end() :]
            if len(content) > 2 * MAX_IMAGE:
                return None
            try:
                based = match[1].replace(" ", "").lower().endswith(";base64")
                octets = base64.b64decode(unquote(content)) if based else unquote_to_bytes(content)
            except (binascii.Error, ValueError):
                return None
        return octets if len(octets) <= MAX_IMAGE else None


def raster_type(octets: bytes) -> str | None:
    """Return the media type of an image that is nothing but pixels, by its first octets; None for all else, SVG too."""
    for magic, kind in (
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\xff\xd8\xff", "jpeg"),
        (b"GIF87a", "gif"),
        (b"GIF89a", "gif"),
    ):
        if octets.startswith(magic):
            return f"image/{kind}"
    if octets[:4] == b"RIFF" and octets[8:12] == b"WEBP":
        return "image/webp"
    if octets[:2] == b"BM" and octets[6:10] == bytes(4) and len(octets) > 26:
        return "image/bmp"
    return None


def safe_markup(html: str, images: Images) -> str:
    """Return HTML as markup for the inside of a <div>; never raises for HTML of at most MAX_TAGS tags.

    May take long for hostile HTML: to be called where time and memory are bounded.
    """
    import nh3

    cleaned = nh3.clean(
        html.encode("utf-8", "replace").decode("utf-8"),
        tags=set(_TAGS),
        clean_content_tags=set(_DROPPED_WHOLE),
        attributes=_ATTRIBUTES,
        attribute_filter=_filtered,
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    return _rewritten(cleaned, images)


def _filtered(_tag: str, name: str, value: str) -> str | None:
    """Return an attribute's value as it may stand, None to drop it."""
    if name in _CHECKED:
        return _CHECKED[name](value)
    return value[:_MAX_WORDS]


def _fitting(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    return lambda value: value.strip() if pattern.fullmatch(value.strip()) else None


def safe_address(address: str) -> str | None:
    """Return where a link goes, as browsers read it (WHATWG URL, section 4.4); None for what is not followed.

    Only web pages, mail and telephone numbers are; a user name before the host, which poses as one, is dropped.
    """
    address = _CONTROLS.sub("", address[:_MAX_ADDRESS])
    if _OTHER_ADDRESS.match(address):
        return address
    scheme = _WEB.match(address)
    if scheme is None:
        return None
    rest = address[scheme.end() :]
    path = re.search(r"[?#]", rest)
    before, after = (rest[: path.start()], rest[path.start() :]) if path else (rest, "")
    before = before.replace("\\", "/").lstrip("/")
    authority, slash, below = before.partition("/")
    host = authority.rpartition("@")[2]
    return f"{scheme[0].lower()}//{host}{slash}{below}{after}" if host else None


_CHECKED: Mapping[str, Callable[[str], str | None]] = {
    "style": safe_style,
    "href": safe_address,
    "src": str.strip,
    "bgcolor": safe_colour,
    "color": safe_colour,
    **dict.fromkeys(_LENGTHS, _fitting(_LENGTH)),
    **dict.fromkeys(("align", "valign", "dir", "type", "lang", "nowrap"), _fitting(_WORD)),
    "face": _fitting(_FACE),
}


def host_of(address: str) -> str:
    """Return the host that a safe address goes to, in lower case, "" for none."""
    if not _WEB.match(address):
        return address.partition("@")[2].partition("?")[0].lower() if address[:7].lower() == "mailto:" else ""
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _rewritten(markup: str, images: Images) -> str:
    """Go through cleaned markup tag by tag: images get their octets or words, links say where they go."""
    out: list[str] = []
    at = 0
    link: tuple[str, int] | None = None
    for match in _TAG.finditer(markup):
        out.append(markup[at : match.start()].replace("<", "&lt;"))
        at = match.end()
        closing, tag = match[1], match[2]
        if tag not in _TAGS:
            continue
        if tag == "a":
            if link is not None:
                out.append(_goes(link[0], "".join(out[link[1] :])))
                link = None
            elif closing:
                continue
            address = "" if closing else unescape(dict(_ATTRIBUTE.findall(match[3])).get("href", ""))
            if closing:
                continue
            out.append(_anchor(match[3], address))
            link = (address, len(out))
        elif tag == "img":
            if not closing:
                out.append(_image(match[3], images))
        else:
            out.append(match[0])
    out.append(markup[at:].replace("<", "&lt;"))
    if link is not None:
        out.append(_goes(link[0], "".join(out[link[1] :])))
    return "".join(out)


def _anchor(attributes: str, address: str) -> str:
    others = "".join(
        f' {name}="{value}"' for name, value in _ATTRIBUTE.findall(attributes) if name in {"style", "title"}
    )
    if not address:
        return f"<span{others}>"
    return f'<a href="{escape(address)}" {LINK_MANNERS}{others}>'


def _goes(address: str, content: str) -> str:
    """Return the end of a link, with the host it goes to where its words tell of another, or where it deceives."""
    if not address:
        return "</span>"
    host = host_of(address)
    text = unescape(re.sub(r"<[^<>]*>", "", content))
    hint = ""
    if host and (is_deceptive(host) or any(not _same_site(shown, host) for shown in _shown_hosts(text))):
        hint = f'<span class="goes">[\u2192 {escape(plain_host(host))}]</span>'
    return f"</a>{hint}"


def _shown_hosts(text: str) -> list[str]:
    """Return the hosts that a reader would take a link's words for."""
    text = text[:2000]
    hosts = [one or other for one, other in _SHOWN_HOST.findall(text)]
    hosts += _SHOWN_MAIL.findall(text)
    return [host.rpartition("@")[2].partition(":")[0].rstrip(".").lower() for host in hosts]


def _same_site(shown: str, host: str) -> bool:
    shown, host = shown.removeprefix("www."), host.removeprefix("www.")
    return shown == host or host.endswith(f".{shown}") or plain_host(shown) == plain_host(host)


def is_deceptive(host: str) -> bool:
    """Tell whether a host's name is easily taken for another: letters beyond ASCII, or numbers only."""
    return not host.isascii() or "xn--" in host or _NUMBERS_ONLY.fullmatch(host) is not None


def plain_host(host: str) -> str:
    """Return a host in ASCII, as the network knows it (RFC 3490); where it cannot be, with escapes."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host.encode("ascii", "backslashreplace").decode("ascii")


def _image(attributes: str, images: Images) -> str:
    """Return an image that came with the message, or words in place of one that would be loaded."""
    found = {name: unescape(value) for name, value in _ATTRIBUTE.findall(attributes)}
    source = found.pop("src", "")
    uri = images.uri(source) if source else None
    if uri is not None:
        kept = "".join(f' {name}="{escape(value)}"' for name, value in found.items())
        return f'<img src="{uri}"{kept}>'
    alternative = " ".join(found.get("alt", "").split())
    host = host_of("https:" + source if source.startswith("//") else source) if not source.startswith("cid:") else ""
    if host:
        images.remote[host] = images.remote.get(host, 0) + 1
    if _is_tiny(found):
        return ""
    words = ": ".join(word for word in (alternative, plain_host(host) if host else "") if word)
    return f'<span class="image">[{escape(words or "image")}]</span>'


def _is_tiny(attributes: Mapping[str, str]) -> bool:
    """Tell whether an image is too small to be looked at: it counts readers, or fills a gap."""
    sizes = [attributes.get(name, "").removesuffix("px") for name in ("width", "height")]
    return any(size.isdigit() and int(size) <= _TINY for size in sizes) or "display:none" in attributes.get("style", "")
