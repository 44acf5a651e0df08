"""The identifiers of a customer, from how people write them to how they are kept, and back for people to read.

Knows VAT numbers, telephone numbers, e-mail addresses, domains and licence numbers, each by itself; a whole record is
`archiver.core.customers.records`. Whether a number is in use, or an address receives mail, nobody asks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from types import ModuleType

from archiver.core.linking.domains import ascii_domain, is_domain, is_public_suffix, is_shared
from archiver.errors import UsageError
from archiver.model.address import EmailAddress
from archiver.model.identity import Identity

_VAT_LABEL = re.compile(
    r"^(?:(?:btw|b\.t\.w\.|tva|t\.v\.a\.|vat|v\.a\.t\.|mwst|ust|iva|moms|kbo|bce|rpr|rpm|ondernemingsnummer)"
    r"(?:[ .-]*(?:id|ident|nummer|nr|no|number|n°|num[eé]ro|intracommunautaire))*[\s.:°]*)(?=[a-z0-9])",
    re.IGNORECASE,
)
_NOT_IN_A_VAT_NUMBER = re.compile(r"[^0-9A-Z+*]")  # Ireland had "+" and "*" (still valid), everything else separates
_SUFFIX = re.compile(r"(?:MVA|MWST|TVA|IVA|TPV)$")  # "VAT", after the numbers of Norway and Switzerland
_EU = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905 - a table
)
_OTHERS = frozenset(("GB", "XI", "CH", "NO"))
_PHONE_LABEL = re.compile(
    r"^(?:(?:tel|tél|telefoon|téléphone|telefon|phone|gsm|mobile|mobiel|handy|portable|mob|fax)\b\.?:?\s*)+",
    re.IGNORECASE,
)
_EXTENSION = re.compile(
    r"[\s,;/(-]*(?:toestel|tst|apparaat|extensie|poste|durchwahl|nebenstelle|dw|intern|int)\b\.?[\s:]*(\d{1,7})\s*\)?\s*$",
    re.IGNORECASE,
)
_KEPT_NUMBER = re.compile(r"^\+[1-9][0-9]{4,16}(?:;ext=[0-9]{1,9})?$")
_IN_ANGLES = re.compile(r"<\s*([^<>\s]+)\s*>\s*$")
_LOCAL_PART = re.compile(r"^[^\s\x00-\x1f\x7f()<>\[\]:;@\\,\"|.]+(?:\.[^\s\x00-\x1f\x7f()<>\[\]:;@\\,\"|.]+)*$")
_URL_START = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class RecordProblem(UsageError):  # noqa: N818 - a problem among others, gathered
    """One thing that is wrong with a customer's record: `field` says where, the message why, the hint what to write.

    Neither holds the value. `contact` is the number of the contact from 0, None where the company itself is meant;
    `place` that of the value from 0 where there can be several.
    """

    def __init__(
        self, field: str, message: str, *, hint: str | None = None, contact: int | None = None, place: int = 0
    ) -> None:
        super().__init__(message, hint=hint)
        self.field = field
        self.contact = contact
        self.place = place


def one_line(text: str) -> str:
    """Return text in NFC without control characters, white space collapsed."""
    return " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", text)).split())


def several_lines(text: str) -> str:
    """Return text in NFC without control characters but line feeds and tabs, no space at the end of a line."""
    plain = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    lines = [_CONTROL.sub(" ", line).rstrip() for line in plain.split("\n")]
    return "\n".join(lines).strip()


# --- VAT numbers


def canonical_vat(text: str, country: str) -> str:
    """Return a VAT number with its country and without punctuation (`BE0428759497`), its check digits verified.

    A number without a country is one of `country` (ISO 3166-1 alpha-2). All of the EU, XI, GB, CH and NO are known;
    Greece is EL, as on its invoices (Directive 2006/112/EC article 215). Raises RecordProblem.
    """
    compact = _NOT_IN_A_VAT_NUMBER.sub("", _VAT_LABEL.sub("", one_line(text)).upper())
    if not any(c.isdigit() for c in compact):
        raise RecordProblem("vat", "a VAT number has digits", hint="write it as BE 0428.759.497, or leave it out")
    prefix = {"EL": "GR"}.get(compact[:2], compact[:2])
    attempts = [(prefix, compact[2:])] if prefix in _EU or prefix in _OTHERS else []
    if country and not (attempts and attempts[0][0] == country):
        attempts.append(({"EL": "GR"}.get(country, country), compact))
    problem: RecordProblem | None = None
    for state, number in attempts:
        try:
            return _valid_vat(state, number)
        except RecordProblem as error:
            problem = problem or error
    raise problem or RecordProblem(
        "vat",
        "the VAT number names no country whose numbers can be checked",
        hint="put the country in front (BE 0428.759.497); outside the EU, GB, CH and NO keep it in the notes",
    )


def _valid_vat(state: str, number: str) -> str:
    from stdnum.exceptions import InvalidChecksum, InvalidFormat, InvalidLength, ValidationError

    module, shown = _vat_module(state), _shown_country(state)
    if module is None:
        raise RecordProblem(
            "vat", f"VAT numbers of {state or 'no country'} cannot be checked", hint="keep it in the notes instead"
        )
    number = _SUFFIX.sub("", number) if state in ("NO", "CH") else number
    try:
        valid = str(module.validate(f"{shown}{number}MVA" if state == "NO" else f"{shown}{number}"))
    except InvalidChecksum:
        raise RecordProblem(
            "vat",
            f"the check digits of the VAT number ({shown}) are wrong",
            hint="compare it with an invoice of theirs",
        ) from None
    except InvalidLength:
        raise RecordProblem("vat", f"the VAT number has too few or too many digits for {shown}") from None
    except (InvalidFormat, ValidationError):
        raise RecordProblem("vat", f"this is not how VAT numbers of {shown} are built") from None
    return shown + _SUFFIX.sub("", valid.removeprefix(shown))


def _vat_module(state: str) -> ModuleType | None:
    from importlib import import_module

    if state in _EU:
        from stdnum.eu import vat

        return vat
    name = {"GB": "stdnum.gb.vat", "XI": "stdnum.eu.vat", "CH": "stdnum.ch.uid", "NO": "stdnum.no.mva"}.get(state)
    return import_module(name) if name else None


def _shown_country(state: str) -> str:
    return "EL" if state == "GR" else state


def show_vat(vat: str) -> str:
    """Return a kept VAT number as people write it: `BE 0428.759.497`, `NL 004495445B01`."""
    country, number = vat[:2], vat[2:]
    if country == "BE" and len(number) == 10:
        return f"BE {number[:4]}.{number[4:7]}.{number[7:]}"
    if country == "CH" and number.startswith("E") and len(number) == 10:
        return f"CHE-{number[1:4]}.{number[4:7]}.{number[7:]}"
    return f"{country} {number}"


# --- telephone numbers


def canonical_phone(text: str, region: str) -> str:
    """Return a telephone number in E.164, with `;ext=…` (RFC 3966 §5.3) where an extension was written.

    `region` (ISO 3166-1 alpha-2) is where a number without country code is dialled. Numbers that no exchange could
    reach are refused; those that merely are not assigned are accepted. Raises RecordProblem.
    """
    plain = one_line(unicodedata.normalize("NFKC", text))
    if _KEPT_NUMBER.match(plain) and plain.startswith("+"):
        region = "ZZ"
    import phonenumbers

    plain = _PHONE_LABEL.sub("", plain)
    plain = re.sub(r"^00(?=[1-9])", "+", _EXTENSION.sub(r" ext. \1", plain))
    hint = "write one number with its area code, or with its country: 0471 12 34 56, +32 471 12 34 56"
    main = re.split(r"(?i)\s*(?:;ext=|;?\bext|#|x\d|доб)", plain, maxsplit=1)[0]
    if any(c.isalpha() for c in main):
        raise RecordProblem("phone", "a telephone number has no letters in it", hint=hint)
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException as error:
        too_long = error.error_type == phonenumbers.NumberParseException.TOO_LONG
        no_country = error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        why = "is too long for one telephone number" if too_long else "is not a telephone number"
        why = "has no country code that exists" if no_country else why
        raise RecordProblem("phone", f"it {why}", hint=hint) from None
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise RecordProblem("phone", _impossible(reason), hint=hint)
    kept = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{kept};ext={number.extension}" if number.extension else kept


def _impossible(reason: int) -> str:
    from phonenumbers import ValidationResult as Result

    if reason in (Result.TOO_SHORT, Result.IS_POSSIBLE_LOCAL_ONLY):
        return "the telephone number is too short: something is missing"
    if reason == Result.TOO_LONG:
        return "the telephone number is too long"
    return "no telephone number of its country has this length"


def show_phone(kept: str, region: str) -> str:
    """Return a kept number as people of `region` dial it: national for their own country, else international.

    So is a number that its country has no way of writing, kept all the same: alone, its digits lack the zero in front.
    """
    import phonenumbers

    try:
        number = phonenumbers.parse(kept, "ZZ")
    except phonenumbers.NumberParseException:
        return kept
    if phonenumbers.country_code_for_region(region) == number.country_code:
        national = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL))
        if not national.isdigit():
            return national
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


# --- addresses and domains


def canonical_email(text: str) -> str:
    """Return an addr-spec (RFC 5322 §3.4.1) in lower case, its domain in ASCII (RFC 5891); raises RecordProblem.

    `Name <address>` and `mailto:` are understood. Local parts are lower case too: no mail system in use tells them
    apart by case, whatever RFC 5321 §2.4 allows. Quoted local parts, address literals and bare host names are refused.
    """
    plain = one_line(text)
    angled = _IN_ANGLES.search(plain)
    plain = re.sub(r"^mailto:", "", angled.group(1) if angled else plain, flags=re.IGNORECASE).strip().lower()
    local, at, domain = plain.rpartition("@")
    hint = "write one address: name@company.be"
    if not at or not local or not domain:
        raise RecordProblem("email", "it is not an e-mail address", hint=hint)
    if len(local.encode()) > 64 or not _LOCAL_PART.match(local):
        raise RecordProblem("email", "the part of the e-mail address before the @ is not valid", hint=hint)
    ascii_form = _host(domain)
    if ascii_form is None:
        raise RecordProblem("email", "the domain of the e-mail address is not valid", hint=hint)
    return f"{local}@{ascii_form}"


def canonical_domain(text: str, *, identity: Identity | None = None, shared_domains: Collection[str] = ()) -> str:
    """Return a domain in lower case and ASCII, from a domain, an address of a web page or an e-mail address.

    Refuses what says nothing about whose mail it is: public suffixes (`co.uk`), domains of mail providers, those
    configured as shared too, and our own. Raises RecordProblem.
    """
    plain = _URL_START.sub("", one_line(text).lower())
    plain = re.split(r"[/?#]", plain, maxsplit=1)[0].rpartition("@")[2]
    plain = re.sub(r":\d+$", "", plain).removeprefix("*").strip(".")
    short = plain.removeprefix("www.")
    domain = _host(short) or _host(plain)
    if domain is None:
        raise RecordProblem("domains", "it is not a domain", hint="write the part after the @ of their addresses")
    hint = "leave it out: give the addresses of their contacts instead"
    if is_public_suffix(domain):
        raise RecordProblem("domains", "everybody can have a name below this domain (a public suffix)", hint=hint)
    if is_shared(domain, shared_domains):
        raise RecordProblem("domains", "this domain is a mail provider's, shared by strangers", hint=hint)
    if identity is not None and owns_domain(identity, domain):
        raise RecordProblem("domains", "this is our own domain ([identity] in the configuration)", hint=hint)
    return domain


def owns_domain(identity: Identity, domain: str) -> bool:
    """Tell whether a domain is ours, or lies below one of ours, and so can never be a customer's."""
    own = (owned.removeprefix(".") for owned in identity.domains)
    return any(domain == name or domain.endswith(f".{name}") for name in own)


def owns_address(identity: Identity, addr_spec: str) -> bool:
    """Tell whether an address is ours, and so can never be a customer's contact."""
    return identity.owns(EmailAddress("", addr_spec)) or owns_domain(identity, addr_spec.rpartition("@")[2])


def _host(text: str) -> str | None:
    """Return a domain of at least two labels in lower case and ASCII; None when it is not one (RFC 1123 §2.1)."""
    domain = ascii_domain(text)
    return domain if is_domain(domain) else None


# --- licences


def canonical_licence(text: str) -> str:
    """Return a licence number, trimmed and with its inner spaces collapsed; raises RecordProblem."""
    plain = one_line(text)
    if "|" in plain:
        raise RecordProblem("licences", "a licence number has no | in it: that separates several", hint=None)
    if not any(c.isalnum() for c in plain):
        raise RecordProblem("licences", "a licence number has letters or digits", hint=None)
    return plain
