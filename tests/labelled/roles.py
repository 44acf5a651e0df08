"""Situations of people and what they are to whom: consultants, groups, hosts, crowds, and addresses spelt oddly."""

from __future__ import annotations

from tests.labelled.letters import Letter
from tests.labelled.situations import Labelled, Scene, box, firm, situation
from tests.labelled.world import ORDINARY, OWN_DOMAIN

_BOTH = "Rita Sels <rita.sels.bureau@gmail.com>"


@situation
def one_person_of_two_customers_at_a_freemail_provider(scene: Scene) -> Labelled:
    pair = (firm("K4001"), firm("K4002"))
    if scene.random.random() < 0.5:
        return scene.done(scene.letter(scene.colleague(), "nl", to=_BOTH), candidates=pair)
    return scene.done(scene.letter(_BOTH, "nl"), candidates=pair)


@situation
def one_person_of_two_customers_with_a_licence_of_one(scene: Scene) -> Labelled:
    a = firm(scene.random.choice(("K4001", "K4002")))
    letter = scene.letter(_BOTH, "nl")
    letter.body += f"\nLicentie {a.licences[0]}\n"
    return scene.done(letter, a, candidates=None)


@situation
def one_person_of_two_customers_with_a_colleague_of_one_in_cc(scene: Scene) -> Labelled:
    a = firm(scene.random.choice(("K4001", "K4002")))
    return scene.done(scene.letter(_BOTH, "nl", cc=f"nieuw@{a.domain}"), a, candidates=None)


@situation
def contact_writes_about_another_customers_licence(scene: Scene) -> Labelled:
    a = scene.firm()
    b = scene.firm(but=a)
    letter = scene.letter(box(a.person), a.language)
    letter.body += f"\n{b.name}: {b.licences[0]}\n"
    return scene.done(letter, a, candidates=None)


@situation
def consultant_with_a_mailbox_at_another_customer(scene: Scene) -> Labelled:
    a = firm("K4007")
    letter = scene.letter("Koen Sels <ext.koen.sels@wasserijblankaert.example>", "nl")
    return scene.done(letter, a, candidates=None)


@situation
def daughter_that_writes_from_her_mothers_domain(scene: Scene) -> Labelled:
    return scene.done(scene.letter("jos@terkamer.example", "nl"), firm("K4009"), candidates=None)


@situation
def mothers_unknown_colleague(scene: Scene) -> Labelled:
    return scene.done(scene.letter("receptie@terkamer.example", "nl"), firm("K4008"), candidates=None)


@situation
def customer_at_a_host_of_sites(scene: Scene) -> Labelled:
    a = firm(scene.random.choice(("K4003", "K4004", "K4005")))
    return scene.done(scene.letter(f"info@{a.domain}", a.language), a)


@situation
def stranger_at_a_host_of_sites(scene: Scene) -> Labelled:
    host = firm(scene.random.choice(("K4003", "K4004", "K4005"))).domain.partition(".")[2]
    address = scene.random.choice((f"info@ander.{host}", f"noreply@{host}"))
    return scene.done(scene.letter(address, "nl"), candidates=None)


@situation
def customer_behind_a_public_suffix_of_another_country(scene: Scene) -> Labelled:
    return scene.done(scene.letter("satis@derya-tekstil-example.com.tr", "en"), firm("K4006"))


@situation
def stranger_behind_the_same_public_suffix(scene: Scene) -> Labelled:
    address = scene.random.choice(("info@baska-example.com.tr", "info@com.tr", "office@other-example.co.uk"))
    return scene.done(scene.letter(address, "en"), candidates=None)


@situation
def customers_almost_of_one_name(scene: Scene) -> Labelled:
    if scene.random.random() < 0.5:
        return scene.done(scene.letter("winkel@korenaar-gent.example", "nl"), firm("K10010"))
    return scene.done(scene.letter("winkel@korenaar.example", "nl"), firm("K1001"))


@situation
def newsletter_of_ours_to_twelve_in_blind_copy(scene: Scene) -> Labelled:
    chosen = scene.random.sample(ORDINARY, 12)
    letter = scene.letter(
        f"Zilverlinde <news@{OWN_DOMAIN}>", "nl", to=f"news@{OWN_DOMAIN}", bcc=", ".join(f.person.email for f in chosen)
    )
    return scene.done(letter, *chosen)


@situation
def two_hundred_recipients_of_whom_one_is_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    crowd = [f"lid{n:03d}@vereniging{n % 17}.test" for n in range(199)]
    crowd.insert(scene.random.randrange(199), a.person.email)
    letter = scene.letter(scene.colleague(), a.language, to=",\n ".join(crowd))
    return scene.done(letter, a)


@situation
def strangers_mail_to_a_crowd_with_one_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    crowd = [f"lid{n:03d}@vereniging{n % 17}.test" for n in range(60)] + [a.person.email]
    letter = scene.letter(scene.stranger_box(), a.language, to=f"info@{OWN_DOMAIN}", cc=",\n ".join(crowd))
    return scene.done(letter, a)


@situation
def colleagues_among_each_other_with_a_contact_in_blind_copy(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(scene.colleague(), "nl", to=f"ines@{OWN_DOMAIN}", bcc=a.person.email)
    return scene.done(letter, a)


@situation
def robot_of_ours_writes_to_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(f"Licentieserver <no-reply@{OWN_DOMAIN}>", a.language, to=a.person.email)
    letter.extra = (("Auto-Submitted", "auto-generated"), ("Precedence", "bulk"))
    return scene.done(letter, a)


@situation
def private_mailbox_of_ours_writes_for_us(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        "Zilverlinde <zilverlinde.support+web@gmail.com>",
        a.language,
        to=box(a.person),
        reply_to=f"support@{OWN_DOMAIN}",
    )
    letter.extra = (("Sender", "zilverlinde.support@gmail.com"),)
    return scene.done(letter, a)


@situation
def part_of_our_domain_writes_to_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    return scene.done(scene.letter(f"shop@mail.{OWN_DOMAIN}", a.language, to=box(a.person)), a)


@situation
def address_with_a_dot_at_the_end_or_a_comment(scene: Scene) -> Labelled:
    a = scene.firm()
    local, _, domain = a.person.email.partition("@")
    spelt = scene.random.choice(
        (
            f"{local}@{domain}.", f"{local}(hoofd)@{domain}", f"{local}@{domain} (Dienst (intern))", f"<{local}@{domain}.>",
            f'"{a.person.email}" <{a.person.email}>', f"<mailto:{local}@{domain}>", f"'{local}@{domain}'",
            f"Jan <{local}@{domain}>;", f"<@relay.example:{local}@{domain}>",
        )
    )  # fmt: skip
    return scene.done(scene.letter(spelt, a.language), a)


@situation
def address_in_an_encoded_display_name(scene: Scene) -> Labelled:
    a = scene.firm()
    encoded = a.person.email.replace("@", "=40").replace(" ", "_")
    _, address = scene.stranger()
    spelt = scene.random.choice(
        (
            f"=?utf-8?q?{encoded}?= <{address}>", f"=?utf-8?q?{encoded}=2C_x?= <{address}>", f'"{a.person.email},"@x <{address}>',
            f"=?utf-8?q?=3C{encoded}=3E?= <{address}>", f"=?utf-8?q?{encoded}=00?= <{address}>", f'"<{a.person.email}>" <{address}>',
        )
    )  # fmt: skip
    return scene.done(scene.letter(spelt, a.language), candidates=None)


@situation
def contacts_address_as_local_part(scene: Scene) -> Labelled:
    a = scene.firm()
    spelt = scene.random.choice(
        (
            f'"{a.person.email}"@evilhost.test',
            f"{a.person.email.replace('@', '%')}@relay.example",
            f"{a.domain}@gmail.com",
        )
    )
    return scene.done(scene.letter(spelt, a.language), candidates=None)


@situation
def recipients_divided_by_semicolons(scene: Scene) -> Labelled:
    a = scene.firm()
    b = scene.firm(but=a)
    return scene.done(
        scene.letter(scene.colleague(), a.language, to=f"{a.person.email}; {b.person.email}; x@vereniging.test"), a, b
    )


@situation
def contact_writes_with_his_freemail_address_in_reply_to(scene: Scene) -> Labelled:
    a = scene.firm()
    return scene.done(scene.letter(box(a.person), a.language, reply_to=scene.stranger_box()), a)


@situation
def stranger_whose_answers_go_to_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    return scene.done(scene.letter(scene.stranger_box(), a.language, reply_to=box(a.person)), a)


@situation
def contact_writes_to_us_and_a_stranger_and_a_mailbox_of_two(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(box(a.person), a.language, cc=f"{scene.stranger()[1]}, dossiers@fidubraem.example")
    return scene.done(letter, a, candidates=None)


@situation
def supplier_of_ours_writes(scene: Scene) -> Labelled:
    letter: Letter = scene.letter("Toolmaker Help <help@toolmaker.test>", "en")
    letter.body += "\nToolmaker BV, KvK 24681012, BTW NL004495445B01, IBAN NL91 ABNA 0417 1643 00\n"
    return scene.done(letter)
