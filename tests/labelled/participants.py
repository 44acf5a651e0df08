"""Situations in which somebody takes part: senders, recipients, lists, web forms, shared mailboxes."""

from __future__ import annotations

from tests.labelled.letters import Letter
from tests.labelled.situations import Labelled, Scene, box, firm, situation
from tests.labelled.world import OWN_DOMAIN


@situation
def contact_writes_to_us(scene: Scene) -> Labelled:
    a = scene.firm()
    person = scene.random.choice(a.people)
    return scene.done(scene.letter(box(person), a.language, signed=person.name), a)


@situation
def we_write_to_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    return scene.done(scene.letter(scene.colleague(), a.language, to=box(a.person)), a)


@situation
def second_address_of_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    return scene.done(scene.letter(box(a.person, a.person.emails[1]), a.language), a)


@situation
def contact_at_a_freemail_provider(scene: Scene) -> Labelled:
    a = firm(scene.random.choice(("K2001", "K2002")))
    if scene.random.random() < 0.5:
        return scene.done(scene.letter(box(a.person), a.language), a)
    return scene.done(scene.letter(scene.colleague(), a.language, to=box(a.person)), a)


@situation
def contact_without_domain_on_record(scene: Scene) -> Labelled:
    a = firm("K2016")
    return scene.done(scene.letter(box(a.person), a.language), a)


@situation
def colleague_of_a_contact_whose_domain_is_not_on_record(scene: Scene) -> Labelled:
    return scene.done(scene.letter("Max <max@atelier-noisette.example>", "fr"), candidates=None)


@situation
def letter_case_of_an_address(scene: Scene) -> Labelled:
    a = scene.firm()
    spelt = scene.random.choice((a.person.email.upper(), a.person.email.title()))
    return scene.done(scene.letter(box(a.person, spelt), a.language), a)


@situation
def plus_addressing(scene: Scene) -> Labelled:
    a = scene.firm()
    local, _, domain = a.person.email.partition("@")
    tagged = f"{local}+{scene.random.choice(('zilverlinde', 'sup-2025', 'x'))}@{domain}"
    if scene.random.random() < 0.5:
        return scene.done(scene.letter(scene.colleague(), a.language, to=tagged), a)
    return scene.done(scene.letter(box(a.person, tagged), a.language), a)


@situation
def dots_in_a_gmail_address(scene: Scene) -> Labelled:
    a = firm("K2001")
    spelt = scene.random.choice(
        ("kapsalonnadia@gmail.com", "kapsalon.nadia@googlemail.com", "kapsalon.nadia+x@gmail.com")
    )
    return scene.done(scene.letter(box(a.person, spelt), "nl"), a)


@situation
def stranger_writes_and_a_contact_is_in_cc(scene: Scene) -> Labelled:
    a = scene.firm()
    return scene.done(scene.letter(scene.stranger_box(), a.language, cc=box(a.person)), a)


@situation
def we_write_with_a_contact_in_cc(scene: Scene) -> Labelled:
    a = scene.firm()
    return scene.done(scene.letter(scene.colleague(), a.language, to=scene.stranger_box(), cc=box(a.person)), a)


@situation
def blind_copy_of_ours_to_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(scene.colleague(), a.language, to="undisclosed-recipients:;", bcc=box(a.person))
    return scene.done(letter, a)


@situation
def contact_of_one_writes_with_a_contact_of_another_in_cc(scene: Scene) -> Labelled:
    a = scene.firm()
    b = scene.firm(but=a)
    return scene.done(scene.letter(box(a.person), a.language, cc=box(b.person)), a, b)


@situation
def we_write_to_contacts_of_two(scene: Scene) -> Labelled:
    a = scene.firm()
    b = scene.firm(but=a)
    letter = scene.letter(scene.colleague(), a.language, to=f"{a.person.email}, {b.person.email}")
    return scene.done(letter, a, b)


@situation
def contact_writes_and_we_are_in_blind_copy(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(box(a.person), a.language, to="undisclosed-recipients:;")
    letter.extra = (("Delivered-To", f"info@{OWN_DOMAIN}"),)
    return scene.done(letter, a)


@situation
def unknown_colleague_in_a_customers_domain(scene: Scene) -> Labelled:
    a = scene.firm()
    who = scene.random.choice(("stage", "receptie", "magazijn", "new.colleague", "a.n.other"))
    address = f"{who}@{scene.random.choice(a.domains)}"
    if scene.random.random() < 0.3:
        return scene.done(scene.letter(scene.colleague(), a.language, to=address), a)
    return scene.done(scene.letter(address, a.language), a)


@situation
def customer_with_a_domain_and_no_contact(scene: Scene) -> Labelled:
    return scene.done(scene.letter("Receptie <receptie@devliet.example>", "nl"), firm("K2015"))


@situation
def address_below_a_customers_domain(scene: Scene) -> Labelled:
    a = scene.firm()
    return scene.done(scene.letter(f"scanner@{scene.random.choice(('mail', 'crm', 'gent'))}.{a.domain}", a.language), a)


@situation
def part_of_a_domain_is_another_customer(scene: Scene) -> Labelled:
    if scene.random.random() < 0.5:
        return scene.done(scene.letter("Lab <balie@labnoord.halveweg.example>", "nl"), firm("K2010"))
    return scene.done(scene.letter("Faculteit <decanaat@letteren.halveweg.example>", "nl"), firm("K2009"))


@situation
def same_name_under_another_top_level_domain(scene: Scene) -> Labelled:
    a = firm(scene.random.choice(("K2007", "K2008")))
    return scene.done(scene.letter(f"Onthaal <onthaal@{a.domain}>", "nl"), a)


@situation
def domain_behind_a_public_suffix_of_two_labels(scene: Scene) -> Labelled:
    return scene.done(scene.letter("Reception <desk@fairley-vets-example.co.uk>", "en"), firm("K2011"))


@situation
def domain_with_letters_beyond_ascii(scene: Scene) -> Labelled:
    a = firm("K2012")
    domain = scene.random.choice(("cafébrûlé.example", "xn--cafbrl-dva8bd.example", "CAFÉBRÛLÉ.example"))
    domain = domain if not domain.startswith("xn--") else "cafébrûlé.example".encode("idna").decode()
    local = scene.random.choice(("maelle", "salle"))
    return scene.done(scene.letter(f"{local}@{domain}", "fr"), a)


@situation
def mailbox_shared_by_two_customers(scene: Scene) -> Labelled:
    letter = scene.letter("Fidu Braem <dossiers@fidubraem.example>", "nl")
    return scene.done(letter, candidates=(firm("K2003"), firm("K2004")))


@situation
def we_write_to_a_mailbox_shared_by_two_customers(scene: Scene) -> Labelled:
    letter = scene.letter(scene.colleague(), "nl", to="dossiers@fidubraem.example")
    return scene.done(letter, candidates=(firm("K2003"), firm("K2004")))


@situation
def shared_mailbox_with_one_of_the_two_in_cc(scene: Scene) -> Labelled:
    a = firm(scene.random.choice(("K2003", "K2004")))
    letter = scene.letter("Fidu Braem <dossiers@fidubraem.example>", "nl", cc=box(a.person))
    return scene.done(letter, a, candidates=None)


@situation
def unknown_colleague_in_a_domain_of_two_customers(scene: Scene) -> Labelled:
    letter = scene.letter("Planning <planning@groepvandaele.example>", "nl")
    return scene.done(letter, candidates=(firm("K2005"), firm("K2006")))


@situation
def contact_in_a_domain_of_two_customers(scene: Scene) -> Labelled:
    a = firm(scene.random.choice(("K2005", "K2006")))
    return scene.done(scene.letter(box(a.person), "nl"), a)


@situation
def web_form_with_a_contact_in_reply_to(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        f"Website <noreply@{OWN_DOMAIN}>", a.language, to=f"info@{OWN_DOMAIN}", reply_to=box(a.person)
    )
    return scene.done(letter, a)


@situation
def web_form_with_an_unknown_colleague_in_reply_to(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        f"Website <noreply@{OWN_DOMAIN}>", a.language, to=f"info@{OWN_DOMAIN}", reply_to=f"visitor@{a.domain}"
    )
    return scene.done(letter, a)


@situation
def web_form_of_a_stranger(scene: Scene) -> Labelled:
    letter = scene.letter(
        f"Website <noreply@{OWN_DOMAIN}>", scene.language, to=f"info@{OWN_DOMAIN}", reply_to=scene.stranger_box()
    )
    return scene.done(letter)


@situation
def service_writes_on_behalf_of_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter("E-sign <noreply@esignatures.example>", a.language, reply_to=box(a.person))
    return scene.done(letter, a)


@situation
def group_of_ours_rewrote_from(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        f"'{a.person.name}' via Support <support@{OWN_DOMAIN}>", a.language, to=f"support@{OWN_DOMAIN}"
    )
    letter.extra = (
        ("X-Original-From", box(a.person)), ("List-ID", f"<support.{OWN_DOMAIN}>"), ("Precedence", "list"),
        ("Mailing-list", f"list support@{OWN_DOMAIN}; contact support+owners@{OWN_DOMAIN}"),
    )  # fmt: skip
    if scene.random.random() < 0.5:
        letter.reply_to = box(a.person)
    else:
        letter.extra = (("X-Original-Sender", a.person.email), *letter.extra)
    return scene.done(letter, a)


@situation
def foreign_list_rewrote_from(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        f"{a.person.name} via Gebruikersgroep <gebruikers@lists.hobbyclub.example>", a.language,
        to="gebruikers@lists.hobbyclub.example", cc=f"info@{OWN_DOMAIN}", reply_to=box(a.person),
    )  # fmt: skip
    letter.extra = (("List-Id", "Gebruikersgroep <gebruikers.lists.hobbyclub.example>"),)
    return scene.done(letter, a)


@situation
def from_rewritten_for_dmarc(scene: Scene) -> Labelled:
    a = scene.firm()
    local, _, domain = a.person.email.partition("@")
    address = scene.random.choice(
        (
            f"{local}={domain}@dmarc.lists.example",
            f"{local}=40{domain}@dmarc.lists.example",
            f"{local}@{domain}.invalid",
        )
    )
    letter = scene.letter(mailbox_of(a.person.name, address), a.language, to="users@lists.example", cc=scene.desk())
    letter.extra = (("List-Id", "<users.lists.example>"), ("List-Post", "<mailto:users@lists.example>"))
    return scene.done(letter, a)


def mailbox_of(name: str, address: str) -> str:
    return f"{name} <{address}>"


@situation
def contact_writes_to_a_mailing_list(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(box(a.person), a.language, to="users@lists.example")
    letter.extra = (
        ("List-Id", "<users.lists.example>"),
        ("Precedence", "list"),
        ("Delivered-To", f"info@{OWN_DOMAIN}"),
    )
    return scene.done(letter, a)


@situation
def several_authors(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(f"{a.person.email}, {a.people[1].email}", a.language)
    letter.extra = (("Sender", a.person.email),)
    return scene.done(letter, a)


@situation
def awkward_spellings_of_an_address(scene: Scene) -> Labelled:
    a = scene.firm()
    local, _, domain = a.person.email.partition("@")
    spelt = scene.random.choice(
        (
            f"{a.person.email} (secretariaat)", f"<{a.person.email}>", f'"{local}"@{domain}', f'"Dienst, Verkoop" <{a.person.email}>',
            f"  {local} @ {domain}", f"=?utf-8?B?SmFu?= <{a.person.email}>", f"Jan <{local}@{domain.upper()}>",
        )
    )  # fmt: skip
    return scene.done(scene.letter(spelt, a.language), a)


@situation
def group_syntax_among_recipients(scene: Scene) -> Labelled:
    a = scene.firm()
    return scene.done(
        scene.letter(scene.colleague(), a.language, to=f"Klanten: {a.person.email}, {a.people[1].email};"), a
    )


@situation
def message_with_broken_parts(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = Letter(
        box(a.person), to=scene.desk(), subject=scene.writer.subject(a.language),
        content_type='multipart/mixed; boundary="never"', payload=b"--never\nContent-Type: text/plain\n\nhalf a mess\xff\xfe",
    )  # fmt: skip
    return scene.done(letter, a)


@situation
def invitation_from_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    calendar = (
        "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:Overleg\n"
        f"ORGANIZER:mailto:{a.person.email}\nATTENDEE:mailto:support@{OWN_DOMAIN}\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    letter = Letter(
        box(a.person), to=scene.desk(), subject=scene.writer.subject(a.language),
        content_type="text/calendar; method=REQUEST; charset=utf-8", payload=calendar.encode(),
    )  # fmt: skip
    return scene.done(letter, a)
