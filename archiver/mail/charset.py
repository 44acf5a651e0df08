"""Octets to text: charset labels as mail really uses them, and what never may be in a text.

Knows every charset Python knows and the usual lies about them. Deliberately knows no MIME: labels and octets come in,
text goes out. Text never holds NUL, control characters other than tab and newline, or lone surrogates.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

# Labels that Python lacks, or takes more literally than the software that writes them: the superset is what was meant
# (the Encoding Standard of WHATWG, section 4.2, does the same for the web).
_ALIASES = {
    "8859-1": "cp1252", "ansi": "cp1252", "ansi-x3-110-1983": "cp1252", "ascii-8bit": "cp1252", "cp-850": "cp850",
    "cp-1252": "cp1252", "x-ansi": "cp1252", "win-1252": "cp1252", "windows1252": "cp1252", "windows-1252": "cp1252",
    "iso8859-1": "cp1252", "iso88591": "cp1252", "iso-88591": "cp1252", "iso-8859-1": "cp1252", "latin1": "cp1252",
    "latin-1": "cp1252", "l1": "cp1252", "iso-8859-8-i": "iso8859-8", "iso-8859-8-e": "iso8859-8",
    "iso-8859-6-i": "iso8859-6", "iso-8859-6-e": "iso8859-6", "iso-8859-9": "cp1254", "latin5": "cp1254",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb-2312-80": "gb18030", "cp936": "gb18030",
    "gb2312-80": "gb18030", "windows-936": "gb18030", "euc-cn": "gb18030", "chinese": "gb18030",
    "ks-c-5601": "cp949", "ks-c-5601-1987": "cp949", "ksc-5601": "cp949", "ksc5601": "cp949", "euc-kr": "cp949",
    "ks-c-5601-1989": "cp949", "korean": "cp949", "windows-949": "cp949", "x-windows-949": "cp949",
    "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "shiftjis": "cp932", "windows-31j": "cp932",
    "ms932": "cp932", "x-ms-cp932": "cp932", "x-euc-jp": "euc_jp", "iso-2022-jp": "iso2022_jp_ext", "iso-2022-jp-ms":
    "iso2022_jp_ext", "cp50220": "iso2022_jp_ext", "cp50221": "iso2022_jp_ext", "cp50222": "iso2022_jp_ext",
    "big5": "big5hkscs", "x-x-big5": "big5hkscs", "big-5": "big5hkscs", "x-big5": "big5hkscs", "big5-eten": "big5hkscs",
    "tis-620": "cp874", "windows-874": "cp874", "iso-8859-11": "cp874", "dos-874": "cp874", "koi8-ru": "koi8_u",
    "koi8r": "koi8_r", "koi8": "koi8_r", "unicode-1-1-utf-7": "utf_7", "unicode-2-0-utf-7": "utf_7", "csutf7": "utf_7",
    "utf8mb4": "utf_8", "unicode-1-1-utf-8": "utf_8", "x-utf-8": "utf_8", "utf-8n": "utf_8", "utf": "utf_8",
    "unicode": "utf_16", "ucs-2": "utf_16", "ucs-4": "utf_32", "macintosh": "mac_roman", "mac": "mac_roman",
    "x-mac-ce": "mac_latin2", "x-mac-centraleurroman": "mac_latin2", "x-mac-ukrainian": "mac_cyrillic",
    "x-mac-japanese": "cp932", "x-mac-korean": "cp949", "x-mac-chinesesimp": "gb18030",
    "x-mac-chinesetrad": "big5hkscs",
    "x-mac-thai": "cp874", "x-mac-arabic": "mac_arabic", "x-mac-hebrew": "cp1255", "visual": "iso8859-8",
    "logical": "iso8859-8", "iso-10646": "utf_8", "us": "ascii", "iso-ir-6": "ascii", "ansi-x3.4-1968": "ascii",
}  # fmt: skip

# Python codecs that are no charsets of mail: they interpret escapes, take quadratic time, or depend on the machine.
_REFUSED = frozenset(
    [
        "idna",
        "punycode",
        "unicode_escape",
        "raw_unicode_escape",
        "undefined",
        "mbcs",
        "oem",
        "unicode-escape",
        "raw-unicode-escape",
    ]
)

# Labels with which software says that it does not know.
_NOTHING = frozenset(
    (  # noqa: SIM905 - a table
        "x-unknown unknown unknown-8bit x-unknown-8bit 8bit 7bit default none x-user-defined user-defined binary null "
        "unspecified auto charset default-charset"
    ).split()
)

_SINGLE_BYTE_LATIN = frozenset("cp1252 ascii".split())  # noqa: SIM905 - a table
_ASCII_CONTROLS = bytes([*range(9), *range(14, 32), 127])
_UNWANTED = "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]"
_UNWANTED_BEYOND = "\ufeff\ufffe\uffff"
_LINE_ENDS = ("\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029")
_UTF8_PAIR = rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"


@lru_cache(maxsize=1024)
def codec_name(label: str) -> str | None:
    """Return Python's name for a charset label, or None for one that nobody knows or that says nothing."""
    name = label.strip(" \t\r\n\"'<>;,.=").lower()
    name = name.split(";", 1)[0].split(" ", 1)[0].split("*", 1)[0].strip("\"'")
    if name.startswith("charset="):
        name = name[8:].strip("\"'")
    name = name.replace("_", "-")
    if not name or name in _NOTHING or len(name) > 60 or not name.isascii():
        return None
    candidates = [_ALIASES.get(name), name]
    if name.startswith("x-mac-"):
        candidates.append("mac_" + name[6:])
    elif name.startswith("x-"):
        candidates.append(_ALIASES.get(name[2:], name[2:]))
    for candidate in candidates:
        if candidate is None or candidate in _REFUSED:
            continue
        try:
            found = codecs.lookup(candidate).name
            b"aaaa".decode(found)  # a LookupError for codecs that are not text encodings, such as "zlib" and "hex"
        except UnicodeError:
            pass  # a charset, in which these four octets are nothing
        except (LookupError, ValueError):
            continue
        return None if found in _REFUSED else ("cp1252" if found == "iso8859-1" else found)
    return None


def decode(octets: bytes, label: str | None) -> tuple[str, str | None]:
    """Decode octets that claim a charset; return clean text and a defect code of `archiver.mail.defects`, or None.

    Without a label (or one that says nothing) UTF-8 is tried, then Windows-1252: octets that are valid UTF-8 are
    practically never anything else.
    """
    name = codec_name(label) if label else None
    if octets.isascii() and (name is None or name in {"utf-8", "cp1252", "ascii"}):
        return _clean_ascii(octets), None
    text, defect = _decode_8bit(octets, name)
    if label and name is None and label.strip().lower() not in _NOTHING:
        defect = "charset-unknown"
    return clean(text), defect


def _decode_8bit(octets: bytes, name: str | None) -> tuple[str, str | None]:
    if name is None:
        return guess(octets), None
    if name in _SINGLE_BYTE_LATIN:
        # UTF-8 declared as Latin-1 or ASCII is the commonest lie of all.
        text = _strict(octets, "utf-8")
        if text is not None:
            return text, "charset-wrong"
        return _windows_1252(octets), None if name == "cp1252" else "charset-wrong"
    text = _strict(octets, name)
    if text is not None:
        return text, None
    if name.startswith("iso2022_jp"):
        return _iso_2022_jp(octets)
    # Of 7-bit charsets such as UTF-7, that the octets "are" UTF-8 says nothing.
    text = None if octets.isascii() else _strict(octets, "utf-8")
    if text is None:
        text = _broken_utf_8(octets) if name == "utf-8" else octets.decode(name, "replace")
    return text, "charset-wrong"


def _strict(octets: bytes, name: str) -> str | None:
    try:
        return octets.decode(name)
    except (LookupError, UnicodeError, ValueError):
        return None


def _broken_utf_8(octets: bytes) -> str:
    """Read what claims to be UTF-8: cut off within the last character, broken here and there, or no UTF-8 at all."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as problem:
        if problem.reason == "unexpected end of data":
            return octets[: problem.start].decode("utf-8")
    return octets.decode("utf-8", "replace") if re.search(_UTF8_PAIR, octets) else _windows_1252(octets)


def _iso_2022_jp(octets: bytes) -> tuple[str, str | None]:
    """Read characters beyond the standard (NEC's row 13: ①, ㈱ …) as JIS X 0213, which has them at the same place."""
    try:
        return octets.replace(b"\x1b$B", b"\x1b$(Q").decode("iso2022_jp_2004"), None
    except UnicodeError:
        return octets.decode("iso2022_jp_ext", "replace"), "charset-wrong"


def guess(octets: bytes, hint: str | None = None) -> str:
    """Decode octets of unknown charset: UTF-8 if they are, else as hinted, else Windows-1252; not yet cleaned."""
    text = _strict(octets, "utf-8")
    name = codec_name(hint) if hint and text is None else None
    if name is not None and name != "utf-8":
        text = _strict(octets, name)
    return _windows_1252(octets) if text is None else text


def _windows_1252(octets: bytes) -> str:
    """Decode, with the five undefined octets as Latin-1's controls (which cleaning then removes)."""
    try:
        return octets.decode("cp1252")
    except UnicodeDecodeError:
        return octets.translate(None, b"\x81\x8d\x8f\x90\x9d").decode("cp1252")


def _clean_ascii(octets: bytes) -> str:
    """Do what `clean` does, much faster, for the commonest text of all."""
    if b"\r" in octets:
        octets = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\x0c" in octets or b"\x0b" in octets:
        octets = octets.replace(b"\x0c", b"\n").replace(b"\x0b", b"\n")
    return octets.translate(None, _ASCII_CONTROLS).decode("ascii")


def clean(text: str) -> str:
    r"""Make every line end "\n", drop control characters, replace lone surrogates by U+FFFD."""
    # What a pattern would have to look for is seldom there; all of it counts as not printable.
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    for end in _LINE_ENDS:
        text = text.replace(end, "\n")
    text = re.sub(_UNWANTED, "", text)
    for unwanted in _UNWANTED_BEYOND:
        text = text.replace(unwanted, "")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        # UTF-7 and UTF-16 can yield surrogates; halves that belong together are joined first.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def one_line(text: str) -> str:
    """Return cleaned text as one line with single spaces, for subjects, names and file names."""
    return " ".join(clean(text).split())
