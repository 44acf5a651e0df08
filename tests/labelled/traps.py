"""Situations that look like a customer's mail and are not, and mail that is nobody's."""

from __future__ import annotations

from tests.labelled.situations import Labelled, Scene, box, situation
from tests.labelled.world import ORDINARY, OWN_DOMAIN


@situation
def stranger_at_a_freemail_provider(scene: Scene) -> Labelled:
    return scene.done(scene.letter(scene.stranger_box(), scene.language))


@situation
def stranger_at_the_provider_of_a_customer(scene: Scene) -> Labelled:
    address = scene.random.choice(
        ("kapsalon.nora@gmail.com", "gaspar.thiry@skynet.be", "nadia@gmail.com", "info@skynet.be")
    )
    return scene.done(scene.letter(address, "fr"), candidates=None)


@situation
def we_write_to_a_stranger(scene: Scene) -> Labelled:
    return scene.done(scene.letter(scene.colleague(), scene.language, to=scene.stranger_box()))


@situation
def domain_that_only_looks_like_a_customers(scene: Scene) -> Labelled:
    a = scene.firm()
    label, _, rest = a.domain.partition(".")
    swapped = label.replace("n", "m", 1) if "n" in label else label[:-1] + "q"
    domain = scene.random.choice(
        (
            f"{swapped}.{rest}", f"{label}s.{rest}", f"my-{label}.{rest}", f"not{label}.{rest}", f"{label}.{rest}.evilhost.test",
            f"{label}-be.{rest}", f"{label}.invalid-host.test", f"{label}{label[-1]}.{rest}",
        )
    )  # fmt: skip
    local = a.person.email.partition("@")[0]
    return scene.done(scene.letter(f"{a.person.name} <{local}@{domain}>", a.language), candidates=None)


@situation
def domain_with_a_letter_of_another_alphabet(scene: Scene) -> Labelled:
    a = scene.random.choice([f for f in ORDINARY if "a" in f.domain.partition(".")[0]])
    domain = a.domain.replace("a", "\u0430", 1)
    spelt = domain if scene.random.random() < 0.5 else domain.encode("idna").decode()
    return scene.done(scene.letter(f"boekhouding@{spelt}", a.language), candidates=None)


@situation
def contacts_address_in_the_display_name(scene: Scene) -> Labelled:
    a = scene.firm()
    _, address = scene.stranger()
    spelt = scene.random.choice(
        (
            f'"{a.person.email}" <{address}>',
            f'"{a.person.name} ({a.person.email})" <{address}>',
            f"{a.person.email} <{address}>",
        )
    )
    return scene.done(scene.letter(spelt, a.language), candidates=None)


@situation
def contacts_address_in_the_text(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(scene.stranger_box(), a.language)
    letter.body += f"\nU kunt mijn kennis bereiken op {a.person.email}.\n"
    return scene.done(letter, candidates=None)


@situation
def customers_name_in_the_text(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(scene.stranger_box(), a.language)
    letter.body += f"\nZoals bij {a.name} het geval was.\n"
    return scene.done(letter, candidates=None)


@situation
def contacts_name_at_another_address(scene: Scene) -> Labelled:
    a = scene.firm()
    return scene.done(scene.letter(f"{a.person.name} <{scene.stranger()[1]}>", a.language), candidates=None)


@situation
def local_part_that_holds_a_customers_domain(scene: Scene) -> Labelled:
    a = scene.firm()
    if scene.random.random() < 0.5:
        letter = scene.letter(scene.stranger_box(), a.language, to=f"{a.domain.replace('.', '-')}@{OWN_DOMAIN}")
    else:
        letter = scene.letter(f"bounce+info={a.domain}@mailings.example", a.language)
    return scene.done(letter, candidates=None)


@situation
def colleagues_among_each_other(scene: Scene) -> Labelled:
    return scene.done(scene.letter(scene.colleague(), "nl", to=f"ines@{OWN_DOMAIN}, wannes@{OWN_DOMAIN}"))


@situation
def newsletter(scene: Scene) -> Labelled:
    letter = scene.letter("Nieuws <news@mailings.example>", scene.language)
    letter.extra = (("List-Unsubscribe", "<https://mailings.example/u>"), ("Precedence", "bulk"))
    return scene.done(letter)


@situation
def forged_original_from_without_a_list(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(scene.stranger_box(), a.language)
    letter.extra = (("X-Original-From", box(a.person)),)
    return scene.done(letter, candidates=None)


@situation
def spam_without_a_sender(scene: Scene) -> Labelled:
    spelt = scene.random.choice(("", "undisclosed", "<>", "=?utf-8?q?Bank?= <>", "no address here"))
    return scene.done(scene.letter(spelt, scene.language), candidates=None)


@situation
def customers_vat_number_in_an_attachments_name(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(scene.stranger_box(), a.language)
    letter.attached = (("application/pdf", b"%PDF-1.4 nothing", f"factuur-{a.vat}.pdf"),)
    return scene.done(letter, candidates=None)


@situation
def own_address_in_every_field(scene: Scene) -> Labelled:
    letter = scene.letter(scene.colleague(), "nl", to=f"support+tag@{OWN_DOMAIN}", cc="zilverlinde.support@gmail.com")
    return scene.done(letter)
