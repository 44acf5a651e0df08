"""What people write: topics of support mail in Dutch, French and English, as templates.

Knows sentences only. A template may name {product} {version} {licence} {invoice} {amount} {code} {quantity} {company}
{city} {day}. The first sentences say the matter; `EXTRA` keeps two mails on one topic from being alike.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One matter: what the customer asks, what the firm answers, what comes after.

    `asked`, `answered` and `added` name the attachment of the first question, of its answer and of the second question:
    "pdf", "docx", "png", "csv", "log" or None. `account` is the mailbox that is written to.
    """

    account: str
    subject: str
    question: str
    answer: str
    more: str
    solution: str
    thanks: str
    asked: str | None = None
    answered: str | None = None
    added: str | None = None


TOPICS: dict[str, tuple[Topic, ...]] = {
    "nl": (
        Topic(
            "support",
            "Licentiesleutel kwijt na nieuwe computer",
            "We hebben een nieuwe computer aan de balie en vinden de licentiesleutel van {product} niet meer terug. "
            "Ons licentienummer is {licence}. Kan u de sleutel opnieuw doorsturen?",
            "Geen probleem. In de bijlage vindt u het bestand met uw licentiesleutel voor {licence}. "
            "Open {product}, kies Help > Licentie en laad het bestand in.",
            "Hij zegt nu dat de licentie al op een andere pc actief is. Foutcode {code}.",
            "De oude pc stond nog aangemeld. Wij hebben die vrijgegeven, probeert u het nog eens.",
            "Het werkt, de sleutel is aanvaard. Bedankt voor de snelle hulp!",
            answered="docx",
        ),
        Topic(
            "support",
            "Foutmelding {code} bij het afdrukken van facturen",
            "Sinds de update naar {version} krijgen we foutmelding {code} als we facturen willen afdrukken. "
            "Een schermafdruk zit in bijlage.",
            "Deze fout komt voor wanneer de printer offline was tijdens de update. Verwijder de printer in Windows en "
            "voeg hem opnieuw toe, daarna start u {product} opnieuw.",
            "De printer is opnieuw toegevoegd, maar het logo staat nu over de tekst gedrukt.",
            "Dat is een gekende fout in {version}. De herstelde versie staat klaar via Help > Bijwerken.",
            "Na de update is alles weer in orde. Hartelijk dank.",
            asked="png",
        ),
        Topic(
            "info",
            "Offerte voor {quantity} extra gebruikers",
            "Wij willen {product} uitbreiden met {quantity} gebruikers in onze vestiging in {city}. "
            "Kan u ons een offerte bezorgen?",
            "Met plezier. In bijlage onze offerte voor {quantity} gebruikers: {amount} per jaar, opleiding inbegrepen.",
            "Geldt deze prijs ook als we meteen voor drie jaar tekenen?",
            "Voor drie jaar geven wij tien procent korting. De aangepaste offerte volgt morgen.",
            "Akkoord, u mag de bestelling inplannen.",
            answered="pdf",
        ),
        Topic(
            "info",
            "Vraag over factuur {invoice}",
            "Op factuur {invoice} staat {amount}, maar volgens ons contract is het minder. Kan u dit nakijken?",
            "U heeft gelijk, de korting voor de onderhoudsovereenkomst ontbreekt. In bijlage een creditnota.",
            "Moeten we de creditnota apart inboeken?",
            "Ja, met dezelfde datum als de factuur. Het openstaande saldo klopt dan weer.",
            "Duidelijk, het is in orde gebracht door de boekhouding.",
            answered="pdf",
        ),
        Topic(
            "support",
            "Elektronische facturen via Peppol",
            "Een leverancier zegt dat hij onze facturen niet ontvangt via Peppol. Wat moet er in {product} staan?",
            "Vanaf {version} kan {product} facturen via Peppol versturen. Onder Instellingen > Verzenden vult u uw "
            "ondernemingsnummer in en vraagt u de registratie aan.",
            "De registratie staat al twee dagen op 'in behandeling'.",
            "Het toegangspunt had een storing. Uw registratie is intussen bevestigd.",
            "Prima, de eerste facturen zijn vertrokken.",
        ),
        Topic(
            "support",
            "Reservekopie terugzetten",
            "Onze server is gecrasht en we moeten de reservekopie van {day} terugzetten. Hoe gaan we best te werk?",
            "Installeer eerst {product} {version}, kies dan Bestand > Reservekopie > Terugzetten. Maak eerst een kopie "
            "van de map met gegevens.",
            "Het terugzetten stopt op 80 procent. Het logbestand zit in bijlage.",
            "In het logbestand zie ik dat de schijf vol is. Maak minstens 20 GB vrij en herbegin.",
            "Alles staat er weer, we zijn niets kwijt. Oef!",
            added="log",
        ),
        Topic(
            "support",
            "Artikels inlezen uit Excel",
            "We willen onze {quantity} artikels inlezen uit Excel. De kolom met de btw-tarieven wordt niet herkend.",
            "Bewaar het bestand als CSV met puntkomma's en gebruik 6, 12 of 21 zonder procentteken. Een voorbeeld zit "
            "in bijlage.",
            "De artikels zijn er, maar de é en de ë zijn vreemde tekens geworden.",
            "Kies bij het inlezen de codering UTF-8, dan blijven de accenten goed.",
            "Gelukt, alle artikels staan erin met de juiste prijzen.",
            asked="csv",
            answered="csv",
        ),
        Topic(
            "info",
            "Opleiding voor nieuwe medewerker",
            "In {city} begint binnenkort een nieuwe medewerker. Geeft u nog opleidingen voor {product}?",
            "Zeker, de volgende opleiding is op {day}, bij u ter plaatse of online. De prijs is {amount} per dag.",
            "Online is voor ons het handigst. Kan het in de voormiddag?",
            "Genoteerd: online, van 9 tot 12 uur. U ontvangt de link de dag voordien.",
            "Dank u, tot dan.",
        ),
        Topic(
            "info",
            "Referentie op uw website",
            "U vroeg of {company} als referentie op uw website mag staan. Voor ons is dat goed, met logo.",
            "Fijn, hartelijk dank. Wij tonen u de tekst voordat die online gaat.",
            "De tekst is goed, enkel de gemeente moet {city} zijn.",
            "Aangepast. De pagina staat sinds vanmorgen online.",
            "Ziet er mooi uit.",
        ),
    ),
    "fr": (
        Topic(
            "support",
            "Clé de licence perdue",
            "Notre ordinateur a été remplacé et nous ne retrouvons plus la clé de licence de {product}. "
            "Notre numéro de licence est {licence}. Pouvez-vous nous renvoyer la clé ?",
            "Bien sûr. Vous trouverez en pièce jointe le fichier avec la clé de licence pour {licence}. "
            "Ouvrez {product}, puis Aide > Licence, et chargez le fichier.",
            "Le programme affiche que la licence est déjà utilisée sur un autre poste, code {code}.",
            "L'ancien poste était encore enregistré. Nous l'avons libéré, vous pouvez réessayer.",
            "Cela fonctionne, la clé est acceptée. Merci beaucoup pour votre aide !",
            answered="docx",
        ),
        Topic(
            "support",
            "Erreur {code} à l'impression des factures",
            "Depuis la mise à jour {version}, nous recevons l'erreur {code} à l'impression. Voir la capture d'écran.",
            "Cette erreur apparaît quand l'imprimante était hors ligne pendant la mise à jour. Supprimez l'imprimante "
            "puis ajoutez-la à nouveau avant de relancer {product}.",
            "L'imprimante est ajoutée, mais le logo s'imprime par-dessus le texte.",
            "C'est un défaut connu de la version {version}. La correction est disponible via Aide > Mettre à jour.",
            "Tout est rentré dans l'ordre après la mise à jour. Merci.",
            asked="png",
        ),
        Topic(
            "info",
            "Demande de devis pour {quantity} postes",
            "Nous souhaitons équiper {quantity} postes supplémentaires à {city}. Pourriez-vous nous envoyer un devis ?",
            "Avec plaisir. Vous trouverez ci-joint notre devis pour {quantity} postes : {amount} par an, formation "
            "comprise.",
            "Ce prix reste-t-il valable si nous signons pour trois ans ?",
            "Pour trois ans, nous accordons une remise de dix pour cent. Le devis adapté suit demain.",
            "C'est d'accord, vous pouvez planifier la commande.",
            answered="pdf",
        ),
        Topic(
            "info",
            "Question sur la facture {invoice}",
            "La facture {invoice} indique {amount}, alors que le contrat prévoit moins. Pouvez-vous vérifier ?",
            "Vous avez raison, la remise du contrat d'entretien manque. Vous trouverez une note de crédit ci-jointe.",
            "Faut-il encoder la note de crédit séparément ?",
            "Oui, à la même date que la facture. Le solde ouvert sera alors correct.",
            "C'est clair, notre comptable l'a encodée.",
            answered="pdf",
        ),
        Topic(
            "support",
            "Factures électroniques par Peppol",
            "Un client n'arrive pas à recevoir nos factures par Peppol. Que faut-il régler dans {product} ?",
            "À partir de la version {version}, {product} envoie les factures par Peppol. Dans Réglages > Envoi, "
            "indiquez votre numéro d'entreprise et demandez l'inscription.",
            "L'inscription est « en cours » depuis deux jours.",
            "Le point d'accès était en panne. Votre inscription est confirmée à présent.",
            "Parfait, les premières factures sont parties.",
        ),
        Topic(
            "support",
            "Restaurer une sauvegarde",
            "Notre serveur est tombé en panne et nous devons restaurer la sauvegarde du {day}. Comment procéder ?",
            "Installez d'abord {product} {version}, puis choisissez Fichier > Sauvegarde > Restaurer. Faites d'abord "
            "une copie du dossier de données.",
            "La restauration s'arrête à 80 pour cent. Le journal est en pièce jointe.",
            "Le journal montre que le disque est plein. Libérez au moins 20 Go et recommencez.",
            "Tout est revenu, rien n'est perdu. Quel soulagement !",
            added="log",
        ),
        Topic(
            "info",
            "Formation pour une nouvelle collègue",
            "Une nouvelle collègue commence à {city}. Donnez-vous encore des formations sur {product} ?",
            "Certainement, la prochaine a lieu le {day}, sur place ou en ligne. Le prix est de {amount} par jour.",
            "En ligne nous conviendrait. Le matin est-il possible ?",
            "C'est noté : en ligne, de 9 à 12 heures. Vous recevrez le lien la veille.",
            "Merci, à bientôt.",
        ),
        Topic(
            "support",
            "Le programme est très lent le matin",
            "Chaque matin {product} met plusieurs minutes à démarrer. À midi tout va bien. Est-ce notre réseau ?",
            "L'antivirus analyse sans doute le dossier de données au démarrage. Ajoutez ce dossier aux exceptions.",
            "C'est mieux, mais la liste des clients reste lente.",
            "Lancez Outils > Réorganiser une fois, de préférence le soir. L'index sera reconstruit.",
            "Quelle différence ! Merci à Inès pour sa patience.",
        ),
    ),
    "en": (
        Topic(
            "support",
            "Lost licence key after moving to a new machine",
            "We replaced the computer at the front desk and can no longer find the licence key of {product}. "
            "Our licence number is {licence}. Could you send the key again?",
            "No problem. The file with your licence key for {licence} is attached. "
            "Open {product}, choose Help > Licence, and load the file.",
            "It now says that the licence is in use on another machine, error {code}.",
            "The old machine was still registered. We released it, please try again.",
            "That did it, the key was accepted. Thank you for the quick help!",
            answered="docx",
        ),
        Topic(
            "support",
            "Error {code} when printing invoices",
            "Since the update to {version} we get error {code} when we print invoices. A screenshot is attached.",
            "This happens when the printer was offline during the update. Remove the printer, add it again and restart "
            "{product}.",
            "The printer is back, but the logo now covers the text.",
            "That is a known fault of {version}. The corrected version is ready under Help > Update.",
            "All good after the update. Many thanks.",
            asked="png",
        ),
        Topic(
            "info",
            "Quotation for {quantity} more users",
            "We would like to add {quantity} users of {product} at our site in {city}. Could you send us a quotation?",
            "With pleasure. Our quotation for {quantity} users is attached: {amount} a year, training included.",
            "Does the price hold if we sign for three years?",
            "For three years we give ten per cent off. The new quotation follows tomorrow.",
            "Agreed, please go ahead with the order.",
            answered="pdf",
        ),
        Topic(
            "info",
            "Question about invoice {invoice}",
            "Invoice {invoice} says {amount}, but our contract says less. Could you check, please?",
            "You are right, the discount of the maintenance contract is missing. A credit note is attached.",
            "Do we have to book the credit note separately?",
            "Yes, with the date of the invoice. The open balance will then be right.",
            "Clear, our bookkeeper has entered it.",
            answered="pdf",
        ),
        Topic(
            "support",
            "Importing stock from a spreadsheet",
            "We are trying to import {quantity} articles from a spreadsheet. The column with the VAT rates is ignored.",
            "Save the file as CSV and write the rates without a per cent sign. An example is attached.",
            "The articles are there, but the accented letters came out wrong.",
            "Choose UTF-8 as the encoding when you import, then the accents survive.",
            "Done, everything is in with the right prices.",
            asked="csv",
            answered="csv",
        ),
        Topic(
            "support",
            "Restoring a backup",
            "Our server has crashed and we have to restore the backup of {day}. What is the best way to do it?",
            "Install {product} {version} first, then choose File > Backup > Restore. Copy the data folder beforehand.",
            "Restoring stops at 80 per cent. The log file is attached.",
            "The log shows that the disk is full. Free at least 20 GB and start again.",
            "Everything is back and nothing was lost. Phew!",
            added="log",
        ),
        Topic(
            "info",
            "How do you handle our data?",
            "Our auditors ask how long you keep our correspondence and who can read it. Do you have a statement?",
            "Our statement on data protection is attached. Mail is kept encrypted, and you may inspect it at any time.",
            "Can we have everything you keep about us?",
            "Of course. You will receive the export before {day}.",
            "Received, thank you. The auditors are satisfied.",
            answered="pdf",
        ),
    ),
}

EXTRA: dict[str, tuple[str, ...]] = {
    "nl": (
        "Wij werken met drie mensen aan de balie en het is momenteel erg druk.",
        "U mag ons bellen, bij voorkeur in de namiddag.",
        "Vorig jaar hadden we iets gelijkaardigs, toen was het na een herstart opgelost.",
        "De computer draait op Windows 11 en is drie jaar oud.",
        "Het is voor ons dringend, want morgen komt de boekhouder langs.",
        "Op de andere computers doet het probleem zich niet voor.",
        "Mijn collega in {city} heeft hetzelfde vastgesteld.",
        "Wij gebruiken {product} intussen zes jaar en zijn er heel tevreden over.",
    ),
    "fr": (
        "Nous sommes trois au comptoir et il y a beaucoup de monde en ce moment.",
        "Vous pouvez nous appeler, de préférence l'après-midi.",
        "L'année passée nous avions un souci semblable, résolu après un redémarrage.",
        "L'ordinateur est sous Windows 11 et a trois ans.",
        "C'est urgent pour nous, la comptable vient demain.",
        "Sur les autres ordinateurs le problème ne se présente pas.",
        "Mon collègue à {city} a constaté la même chose.",
        "Nous utilisons {product} depuis six ans et nous en sommes très contents.",
    ),
    "en": (
        "There are three of us at the desk and it is rather busy at the moment.",
        "You are welcome to call, preferably in the afternoon.",
        "Last year we had something similar, and a restart solved it.",
        "The machine runs Windows 11 and is three years old.",
        "It is urgent for us, as the bookkeeper comes tomorrow.",
        "The other machines do not show the problem.",
        "My colleague in {city} has seen the same.",
        "We have used {product} for six years and are very pleased with it.",
    ),
}

GREETING = {"nl": "Beste {name},", "fr": "Bonjour {name},", "en": "Dear {name},"}
CLOSING = {"nl": "Met vriendelijke groeten", "fr": "Bien à vous", "en": "Kind regards"}
REPLY = {"nl": "Re: ", "fr": "Re : ", "en": "Re: "}
WROTE = {
    "nl": "Op {date} om {time} schreef {name} <{address}>:",
    "fr": "Le {date} à {time}, {name} <{address}> a écrit :",
    "en": "On {date} at {time}, {name} <{address}> wrote:",
}
OUTLOOK = {
    "nl": ("-----Oorspronkelijk bericht-----", "Van", "Verzonden", "Aan", "Onderwerp"),
    "fr": ("-----Message d'origine-----", "De", "Envoyé", "À", "Objet"),
    "en": ("-----Original Message-----", "From", "Sent", "To", "Subject"),
}
MONTHS = {
    "nl": [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ],
    "fr": [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
}
FILE_NAMES = {
    ("nl", "pdf"): "document {number}.pdf",
    ("fr", "pdf"): "pièce n° {number}.pdf",
    ("en", "pdf"): "document-{number}.pdf",
    ("nl", "docx"): "licentiesleutel {number}.docx",
    ("fr", "docx"): "clé de licence {number}.docx",
    ("en", "docx"): "licence key {number}.docx",
    ("nl", "png"): "schermafdruk.png",
    ("fr", "png"): "capture d'écran.png",
    ("en", "png"): "screenshot.png",
    ("nl", "csv"): "artikels.csv",
    ("fr", "csv"): "articles.csv",
    ("en", "csv"): "articles.csv",
    ("nl", "log"): "herstel.log",
    ("fr", "log"): "restauration.log",
    ("en", "log"): "restore.log",
}
PAPERS = {
    ("nl", "pdf"): "De opzegtermijn bedraagt drie maanden, met een aangetekende brief.\n"
    "Bij laattijdige betaling rekenen wij nalatigheidsinteresten aan.",
    ("fr", "pdf"): "Le préavis de résiliation est de trois mois, par lettre recommandée.\n"
    "Tout retard de paiement donne lieu à des intérêts de retard.",
    (
        "en",
        "pdf",
    ): "Notice of termination is three months, by registered letter.\nLate payments bear statutory interest.",
    ("nl", "docx"): "Licentiecertificaat voor {product} {version}\n"
    "Deze activeringscode mag op twee werkstations gebruikt worden: {code}-{licence}.",
    ("fr", "docx"): "Certificat de licence pour {product} {version}\n"
    "Ce code d'activation peut servir sur deux postes de travail : {code}-{licence}.",
    ("en", "docx"): "Certificate of licence for {product} {version}\n"
    "This activation code may be used on two workstations: {code}-{licence}.",
}
"""What stands in attached papers and in no mail, so that a search can only find it there."""
