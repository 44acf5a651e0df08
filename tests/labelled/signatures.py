"""Situations in which a customer's number stands among other numbers, in every style that signatures have."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from tests.labelled.situations import SITUATIONS, Labelled, Scene, Situation, box, firm, situation
from tests.labelled.world import ORDINARY, Firm

_FULL_WIDTH = str.maketrans("0123456789", "".join(chr(0xFF10 + n) for n in range(10)))


def _be(vat: str) -> tuple[str, str, str]:
    return vat[2:6], vat[6:9], vat[9:]


def _b(pattern: str) -> Callable[[Firm], str]:
    def spell(a: Firm) -> str:
        x, y, z = _be(a.vat)
        return pattern.format(x=x, y=y, z=z, x3=x[1:], v=a.vat, n=a.name)

    return spell


_IN_BELGIUM = {
    "among account and register numbers": _b("RPR Gent - BTW BE {x}.{y}.{z} - IBAN BE68 5390 0754 7034 - BIC KREDBEBB - Tel. +32 9 222 33 44"),
    "between bars": _b("T +32 9 222 33 44 | M +32 475 12 34 56 | BTW BE{x}{y}{z} | ING BE71 0961 2345 6769"),
    "hyphen after the word": _b("BTW-BE {x}.{y}.{z}"),
    "all hyphens": _b("BTW BE-{x}-{y}-{z}"),
    "glued to the word": _b("BTWBE{x}{y}{z}"),
    "lower case": _b("btw be {x}.{y}.{z}, gsm 0475 12 34 56"),
    "parentheses": _b("(BTW: BE{x}.{y}.{z})"),
    "no-break spaces": _b("TVA\u00a0: BE\u00a0{x}\u00a0{y}\u00a0{z}"),
    "narrow no-break spaces": _b("TVA BE\u202f{x}\u202f{y}\u202f{z}"),
    "zero-width characters": _b("BTW BE\u200b {x}.\u200b{y}.\u200b{z}"),
    "soft hyphens": _b("BTW BE{x}\u00ad{y}\u00ad{z}"),
    "older, without the leading zero": _b("BTW BE {x3}.{y}.{z}"),
    "enterprise number, Dutch": _b("Ondernemingsnummer: {x}.{y}.{z}"),
    "enterprise number, French": _b("N° d'entreprise {x}.{y}.{z} - RPM Bruxelles"),
    "enterprise number, short": _b("ON {x}.{y}.{z} RPR Antwerpen"),
    "KBO and BCE": _b("KBO/BCE {x}.{y}.{z}"),
    "broken before the last group": _b("{n} is ingeschreven onder het btw-nummer BE {x}.{y}.\n{z} te Gent."),
    "broken after the country": _b("... gelieve te factureren op BTW BE\n{x}.{y}.{z}."),
    "broken between spaces": _b("Facturatie: TVA BE {x}\n{y} {z}"),
    "word on the line before": _b("BTW-nummer\n{x}.{y}.{z}"),
    "sentence's end": _b("Ons btw-nummer is BE{x}.{y}.{z}."),
    "signature after its mark": _b("-- \n{n}\nKerkstraat 1\nBTW BE {x}.{y}.{z}"),
    "both languages": _b("BTW/TVA BE {x}.{y}.{z}"),
    "bold marks": _b("*BTW:* BE *{x}.{y}.{z}*"),
    "with our own number before": _b("Zilverlinde BTW BE 0123.321.123 factureert aan BTW BE {x}.{y}.{z}"),
    "spaces around the dots": _b("BTW BE {x} . {y} . {z}"),
    "slashes": _b("BTW BE {x}/{y}/{z}"),
    "digits full width": lambda a: f"VAT {a.vat.translate(_FULL_WIDTH)}",
    "with a bullet": _b("• BTW: BE {x}.{y}.{z} • RPR Dendermonde"),
}  # fmt: skip
_IN_GERMANY = {
    "register and tax numbers": "Amtsgericht Köln HRB 12345, Steuernummer 123/456/78901, USt-IdNr. gemäß § 27a UStG: {v}",
    "USt-ID with spaces": "Geschäftsführer: K. Muster | USt-ID: DE {x} {y} {z} | IBAN DE89 3704 0044 0532 0130 00",
    "UID": "UID {v} HRB 4711",
}
_IN_FRANCE = {
    "SIRET and RCS": "SARL au capital de 10 000 € - SIRET {siren} 00012 - RCS Lyon {siren} - TVA intracommunautaire : {v}",
    "spaced": "N° TVA intracom. FR {k} {siren}",
    "colon glued": "TVA:FR{k}{flat}",
}
_IN_THE_NETHERLANDS = {
    "KvK and bank": "KvK 12345678 | BTW {v} | Rabobank NL91 ABNA 0417 1643 00",
    "dots": "btw-nr.: NL.{x}.{y}.{z}.B01",
    "btw-id": "BTW-id NL{x}{y}{z}B01, KvK-nummer 87654321",
}
_ELSEWHERE = {
    "K3001": ("TVA LU 234 567 52", "RCS Luxembourg B 123456 - LU23456752", "No TVA: LU-23456752"),
    "K3002": ("P.IVA IT07453100120", "P. IVA 07453100120", "Partita IVA: 07453100120 - C.F. 07453100120", "VAT IT 07453100120"),
    "K3003": ("UID: ATU47118239", "ATU 47118239", "UID-Nr. ATU 4711 8239 | FN 123456a"),
    "K3004": ("NIP 812-340-05-63", "NIP: PL8123400563, REGON 123456785", "NIP PL 812 340 05 63"),
    "K3005": ("CIF B64234818", "NIF: ESB64234818", "C.I.F.: B-64234818", "VAT ES B64234818"),
    "K3006": ("VAT Reg. No. IE6433435F", "VAT No: IE 6433435F", "VAT number IE 6433435 F"),
    "K3007": ("NIF 501 234 560", "NIPC: PT501234560", "Contribuinte n.º 501234560", "VAT PT 501 234 560"),
    "K3008": ("ALV-nro FI20774740", "VAT FI 2077474-0", "Y-tunnus 2077474-0"),
    "K3009": ("VAT SE556012579001", "Momsreg.nr SE 556012-5790 01", "Moms nr: SE556012579001"),
    "K3010": ("CVR 23456788", "CVR-nr. 23 45 67 88", "VAT DK-23456788", "CVR: DK23456788"),
}  # fmt: skip


def _of(country: str, spell: Callable[[Firm], str]) -> Situation:
    def write(scene: Scene) -> Labelled:
        a = scene.random.choice([f for f in ORDINARY if f.country == country])
        letter = scene.letter(scene.stranger_box(), a.language)
        letter.body += f"\n{spell(a)}\n"
        return scene.done(letter, a)

    return write


def _de(pattern: str) -> Callable[[Firm], str]:
    return lambda a: pattern.format(v=a.vat, x=a.vat[2:5], y=a.vat[5:8], z=a.vat[8:])


def _fr(pattern: str) -> Callable[[Firm], str]:
    return lambda a: pattern.format(
        v=a.vat, k=a.vat[2:4], flat=a.vat[4:], siren=f"{a.vat[4:7]} {a.vat[7:10]} {a.vat[10:]}"
    )


def _nl(pattern: str) -> Callable[[Firm], str]:
    return lambda a: pattern.format(v=a.vat, x=a.vat[2:5], y=a.vat[5:8], z=a.vat[8:11])


def _abroad(reference: str) -> Situation:
    def write(scene: Scene) -> Labelled:
        a = firm(reference)
        letter = scene.letter(scene.stranger_box(), a.language)
        letter.body += f"\n{scene.random.choice(_ELSEWHERE[reference])}\n"
        return scene.done(letter, a)

    return write


_LICENCES = {
    "at the end of a line": "Het gaat om licentie {c}.\nAlvast bedankt",
    "in a table of bars": "| Post | Licentie | Versie |\n| 1 | {c} | 7.2 |",
    "in a table of tabs": "Post\tLicentie\tVersie\n1\t{c}\t7.2",
    "en dashes": "Licentie {n}",
    "no-break hyphens": "Licence {h}",
    "wrapped after a hyphen": "Wij gebruiken al jaren met veel plezier uw programma met licentie {w}",
    "in quotation marks": 'Licence "{c}", version 7',
    "in typographic marks": "Licence « {c} », version 7",
    "glued to a label": "Licentie:{c};versie:7.2",
    "number sign": "Licence #{c}",
    "equals sign": "LICENSE={c}",
    "bold marks": "Licence **{c}**",
    "spaces around the hyphens": "Licence {s}",
}


def _licence(pattern: str) -> Situation:
    def write(scene: Scene) -> Labelled:
        a = scene.firm()
        code = a.licences[0]
        head, _, tail = code.rpartition("-")
        letter = scene.letter(scene.stranger_box(), a.language)
        letter.body += "\n" + pattern.format(
            c=code, n=code.replace("-", "\u2013"), h=code.replace("-", "\u2011"), w=f"{head}-\n{tail}", s=code.replace("-", " - ")
        ) + "\n"  # fmt: skip
        return scene.done(letter, a)

    return write


_REFERENCES = {
    "nl": ("Klantnummer: {r}", "Uw klantnr. {r}.", "klant nr {r}", "Klant-ID: {r}", "klantcode {r}", "Onze klantreferentie: {r}", "Klantnummer\t{r}"),
    "fr": ("Numéro client : {r}", "N° de client : {r}", "Code client {r}", "Réf. client : {r}", "client nº {r}"),
    "de": ("Kundennummer: {r}", "Kunden-Nr.: {r}", "Kd.Nr. {r}", "Unsere Kundennummer lautet {r}.", "KdNr: {r}"),
    "en": ("Customer number: {r}", "Customer ID {r}", "Customer No. {r}", "client number {r}", "customer #{r}", "Account number: {r}"),
}  # fmt: skip


def _reference(language: str, of: str) -> Situation:
    def write(scene: Scene) -> Labelled:
        a = scene.firm() if of == "letters" else firm(scene.random.choice(("20250117", "4711")))
        letter = scene.letter(scene.stranger_box(), language)
        letter.body += f"\n{scene.random.choice(_REFERENCES[language]).format(r=a.reference)}\n"
        return scene.done(letter, a)

    return write


def _register() -> None:
    for name, spell in _IN_BELGIUM.items():
        SITUATIONS[f"VAT number in Belgium, {name}"] = _of("BE", spell)
    for name, pattern in _IN_GERMANY.items():
        SITUATIONS[f"VAT number in Germany, {name}"] = _of("DE", _de(pattern))
    for name, pattern in _IN_FRANCE.items():
        SITUATIONS[f"VAT number in France, {name}"] = _of("FR", _fr(pattern))
    for name, pattern in _IN_THE_NETHERLANDS.items():
        SITUATIONS[f"VAT number in the Netherlands, {name}"] = _of("NL", _nl(pattern))
    for reference in _ELSEWHERE:
        SITUATIONS[f"VAT number in {firm(reference).country}, as its people write it"] = _abroad(reference)
    for name, pattern in _LICENCES.items():
        SITUATIONS[f"licence number {name}"] = _licence(pattern)
    for language in _REFERENCES:
        for of in ("letters", "digits"):
            SITUATIONS[f"reference of {of} after a label, {language}"] = _reference(language, of)


_register()


@situation
def vat_number_in_pieces_of_html(scene: Scene) -> Labelled:
    a = scene.random.choice([f for f in ORDINARY if f.country == "BE"])
    x, y, z = _be(a.vat)
    letter = scene.letter(scene.stranger_box(), a.language, body="")
    letter.html = scene.random.choice(
        (
            f"<p>Groeten</p><p><b>{escape(a.name)}</b><br>BTW&nbsp;<span>BE</span>&nbsp;<b>{x}.{y}.{z}</b></p>",
            f"<p>x</p><table><tr><td>BTW</td></tr><tr><td>BE&nbsp;{x}.{y}.{z}</td></tr></table>",
            f"<p>x</p><div>BTW BE {x}.<span>{y}</span>.<wbr>{z}</div>",
            f"<p>x</p><p style='font-size:8pt'>BTW <a href='https://x.example'>BE{x}{y}{z}</a></p>",
        )
    )
    return scene.done(letter, a)


@situation
def licence_number_in_a_table_of_html(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(scene.stranger_box(), a.language, body="")
    letter.html = f"<p>x</p><table><tr><th>Post</th><th>Licentie</th></tr><tr><td>1</td><td>{a.licences[0]}</td><td>7.2</td></tr></table>"
    return scene.done(letter, a)


@situation
def our_invoice_mail_to_a_contact_that_names_a_third_customer(scene: Scene) -> Labelled:
    a = scene.firm()
    b = scene.firm(but=a)
    letter = scene.letter(scene.colleague(), a.language, to=box(a.person), subject="Factuur")
    letter.body += f"\nBTW {a.vat} ({a.name}), doorgerekend aan BTW {b.vat} ({b.name})\n"
    return scene.done(letter, a, candidates=None)


@situation
def contact_whose_footer_has_the_accountants_number(scene: Scene) -> Labelled:
    a = scene.firm()
    b = scene.firm(but=a)
    letter = scene.letter(box(a.person), a.language)
    letter.body += f"\nBTW {a.vat}\nBoekhouder: {b.name}, BTW {b.vat}\n"
    return scene.done(letter, a, candidates=None)


@situation
def stranger_signs_with_one_number_above_a_quotation_with_another(scene: Scene) -> Labelled:
    a = scene.firm()
    b = scene.firm(but=a)
    letter = scene.letter(scene.stranger_box(), a.language, subject="Re: Factuur")
    letter.body += f"\nVAT {a.vat}\n\nOn Mon, 3 Mar 2025 at 10:14, Zilverlinde <info@zilverlinde.example> wrote:\n> Uw partner {b.name}\n> VAT {b.vat}\n"
    return scene.done(letter, a, candidates=None)


@situation
def answer_below_a_quotation_with_the_number_in_it(scene: Scene) -> Labelled:
    a = scene.firm()
    b = scene.firm(but=a)
    letter = scene.letter(
        scene.stranger_box(), a.language, subject="Re: Factuur",
        body=f"On Mon, 3 Mar 2025 at 10:14, Zilverlinde <info@zilverlinde.example> wrote:\n> Gaat het om {b.vat}?\n\nNee, om {a.vat}.\n\nGroeten\n",
    )  # fmt: skip
    return scene.done(letter, a, candidates=None)


@situation
def disclaimer_that_names_domains(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(scene.stranger_box(), a.language)
    letter.body += f"\nThis message is intended for the addressee only. See https://www.{a.domain}/disclaimer or mail privacy@{a.domain}.\n"
    return scene.done(letter, candidates=None)


@situation
def reference_within_another_word(scene: Scene) -> Labelled:
    a = scene.firm()
    r = a.reference
    spelt = scene.random.choice((f"BK{r}", f"{r}77", f"x{r}x", f"PK-{r}9", f"nr{r}b"))
    letter = scene.letter(scene.stranger_box(), "nl")
    letter.body += f"\nUw ref. {spelt}\n"
    return scene.done(letter, candidates=None)


@situation
def reference_that_holds_another_customers(scene: Scene) -> Labelled:
    a = firm("K10010")
    letter = scene.letter(scene.stranger_box(), "nl")
    letter.body += "\nKlantnummer: K10010\n"
    return scene.done(letter, a)


@situation
def licence_that_holds_another_customers(scene: Scene) -> Labelled:
    a = firm("K10010")
    letter = scene.letter(scene.stranger_box(), "nl", subject=f"Licentie {a.licences[0]}")
    return scene.done(letter, a)


@situation
def part_number_that_is_somebodys_reference_by_chance(scene: Scene) -> Labelled:
    a = scene.firm()
    spelt = scene.random.choice(
        (
            f"Hebt u nog onderdeel {a.reference} op voorraad?",
            f"Artikel {a.reference}, 3 stuks.",
            f"Lokaal {a.reference} is bezet.",
        )
    )
    letter = scene.letter(scene.stranger_box(), "nl")
    letter.body += f"\n{spelt}\n"
    return scene.done(letter, candidates=None)


@situation
def year_and_amounts_beside_a_label_that_is_not_for_customers(scene: Scene) -> Labelled:
    digits = scene.random.choice(("4711", "20250117"))
    spelt = scene.random.choice((f"Factuurnummer: {digits}", f"Rechnungsnummer {digits}", f"Commande n° {digits}", f"Ticket #{digits}", f"Postcode {digits}", f"Datum: {digits}"))  # fmt: skip
    letter = scene.letter(scene.stranger_box(), "nl")
    letter.body += f"\n{spelt}\n"
    return scene.done(letter, candidates=None)


@situation
def telephone_and_register_numbers_with_a_vat_numbers_digits(scene: Scene) -> Labelled:
    a = scene.random.choice([f for f in ORDINARY if f.country in ("DE", "NL", "FR")])
    digits = "".join(c for c in a.vat[2:] if c.isdigit())
    spelt = scene.random.choice(
        (f"Tel. {digits}", f"Bestelling {digits}", f"Tracking {digits}", f"IBAN {digits}00112233")
    )
    letter = scene.letter(scene.stranger_box(), "nl")
    letter.body += f"\n{spelt}\n"
    return scene.done(letter, candidates=None)
