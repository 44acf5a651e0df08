"""VAT numbers out of text: as people write them, and never out of what only looks like one."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archiver.mail.parse import parse
from archiver.mail.vat import MAX_NUMBERS, checked, vat_numbers
from tests.twins.awkward import awkward

US = "BE0428759497"  # any number whose check digits hold would do


def found(text: str) -> tuple[str, ...]:
    return vat_numbers((text,))


@pytest.mark.parametrize(
    "text",
    [
        "BE 0428.759.497",
        "be 0428 759 497",
        "BE0428759497",
        "be0428759497, zoals op de factuur",
        "BTW BE0428759497",
        "BTW-BE 0428.759.497",
        "TVA: BE-0428-759-497",
        "TVA BE 0428 759 497",
        "VAT no. BE\u00a00428\u00a0759\u00a0497",
        "BE 428.759.497",
        "btw be 0428 759 497",
        "Acme nv | BTW BE 0428.759.497 | tel. 02 123 45 67",
        "(BE0428759497)",
        "BE0428759497.",
        "BE 0428.759.497 02 123 45 67",
        # without its country: the form with dots, or a word beside it
        "0428.759.497",
        "BTW 0428 759 497",
        "BTW: 0428759497",
        "TVA 428.759.497",
        "Ondernemingsnummer: 0428 759 497",
        "ondernemingsnr. 0428-759-497",
        "Numéro d'entreprise 0428 759 497",
        "N° d’entreprise : 0428 759 497",
        "KBO 0428 759 497",
        "KBO-nummer\n0428 759 497",
        "RPR Antwerpen, afdeling Mechelen 0428 759 497",
        "0428 759 497 RPM Liège",
        "Unternehmensnummer 0428 759 497",
        "Company number: 0428 759 497",
        "gsm 0471 12 34 56, BTW 0428 759 497",
    ],
)
def test_a_belgian_number_is_read_in_any_spelling(text: str) -> None:
    assert found(text) == (US,)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("ATU13585627", "ATU13585627"),
        ("UID: AT U 13585627", "ATU13585627"),
        ("BG 175 074 752", "BG175074752"),
        ("CY10259033P", "CY10259033P"),
        ("CZ 25123891", "CZ25123891"),
        ("USt-IdNr.: DE 136 695 976", "DE136695976"),
        ("DE136695976", "DE136695976"),
        ("UID DE 136 695 976", "DE136695976"),
        ("ACME GMBH DE 136695976", "DE136695976"),
        ("DK 13 58 56 28", "DK13585628"),
        ("EE 100 931 558", "EE100931558"),
        ("EL 094259216", "EL094259216"),
        ("GR 094259216", "EL094259216"),
        ("ES B-58378431", "ESB58378431"),
        ("ESX2482300W", "ESX2482300W"),
        ("FI 20774740", "FI20774740"),
        ("FR 40 303 265 045", "FR40303265045"),
        ("N° TVA intracommunautaire : FR 40303265045", "FR40303265045"),
        ("FR K7 399 859 412", "FRK7399859412"),
        ("HR 33392005961", "HR33392005961"),
        ("HU12892312", "HU12892312"),
        ("IE6433435F", "IE6433435F"),
        ("IE 6433435 OA", "IE6433435OA"),
        ("P.IVA IT00743110157", "IT00743110157"),
        ("LT 119511515", "LT119511515"),
        ("LU 150 274 42", "LU15027442"),
        ("LV 4000 3521 600", "LV40003521600"),
        ("MT 1167-9112", "MT11679112"),
        ("NL 0044.95.445 B01", "NL004495445B01"),
        ("btw-nr NL004495445B01", "NL004495445B01"),
        ("PL 856-734-62-15", "PL8567346215"),
        ("PT 501 964 843", "PT501964843"),
        ("RO 185 472 90", "RO18547290"),
        ("SE 123456789701", "SE123456789701"),
        ("SI 5022 3054", "SI50223054"),
        ("SK 202 274 96 19", "SK2022749619"),
        ("XI 980 780 684", "XI980780684"),
    ],
)
def test_every_country_of_the_eu_is_read_and_greece_is_written_as_vies_does(text: str, number: str) -> None:
    assert found(text) == (number,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BE 0428.759.498",  # the check digits do not hold
        "0428 759 497",  # a telephone number might look like this
        "tel. 0428.759.497",
        "GSM: 0428.759.497",
        "T: 0428.759.497",
        "+32 428 759 497",
        "0428/759.497",
        "FLUID DE 136 695 976",
        "0428759497",
        "BTW 21 % · tel. 0428 759 497",
        "BE04287594971",
        "XBE0428759497",
        "BE0428759497X",
        "bestelling 12BE0428759497",
        "12.0428.759.497",
        "0428.759.497.12",
        "KBO 90428759497",
        "IBAN BE10 0428 7594 9704",
        "FR14 2004 1010 0505 0001 3M02 606",
        "DE89 3704 0044 0532 0130 00",
        "+++042/8759/49700+++",
        "***042/8759/49700***",
        "https://register.example/nummer=BE0428759497",
        "https://register.example/BE0428759497",
        "jan@be0428759497.example",
        "commande de 136 695 976 pièces",
        "COMMANDE DE 136 695 976 PIECES",
        "it 00743110157",
        "se 123456789701",
        "Order DE 136695977",
        "2026-11-22 10:15, 2026-11-23 11:30",
        "RR123456785BE",
    ],
)
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    assert found(text) == ()


def test_an_account_number_of_which_a_part_holds_is_none() -> None:
    """The first ten digits behind the country are a VAT number here; the whole is an IBAN (ISO 13616)."""
    for tail in range(10_000):
        digits = f"0428759497{tail:04d}"  # check digits 04 of an account whose number goes on
        if int(digits[2:] + "1114" + digits[:2]) % 97 == 1:
            break
    else:
        raise AssertionError("some tail makes an account number")
    assert found(f"BE{digits}") == ()
    assert found(f"BE{digits[:2]} {digits[2:6]} {digits[6:10]} {digits[10:]}") == ()


def test_numbers_come_once_in_order_and_not_without_end() -> None:
    assert vat_numbers(("DE136695976", "BE 0428.759.497 en 0428.759.497", "ATU13585627")) == (
        "DE136695976", US, "ATU13585627",
    )  # fmt: skip
    many = " ".join(f"BE{base:08d}{97 - base % 97:02d}" for base in range(4_000_000, 4_000_100))
    assert len(found(many)) == MAX_NUMBERS


def test_a_number_has_one_form_however_it_is_given() -> None:
    assert checked("be", "0428.759.497") == checked("BE", "428 759 497") == US
    assert checked("GR", "094259216") == checked("el", "094 259 216") == "EL094259216"
    assert checked("US", "123456789") is None
    assert checked("BE", "0428759498") is None


def test_quoted_text_gives_no_number_and_forwarded_text_does() -> None:
    block = (
        "Van: Jan <jan@klant.example>\nVerzonden: 3 maart 2026\nAan: info\nOnderwerp: Vraag\n\nBTW BE 0428.759.497\n"
    )
    own = "zie ATU13585627\n\n> DE136695976\n"

    def numbers(subject: str, body: str) -> tuple[str, ...]:
        octets = f"From: an@firma.example\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{body}"
        return parse(octets.encode()).vat_numbers

    assert numbers("Re: Vraag", own) == ("ATU13585627",)
    assert numbers("RE: Vraag", block) == ()
    assert numbers("FW: Vraag", block) == (US,)
    assert numbers("Factuur BE0428.759.497", "") == (US,)


def test_the_tables_of_check_digits_are_loaded_with_the_first_number_only() -> None:
    code = (
        "import sys; from archiver.mail.vat import vat_numbers as v; v(('tel 02 123 45 67, 2026-11-22',));"
        "assert 'stdnum' not in sys.modules; v(('BE0428759497',)); assert 'stdnum' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


PIECES = st.sampled_from(
    ["BE", "DE", "FR", "NL", "B01", "BTW ", "TVA: ", "tel ", " ", ".", "-", "/", "\n", "\u00a0", "0428.759.497", "0428",
     "759", "497", "136695976", "+++", "00", "9", "U", "http://", "=", "é", "\u2007"]
)  # fmt: skip


@given(st.text(max_size=200) | awkward(200) | st.lists(PIECES, max_size=40).map("".join))
@example("1 " * 30_000)
@example("BE 0428 759 49" * 5_000)
@example("." * 100_000)
@settings(max_examples=300, deadline=None)
def test_any_text_gives_canonical_numbers_or_none(text: str) -> None:
    for number in found(text):
        assert checked(number[:2], number[2:]) == number


@pytest.mark.parametrize(
    "text",
    [
        "BTW BE 0428.759.\n497",
        "TVA BE 0428\n759 497",
        "BTW BE 0428/759/497",
        "BTW BE 0428 . 759 . 497",
        "BTW BE\u200b 0428.\u200b759.\u200b497",
        "BTW BE0428\u00ad759\u00ad497",
        "*BTW:* BE *0428.759.497*",
        "**BTW** **BE0428759497**",
        "VAT \uff22\uff25\uff10\uff14\uff12\uff18\uff17\uff15\uff19\uff14\uff19\uff17",
    ],
)
def test_line_ends_slashes_bold_type_and_what_nobody_sees_make_no_difference(text: str) -> None:
    assert found(text) == (US,)


@pytest.mark.parametrize("text", ["order 0428\n759497", "0428/759/497", "***0428/759/49797***", "BE 0428\n759 4971"])
def test_pieces_on_two_lines_or_around_slashes_are_no_number_without_their_country(text: str) -> None:
    assert found(text) == ()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("P.IVA 07453100120", "IT07453100120"),
        ("P. IVA: 07453100120 - C.F. 07453100120", "IT07453100120"),
        ("Partita IVA 07453100120", "IT07453100120"),
        ("NIP 812-340-05-63, REGON 123456785", "PL8123400563"),
        ("C.I.F.: B-64234818", "ESB64234818"),
        ("NIF B64234818", "ESB64234818"),
        ("NIF 501 234 560", "PT501234560"),
        ("Contribuinte n.º 501234560", "PT501234560"),
        ("CVR-nr. 23 45 67 88", "DK23456788"),
        ("Y-tunnus 2077474-0", "FI20774740"),
        ("btw-nr. 0044.95.445.B01", "NL004495445B01"),
    ],
)
def test_a_number_is_read_behind_the_name_that_its_country_has_for_it(text: str, number: str) -> None:
    assert found(text) == (number,)


@pytest.mark.parametrize(
    "text",
    ["NIP 812-340-05-64", "snip 8123400563", "CVR 2345678", "specif 501234560", "0044.95.445.B01", "Tel. 07453100120"],
)
def test_such_a_number_needs_its_check_digits_and_its_name(text: str) -> None:
    assert found(text) == ()
