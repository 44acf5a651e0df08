"""Situations in which a number names the customer, or only seems to."""

from __future__ import annotations

from tests.labelled.letters import replied
from tests.labelled.situations import Labelled, Scene, box, firm, situation
from tests.labelled.world import ORDINARY, Firm, be_vat

_WORDS = {
    "nl": ("BTW", "btw-nummer:", "BTW BE"), "fr": ("TVA", "N° TVA :", "numéro de TVA"),
    "de": ("USt-IdNr.", "UID", "USt-ID:"), "en": ("VAT", "VAT number", "VAT no."),
}  # fmt: skip
_CUSTOMER_NUMBER = {
    "nl": ("klantnummer", "Klantnr.", "ons klantnummer is"), "fr": ("numéro de client", "n° client", "client n°"),
    "de": ("Kundennummer", "Kundennr.", "Kd.-Nr."), "en": ("customer number", "customer no.", "our customer number is"),
}  # fmt: skip
_LICENCE = {"nl": "licentienummer", "fr": "numéro de licence", "de": "Lizenznummer", "en": "licence number"}


def spelt_vat(scene: Scene, vat: str) -> str:
    """Write a VAT number as people do."""
    country, digits = vat[:2], vat[2:]
    if country == "BE":
        dotted = f"{digits[:4]}.{digits[4:7]}.{digits[7:]}"
        return scene.random.choice(
            (
                f"BE {dotted}",
                f"BE{digits}",
                f"BE-{digits[:4]}-{digits[4:7]}-{digits[7:]}",
                f"BE {digits[:4]} {digits[4:7]} {digits[7:]}",
                dotted,
                f"be {dotted}",
            )
        )
    if country == "FR":
        return scene.random.choice((vat, f"FR {digits[:2]} {digits[2:5]} {digits[5:8]} {digits[8:]}", f"FR {digits}"))
    if country == "NL":
        return scene.random.choice(
            (vat, f"NL {digits[:4]}.{digits[4:6]}.{digits[6:9]}.{digits[9:]}", f"NL{digits[:9]}.{digits[9:]}")
        )
    return scene.random.choice((vat, f"{country} {digits}", f"{country} {digits[:3]} {digits[3:6]} {digits[6:]}"))


def signature(scene: Scene, a: Firm) -> str:
    return f"\n--\n{a.name}\n{scene.random.choice(_WORDS[a.language]).removesuffix(' BE')} {spelt_vat(scene, a.vat)}\n"


@situation
def vat_number_in_the_text_of_a_stranger(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(scene.stranger_box(), a.language)
    word = scene.random.choice(_WORDS[a.language]).removesuffix(" BE")
    letter.body += f"\nGelieve te factureren aan {a.name}, {word} {spelt_vat(scene, a.vat)}.\n"
    return scene.done(letter, a)


@situation
def vat_number_in_the_subject(scene: Scene) -> Labelled:
    a = scene.firm()
    return scene.done(scene.letter(scene.stranger_box(), a.language, subject=f"Factuur {spelt_vat(scene, a.vat)}"), a)


@situation
def vat_number_in_the_signature_of_a_freemail_sender(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(scene.stranger_box(), a.language)
    letter.body += signature(scene, a)
    return scene.done(letter, a)


@situation
def vat_number_in_html_only(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(scene.stranger_box(), a.language, body="")
    letter.html = (
        f"<p>Bonjour,</p><table><tr><td>TVA</td><td><b>{spelt_vat(scene, a.vat)}</b></td></tr></table><p>Merci</p>"
    )
    return scene.done(letter, a)


@situation
def vat_number_in_our_own_note_among_colleagues(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(scene.colleague(), a.language)
    letter.body += f"\nHet gaat over BTW {spelt_vat(scene, a.vat)}.\n"
    return scene.done(letter, a)


@situation
def vat_number_with_wrong_check_digits(scene: Scene) -> Labelled:
    a = scene.random.choice([f for f in ORDINARY if f.country == "BE"])
    wrong = a.vat[:-2] + f"{(int(a.vat[-2:]) + scene.random.randrange(1, 90)) % 97 + 1:02d}"
    if wrong == a.vat:
        wrong = a.vat[:-2] + "00"
    letter = scene.letter(scene.stranger_box(), a.language)
    letter.body += f"\nBTW {spelt_vat(scene, wrong)}\n"
    return scene.done(letter, candidates=None)


@situation
def vat_number_of_nobody(scene: Scene) -> Labelled:
    letter = scene.letter(scene.stranger_box(), scene.language)
    letter.body += f"\nBTW {spelt_vat(scene, be_vat(7_000_000 + scene.random.randrange(100_000)))}\n"
    return scene.done(letter)


@situation
def vat_number_in_quoted_text_only(scene: Scene) -> Labelled:
    a = scene.firm()
    language = a.language
    body = replied(
        scene.random.choice(("marks", "outlook")), language, own=scene.writer.text(language), name="Zilverlinde",
        address="info@zilverlinde.example", to="x@gmail.com", subject="Factuur", text=f"Factuur voor BTW {spelt_vat(scene, a.vat)}",
    )  # fmt: skip
    return scene.done(scene.letter(scene.stranger_box(), language, subject="Re: Factuur", body=body), candidates=None)


@situation
def vat_number_of_another_customer_in_a_contacts_mail(scene: Scene) -> Labelled:
    a = scene.firm()
    b = scene.firm(but=a)
    letter = scene.letter(box(a.person), a.language)
    letter.body += f"\nOnze leverancier {b.name} heeft BTW {spelt_vat(scene, b.vat)}.\n"
    return scene.done(letter, a, candidates=(b,))


@situation
def vat_number_of_the_contacts_own_firm(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(box(a.person), a.language)
    letter.body += signature(scene, a)
    return scene.done(letter, a)


@situation
def accountant_of_two_names_one_by_vat_number(scene: Scene) -> Labelled:
    a = firm(scene.random.choice(("K2003", "K2004")))
    letter = scene.letter("Fidu Braem <dossiers@fidubraem.example>", "nl")
    letter.body += f"\nBetreft {a.name}, BTW {spelt_vat(scene, a.vat)}\n"
    return scene.done(letter, a, candidates=None)


@situation
def group_domain_with_the_vat_number_of_one(scene: Scene) -> Labelled:
    a = firm(scene.random.choice(("K2005", "K2006")))
    letter = scene.letter("Boekhouding <boekhouding@groepvandaele.example>", "nl")
    letter.body += signature(scene, a)
    return scene.done(letter, a, candidates=None)


@situation
def licence_number_in_the_text_of_a_stranger(scene: Scene) -> Labelled:
    a = scene.firm()
    code = scene.random.choice(a.licences)
    spelt = scene.random.choice((code, code.lower(), code.replace("-", " "), code.replace("-", ""), f"[{code}]"))
    letter = scene.letter(scene.stranger_box(), a.language)
    letter.body += f"\n{_LICENCE[a.language]}: {spelt}\n"
    return scene.done(letter, a)


@situation
def licence_number_in_the_subject(scene: Scene) -> Labelled:
    a = scene.firm()
    return scene.done(scene.letter(scene.stranger_box(), a.language, subject=f"{a.licences[0]}: activering"), a)


@situation
def licence_number_within_a_longer_one(scene: Scene) -> Labelled:
    a = scene.firm()
    code = a.licences[0]
    spelt = scene.random.choice((f"{code}9", f"X{code}", code.replace("-", "") + "77"))
    letter = scene.letter(scene.stranger_box(), a.language)
    letter.body += f"\n{_LICENCE[a.language]}: {spelt}\n"
    return scene.done(letter, candidates=None)


@situation
def licence_number_in_quoted_text_only(scene: Scene) -> Labelled:
    a = scene.firm()
    body = replied(
        "marks", a.language, own=scene.writer.text(a.language), name="Zilverlinde", address="info@zilverlinde.example",
        to="x@gmail.com", subject="Licentie", text=f"Uw licentie {a.licences[0]} is actief.",
    )  # fmt: skip
    return scene.done(scene.letter(scene.stranger_box(), a.language, body=body), candidates=None)


@situation
def licence_numbers_of_two_customers_from_a_stranger(scene: Scene) -> Labelled:
    a = scene.firm()
    b = scene.firm(but=a)
    letter = scene.letter(scene.stranger_box(), a.language)
    letter.body += f"\n{a.licences[0]} en {b.licences[0]}\n"
    return scene.done(letter, candidates=(a, b))


@situation
def reference_in_the_text_of_a_stranger(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(scene.stranger_box(), a.language)
    letter.body += f"\n{scene.random.choice(_CUSTOMER_NUMBER[a.language])} {a.reference}\n"
    return scene.done(letter, a)


@situation
def reference_of_digits_after_its_name(scene: Scene) -> Labelled:
    a = firm(scene.random.choice(("20250117", "4711")))
    letter = scene.letter(scene.stranger_box(), a.language)
    letter.body += f"\n{scene.random.choice(_CUSTOMER_NUMBER[a.language])} {a.reference}\n"
    return scene.done(letter, a)


@situation
def digits_that_are_somebodys_reference_by_chance(scene: Scene) -> Labelled:
    digits = scene.random.choice(("4711", "20250117"))
    spelt = scene.random.choice(
        (
            f"Het bedrag is {digits} euro.",
            f"Bestelling van {digits} stuks.",
            f"Ref. datum {digits[:4]}, zaal {digits}b",
            f"Tel. 02 {digits} 11 22",
        )
    )
    letter = scene.letter(scene.stranger_box(), "nl")
    letter.body += f"\n{spelt}\n"
    return scene.done(letter, candidates=None)


@situation
def telephone_and_account_numbers_that_look_like_vat(scene: Scene) -> Labelled:
    a = scene.random.choice([f for f in ORDINARY if f.country == "BE"])
    digits = a.vat[2:]
    spelt = scene.random.choice(
        (
            f"IBAN BE68 {digits[:4]} {digits[4:8]} {digits[8:]}12",
            f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}12+++",
            f"Tel. +32 {digits}99",
            f"order 99{digits}55",
        )
    )
    letter = scene.letter(scene.stranger_box(), "nl")
    letter.body += f"\n{spelt}\n"
    return scene.done(letter, candidates=None)


@situation
def unknown_colleague_with_their_own_licence(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(f"stage@{a.domain}", a.language)
    letter.body += f"\n{_LICENCE[a.language]} {a.licences[0]}\n"
    return scene.done(letter, a)
