"""VAT numbers in text, of every country of the EU and of Northern Ireland, as people write them.

A number counts when its country stands before it, when it is Belgian and written with dots or beside a word such as
"BTW" or "RPR", or when it stands behind the name that its own country has for it ("P.IVA", "NIP", "CVR"); always only
when its check digits hold (python-stdnum, loaded with the first candidate). What nobody sees (soft hyphens, marks of
bold type) and the line end within a Belgian number make no difference. Deliberately
reads no number that stands in a telephone number, an account number (IBAN), a structured communication, a URL or a
longer run of digits, and asks no register whether a number was ever given out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain

MAX_NUMBERS = 20
"""Numbers that are kept of one message."""

MAX_CANDIDATES = 2000
"""Runs of digits in one text that are looked at."""

_BEFORE = 60  # characters before a number in which its country, or the word that says what it is, may stand
_AFTER = 24

# Spaces, no-break spaces, dots, hyphens (also the typographic ones): what people put between groups of digits.
_GAP = "[ .\\-\u00a0\u2007\u2009\u202f\u2010\u2011\u2013]"
_BETWEEN = " .:/-\u00a0\u2007\u2009\u202f\u2010\u2011\u2013"  # between a country and its number
_RUN = re.compile("[0-9][0-9 .\\-\u00a0\u2007\u2009\u202f\u2010\u2011\u2013]{3,}[0-9]")
_NOT_AFTER = r"(?![0-9A-Za-z])(?![.\-/,][0-9])"

# "9" a digit, "A" a letter, "X" either; a letter of lower case stands for itself. The longest form first.
_FORMS = {
    "AT": "u99999999", "BE": "9999999999|999999999", "BG": "9999999999|999999999", "CY": "99999999A",
    "CZ": "9999999999|999999999|99999999", "DE": "999999999", "DK": "99999999", "EE": "999999999", "EL": "999999999",
    "GR": "999999999", "ES": "X9999999X", "FI": "99999999", "FR": "XX999999999", "HR": "99999999999",
    "HU": "99999999", "IE": "9999999AA|9999999A", "IT": "99999999999", "LT": "999999999999|999999999",
    "LU": "99999999", "LV": "99999999999", "MT": "99999999", "NL": "999999999b99", "PL": "9999999999",
    "PT": "999999999", "RO": "9999999999|999999999|99999999|9999999|999999|99999", "SE": "999999999999",
    "SI": "99999999", "SK": "9999999999", "XI": "999999999999|999999999",
}  # fmt: skip
_CLASSES = {"9": "[0-9]", "A": "[A-Za-z]", "X": "[0-9A-Za-z]", "u": "[Uu]", "b": "[Bb]"}
_COUNTRY = re.compile(rf"(?<![0-9A-Za-z_@=&?#%])(?:BTW|TVA|VAT)?({'|'.join(_FORMS)})", re.IGNORECASE)

# Countries whose code may be a word, or the abbreviation of one, and whose numbers are digits only.
_WORDS = frozenset("BE DE EE EL FI HR IT LT LU LV MT PL PT RO SE SI SK".split())  # noqa: SIM905 - a table
_IBAN_LENGTHS = {
    "AT": 20, "BE": 16, "BG": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27,
    "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IT": 27, "LT": 20, "LU": 20, "LV": 21, "MT": 31, "NL": 18, "PL": 28,
    "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24,
}  # fmt: skip
_BELGIAN = re.compile(
    rf"(?<![0-9A-Za-z./\-+*@_=&#%,:])(?:([01][0-9]{{3}}\.[0-9]{{3}}\.[0-9]{{3}})"
    rf"|([01]?{_GAP}?[0-9]{{3}}{_GAP}{{0,2}}[0-9]{{3}}{_GAP}{{0,2}}[0-9]{{3}})){_NOT_AFTER}(?![+*])"
)
_LABEL = re.compile(
    r"(?<![a-z])(?:btw|b\.t\.w|tva|t\.v\.a|vat|mwst|ust-?id|kbo|bce|cbe|rpr|rpm|ondernemings?-?n(?:umme)?r"
    r"|ondernemingsn|(?:num[eé]ro|n[°ºo]\.?) ?d.entreprise|d.entreprise|unternehmensn|(?:company|enterprise) n"
    r"|(?:uid|ust|iva|nip|nif|cif|tax id|alv|moms|dph|pvn|pvm)(?![a-z]))"
)
_LEGAL_FORMS = frozenset("AG GMBH KG SE NV BV BVBA VOF SA SAS SARL SPRL SRL SPA LDA SL AB OY AS LTD".split())  # noqa: SIM905
_TELEPHONE = re.compile(
    r"(?<![a-z])(?:t[eé]l|gsm|mob|fax|phone|telefoon|telefon|portable|handy|whatsapp|cell|call|bel(?:len)? )"
    r"|\+\s?\d|\b[tmf]\s?[:.]|[\u260e\u2706\U0001f4de\U0001f4f1]"
)
_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Z]")


# Digits become "0" and letters capitals, so that what may be a number is found by searching octets.
_DIGITS = bytes(48 if 48 <= one < 58 else one - 32 if 97 <= one < 123 else one for one in range(256))
_GAPS = b" .-*\xa0?"  # bold type too; "?" for the gaps, and whatever else, that are not in Latin-1
_ZEROS = re.compile(rb"0+")
_COUNTRIES = frozenset(one.encode() for one in _FORMS if one != "AT")  # there a "U" always follows
_LABELS = (
    b"BTW", b"TVA", b"VAT0", b"VATN", b"VATID", b"VAT:", b"VAT|", b"VAT/", b"VAT(", b"VAT\n", b"MWST", b"KBO",
    b"ONDERNEMINGSN", b"ENTREPRISE", b"UNTERNEHMENSN", b"COMPANYN", b"ENTERPRISEN",
)  # fmt: skip
_REGISTERS = ("RPR", "RPM", "BCE", "CBE")  # as they stand, always in capitals: "enterprise" has one in it

# How single countries call their own numbers, which stand behind that name without the country.
_NAMES = re.compile(rb"(?:(?:PARTITA|P)IVA|NIPC?|[CN]IF|CONTRIBUINTE|CVR|YTUNNUS)(?:N.{0,5})?[^0A-Z]{0,4}[A-Z]?\Z")
_NAMED = re.compile(
    r"(?<![^\W_])(?:(?P<IT>P\.? ?IVA|Partita ?IVA)|(?P<PL>NIP)|(?P<PT>NIPC|contribuinte)"
    r"|(?P<EITHER>N\.?I\.?F|C\.?I\.?F)|(?P<DK>CVR)|(?P<FI>Y-tunnus))\.?[ \u00a0-]?"
    r"(?:n(?:\.? ?[°ºor]|ummer|umero)?\.?)?[ .:|\u00a0-]{0,4}"
    rf"(?P<number>[A-Za-z]?{_GAP}?[0-9](?:{_GAP}?[0-9]){{6,10}}(?:-?[A-Za-z])?){_NOT_AFTER}",
    re.IGNORECASE,
)
_NAMED_COUNTRIES = {"EITHER": ("ES", "PT")}
_DUTCH = re.compile(rf"(?<![0-9A-Za-z.,/+*_=&#%])[0-9](?:{_GAP}?[0-9]){{8}}{_GAP}?[Bb]{_GAP}?[0-9]{{2}}{_NOT_AFTER}")

_INVISIBLE = "\u00ad\u200b-\u200f\u2060-\u2064\ufeff"
_UNSEEN = re.compile(f"[{_INVISIBLE}]")
_ODD = re.compile(f"[{_INVISIBLE}\uff0d-\uff5a]")
_PLAIN = {one: one - 0xFEE0 for one in range(0xFF0D, 0xFF5B)}  # full-width forms of ASCII
_ASTERISKS = re.compile(r"\*\**")  # begins with a letter and no class, which is found many times faster
_BROKEN = re.compile(rb"BE(?:0{3,7}\n0{3}|0{3,4}/0{3})")
_BROKEN_BELGIAN = re.compile(
    r"(?<![0-9A-Za-z])BE[ .:\-\u00a0]{0,2}(?:[01][ .]?)?[0-9]{3}(?:[ .\-]{0,2}|[ .\-]?\n|/)[0-9]{3}"
    r"(?:[ .\-]{0,2}|[ .\-]?\n|/)[0-9]{3}(?![0-9])",
    re.IGNORECASE,
)


def vat_numbers(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the VAT numbers in these texts, each once, in order, at most MAX_NUMBERS.

    Canonical: two letters of the country as VIES writes them (Greece "EL"), then the number without any separator;
    Belgian ones have ten digits.
    """
    found: dict[str, None] = {}
    for text in texts:
        if not text:
            continue
        tidy = _tidied(text)
        octets = _outlined(tidy)
        if _is_broken(octets):
            tidy = _BROKEN_BELGIAN.sub(lambda match: re.sub(r"[\s/]+", " ", match[0]), tidy)
            octets = _outlined(tidy)
        prefixed, belgian, named = _may_hold(tidy, octets)
        if "*" in tidy and (prefixed or belgian or named):
            tidy = _ASTERISKS.sub(_without_bold, tidy)
        numbers = _numbers(tidy, prefixed=prefixed, belgian=belgian) if prefixed or belgian else iter(())
        for number in chain(numbers, _named(tidy) if named else ()):
            found[number] = None
            if len(found) >= MAX_NUMBERS:
                return tuple(found)
    return tuple(found)


def checked(country: str, number: str) -> str | None:
    """Return a number in canonical form, or None when its check digits do not hold.

    `country` is two letters, "GR" and "EL" alike; `number` has no country before it and may hold separators.
    """
    country = country.upper()
    country = "EL" if country == "GR" else country
    if country not in _FORMS:
        return None
    return _checked(country, _NOT_ALPHANUMERIC.sub("", number.upper()))


@lru_cache(maxsize=4096)
def _checked(country: str, number: str) -> str | None:
    from stdnum.eu import vat
    from stdnum.exceptions import ValidationError

    try:
        return str(vat.validate(country + number))
    except ValidationError:
        return None


def _tidied(text: str) -> str:
    """Return a text without what stands unseen in numbers."""
    if not text.isascii() and _ODD.search(text):
        text = _UNSEEN.sub("", text).translate(_PLAIN)
    return text


def _without_bold(asterisks: re.Match[str]) -> str:
    """Take away one or two asterisks, unless they stand within a word or between figures."""
    text, (start, end) = asterisks.string, asterisks.span()
    within = start > 0 and _is_alphanumeric(text[start - 1]) and _is_alphanumeric(text[end : end + 1])
    return asterisks[0] if within or end - start > 2 else ""


def _is_alphanumeric(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _outlined(text: str) -> bytes:
    """Return a text with "0" for digits, capitals for letters, and no gaps."""
    return text.encode("latin-1", "replace").translate(_DIGITS, _GAPS)


def _is_broken(octets: bytes) -> bool:
    """Whether a Belgian number may be broken by a line end, or by slashes."""
    at = octets.find(b"BE0")
    while at >= 0:
        if _BROKEN.match(octets, at):
            return True
        at = octets.find(b"BE0", at + 3)
    return False


def _may_hold(text: str, octets: bytes) -> tuple[bool, bool, bool]:
    """Tell whether a number may stand anywhere with its country, a Belgian one without, and one behind its name.

    In most texts none does, and this takes a tenth of looking properly.
    """
    prefixed = b"RO00000" in octets
    named = b"000000000B0" in octets
    longest = 0
    at = octets.find(b"0000000")
    while at >= 0:
        prefixed = prefixed or _ends_in_country(octets[max(0, at - 4) : at])
        named = named or _NAMES.search(octets, max(0, at - 20), at) is not None
        run = _ZEROS.match(octets, at)
        end = run.end() if run is not None else at + 7
        longest = max(longest, end - at)
        if prefixed and named and longest >= 9:
            break
        at = octets.find(b"0000000", end)
    if longest < 9:
        return prefixed, False, named
    if any(label in octets for label in _LABELS) or any(label in text for label in _REGISTERS):
        return prefixed, True, named
    return prefixed, b"0000.000.000" in text.encode("latin-1", "replace").translate(_DIGITS), named


def _ends_in_country(before: bytes) -> bool:
    """Whether the code of a country ends these four capitals, or stands before one or two of its number's letters."""
    if before[-2:] in _COUNTRIES:
        return not before.endswith(b"TEL")
    code, last = before[-3:-1], before[-1:]
    if last in b":/":
        return code in _COUNTRIES and not before.startswith(b"TEL")
    return last.isalpha() and (code in {b"FR", b"ES"} or before[-3:] == b"ATU" or before[-4:-2] == b"FR")


def _numbers(text: str, *, prefixed: bool, belgian: bool) -> Iterator[str]:
    done = 0  # what was read as a number or an account number is not read again
    for count, run in enumerate(_RUN.finditer(text)):
        if count >= MAX_CANDIDATES:
            return
        start, end = run.span()
        if end <= done:
            continue
        # Tables are full of digits, and hardly any stand behind a letter.
        if prefixed and text[max(0, start - 4) : start].rstrip(_BETWEEN)[-1:].isalpha():
            line = text.rfind("\n", max(0, start - 16), start) + 1
            number, stop = _prefixed(text, max(line, start - 16, done), start)
            done = max(done, stop)
            if number is not None:
                yield number
        if belgian and end - start >= 9 and end > done:
            yield from _belgian(text, max(start, done), end)


def _named(text: str) -> Iterator[str]:
    """Read numbers behind the name that their country has for them, and Dutch ones beside a word for VAT."""
    for match in _NAMED.finditer(text):
        name = next(one for one in ("IT", "PL", "PT", "EITHER", "DK", "FI") if match[one])
        for country in _NAMED_COUNTRIES.get(name, (name,)):
            number = checked(country, match["number"])
            if number is not None:
                yield number
                break
    for match in _DUTCH.finditer(text):
        number = checked("NL", match[0]) if _says_vat(_context(text, match.start())) else None
        if number is not None:
            yield number


@lru_cache(maxsize=64)
def _form(country: str) -> re.Pattern[str]:
    """Return what a country's numbers look like, gaps allowed between any two characters."""
    forms = (f"{_GAP}{{0,3}}".join(_CLASSES[one] for one in form) for form in _FORMS[country].split("|"))
    return re.compile(f"([ .:\\-/\u00a0\u2013]{{0,3}})({'|'.join(f'(?:{form}{_NOT_AFTER})' for form in forms)})")


def _prefixed(text: str, begin: int, digits: int) -> tuple[str | None, int]:
    """Read a number whose country stands between `begin` and its first digits; return it and where it ends.

    Without one the end is that of an account number, or 0.
    """
    for match in _COUNTRY.finditer(text, begin, digits):
        country = match[1].upper()
        form = _form(country).match(text, match.end())
        if form is None:
            continue
        end = form.end()
        if end <= digits:
            continue
        account = _account_end(text, match.start(1), country)
        if account:
            return None, account
        if not _is_meant(text, match, form[1]):
            continue
        number = checked(country, form[2])
        if number is not None:
            return number, end
    return None, 0


def _account_end(text: str, start: int, country: str) -> int:
    """Return where the account number (ISO 13616) that begins here ends, 0 when none does."""
    length = _IBAN_LENGTHS.get(country, 0)
    if not length or not text[start + 2 : start + 4].isdecimal():
        return 0
    kept: list[str] = []
    for at, letter in enumerate(text[start : start + 2 * length], start):
        if letter.isascii() and letter.isalnum():
            kept.append(letter.upper())
            if len(kept) == length:
                number = "".join(kept[4:] + kept[:4])
                digits = "".join(str(int(one, 36)) for one in number)
                return at + 1 if int(digits) % 97 == 1 else 0
        elif letter not in " \u00a0.-":
            return 0
    return 0


def _is_meant(text: str, match: re.Match[str], gap: str) -> bool:
    """Whether the letters are a country's code: "de 123 456 789" and "COMMANDE DE 123456789" are prose.

    A code in capitals that touches its number is believed, and a Belgian one in any case, its check being the
    strongest; any other that is also a word needs one for VAT before it, or to stand in capitals among words that do
    not. Within a URL nothing is meant.
    """
    start = match.start(1)
    before = _context(text, start)
    token = before.rpartition(" ")[2]
    if token.endswith("/") and ("." in token or "//" in token):
        return False
    code = match[1]
    country = code.upper()
    if _says_vat(before) or (not gap and code.isupper()):
        return True
    if country == "BE":
        return not _says_telephone(before)
    if not code.isupper():
        return country not in _WORDS
    if not gap.strip() and country in _WORDS:
        word = before.rstrip(" .:-").rpartition(" ")[2]
        return not (len(word) > 1 and word.isupper()) or word in _LEGAL_FORMS
    return True


def _belgian(text: str, start: int, end: int) -> Iterator[str]:
    """Read Belgian numbers without their country in a run of digits."""
    for match in _BELGIAN.finditer(text, start, min(len(text), end + 1)):
        if match.end() > end:
            continue
        before = _context(text, match.start())
        after = text[match.end() : match.end() + _AFTER].partition("\n")[0]
        if match[1] is not None:
            meant = not _says_telephone(before) or _says_vat(before)
        else:
            meant = _says_vat(before) or (_LABEL.match(after.lstrip(" ,-()").lower()) is not None)
            meant = meant and not text.startswith("/", match.end())
        if meant and not before.rstrip().endswith(("+++", "***")):
            number = checked("BE", match[0])
            if number is not None:
                yield number


def _context(text: str, at: int) -> str:
    """Return what stands before a place in its line; of the line above, too, when it begins its line."""
    before = text[max(0, at - _BEFORE) : at]
    above, newline, line = before.rpartition("\n")
    if not newline:
        return before
    if line.strip(" |\t"):
        return line
    return above.rpartition("\n")[2] + " "


def _says_vat(before: str) -> bool:
    """Whether the last word that says what a number is says that it is a VAT or enterprise number."""
    before = before.lower()
    label = last = None
    for label in _LABEL.finditer(before):
        last = label
    return last is not None and _TELEPHONE.search(before, last.end()) is None


def _says_telephone(before: str) -> bool:
    return _TELEPHONE.search(before[-30:].lower()) is not None
