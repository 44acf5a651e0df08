"""Situations in which a program stands between the customer and us: tickets, forms, lists, groups, relays."""

from __future__ import annotations

from tests.labelled.letters import Letter
from tests.labelled.situations import Labelled, Scene, box, situation
from tests.labelled.world import OWN_DOMAIN


@situation
def ticket_system_of_ours_tells_us(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        f'"{a.person.name} (Zilverlinde)" <support+id{scene.random.randrange(9999)}@{OWN_DOMAIN}>', a.language,
        to=f"wannes@{OWN_DOMAIN}", reply_to=a.person.email, subject="[Ticket #88123] Vraag",
    )  # fmt: skip
    letter.extra = (("Auto-Submitted", "auto-generated"), ("X-Mailer", "Helpdesk"))
    return scene.done(letter, a)


@situation
def ticket_system_of_ours_answers_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        f"Zilverlinde Support <support+ticket88123@{OWN_DOMAIN}>", a.language, to=a.person.email,
        reply_to=f"support+ticket88123@{OWN_DOMAIN}",
    )  # fmt: skip
    return scene.done(letter, a)


@situation
def contact_answers_a_ticket_address_with_tags_on_both_sides(scene: Scene) -> Labelled:
    a = scene.firm()
    local, _, domain = a.person.email.partition("@")
    letter = scene.letter(f"{local}+zl=88@{domain}", a.language, to=f"support+ticket88123-a9f@{OWN_DOMAIN}")
    return scene.done(letter, a)


@situation
def form_by_wordpress(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        f"WordPress <wordpress@{OWN_DOMAIN}>", a.language, to=f"info@{OWN_DOMAIN}", reply_to=a.person.email,
        body=f"From: {a.person.name}\nSubject: Vraag\n\nMessage Body:\nHallo\n\n-- \nThis e-mail was sent from a contact form\n",
    )  # fmt: skip
    letter.extra = (("X-Mailer", "PHPMailer 6.9.1"),)
    return scene.done(letter, a)


@situation
def form_of_a_host_of_sites(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        "Formulier <no-reply@sitehost.example>", a.language, to=f"info@{OWN_DOMAIN}",
        reply_to=f"{a.person.email}, info@{OWN_DOMAIN}",
    )  # fmt: skip
    letter.extra = (("Sender", "bounce@sitehost.example"),)
    return scene.done(letter, a)


@situation
def several_reply_to_fields(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter("Boekhoudpakket <noreply@invoicing.example>", a.language, to=f"info@{OWN_DOMAIN}")
    letter.extra = (("Reply-To", f"Zilverlinde <info@{OWN_DOMAIN}>"), ("Reply-To", box(a.person)))
    return scene.done(letter, a, candidates=None)


@situation
def invoicing_service_sends_a_customers_document(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        f'"{a.name} via Factureerdienst" <noreply@invoicing.example>', a.language, reply_to=f"facturatie@{a.domain}"
    )
    return scene.done(letter, a)


@situation
def payment_service_about_a_stranger(scene: Scene) -> Labelled:
    letter = scene.letter("Betaaldienst <noreply@payments.example>", "nl", reply_to="noreply@payments.example")
    return scene.done(letter)


@situation
def mailbox_of_a_colleague_passes_all_on(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(box(a.person), a.language, to="zilverlinde.support@gmail.com")
    letter.extra = (
        ("Delivered-To", f"support@{OWN_DOMAIN}"),
        ("X-Forwarded-To", f"support@{OWN_DOMAIN}"),
        ("X-Forwarded-For", f"zilverlinde.support@gmail.com support@{OWN_DOMAIN}"),
        ("Return-Path", f"<zilverlinde.support+caf_=support={OWN_DOMAIN}@gmail.com>"),
    )
    return scene.done(letter, a)


@situation
def strangers_mail_passed_on_by_a_contacts_mailbox(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(scene.stranger_box(), a.language, to=a.person.email)
    letter.extra = (("X-Forwarded-For", f"{a.person.email} support@{OWN_DOMAIN}"),)
    return scene.done(letter, a, candidates=None)  # the contact stands in To, and it came to us


@situation
def sender_rewritten_by_a_forwarding_host(scene: Scene) -> Labelled:
    a = scene.firm()
    local, _, domain = a.person.email.partition("@")
    address = f"SRS0=x7Kq=ZT={domain}={local}@forwarder.example"
    letter = scene.letter(box(a.person), a.language)
    letter.extra = (("Return-Path", f"<{address}>"), ("Sender", address))
    return scene.done(letter, a)


@situation
def from_rewritten_by_a_forwarding_host(scene: Scene) -> Labelled:
    a = scene.firm()
    local, _, domain = a.person.email.partition("@")
    spelt = scene.random.choice(
        (
            f"SRS0=x7Kq=ZT={domain}={local}@forwarder.example",
            f"SRS0+x7Kq=ZT={domain}={local}@forwarder.example",
            f"SRS1=aB3d=first.example==x7Kq=ZT={domain}={local}@forwarder.example",
        )
    )
    return scene.done(scene.letter(f"{a.person.name} <{spelt}>", a.language), a)


@situation
def mailman_2_munged_with_the_author_in_cc(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        f"{a.person.name} via Gebruikers <gebruikers@lists.hobbyclub.example>", a.language, to="gebruikers@lists.hobbyclub.example",
        reply_to="gebruikers@lists.hobbyclub.example", cc=box(a.person),
    )  # fmt: skip
    letter.extra = (
        ("X-BeenThere", "gebruikers@lists.hobbyclub.example"), ("List-Id", "Gebruikers <gebruikers.lists.hobbyclub.example>"),
        ("Errors-To", "gebruikers-bounces@lists.hobbyclub.example"), ("Sender", '"Gebruikers" <gebruikers-bounces@lists.hobbyclub.example>'),
    )  # fmt: skip
    return scene.done(letter, a)


@situation
def mailman_3_munged(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        f"{a.person.name} via Users <users@lists.tools.example>", a.language, to="users@lists.tools.example",
        reply_to=f"users@lists.tools.example, {a.person.email}",
    )  # fmt: skip
    letter.extra = (("X-MailFrom", a.person.email), ("List-Id", "<users.lists.tools.example>"), ("Archived-At", "<https://lists.tools.example/x>"))  # fmt: skip
    return scene.done(letter, a)


@situation
def list_wrapped_the_authors_message(scene: Scene) -> Labelled:
    a = scene.firm()
    inner = scene.writer.octets(scene.letter(box(a.person), a.language, to="users@lists.tools.example"))
    letter = Letter(
        f"{a.person.name} via Users <users@lists.tools.example>", to="users@lists.tools.example", cc=f"info@{OWN_DOMAIN}",
        subject="Vraag", content_type="message/rfc822", payload=inner,
    )  # fmt: skip
    letter.extra = (("List-Id", "<users.lists.tools.example>"), ("List-Post", "<mailto:users@lists.tools.example>"))
    return scene.done(letter, a)


@situation
def sympa_rewrote_from(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        f'"{a.person.name} (users Mailing List)" <users@sympa.tools.example>', a.language,
        to="users@sympa.tools.example", reply_to="users@sympa.tools.example",
    )  # fmt: skip
    letter.extra = (("X-Original-From", box(a.person)), ("List-Id", "<users.sympa.tools.example>"), ("X-Loop", "users@sympa.tools.example"), ("Sender", "users-request@sympa.tools.example"))  # fmt: skip
    return scene.done(letter, a)


@situation
def listserv_hides_the_address_but_for_reply_to(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        f'"{a.person.name}" <0000019c2b-dmarc-request@listserv.tools.example>', a.language,
        to="TOOLS-L@listserv.tools.example", reply_to=box(a.person),
    )  # fmt: skip
    letter.extra = (("Sender", "Tools users <TOOLS-L@listserv.tools.example>"), ("List-Owner", "<mailto:TOOLS-L-request@listserv.tools.example>"))  # fmt: skip
    return scene.done(letter, a)


@situation
def list_owners_notice(scene: Scene) -> Labelled:
    letter = scene.letter("owner-users@lists.tools.example", "en", to=f"info@{OWN_DOMAIN}")
    letter.extra = (("Precedence", "list"), ("Sender", "owner-users@lists.tools.example"))
    return scene.done(letter)


@situation
def group_of_ours_with_the_author_only_in_the_original_sender(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        f"'{a.person.name}' via Info <info@{OWN_DOMAIN}>", a.language, to=f"info@{OWN_DOMAIN}",
        reply_to=f"info@{OWN_DOMAIN}",
    )  # fmt: skip
    letter.extra = (
        ("X-Original-Sender", a.person.email), ("X-Original-Authentication-Results", "gmr-mx.google.com; dkim=pass"),
        ("List-ID", f"<info.{OWN_DOMAIN}>"), ("X-Google-Group-Id", "123456789"), ("Precedence", "list"),
    )  # fmt: skip
    return scene.done(letter, a)


@situation
def colleague_answers_through_a_group_of_ours(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(
        f"'Wannes Dewilde' via Info <info@{OWN_DOMAIN}>", a.language, to=box(a.person), cc=f"info@{OWN_DOMAIN}"
    )
    letter.extra = (("X-Original-Sender", f"wannes@{OWN_DOMAIN}"), ("List-ID", f"<info.{OWN_DOMAIN}>"))
    return scene.done(letter, a)


@situation
def assistant_of_a_stranger_sends_for_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(box(a.person), a.language)
    letter.extra = (("Sender", "Interim Kantoor <desk@interimkantoor.test>"),)
    return scene.done(letter, a)


@situation
def contact_sends_for_a_boss_at_a_freemail_provider(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(scene.stranger_box(), a.language)
    letter.extra = (("Sender", box(a.person)),)
    return scene.done(letter, a)


@situation
def address_hidden_behind_a_relay(scene: Scene) -> Labelled:
    a = scene.firm()
    hidden = a.person.email.replace("@", "_at_").replace(".", "_") + "_k2x9@privaterelay.appleid.com"
    return scene.done(scene.letter(f"{a.person.name} <{hidden}>", a.language), candidates=None)


@situation
def stranger_through_a_list_that_a_contact_reads(scene: Scene) -> Labelled:
    name, address = scene.stranger()
    letter = scene.letter(
        f"{name} via Users <users@lists.tools.example>", "en", to="users@lists.tools.example",
        reply_to=f"users@lists.tools.example, {address}",
    )  # fmt: skip
    letter.extra = (("List-Id", "<users.lists.tools.example>"),)
    return scene.done(letter)


@situation
def list_kept_at_a_customers_domain(scene: Scene) -> Labelled:
    a = scene.firm()
    name, _ = scene.stranger()
    letter = scene.letter(f"{name} via Klanten <nieuws@{a.domain}>", a.language, to=f"nieuws@{a.domain}")
    letter.extra = (("List-Id", f"<nieuws.{a.domain}>"),)
    return scene.done(letter, a)


@situation
def fax_and_voice_messages_of_our_exchange(scene: Scene) -> Labelled:
    letter = scene.letter(
        f"Telefooncentrale <voicemail@{OWN_DOMAIN}>", "nl", to=f"support@{OWN_DOMAIN}",
        subject="Nieuw spraakbericht van +32 9 000 00 00", body="Duur: 00:42\n",
    )  # fmt: skip
    return scene.done(letter)
