"""Licence and reference numbers in texts: every spelling that counts, and what must not be taken for one."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archiver.core.linking.mentions import (
    CodeBook,
    code_tokens,
    is_part_of,
    licence_code,
    reference_code,
    search_phrases,
)
from archiver.model.message import Message
from archiver.search.analysis import MAX_TOKEN, tokens
from tests.twins.awkward import awkward

KEY, PLAIN, DIGITS, LONG = "ABCD-1234-EFGH", "K1001", "1001", "123456789"

PIECES = st.sampled_from(
    [
        "ABCD",
        "1234",
        "EFGH",
        "abcd1234efgh",
        "K1001",
        "k",
        "1001",
        "2025",
        "0017",
        "20250017",
        "-",
        " ",
        ".",
        "/",
        "  ",
        "_",
        "@",
        "klantnr",
        "ref",
        "n°",
        ":",
        ",",
        "\n",
        "é",
        "ß",
        "\u00ad",
        "\u200b",
        "客",
        "１２３４",
        "http://x.be/",
        "+",
        "€",
        "S/N",
        "DE",
        "5x2",
        "99887",
        "AB12CD34EF",
    ]
)
TEXTS = st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=60)
CODES = st.sampled_from(
    [KEY, PLAIN, DIGITS, LONG, "2025-0017", "DE1234", "AB12CD34EF", "5X2-99887", "K-10/01é", "# 1001"]
)


def found(text: str, *codes: str) -> tuple[str, ...]:
    return CodeBook(codes).found_in_text(text)


class TestSpellings:
    @pytest.mark.parametrize(
        "text",
        [
            "ABCD-1234-EFGH",
            "abcd-1234-efgh",
            "ABCD1234EFGH",
            "abcd 1234 efgh",
            "ABCD 1234EFGH",
            "ABCD.1234.EFGH",
            "ABCD_1234_EFGH",
            "ABCD/1234/EFGH",
            "ABCD – 1234 – EFGH",
            "ＡＢＣＤ－１２３４－ＥＦＧＨ",
            "ABCD-1234-\nEFGH",
            "ABCD\u00ad1234\u00adEFGH",
            "ÀBCD-1234-EFGH",
            "(ABCD-1234-EFGH)",
            "[ABCD-1234-EFGH]",
            "licentie:ABCD-1234-EFGH.",
            "*ABCD-1234-EFGH*",
            "客户ABCD-1234-EFGH号",
            "Betreft: ABCD-1234-EFGH, en meer",
            "\u202aABCD-1234-EFGH\u202c",
        ],
    )
    def test_a_key_is_found_however_it_is_written(self, text: str) -> None:
        assert found(text, KEY) == ("abcd 1234 efgh",)

    @pytest.mark.parametrize("text", ["ABCD-1234-EFGH", "ABCD 1234 EFGH", "ABCD1234EFGH", "ABCD1234-EFGH"])
    def test_a_key_kept_in_one_piece_is_found_cut(self, text: str) -> None:
        assert found(text, "ABCD1234EFGH") == ("abcd1234efgh",)

    def test_a_random_key_is_found_in_groups_of_four_and_five(self) -> None:
        assert found("A1B2-C3D4-E5F6-G7H8", "A1B2C3D4E5F6G7H8") == ("a1b2c3d4e5f6g7h8",)
        assert found("A1B2C-3D4E5", "A1B2C3D4E5") == ("a1b2c3d4e5",)

    @pytest.mark.parametrize(
        "text", ["K1001", "k1001", "K 1001", "K-1001", "uw nummer is K1001.", "Peeters-K1001", "K1001-dossier"]
    )
    def test_a_short_code_is_found(self, text: str) -> None:
        assert found(text, PLAIN) == ("k1001",)

    @pytest.mark.parametrize(
        "text", ["artikel K1001", "Onderdeel nr. K1001", "room K-1001", "pièce K1001", "Ersatzteil: K1001"]
    )
    def test_a_short_code_behind_the_word_for_a_part_or_a_room_is_not(self, text: str) -> None:
        assert found(text, PLAIN) == ()
        assert found(text.replace("K1001", KEY).replace("K-1001", KEY), KEY) == ("abcd 1234 efgh",)

    def test_a_short_code_in_lower_case_over_a_space_is_a_word_and_a_number(self) -> None:
        assert found("er zijn de 1234 stuks", "DE1234", "DE-1234") == ()
        assert found("nummer DE 1234", "DE1234") == ("de1234",)

    def test_two_ways_of_keeping_one_code_are_both_found(self) -> None:
        assert found("ABCD-1234", "ABCD-1234", "ABCD1234") == ("abcd 1234", "abcd1234")

    def test_codes_beside_each_other_are_all_found(self) -> None:
        assert found("K1001 en ABCD-1234-EFGH, K1002", KEY, PLAIN, "K1002") == ("abcd 1234 efgh", "k1001", "k1002")

    def test_each_code_is_found_whatever_others_there_are(self) -> None:
        assert found("ABCD-1234-EFGH", "ABCD-1234", KEY) == ("abcd 1234", "abcd 1234 efgh")
        assert is_part_of("abcd 1234", "abcd 1234 efgh")
        assert not is_part_of("abcd 1234 efgh", "abcd 1234 efgh")

    @given(TEXTS, st.sets(CODES))
    def test_a_book_of_many_finds_what_books_of_one_find(self, text: str, codes: set[str]) -> None:
        alone = {written for code in codes for written in found(text, code)}
        assert set(found(text, *codes)) == alone


class TestNotACode:
    @pytest.mark.parametrize(
        "text",
        [
            "ABCD-1234-EFGHI",
            "XABCD-1234-EFGH",
            "ABCD-1234-EFG",
            "ABCD-1234-EFGH-5678",
            "ABCD-1234-EFGH-IJKL",
            "9999-ABCD-1234-EFGH",
            "ABCD, 1234, EFGH",
            "ABCD    1234 EFGH",
            "ABCD 1234    EFGH",
            "https://x.be/ABCD-1234-EFGH",
            "abcd-1234-efgh@x.be",
            "www.x.be?k=ABCD-1234-EFGH",
            "van! k?s=x&key=ABCD-1234-EFGH&",
            "x.be/ABCD-1234-EFGH",
            "A-BCD-1234-EFGH",
        ],
    )
    def test_another_key_is_not_taken_for_it(self, text: str) -> None:
        assert found(text, KEY) == ()

    @pytest.mark.parametrize("text", ["K10010", "AK1001", "K1001.5", "K100 1", "K1001-22", "3-K1001"])
    def test_a_part_of_another_code_is_not_taken_for_it(self, text: str) -> None:
        assert found(text, PLAIN) == ()

    @pytest.mark.parametrize("code", ["", "abc", "abcd", "a1", "12", "---", "x" * 65 + "1", "# ", "客户号码"])
    def test_what_is_too_short_or_has_no_digit_is_not_looked_for(self, code: str) -> None:
        assert licence_code(code) is None
        assert reference_code(code) is None
        assert found(f"klantnr {code}", code) == ()


class TestDigitsAlone:
    @pytest.mark.parametrize(
        "text",
        [
            "klantnummer 1001",
            "Klantnr. 1001",
            "klant-nr: 1001",
            "uw klantnummer bij ons: 1001",
            "klant 1001",
            "client no 1001",
            "Client code 1001",
            "numéro client 1001",
            "n° client : 1001",
            "N° de client 1001",
            "réf. 1001",
            "customer number 1001",
            "Customer No. 1001",
            "account number: 1001",
            "customer id 1001",
            "customer number is 1001",
            "Kundennummer 1001",
            "Kd.-Nr. 1001",
            "Kunden-Nr. 1001",
            "Kundennr.: 1001",
            "Ihr Zeichen: 1001",
            "Uw kenmerk 1001",
            "ref 1001",
            "Referentie: 1001",
            "Référence 1001",
            "Referenz 1001",
            "Dossier 1001",
            "licentie 1001",
            "license key 1001",
            "Lizenz 1001",
            "Seriennummer: 1001",
            "S/N 1001",
            "Klantnummer:\n1001\n",
            "Klantnr. 1001\n02 123 45 67",
            "KLANTNUMMER 1001",
            "klantnummer #1001",
            "klantnummer (1001)",
            "№ client 1001",
            "ref-1001",
            "klantnr.1001",
            "klant 1001-dossier",
        ],
    )
    def test_they_count_behind_a_word_that_says_what_they_are(self, text: str) -> None:
        assert found(text, reference_code(DIGITS) or "") == ("# 1001",)

    @pytest.mark.parametrize(
        "text",
        [
            "1001",
            "er zijn 1001 redenen",
            "factuur 1001",
            "Rechnung 1001",
            "ref. factuur 1001",
            "Ref. datum 1001",
            "dossier in zaal 1001",
            "facture réf client: 55 1001",
            "tel. 02 123 1001",
            "klantnr 1.001,50",
            "klantnr 1001,50",
            "klantnummer 2025/1001",
            "klantnr. +1001",
            "ref 1001 2345",
            "klant betaalde 1001",
            "referentie EUR 1001",
            "ref 1001 euro",
            "€ 1001 voor klant",
            "klant € 1001",
            "klantnr 10012",
            "BE68 5390 1001 7034",
            "client VAT 1001",
            "ref BOLT-1001",
            "klantnr 1001-AB",
            "klantnr AB/1001",
            "ons nr 1001",
            "klantnr_1001@x.be",
            "klant 3 van de 1001",
            "ref 1001%",
        ],
    )
    def test_they_count_nowhere_else(self, text: str) -> None:
        assert found(text, "# 1001") == ()

    def test_a_long_licence_number_counts_bare_and_a_long_reference_does_not(self) -> None:
        assert licence_code(LONG) == "123456789"
        assert reference_code(LONG) == "# 123456789"
        assert found("nummer is 123456789 ok", "123456789", "# 123456789") == ("123456789",)
        assert found("klantnummer 123456789", "123456789", "# 123456789") == ("# 123456789", "123456789")

    @pytest.mark.parametrize(
        "text", ["+123456789", "12 123456789", "123456789 12", "123456789,00", "0123456789", "123-456-789-0"]
    )
    def test_a_long_licence_number_is_no_part_of_a_longer_number(self, text: str) -> None:
        assert found(text, LONG) == ()

    def test_they_may_be_cut_as_kept_or_in_even_groups(self) -> None:
        assert found("ref 2025-0017", "20250017") == ("# 20250017",)
        assert found("ref 20250017", "2025-0017") == ("# 2025 0017",)
        assert found("serial 123 456 789", LONG) == ("123456789",)


class TestMessages:
    def test_subject_text_and_forwarded_text_are_read_and_quoted_text_is_not(self) -> None:
        book = CodeBook([KEY, PLAIN, "K1002", "K1003"])
        message = Message(subject="over K1001", text="ABCD-1234-EFGH", forwarded_text="K1002", quoted="> K1003")
        assert book.found_in(message) == ("abcd 1234 efgh", "k1001", "k1002")

    def test_nothing_is_found_across_subject_and_text(self) -> None:
        assert CodeBook([KEY]).found_in(Message(subject="ABCD-1234", text="EFGH")) == ()

    def test_a_book_without_codes_finds_nothing(self) -> None:
        assert CodeBook([]).found_in(Message(text="K1001")) == ()

    def test_the_words_of_a_long_text_do_not_hide_a_code(self) -> None:
        text = "woord " * 5000 + "K1001" + " 2025 12:30 3,5" * 5000 + " ABCD-1234-EFGH"
        assert found(text, KEY, PLAIN) == ("abcd 1234 efgh", "k1001")

    def test_a_code_at_either_end_of_a_text_is_found(self) -> None:
        assert found("K1001 " + "x" * 300, PLAIN) == found("x" * 300 + " K1001", PLAIN) == ("k1001",)


def plain(cut: Iterable[str]) -> list[str]:
    """Tokens of ASCII letters and digits, where a code can be; the index keeps the beginning of very long ones."""
    return [token[:MAX_TOKEN] for token in cut if token[:MAX_TOKEN].isascii()]


class TestTokens:
    @example("a" * MAX_TOKEN + "\u0cee")
    @given(st.text(max_size=80) | awkward(80) | TEXTS)
    def test_they_are_cut_as_the_index_cuts_them(self, text: str) -> None:
        assert plain(code_tokens(text)) == plain(tokens(text))

    def test_what_is_found_is_its_own_name(self) -> None:
        for code in (KEY, PLAIN, DIGITS, LONG):
            for written in (licence_code(code), reference_code(code)):
                assert written is not None
                assert code_tokens(written) == code_tokens(code)
                assert search_phrases(written) == search_phrases(code)


class TestSearchPhrases:
    @given(CODES, TEXTS)
    def test_wherever_a_code_is_found_one_of_its_phrases_stands_for_the_index_too(self, code: str, text: str) -> None:
        for written in found(text, code):
            cut = f" {' '.join(tokens(text))} "
            assert any(f" {phrase} " in cut for phrase in search_phrases(written))

    def test_they_are_few(self) -> None:
        for code in (KEY, PLAIN, DIGITS, LONG, "A1B2C3D4E5F6G7H8", "A-1-B-2-C-3-D-4-E-5", "1-2-3-4-5-6-7-8-9"):
            assert 1 <= len(search_phrases(code)) <= 70

    def test_those_of_a_key(self) -> None:
        expected = ("abcd 1234 efgh", "abcd 1234efgh", "abcd1234 efgh", "abcd1234efgh")
        assert search_phrases(KEY) == expected
