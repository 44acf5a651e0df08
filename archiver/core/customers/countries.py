"""Countries as people write them in an address, to ISO 3166-1 alpha-2.

Knows every code, and the names of the countries around us in Dutch, French, German and English; other countries are
given by their code. Knows nothing of what is sold where.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA "
    "CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA "
    "GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP "
    "KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS "
    "MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS "
    "RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW "
    "TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
)
"""ISO 3166-1 alpha-2 as assigned, and XK, which everybody uses for Kosovo."""

_NAMES = """
BE belgie belgique belgien belgium bel b
NL nederland niederlande netherlands holland hollande nld
LU luxemburg luxembourg lux l
FR frankrijk france frankreich fra f
DE duitsland allemagne deutschland germany deu d
GB uk grossbritannien engeland angleterre england schotland scotland wales gbr
IE ierland irlande irland ireland irl
CH zwitserland suisse schweiz switzerland svizzera che
AT oostenrijk autriche osterreich austria aut a
IT italie italien italy italia ita i
ES spanje espagne spanien spain espana esp e
PT portugal prt p
DK denemarken danemark danmark denmark dnk
SE zweden suede schweden sweden sverige swe
NO noorwegen norvege norwegen norway norge nor
FI finland finlande finnland suomi fin
PL polen pologne poland polska pol
CZ tsjechie tchequie tschechien czechia cze
SK slowakije slovaquie slowakei slovakia svk
HU hongarije hongrie ungarn hungary hun
RO roemenie roumanie rumanien romania rou
BG bulgarije bulgarie bulgarien bulgaria bgr
GR griekenland grece griechenland greece el grc
HR kroatie croatie kroatien croatia hrv
SI slovenie slowenien slovenia svn
EE estland estonie estonia est
LV letland lettonie lettland latvia lva
LT litouwen lituanie litauen lithuania ltu
CY cyprus chypre zypern cyp
MT malta malte mlt
US usa
CA canada kanada can
"""
"""A code, then names of one word in Dutch, French, German and English, ISO 3166-1 alpha-3, and the old sign for cars
where it is one letter; all folded."""

_LONG_NAMES = {
    "the netherlands": "NL",
    "pays bas": "NL",
    "groothertogdom luxemburg": "LU",
    "grand duche de luxembourg": "LU",
    "verenigd koninkrijk": "GB",
    "royaume uni": "GB",
    "vereinigtes konigreich": "GB",
    "united kingdom": "GB",
    "great britain": "GB",
    "northern ireland": "GB",
    "groot brittannie": "GB",
    "grande bretagne": "GB",
    "republique tcheque": "CZ",
    "czech republic": "CZ",
    "verenigde staten": "US",
    "verenigde staten van amerika": "US",
    "etats unis": "US",
    "vereinigte staaten": "US",
    "united states": "US",
    "united states of america": "US",
}


def country_code(text: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a country given by code or name; None when it is not known."""
    return _by_name().get(_folded(text))


def codes() -> frozenset[str]:
    """Return every ISO 3166-1 alpha-2 code."""
    return frozenset(_CODES.split())


def _folded(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


@lru_cache(maxsize=1)
def _by_name() -> dict[str, str]:
    names = {code.lower(): code for code in _CODES.split()}
    for code, *single in (line.split() for line in _NAMES.split("\n") if line):
        names.update(dict.fromkeys(single, code))
    return names | _LONG_NAMES
