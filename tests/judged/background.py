"""What else is in the mailbox of the desk: some thousand messages in four languages that answer none of the questions.

They use the words that every customer uses (licence, invoice, update, user, error) in their ordinary forms, so that a
question is never answered by the only message that has a word of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tests.judged.mail import Letter, Mail, write

_PRODUCTS = ("Uurwijs", "Boekwijs", "Planwijs")
_LANGUAGES = ("nl", "nl", "nl", "fr", "fr", "de", "en", "en")

# Each matter: subject, then what is written in turn; a reply quotes what came before.
_MATTERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "nl": (
        ("Licentie {product}", "Wij gebruiken {product} met {n} gebruikers. Loopt onze licentie nog tot eind {month}?",
         "Uw licentie is geldig tot {day} {month}. U krijgt op tijd een herinnering.", "Perfect, dank u."),
        ("Factuur {number}", "In bijlage vindt u factuur {number} voor {product}, bedrag {amount} euro.",
         "Kan u de factuur naar onze boekhouding sturen?", "Dat hebben we gedaan, ze is opnieuw verstuurd."),
        ("Vraag over {product}", "Hoe kan ik in {product} een gebruiker toevoegen? Ik vind het menu niet.",
         "Ga naar Beheer, dan Gebruikers, en klik op Nieuw.", "Gelukt, bedankt!"),
        ("Update naar versie {version}", "Vandaag is versie {version} van {product} verschenen. De update duurt {n} minuten.",
         "Moeten wij iets doen voor de update?", "Neen, alles gaat vanzelf 's nachts."),
        ("Fout in {product}", "Sinds deze morgen krijgen we een fout als we {product} openen op de computer van het onthaal.",
         "Kan u een schermafdruk van de foutmelding sturen?", "Na herstarten van de computer is de fout weg."),
        ("Afspraak {day} {month}", "Past {day} {month} om tien uur voor een bezoek bij ons in het kantoor?",
         "Dat past. Ik breng een collega mee.", "Tot dan."),
        ("Uren van {month}", "De uren van {month} staan klaar. Kan iemand ze nakijken voor de lonen?",
         "Ik heb ze nagekeken, twee prikkingen ontbraken.", "Dank u, we hebben ze aangevuld."),
        ("Nieuwe medewerker", "Vanaf {day} {month} begint bij ons een nieuwe medewerker. Kan u een badge voorzien?",
         "De badge met nummer {number} ligt klaar.", "Goed ontvangen."),
        ("Back-up", "De server geeft aan dat de back-up van {product} van {day} {month} klaar is.",
         "Waar vind ik het verslag daarvan?", "In de map Verslagen op de server."),
        ("Prijs van {product}", "Wat kost {product} voor {n} gebruikers per jaar?",
         "Voor {n} gebruikers betaalt u {amount} euro per jaar.", "Wij bespreken het intern."),
    ),
    "fr": (
        ("Licence {product}", "Nous utilisons {product} avec {n} utilisateurs. Notre licence court-elle jusque fin {month} ?",
         "Votre licence est valable jusqu'au {day} {month}.", "Parfait, merci."),
        ("Facture {number}", "Vous trouverez en annexe la facture {number} pour {product}, montant {amount} euros.",
         "Pouvez-vous envoyer la facture à notre comptable ?", "C'est fait, elle est partie ce matin."),
        ("Question sur {product}", "Comment ajouter un utilisateur dans {product} ? Je ne trouve pas le menu.",
         "Allez dans Gestion, puis Utilisateurs, et cliquez sur Nouveau.", "Cela fonctionne, merci !"),
        ("Mise à jour {version}", "La version {version} de {product} est disponible. La mise à jour dure {n} minutes.",
         "Devons-nous faire quelque chose ?", "Non, tout se fait la nuit."),
        ("Erreur dans {product}", "Depuis ce matin nous avons une erreur en ouvrant {product} sur l'ordinateur de l'accueil.",
         "Pouvez-vous envoyer une capture d'écran de l'erreur ?", "Après redémarrage l'erreur a disparu."),
        ("Rendez-vous le {day} {month}", "Le {day} {month} à dix heures vous convient-il pour une visite au bureau ?",
         "Cela me convient. Je viens avec un collègue.", "À bientôt."),
        ("Heures de {month}", "Les heures de {month} sont prêtes. Quelqu'un peut-il les vérifier pour les salaires ?",
         "Je les ai vérifiées, deux pointages manquaient.", "Merci, c'est complété."),
        ("Prix de {product}", "Quel est le prix de {product} pour {n} utilisateurs par an ?",
         "Pour {n} utilisateurs vous payez {amount} euros par an.", "Nous en parlons entre nous."),
    ),
    "de": (
        ("Lizenz {product}", "Wir nutzen {product} mit {n} Benutzern. Läuft unsere Lizenz noch bis Ende {month}?",
         "Ihre Lizenz ist bis zum {day}. {month} gültig.", "Wunderbar, danke."),
        ("Rechnung {number}", "Anbei erhalten Sie die Rechnung {number} für {product} über {amount} Euro.",
         "Können Sie die Rechnung an unsere Buchhaltung senden?", "Ist erledigt, sie wurde heute verschickt."),
        ("Frage zu {product}", "Wie lege ich in {product} einen Benutzer an? Ich finde das Menü nicht.",
         "Gehen Sie auf Verwaltung, dann Benutzer, und klicken Sie auf Neu.", "Hat geklappt, danke!"),
        ("Update auf Version {version}", "Heute ist Version {version} von {product} erschienen. Das Update dauert {n} Minuten.",
         "Müssen wir etwas tun?", "Nein, alles läuft nachts von selbst."),
        ("Fehler in {product}", "Seit heute Morgen kommt ein Fehler, wenn wir {product} am Empfang öffnen.",
         "Können Sie ein Bild der Meldung schicken?", "Nach einem Neustart ist der Fehler weg."),
        ("Termin am {day}. {month}", "Passt Ihnen der {day}. {month} um zehn Uhr für einen Besuch im Büro?",
         "Das passt. Ich bringe einen Kollegen mit.", "Bis dann."),
        ("Stunden im {month}", "Die Stunden vom {month} sind fertig. Kann jemand sie für die Löhne prüfen?",
         "Ich habe sie geprüft, zwei Buchungen fehlten.", "Danke, wir haben sie ergänzt."),
    ),
    "en": (
        ("{product} licence", "We use {product} with {n} users. Is our licence valid until the end of {month}?",
         "Your licence is valid until {day} {month}.", "Perfect, thank you."),
        ("Invoice {number}", "Please find attached invoice {number} for {product}, {amount} euro.",
         "Could you send the invoice to our accounts department?", "Done, it was sent again this morning."),
        ("Question about {product}", "How do I add a user in {product}? I cannot find the menu.",
         "Go to Administration, then Users, and click New.", "That worked, thanks!"),
        ("Update to version {version}", "Version {version} of {product} was released today. The update takes {n} minutes.",
         "Do we have to do anything?", "No, it all happens overnight."),
        ("Error in {product}", "Since this morning we get an error when we open {product} on the front desk computer.",
         "Can you send a screenshot of the error?", "After a restart the error is gone."),
        ("Meeting on {day} {month}", "Would {day} {month} at ten suit you for a visit to our office?",
         "That suits me. I will bring a colleague.", "See you then."),
        ("Hours of {month}", "The hours of {month} are ready. Can somebody check them for the payroll?",
         "I checked them, two clockings were missing.", "Thanks, we have completed them."),
        ("Price of {product}", "What does {product} cost for {n} users a year?",
         "For {n} users you pay {amount} euro a year.", "We will discuss it here."),
    ),
}  # fmt: skip
_MONTHS = {
    "nl": ("januari", "februari", "april", "juni", "augustus", "oktober", "december"),
    "fr": ("janvier", "février", "avril", "juin", "août", "octobre", "décembre"),
    "de": ("Januar", "Februar", "April", "Juni", "August", "Oktober", "Dezember"),
    "en": ("January", "February", "April", "June", "August", "October", "December"),
}
_EXTRA = {
    "nl": ("Het is bij ons nogal druk deze week.", "U kan mij bellen in de voormiddag.", "Wij werken al {n} jaar met {product}.",
           "Mijn collega is tot {day} {month} afwezig.", "Laat gerust weten als er nog iets nodig is.",
           "Op dinsdag is ons kantoor gesloten.", "Alles staat ook in het verslag van {month}.", "De server staat in de kelder."),
    "fr": ("C'est assez chargé chez nous cette semaine.", "Vous pouvez m'appeler le matin.", "Nous travaillons avec {product} depuis {n} ans.",
           "Ma collègue est absente jusqu'au {day} {month}.", "N'hésitez pas si vous avez besoin de quelque chose.",
           "Notre bureau est fermé le mardi.", "Tout est aussi dans le rapport de {month}."),
    "de": ("Bei uns ist diese Woche viel los.", "Sie erreichen mich vormittags.", "Wir arbeiten seit {n} Jahren mit {product}.",
           "Meine Kollegin ist bis zum {day}. {month} nicht da.", "Melden Sie sich gerne, wenn noch etwas fehlt.",
           "Dienstags ist unser Büro geschlossen.", "Alles steht auch im Bericht vom {month}."),
    "en": ("It is rather busy here this week.", "You can call me in the morning.", "We have worked with {product} for {n} years.",
           "My colleague is away until {day} {month}.", "Let us know if anything else is needed.",
           "Our office is closed on Tuesdays.", "It is all in the report of {month} as well."),
}  # fmt: skip
_NEWS = {
    "nl": ("Nieuwsbrief {month}", ("In deze nieuwsbrief: tips voor {product}, nieuwe functies in versie {version}, en de agenda van {month}. "
           "Wij wensen al onze klanten een goede maand. U kan zich onderaan uitschrijven.")),
    "fr": ("Lettre d'information de {month}", ("Dans ce numéro : conseils pour {product}, nouveautés de la version {version}, et l'agenda de "
           "{month}. Nous souhaitons un bon mois à tous nos clients. Vous pouvez vous désinscrire ci-dessous.")),
    "de": ("Rundbrief {month}", ("In dieser Ausgabe: Tipps zu {product}, Neues in Version {version} und die Termine im {month}. "
           "Wir wünschen allen Kunden einen guten Monat. Unten können Sie sich abmelden.")),
    "en": ("Newsletter {month}", ("In this issue: tips for {product}, what is new in version {version}, and the calendar of {month}. "
           "We wish all customers a good month. You can unsubscribe below.")),
}  # fmt: skip


def background(count: int) -> Iterator[Letter]:
    """Give so many messages, the same every time."""
    random = Random(20_251_122)
    given = 0
    while given < count:
        for mail in _conversation(random, given):
            if given < count:
                yield write(mail, f"b{given}", random)
                given += 1


def _conversation(random: Random, number: int) -> Iterator[Mail]:
    language = random.choice(_LANGUAGES)
    values = {
        "product": random.choice(_PRODUCTS),
        "version": f"{random.randint(5, 9)}.{random.randint(0, 9)}",
        "number": f"{random.randint(2022, 2025)}-{random.randint(1, 9999):04d}",
        "n": str(random.randint(2, 48)),
        "amount": f"{random.randint(12, 480) * 10},00",
        "day": str(random.randint(1, 28)),
        "month": random.choice(_MONTHS[language]),
    }
    if random.random() < 0.08:
        subject, text = (part.format_map(values) for part in _NEWS[language])
        yield Mail(subject, text, ours=True, language=language)
        return
    subject, *turns = (part.format_map(values) for part in random.choice(_MATTERS[language]))
    before = ""
    for at, turn in enumerate(turns[: random.randint(1, 3)]):
        extra = random.sample(_EXTRA[language], random.randint(0, 2)) if at == 0 else []
        text = " ".join([turn, *(one.format_map(values) for one in extra)])
        yield Mail(
            ("Re: " if at else "") + subject, text, before, ours=at % 2 == 1, thread=f"b{number}", language=language
        )
        before = text
