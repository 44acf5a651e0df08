"""The second judged set: other words, other customers, other ways to ask than the first, and more mail around it.

It was written without sight of the first, and asked before anything was changed for it: what it gave then is in
docs/benchmarks.md. Around its answers stand, besides the usual background, messages put together of its own near words.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tests.judged import second_dutch, second_english, second_french, second_german
from tests.judged.mail import Letter, Mail, write

QUESTIONS = (*second_dutch.QUESTIONS, *second_french.QUESTIONS, *second_german.QUESTIONS, *second_english.QUESTIONS)

_SUBJECTS = {
    "nl": ("Vraag", "Dringend", "Planning", "Levering", "Terminal", "Rapport", "Loon", "Toegang"),
    "fr": ("Question", "Urgent", "Planning", "Livraison", "Badgeuse", "Rapport", "Paie", "Accès"),
    "de": ("Frage", "Dringend", "Planung", "Lieferung", "Gerät", "Bericht", "Gehalt", "Zutritt"),
    "en": ("Question", "Urgent", "Planning", "Delivery", "Clock", "Report", "Payroll", "Access"),
}
_SENTENCES = {
    "nl": ("De technieker komt langs met een nieuw toestel.", "Kan de sleutel aan het onthaal blijven?",
           "Het bezoek van november is verplaatst.", "De app op de tablets werkt traag.", "Wij betaalden alles op tijd.",
           "Wie beheert het contract van deze vestiging?", "Het verslag is nog niet klaar.", "De kassa staat nu bij de ingang.",
           "Het bedrag van {n} euro klopt.", "Bel mij op 0475 {n} {n}.", "De server wordt zondag vervangen.",
           "De werknemers prikken voortaan aan poort A.", "De levering is volledig.", "Het document staat op de server.",
           "Onze collega is met verlof tot {n} november.", "De teller van verlof klopt niet."),
    "fr": ("Le technicien passe avec un nouvel appareil.", "Le mot de passe est au coffre.", "La mise en page du rapport a changé.",
           "Le client paie toujours à temps.", "Votre comptable a le journal du mois.", "L'imprimante est au premier étage.",
           "Nos employés pointent le samedi.", "Le montant de {n} euros est correct.", "Le certificat est valable un an.",
           "La facture de {n} euros est payée.", "Le bulletin arrive par la poste."),
    "de": ("Der Techniker kommt mit einem neuen Gerät.", "Der Schlüssel liegt am Empfang.", "Die Zahlung ist eingegangen.",
           "Der Vertrag liegt bei der Leitung.", "Die Pause dauert {n} Minuten.", "Der Fahrer wartet am Tor.",
           "Die Karte funktioniert wieder.", "Die Lieferung ist vollständig.", "Die Lizenz gilt für {n} Geräte.",
           "Die Mitarbeiter stempeln am Tor.", "Der Drucker steht im Lager."),
    "en": ("The engineer will bring a new clock.", "The goods arrive on day {n}.", "Everyone was paid on time.",
           "The shift plan of the team is ready.", "The company moved to gate {n}.", "Leave is approved by the manager.",
           "Our subscription covers {n} users.", "The backup takes {n} minutes.", "The licence is on the server.",
           "Hours per project are in the report."),
}  # fmt: skip


def crowd(count: int) -> Iterator[Letter]:
    """Give so many messages that have words of the questions here and there, the same every time."""
    random = Random(20_261_123)
    for number in range(count):
        language = random.choice(("nl", "nl", "fr", "de", "en"))
        text = " ".join(random.sample(_SENTENCES[language], random.randint(2, 5)))
        mail = Mail(
            random.choice(_SUBJECTS[language]),
            text.replace("{n}", str(random.randint(2, 99))),
            ours=random.random() < 0.3,
            language=language,
        )
        yield write(mail, f"c{number}", random)
