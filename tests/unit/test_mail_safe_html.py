"""The page made of a message: nothing in it loads, runs, submits or poses, whatever a stranger wrote."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from archiver.errors import ArchiverError
from archiver.mail.safe_html import safe_html
from archiver.mail.safe_markup import host_of, is_deceptive, raster_type, safe_address
from archiver.mail.safe_page import page
from archiver.mail.safe_style import safe_style

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
SVG = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>"

# What a page may consist of, written down here once more: the code's own lists are what is tested.
TAGS = frozenset(
    (  # noqa: SIM905 - a table
        "html head meta title style body header footer section a abbr acronym address article aside b bdi bdo big "
        "blockquote br caption center cite code col colgroup dd del dfn dir div dl dt em figcaption figure font h1 h2 "
        "h3 h4 h5 h6 hr i img ins kbd li main mark nav nobr ol p pre q rp rt ruby s samp small span strike strong sub "
        "sup table tbody td tfoot th thead time tr tt u ul var wbr"
    ).split()
)
ATTRIBUTES = frozenset(
    (  # noqa: SIM905 - a table
        "style dir lang title align valign bgcolor width height href src alt border hspace vspace cellpadding "
        "cellspacing colspan rowspan nowrap span color face size start type value rel target class"
    ).split()
)
CLASSES = frozenset("paper text quoted image goes note attached".split())  # noqa: SIM905 - a table
METAS = [
    {"charset": "utf-8"},
    {
        "http-equiv": "Content-Security-Policy",
        "content": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; "
        "base-uri 'none'; frame-src 'none'; object-src 'none'",
    },
    {"name": "referrer", "content": "no-referrer"},
    {"name": "viewport", "content": "width=device-width"},
]
PLAIN_STYLE = re.compile(r"(?:[\w #%.,:;!+-]|(?:rgba?|hsla?)\([0-9.%,\s/]*\))*", re.ASCII | re.IGNORECASE)


def mail(html: str | bytes, *, charset: str = "utf-8", subject: str = "x") -> bytes:
    octets = html if isinstance(html, bytes) else html.encode(charset, "surrogatepass")
    return f"Subject: {subject}\r\nContent-Type: text/html; charset={charset}\r\n\r\n".encode() + octets


def related(html: str, *parts: tuple[str, str, bytes]) -> bytes:
    out = 'Subject: x\r\nContent-Type: multipart/related; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n'
    out += f"{html}\r\n"
    for name, kind, octets in parts:
        out += f"--b\r\nContent-Type: {kind}\r\nContent-ID: <{name}>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        out += base64.b64encode(octets).decode() + "\r\n"
    return (out + "--b--\r\n").encode()


class Reader(HTMLParser):
    """Takes down every element with its attributes, and what stands in <style> and <title>."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.raw: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, attrs))

    def handle_comment(self, data: str) -> None:
        self.elements.append(("comment", []))

    def handle_pi(self, data: str) -> None:
        self.elements.append(("instruction", []))


def elements_by_both(html: str) -> list[tuple[str, list[tuple[str, str | None]]]]:
    """Every element that either of two parsers, one of them that of the browsers' standard, finds in a page."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    tree = LexborHTMLParser(html)
    found = [
        (node.tag or "", list(node.attributes.items()))
        for node in (tree.root.traverse(include_text=False) if tree.root is not None else [])
    ]
    return reader.elements + [(tag, attributes) for tag, attributes in found if tag not in {"-text", "!doctype"}]


def assert_harmless(html: str) -> None:
    elements = elements_by_both(html)
    assert [dict(attributes) for tag, attributes in elements if tag == "meta"] == METAS * 2
    assert sum(tag == "style" for tag, _ in elements) == 2
    assert html.count("<style>") == 1
    assert re.search(r"url|@import|expression|<", html.partition("<style>")[2].partition("</style>")[0]) is None
    for tag, attributes in elements:
        assert tag in TAGS, tag
        names = [name for name, _ in attributes]
        assert len(set(names)) == len(names)
        if tag == "meta":
            continue
        assert set(names) <= ATTRIBUTES, (tag, names)
        for name, value in attributes:
            assert_harmless_value(tag, name, value or "")
        if tag == "a":
            assert dict(attributes)["rel"] == "noopener noreferrer nofollow"
            assert dict(attributes)["target"] == "_blank"


def assert_harmless_value(tag: str, name: str, value: str) -> None:
    if name == "href":
        assert tag == "a"
        assert re.match(r"https?://[^/\\@\s]+(?:/|\?|#|\Z)|mailto:|tel:", value)
        assert not re.search(r"[\x00-\x20\u202a-\u202e\u2066-\u2069]", value)
    elif name == "src":
        assert tag == "img"
        match = re.fullmatch(r"data:image/(?:png|jpeg|gif|webp|bmp);base64,([A-Za-z0-9+/=]+)", value)
        assert match is not None
        assert raster_type(base64.b64decode(match[1])) is not None
    elif name == "style":
        assert PLAIN_STYLE.fullmatch(value), value
        assert not re.search(r"url|import|expression|behavi|binding|position|javascript", value, re.IGNORECASE)
    elif name in {"bgcolor", "color"}:
        assert re.fullmatch(r"#?\w*", value, re.ASCII)
    elif name == "class":
        assert set(value.split()) <= CLASSES


VECTORS = [
    # scripts
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script/x>alert(1)</script >",
    "<<script>alert(1)//<</script>",
    "<script\x00>alert(1)</script>",
    "<script>alert(1)",
    "</title></style></head><script>alert(1)</script>",
    "</div></div></body></html><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    # handlers
    "<img src=x onerror=alert(1)>",
    '<img/src="x"/onerror=alert(1)//>',
    "<img src='x'onerror='alert(1)'>",
    '<p onclick="alert(1)" ONMOUSEOVER=alert(1) onfocus\n=\nalert(1) tabindex=1 autofocus>x</p>',
    '<body onload=alert(1) onpageshow="alert(1)">x',
    "<a href=https://a.example x='\"><img src=x onerror=alert(1)>'>x</a>",
    "<p title='\"><script>alert(1)</script>'>x</p>",
    '<p title="`><img src=x onerror=alert(1)>`">x</p>',
    '<img alt="--><img src=x onerror=alert(1)>" src=x>',
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "<marquee onstart=alert(1)>x</marquee>",
    # addresses
    '<a href="javascript:alert(1)">x</a>',
    '<a href="JaVaScRiPt:alert(1)">x</a>',
    '<a href="java\tscript:alert(1)">x</a>',
    '<a href="java&#10;script:alert(1)">x</a>',
    '<a href="&#x6A;&#97;vascript&colon;alert(1)">x</a>',
    '<a href=" \x01javascript:alert(1)">x</a>',
    '<a href="vbscript:msgbox(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">x</a>',
    '<a href="feed:javascript:alert(1)">x</a><a href="view-source:https://a.example">x</a>',
    '<a href="file:///etc/passwd">x</a><a href="ms-msdt:/id">x</a><a href="search-ms:query=x">x</a>',
    '<a href="//evil.example/x">x</a><a href="/x">x</a><a href="x.html">x</a><a href="#x">x</a><a href="">x</a>',
    '<a href="https:evil.example">x</a><a href="https:\\\\evil.example\\x">x</a><a href="https:///evil.example">x</a>',
    '<a href="https://bank.example@evil.example/">x</a><a href="https://evil.example\\@bank.example/">x</a>',
    '<a href="https://user:pass@evil.example/a@b?c@d">x</a><a href="https://">x</a><a href="https://@/">x</a>',
    '<a href="https://x.example/\u202egnp.exe">x</a>',
    '<a href="mailto:a@b.example?attach=/etc/passwd">x</a><a href="mailto:">x</a>',
    "<a href='https://a.example/\"onmouseover=\"alert(1)'>x</a><a href='mailto:\"onclick=\"alert(1)'>x</a>",
    "<a href='https://a.example/\"><script>alert(1)</script>'>x</a>",
    '<a ping="https://evil.example" href="https://a.example" download target=_top>x</a>',
    # images and media
    '<img src="https://evil.example/p.gif" width=1 height=1>',
    '<img src="//evil.example/p.gif"><img src="\\\\evil.example\\p.gif"><img src="/p.gif">',
    '<img srcset="https://evil.example/a 2x" src="https://evil.example/b" lowsrc=https://evil.example dynsrc=x>',
    "<img src='https://<svg onload=alert(1)>.evil.example/x'><img src='//<script>x.evil.example' alt=x>",
    "<img src='https://\"><b onclick=alert(1)>.evil.example'><a href='https://<script>.evil.example'>bank.example</a>",
    '<img src="ht\ntps://evil.example/x"><img src=" https://evil.example/x "><img src="hTTps&colon;//evil.example/x">',
    '<picture><source srcset="https://evil.example/a"><img src="https://evil.example/b"></picture>',
    "<video src=https://evil.example poster=https://evil.example/p autoplay><track src=https://evil.example></video>",
    "<audio src=https://evil.example autoplay></audio><bgsound src=https://evil.example>",
    '<table background="https://evil.example/b"><tr><td background=https://evil.example/c>x</td></tr></table>',
    '<body background="https://evil.example/b" bgcolor="red;background:url(https://evil.example)">x</body>',
    '<table bgcolor="red;background:url(https://evil.example)"><td bgcolor="url(https://evil.example)">x</table>',
    f'<img src="data:image/svg+xml,{SVG}">',
    f'<img src="data:image/svg+xml;base64,{base64.b64encode(SVG.encode()).decode()}">',
    f'<img src="data:image/png;base64,{base64.b64encode(SVG.encode()).decode()}">',
    '<img src="data:text/html,<script>alert(1)</script>">',
    '<img src="data:image/png;base64,%00%22%3E<script>alert(1)</script>">',
    '<img src="cid:nobody"><img src="cid:"><img src="javascript:alert(1)"><img src="blob:https://evil.example/x">',
    "<input type=image src=https://evil.example><isindex prompt=x action=https://evil.example>",
    # frames, objects, links, bases
    '<iframe src="https://evil.example"></iframe><iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<frameset><frame src="javascript:alert(1)"></frameset>',
    '<object data="https://evil.example/x.swf" type=x><param name=movie value=https://evil.example></object>',
    '<embed src="https://evil.example/x"><applet code=x archive=https://evil.example></applet>',
    '<base href="https://evil.example/"><a href="x">x</a>',
    "<link rel=stylesheet href=https://evil.example/x.css><link rel=prefetch href=https://evil.example>",
    '<meta http-equiv=refresh content="0;url=https://evil.example">',
    '<meta http-equiv="Content-Security-Policy" content="default-src *"><meta charset=utf-7>',
    '<form action="https://evil.example"><input name=p type=password><button formaction=javascript:alert(1)>x</form>',
    "<textarea name=x></textarea><select onchange=alert(1)><option>x</select><keygen><dialog open>x</dialog>",
    "<portal src=https://evil.example></portal><fencedframe></fencedframe><slot></slot><template>x</template>",
    # styles
    "<style>@import 'https://evil.example/x.css'; * { background: url(https://evil.example) }</style>",
    "<style><!--</style><script>alert(1)</script>-->",
    '<p style="background:url(https://evil.example/x)">x</p>',
    '<p style="background-image:url(\'https://evil.example/x\');color:red">x</p>',
    '<p style="background:\\75\\72\\6c(https://evil.example)">x</p>',
    '<p style="background:u/**/rl(https://evil.example);c/**/olor:red">x</p>',
    '<p style="color:red;background:image-set(\'https://evil.example\' 1x)">x</p>',
    '<p style="width:expression(alert(1));-moz-binding:url(x);behavior:url(x)">x</p>',
    '<p style="list-style:url(https://evil.example);cursor:url(x),auto;content:url(x);border-image:url(x)">x</p>',
    '<p style="font-family:\'a;background:url(https://evil.example)\'">x</p>',
    '<p style="font-family:&quot;}*{background:url(https://evil.example)}&quot;">x</p>',
    '<p style="position:fixed;top:0;left:0;width:100%;height:100%;z-index:9">covers</p>',
    '<p style="margin-top:-900px;margin:-1em auto;transform:translateY(-99px);top:0;inset:0">covers</p>',
    '<p style="color:var(--x,url(https://evil.example));width:calc(1px + attr(x));--x:url(y)">x</p>',
    '<p style="color:red\n;@import \'x\';} body{display:none} a{">x</p>',
    '<p style="color:\uff55rl(x)">x</p><p style="backg\u0131round:url(x)">x</p>',
    # trees that change when they are parsed again
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<svg><title><style><a title='</style><img src=x onerror=alert(1)>'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<noembed><p title='</noembed><img src=x onerror=alert(1)>'></noembed>",
    "<noframes><img title='</noframes><img src=x onerror=alert(1)>'></noframes>",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'></xmp><plaintext><img src=x onerror=alert(1)>",
    "<title><p title='</title><img src=x onerror=alert(1)>'>",
    "<textarea><p title='</textarea><img src=x onerror=alert(1)>'>",
    "<iframe><p title='</iframe><img src=x onerror=alert(1)>'></iframe>",
    "<select><iframe><img src=x onerror=alert(1)></iframe></select><option><style></option></select><img src=x>",
    "<table><td><a href=https://a.example><table><td><a href=https://b.example>x</a>y</table>z</a></table>",
    "<a href=https://a.example>x<a href=https://b.example>y<p></a>z",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a><use href='data:image/svg+xml,x#y'/></svg>",
    "<svg><animate attributeName=href values=javascript:alert(1) /><set attributeName=onload to=alert(1)></svg>",
    "<math href='javascript:alert(1)'><maction actiontype=statusline xlink:href=javascript:alert(1)>x</math>",
    "<svg><foreignObject><iframe srcdoc='x'></iframe></foreignObject><image href=https://evil.example/></svg>",
    # comments and conditionals
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<![if !mso]><img src=https://evil.example><![endif]>",
    "<!--><img src=x onerror=alert(1)>--><!--- ><img src=x onerror=alert(1)>",
    "<!-- --!><img src=x onerror=alert(1)> -->",
    "<?xml-stylesheet href='https://evil.example'?><?php echo 1 ?><!ENTITY x SYSTEM 'file:///etc/passwd'>&x;",
    "<![CDATA[<script>alert(1)</script>]]>",
    # odd characters
    "\x00<\x00s\x00c\x00r\x00i\x00p\x00t\x00>\x00a\x00",
    "<im\x00g src=x on\x00error=alert(1)>",
    "<img\x0csrc=x\x0bonerror=alert(1)>",
    "\ud800<script>alert(1)</script>\udfff",
    "<\u017fcript>alert(1)</\u017fcript><\uff53cript>",
    "&lt;script&gt;alert(1)&lt;/script&gt;&#60;img src=x onerror=alert(1)&#62;",
    "<x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script><o:p></o:p><v:fill src=https://evil.example>",
    "<p id=__proto__ name=forms class='paper goes'>x</p><img name=getElementById><a id=location></a>",
    "<p lang='\"><script>' dir='\"><script>' align='\"><script>' width='\"><script>'>x</p>",
    "<font face='\"><script>alert(1)</script>' color='red;x:url(y)' size='1\" onload=alert(1)'>x</font>",
]  # fmt: skip


def test_there_are_enough_of_them() -> None:
    assert len(set(VECTORS)) == len(VECTORS) >= 60


@pytest.mark.parametrize("html", VECTORS, ids=range(len(VECTORS)))
def test_no_attack_known_comes_through(html: str) -> None:
    subject = html.replace("\n", " ").replace("\x00", "").encode("ascii", "ignore").decode()
    for octets in (
        mail(f"<p>before</p>{html}<p>after</p>"),
        mail(f"<html><head><title>t</title></head><body>{html}</body></html>"),
        mail(f"<table><tr><td>{html}</td></tr></table>"),
        mail(html, subject=subject),
        mail(html).replace(b"text/html", b"text/plain"),
        b"Subject: x\r\nContent-Type: message/rfc822\r\n\r\n" + mail(html, subject=subject),
        mail("x").replace(b"\r\n\r\n", f"; name={subject}\r\nFrom: {subject} <an@klant.example>\r\n\r\n".encode()),
    ):
        assert_harmless(page(octets))


def test_what_the_cleaner_lets_through_is_gone_through_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    cleaned = "<b>x</b><script>y</script><iframe></iframe><svg/onload=z><b title=a>w</b> < <"
    monkeypatch.setattr("nh3.clean", lambda *_given, **_named: cleaned)
    made = content("x")
    assert "<b>x</b>y&lt;svg/onload=z>&lt;b title=a>w</b> &lt; &lt;</div>" in made


@pytest.mark.parametrize(
    "octets",
    [
        mail(b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-", charset="utf-7"),
        mail("<script>alert(1)</script>".encode("utf-16"), charset="utf-16"),
        mail("<script>alert(1)</script>".encode("utf-16-le"), charset="us-ascii"),
        mail(b"\x1b$B<script>\x1b(Balert(1)</script>", charset="iso-2022-jp"),
        mail(b"\xbcscript\xbealert(1)\xbc/script\xbe", charset="us-ascii"),
        mail(b"<p title='\xe2'><img src=x onerror=alert(1)>'>", charset="big5"),
        mail(b"<meta charset=x-user-defined>\xef\xbc\x9cscript>", charset="unknown-8bit"),
    ],
    ids=range(7),
)
def test_no_charset_hides_an_attack(octets: bytes) -> None:
    assert_harmless(page(octets))


PIECES = [
    *("<p>", "</p>", "<div ", "<a href=", "<img src=", "<svg>", "<math>", "<style>", "</style>", "<table>", "<td>"),
    *("<select>", "<noscript>", "<title>", "<!--", "-->", "<![CDATA[", "]]>", "<script>", "</script>", "<mtext>"),
    *("<mglyph>", "<form>", "</form>", "<template>", "<plaintext>", "<b>", "</b>"),
    *("javascript:alert(1)", "https://evil.example/", "cid:a", "data:image/png;base64,AAAA", " style=", "color:red"),
    *("<annotation-xml encoding=text/html>", "url(", " onerror=alert(1) ", '"', "'", "`", ">", "<", "/", "=", " "),
    *("&lt;", "&quot;", "&#0;", "\x00", "\x0c", "\\", "x"),
]  # fmt: skip


@settings(max_examples=150)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=40).map("".join))
def test_no_soup_of_tags_comes_through(html: str) -> None:
    assert_harmless(page(mail(html)))


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_whatever_the_octets_a_page_comes_of_them(octets: bytes) -> None:
    assert_harmless(page(octets))


@given(
    st.text(max_size=60),
    st.lists(st.sampled_from(["color:", "url(", ")", "\\", '"', "'", ";", "/*", "rgb(1,2,3)", "-1px"])),
)
def test_no_style_comes_through_with_more_than_plain_values(text: str, pieces: list[str]) -> None:
    for style in (text + "".join(pieces), "".join(pieces) + text, f"color:{text}", f"background:{''.join(pieces)}"):
        assert PLAIN_STYLE.fullmatch(safe_style(style) or "")


# --- what stays -------------------------------------------------------------------------------------------------------


def content(html: str) -> str:
    return page(mail(html)).partition("</header>")[2].partition("<footer>")[0]


def test_what_lays_a_letter_out_stays() -> None:
    html = (
        '<table width="600" bgcolor="#eeeeee"><tr><td align=center style="padding:4px 8px;color:rgb(1,2)">'
        '<font face="Arial" color=navy>Beste</font><ul><li>een</li></ul></td></tr></table>'
    )
    made = content(html)
    for piece in (
        'width="600"', 'bgcolor="#eeeeee"', 'style="padding:4px 8px;color:rgb(1,2)"', 'color="navy"', "<li>een</li>",
    ):  # fmt: skip
        assert piece in made


def test_nothing_looks_like_what_this_program_wrote() -> None:
    posing = "<span class=goes>x</span><p class=note>x</p><div class=paper id=x>x</div><blockquote class=quoted>x"
    made = content(posing + "<section class=attached>x</section><img class=image alt=x src=cid:nobody>")
    assert re.findall(r'(?:class|id)="[^"]*"', made) == ['class="paper"', 'class="image"']


@pytest.mark.parametrize(
    "tag",
    (  # noqa: SIM905 - a table
        "script style title template noscript iframe noembed noframes object applet svg math select option textarea "
        "audio video canvas xmp"
    ).split(),
)
def test_what_no_browser_shows_is_not_shown_as_text(tag: str) -> None:
    made = content(f"<p>voor</p><{tag}>verborgen</{tag}><p>na</p>")
    assert "verborgen" not in made
    assert "<p>voor</p>" in made


def test_the_ground_that_letters_stand_on_stays_with_them() -> None:
    made = content('<body bgcolor="#000" text="white" style="font-family:\'Segoe UI\', Arial"><p>x</p></body>')
    assert 'style="font-family:Segoe UI, Arial;background-color:#000;color:white"' in made


def test_nothing_is_moved_over_what_this_program_wrote() -> None:
    assert safe_style("margin-top:-90px;margin:0 -1em;padding:4px") == "padding:4px"


@pytest.mark.parametrize(
    "style",
    [
        "display:url(https://evil.example)",
        "display:flex",
        "display:contents",
        "display:none;display:expression(alert(1))",
        "color:\u212aed",
        "color:\uff52\uff45\uff44",
        "width:url(1)",
        "color:attr(1)",
        "float:\\6c eft",
    ],
)
def test_a_value_that_is_not_plain_is_dropped(style: str) -> None:
    assert safe_style(style) in {None, "display:none"}


def test_of_a_background_the_colour_stays() -> None:
    assert safe_style("background: #fff url(https://evil.example/x.png) no-repeat") == "background-color:#fff"
    assert safe_style("background: url(red)") is None


def test_what_word_hides_stays_hidden() -> None:
    assert safe_style("mso-hide:all;font-size:0") == "display:none;font-size:0"


def test_images_that_came_with_the_message_are_in_the_page() -> None:
    made = page(related('<img src="cid:Logo%40x" alt="Ons logo" width=10>', ("logo@x", "image/jpeg", PIXEL)))
    assert_harmless(made)
    assert f'<img src="data:image/gif;base64,{base64.b64encode(PIXEL).decode()}"' in made
    assert 'alt="Ons logo"' in made
    assert "With it came" not in made


@pytest.mark.parametrize(
    "octets", [SVG.encode(), b"<html><script>alert(1)</script>", b"", b"\x00\x00\x01\x00" + bytes(9)]
)
def test_a_part_that_is_no_picture_of_pixels_is_not_put_in(octets: bytes) -> None:
    made = page(related('<img src="cid:a" alt="foto">', ("a", "image/png", octets)))
    assert_harmless(made)
    assert "<img" not in made
    assert '<span class="image">[foto]</span>' in made


def test_the_words_of_an_image_stay_words() -> None:
    html = '<img src="cid:a" alt="x&quot; onerror=&quot;alert(1)" title=\'"><script>alert(1)</script>\'>'
    made = page(related(html, ("a", "image/png", PNG)))
    assert_harmless(made)
    assert 'alt="x&quot; onerror=&quot;alert(1)"' in made


@pytest.mark.parametrize(
    "attributes",
    [
        "onerror=alert(1) onload=alert(1)",
        "srcset='https://evil.example/a 2x' sizes=100vw",
        "src=https://evil.example/p.gif lowsrc=https://evil.example",
        "usemap=#m ismap longdesc=https://evil.example crossorigin loading=eager",
        "style='background:url(https://evil.example)' class=paper id=x name=forms",
        "style='width:1px;content:url(https://evil.example)' width='1;x' height='expression(1)'",
        "alt='\"><script>alert(1)</script>' align='\" onload=alert(1)' border='1\" x=y'",
    ],
)
def test_an_image_that_came_with_the_message_brings_nothing_but_its_look(attributes: str) -> None:
    made = page(related(f"<img src=cid:a {attributes}><img {attributes} src=cid:a>", ("a", "image/png", PNG)))
    assert_harmless(made)
    assert '<img src="data:image/png' in made


def test_the_same_image_many_times_does_not_swell_the_page_beyond_its_bound() -> None:
    made = page(related('<img src="cid:a">' * 100, ("a", "image/png", PNG + bytes(1 << 20))))
    assert len(made) < 45 << 20
    assert made.count("[image]") > 50


def test_an_image_of_another_server_becomes_words_with_its_host() -> None:
    made = page(
        mail('<img src="https://cdn.shop.example/logo.png" alt="De winkel"><img src=http://t.example/p width=1>')
    )
    assert '<span class="image">[De winkel: cdn.shop.example]</span>' in made
    assert "Not loaded: 2 images from cdn.shop.example, t.example." in made
    assert "[t.example]" not in made


# --- links ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "words", "hint"),
    [
        ("https://evil.example/x", "https://bank.example/login", "evil.example"),
        ("https://evil.example/x", "www.bank.example", "evil.example"),
        ("https://evil.example/x", "bank.example", "evil.example"),
        ("https://bank.example.evil.example/", "bank.example", "bank.example.evil.example"),
        ("https://evilbank.example/", "bank.example", "evilbank.example"),
        ("mailto:x@evil.example", "info@bank.example", "evil.example"),
        ("https://evil.example/x", "<b>bank</b>.example", "evil.example"),
        ("https://bank.example@evil.example/", "bank.example", "evil.example"),
        ("https://\u0430pple.example/", "Klik hier", "xn--pple-43d.example"),
        ("https://xn--pple-43d.example/", "Klik hier", "xn--pple-43d.example"),
        ("http://192.0.2.7/x", "Klik hier", "192.0.2.7"),
        ("http://0x7f000001/", "Klik hier", "0x7f000001"),
        ("https://www.bank.example/x", "bank.example", None),
        ("https://login.bank.example/x", "https://bank.example", None),
        ("https://bank.example/x", "https://www.bank.example/y", None),
        ("https://shop.example/x", "Klik hier", None),
        ("https://shop.example/x", "Zie art.nr. 12.5 of b.v. hier", None),
        ("mailto:info@shop.example", "info@shop.example", None),
        ("tel:+3212345678", "012 34 56 78", None),
    ],
)
def test_a_link_says_where_it_goes_when_its_words_say_otherwise(address: str, words: str, hint: str | None) -> None:
    made = page(mail(f'<p><a href="{address}">{words}</a></p>'))
    assert_harmless(made)
    found = re.findall(r'<span class="goes">\[\u2192 ([^\]]*)\]</span>', made)
    assert found == ([hint] if hint else [])


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://a.example/x?y=1&z=2#f", "https://a.example/x?y=1&z=2#f"),
        ("HTTPS://A.example", "https://A.example"),
        ("https:\\\\a.example\\b", "https://a.example/b"),
        ("https:a.example", "https://a.example"),
        ("https://u:p@a.example/x@y", "https://a.example/x@y"),
        ("https://b.example\\@a.example", "https://b.example/@a.example"),
        ("https://a.example?x=\\", "https://a.example?x=\\"),
        ("ht\ttps://a.exa\nmple", "https://a.example"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("https://", None),
        ("https://@", None),
        ("javascript:alert(1)//https://", None),
        ("//a.example", None),
        ("", None),
    ],
)
def test_addresses_are_read_as_browsers_read_them(address: str, safe: str | None) -> None:
    assert safe_address(address) == safe


def test_hosts_that_deceive_are_known() -> None:
    assert is_deceptive(host_of("https://\u0430.example"))
    assert is_deceptive(host_of("http://[::1]/"))
    assert not is_deceptive(host_of("https://7-eleven.example"))
    assert host_of("https://[x") == ""


def test_web_addresses_in_plain_text_can_be_followed() -> None:
    made = page(b"Subject: x\r\n\r\nZie https://shop.example/a_(b)?c=1&d=2, of niet (https://x.example).\r\n")
    assert '<a href="https://shop.example/a_(b)?c=1&amp;d=2" rel=' in made
    assert '">https://x.example</a>).' in made
    assert '">https://shop.example/a_(b)?c=1&amp;d=2</a>, of niet' in made
    made = page(b"Subject: x\r\n\r\nhttps://shop.example/&lt;b&gt;&#x3c;script&#x3e;y x\r\n")
    assert '">https://shop.example/&amp;lt;b&amp;gt;&amp;#x3c;script&amp;#x3e;y</a> x' in made


# --- around it --------------------------------------------------------------------------------------------------------


def test_the_header_stands_on_top_and_cannot_be_written_by_the_message() -> None:
    octets = (
        b"From: =?utf-8?q?An_=E2=80=AE=3Cscript=3E?= <an@klant.example>\r\nSubject: <b>Vraag</b>\r\n"
        b"Date: Tue, 3 Mar 2026 12:00:00 +0000\r\nSubject: Tweede\r\nContent-Type: text/html\r\n\r\n<h1>Pose</h1>"
    )
    made = page(octets)
    assert_harmless(made)
    head = made.partition("<header>")[2].partition("</header>")[0]
    assert "&lt;b&gt;Vraag&lt;/b&gt;" in head
    assert "An &lt;script&gt; &lt;an@klant.example&gt;" in head
    assert "Tweede" not in head
    assert "Tue, 3 Mar 2026 12:00:00 +0000" in head


def test_of_alternatives_the_laid_out_one_is_shown() -> None:
    def alternatives(html: str) -> bytes:
        return (
            'Subject: x\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
            "--b\r\nContent-Type: text/plain\r\n\r\n"
            f"kaal\r\n--b\r\nContent-Type: text/html\r\n\r\n{html}\r\n--b--\r\n"
        ).encode()

    assert "<b>vet</b>" in page(alternatives("<b>vet</b>"))
    assert "kaal" not in page(alternatives("<b>vet</b>"))
    assert "kaal" in page(alternatives(""))


def test_plain_text_is_shown_with_its_quotes_apart() -> None:
    made = page(b"Subject: x\r\n\r\nBoven <b>.\r\n\r\n> Citaat\r\n\r\nOnder.\r\n")
    assert '<div class="text" dir="auto">Boven &lt;b&gt;.</div>' in made
    assert '<blockquote class="quoted text" dir="auto">&gt; Citaat</blockquote>' in made


def test_attached_messages_are_shown_in_a_frame_and_files_are_named() -> None:
    made = page(
        b'Subject: x\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nZie bijlage.\r\n'
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: Oude vraag\r\nFrom: an@klant.example\r\n\r\nHoeveel?\r\n"
        b'--b\r\nContent-Type: application/pdf; name="a<b>.pdf"\r\n\r\n%PDF\r\n--b--\r\n'
    )
    assert_harmless(made)
    assert '<section class="attached"><h1 dir="auto">Oude vraag</h1>' in made
    assert "a&lt;b&gt;.pdf" in made


def test_too_many_tags_are_shown_as_text() -> None:
    made = page(mail("<p>x</p>" + "<br>" * 60_000 + "<b>einde</b>"))
    assert_harmless(made)
    assert "Too large to be shown as it was laid out." in made
    assert "einde" in made


def test_too_deep_a_tree_is_shown_as_text() -> None:
    made = page(mail("<div>" * 5_000 + "diep"))
    assert_harmless(made)
    assert "diep" in made


# --- the process ------------------------------------------------------------------------------------------------------


def test_the_page_is_made_in_a_process_of_its_own() -> None:
    octets = mail('<p onclick="x">caf\u00e9</p>')
    assert safe_html(octets) == page(octets)


def test_html_that_keeps_the_parser_busy_is_given_up() -> None:
    with pytest.raises(ArchiverError) as refused:
        safe_html(mail("&" * (1 << 20)), seconds=1.0)
    assert refused.value.hint is not None
    assert "&&" not in str(refused.value)


def test_html_that_wants_too_much_memory_is_given_up() -> None:
    with pytest.raises(ArchiverError):
        safe_html(mail("<p>x</p>") + b"x" * (60 << 20), memory=80 << 20)
