"""Situations in which a message is passed on or answered: forwards in every style, and replies that only quote."""

from __future__ import annotations

from collections.abc import Callable

from tests.labelled.letters import FORWARD, FORWARD_STYLES, REPLY, Letter, forwarded, replied
from tests.labelled.situations import SITUATIONS, Labelled, Scene, Situation, box, situation
from tests.labelled.world import OWN_DOMAIN

_NOTES = {
    "nl": "Kan jij dit opvolgen?",
    "fr": "Tu peux regarder ?",
    "de": "Kannst du das übernehmen?",
    "en": "FYI, please handle.",
}


def _forward_in(style: str) -> Situation:
    def write(scene: Scene) -> Labelled:
        a = scene.firm()
        language = scene.language
        subject = scene.writer.subject(a.language)
        plain, html = forwarded(
            style, language, note=scene.random.choice((_NOTES[language], "")), name=a.person.name, address=a.person.email,
            to=f"wannes@{OWN_DOMAIN}", subject=subject, text=scene.writer.text(a.language, signed=a.person.name),
        )  # fmt: skip
        letter = scene.letter(
            scene.colleague(), language, to=f"support@{OWN_DOMAIN}", subject=FORWARD[language] + subject, body=plain
        )
        letter.html = html
        return scene.done(letter, a)

    return write


def _register() -> None:
    for style in FORWARD_STYLES:
        SITUATIONS[f"own forward, {style}"] = _forward_in(style)


_register()


@situation
def own_forward_as_an_attached_message(scene: Scene) -> Labelled:
    a = scene.firm()
    inner = scene.writer.octets(scene.letter(box(a.person), a.language, to=f"wannes@{OWN_DOMAIN}"))
    letter = scene.letter(scene.colleague(), "nl", to=f"support@{OWN_DOMAIN}", body=_NOTES["nl"])
    letter.attached = (("message/rfc822", inner, "bericht.eml"),)
    return scene.done(letter, a)


@situation
def own_forward_of_an_own_forward(scene: Scene) -> Labelled:
    a = scene.firm()
    subject = scene.writer.subject(a.language)
    deep, _ = forwarded(
        "gmail", "nl", note="Zie onder", name=a.person.name, address=a.person.email, to=f"ines@{OWN_DOMAIN}",
        subject=subject, text=scene.writer.text(a.language),
    )  # fmt: skip
    outer, _ = forwarded(
        "gmail", "nl", note=_NOTES["nl"], name="Inès Charlier", address=f"ines@{OWN_DOMAIN}", to=f"wannes@{OWN_DOMAIN}",
        subject="Fwd: " + subject, text=deep,
    )  # fmt: skip
    letter = scene.letter(
        f"Wannes Dewilde <wannes@{OWN_DOMAIN}>",
        "nl",
        to=f"support@{OWN_DOMAIN}",
        subject="Fwd: Fwd: " + subject,
        body=outer,
    )
    return scene.done(letter, a)


@situation
def own_forward_of_an_unknown_colleagues_mail(scene: Scene) -> Labelled:
    a = scene.firm()
    plain, _ = forwarded(
        "outlook", "nl", note=_NOTES["nl"], name="Stagiair", address=f"stagiair@{a.domain}", to=f"info@{OWN_DOMAIN}",
        subject="Vraag", text=scene.writer.text("nl"),
    )  # fmt: skip
    letter = scene.letter(scene.colleague(), "nl", to=f"support@{OWN_DOMAIN}", subject="FW: Vraag", body=plain)
    return scene.done(letter, a)


@situation
def own_forward_of_a_strangers_mail(scene: Scene) -> Labelled:
    name, address = scene.stranger()
    plain, _ = forwarded(
        scene.random.choice(("outlook", "gmail", "apple")), "nl", note=_NOTES["nl"], name=name, address=address,
        to=f"info@{OWN_DOMAIN}", subject="Vraag", text=scene.writer.text("nl"),
    )  # fmt: skip
    return scene.done(
        scene.letter(scene.colleague(), "nl", to=f"support@{OWN_DOMAIN}", subject="FW: Vraag", body=plain)
    )


@situation
def own_forward_from_a_private_mailbox_of_ours(scene: Scene) -> Labelled:
    a = scene.firm()
    plain, _ = forwarded(
        "gmail", a.language, note="", name=a.person.name, address=a.person.email, to="zilverlinde.support@gmail.com",
        subject="Vraag", text=scene.writer.text(a.language),
    )  # fmt: skip
    letter = scene.letter(
        "Zilverlinde <zilverlinde.support@gmail.com>",
        a.language,
        to=f"support@{OWN_DOMAIN}",
        subject="Fwd: Vraag",
        body=plain,
    )
    return scene.done(letter, a)


@situation
def contact_forwards_another_customers_mail(scene: Scene) -> Labelled:
    a = scene.firm()
    b = scene.firm(but=a)
    plain, _ = forwarded(
        scene.random.choice(("outlook", "gmail", "apple", "thunderbird")), a.language, note=_NOTES[a.language],
        name=b.person.name, address=b.person.email, to=a.person.email, subject="Prijs", text=scene.writer.text(b.language),
    )  # fmt: skip
    return scene.done(scene.letter(box(a.person), a.language, subject="Fwd: Prijs", body=plain), a, candidates=None)


def _reply_quoting(style: str, *, by_us: bool) -> Callable[[Scene], Labelled]:
    def write(scene: Scene) -> Labelled:
        a = scene.firm()
        b = scene.firm(but=a)
        text = scene.writer.text(a.language)
        quoted = replied(
            style, a.language, own=text, name=b.person.name, address=b.person.email, to=a.person.email,
            subject="Vraag", text=scene.writer.text(b.language) + f"{b.person.email} {b.licences[0]}",
        )  # fmt: skip
        subject = REPLY[a.language] + scene.writer.subject(a.language)
        if by_us:
            letter = scene.letter(scene.colleague(), a.language, to=box(a.person), subject=subject, body=quoted)
        else:
            letter = scene.letter(box(a.person), a.language, subject=subject, body=quoted)
        return scene.done(letter, a, candidates=None)

    return write


SITUATIONS["contact's reply that quotes another customer, marks"] = _reply_quoting("marks", by_us=False)
SITUATIONS["contact's reply that quotes another customer, Outlook"] = _reply_quoting("outlook", by_us=False)
SITUATIONS["our reply that quotes another customer"] = _reply_quoting("marks", by_us=True)


@situation
def strangers_reply_that_quotes_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    body = replied(
        scene.random.choice(("marks", "outlook")), a.language, own=scene.writer.text(a.language), name=a.person.name,
        address=a.person.email, to="x@gmail.com", subject="Vraag", text=scene.writer.text(a.language),
    )  # fmt: skip
    subject = REPLY[a.language] + "Vraag"
    return scene.done(scene.letter(scene.stranger_box(), a.language, subject=subject, body=body), candidates=None)


@situation
def our_reply_to_a_contact_with_the_history_below(scene: Scene) -> Labelled:
    a = scene.firm()
    body = replied(
        scene.random.choice(("marks", "outlook")), a.language, own=scene.writer.text(a.language), name=a.person.name,
        address=a.person.email, to=f"info@{OWN_DOMAIN}", subject="Vraag", text=scene.writer.text(a.language),
    )  # fmt: skip
    subject = REPLY[a.language] + "Vraag"
    return scene.done(scene.letter(scene.colleague(), a.language, to=box(a.person), subject=subject, body=body), a)


@situation
def colleagues_discuss_below_a_quoted_mail_of_nobody(scene: Scene) -> Labelled:
    body = replied(
        "marks", "nl", own="Akkoord, doe maar.", name="Inès Charlier", address=f"ines@{OWN_DOMAIN}", to=f"wannes@{OWN_DOMAIN}",
        subject="Planning", text="Verzetten we het overleg?",
    )  # fmt: skip
    return scene.done(scene.letter(scene.colleague(), "nl", to=f"ines@{OWN_DOMAIN}", subject="Re: Planning", body=body))


@situation
def forged_references_to_a_customers_thread(scene: Scene) -> Labelled:
    a = scene.firm()
    opening = scene.writer.new_id(a.domain)
    first = scene.letter(box(a.person), a.language)
    first.message_id = opening
    letter = scene.letter(scene.stranger_box(), a.language)
    letter.references = (opening,)
    companions = ((scene.writer.octets(first), frozenset({a.reference})),)
    return scene.done(letter, candidates=(a,), companions=companions)


@situation
def contact_answers_in_another_customers_thread(scene: Scene) -> Labelled:
    a = scene.firm()
    b = scene.firm(but=a)
    opening = scene.writer.new_id(a.domain)
    first = scene.letter(box(a.person), a.language)
    first.message_id = opening
    letter: Letter = scene.letter(box(b.person), b.language)
    letter.references = (opening,)
    companions = ((scene.writer.octets(first), frozenset({a.reference})),)
    return scene.done(letter, b, candidates=None, companions=companions)
