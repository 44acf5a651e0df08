"""The language of a message, on short sentences of support mail in four languages, and on what is no language."""

from __future__ import annotations

import pytest

from archiver.mail.languages import guess, language_of
from archiver.mail.parse import parse

SENTENCES = {
    "nl": """\
Onze licentie is gisteren verlopen, kunnen jullie die verlengen?
Graag een nieuwe sleutel voor de tweede computer.
Ik krijg een foutmelding bij het openen van het programma.
De factuur van maart klopt niet met onze bestelling.
Kan u mij de offerte nog eens doorsturen?
Bedankt voor de snelle reactie.
We hebben de betaling vandaag uitgevoerd.
Het rapport wordt niet afgedrukt.
Sinds de laatste update start het programma niet meer op.
Wanneer is de volgende opleiding gepland?
Ik ben tot maandag afwezig.
In bijlage vindt u het getekende contract.
Mijn collega heeft geen toegang tot de module.
Gelieve het btw-nummer aan te passen op de factuur.
Hoe kan ik een back-up van de gegevens maken?
Kunnen we dit morgen even telefonisch bespreken?
De installatie op de server is mislukt.
Er staat een fout in het adres van onze klant.
Wij willen graag drie extra gebruikers toevoegen.
Het wachtwoord werd gisteren gewijzigd.
Alvast bedankt en vriendelijke groeten
Beste, zie onderstaand bericht.
Dat is in orde, dank u wel.
Hij werkt sinds deze week niet meer bij ons.
De prikklok registreert de uren dubbel.
Kan je nagaan waarom de export leeg is?
Ik heb uw vraag doorgegeven aan de boekhouding.
Welke versie moeten we installeren?
Hierbij onze bestelling voor volgend jaar.
Wat kost een jaarlijks onderhoudscontract?
De cijfers van het eerste kwartaal ontbreken.
Is er al nieuws over mijn aanvraag?
Deze klant wil zijn gegevens laten verwijderen.
Wij stoppen met het abonnement vanaf januari.
Graag had ik een kopie ontvangen van de creditnota.
Het lukt nog altijd niet om in te loggen.
Mag ik een demo van het pakket aanvragen?
Zou u ons een herinnering kunnen bezorgen?
De medewerker kan zijn verlof niet ingeven.
Dit is al de derde keer deze maand.
Ik wacht op uw antwoord.
Onze nieuwe server staat klaar voor de verhuis.
U mag de oude factuur crediteren.
Het scherm blijft zwart na het opstarten.
Hallo, is de storing al opgelost?
Kunt u het rekeningnummer bevestigen?
De sleutel die u stuurde wordt niet aanvaard.
Wij zijn gesloten van maandag tot en met woensdag.
Kan iemand mij terugbellen?
Ze vraagt of het ook zonder internet werkt.
Goedemorgen, de synchronisatie hangt vast.
Neem gerust contact op als er nog vragen zijn.
""",
    "fr": """\
Notre licence a expiré hier, pouvez-vous la renouveler ?
Je voudrais une nouvelle clé pour le deuxième ordinateur.
Le programme affiche une erreur au démarrage.
La facture de mars ne correspond pas à notre commande.
Pourriez-vous nous renvoyer le devis ?
Merci pour votre réponse rapide.
Nous avons effectué le paiement aujourd'hui.
Le rapport ne s'imprime pas.
Depuis la dernière mise à jour, rien ne fonctionne.
Quand aura lieu la prochaine formation ?
Je suis absent jusqu'à lundi.
Veuillez trouver ci-joint le contrat signé.
Ma collègue n'a pas accès au module.
Veuillez corriger le numéro de TVA sur la facture.
Comment faire une copie de sauvegarde des données ?
Pouvons-nous en parler demain par téléphone ?
L'installation sur le serveur a échoué.
Il y a une erreur dans l'adresse de notre client.
Nous souhaitons ajouter trois utilisateurs.
Le mot de passe a été changé hier.
Cordialement et bonne journée
Bonjour, voir le message ci-dessous.
C'est en ordre, merci beaucoup.
Il ne travaille plus chez nous.
La pointeuse enregistre les heures deux fois.
Pourquoi le fichier est-il vide ?
J'ai transmis votre question à la comptabilité.
Quelle version devons-nous installer ?
Voici notre commande pour l'année prochaine.
Combien coûte un contrat de maintenance ?
Les chiffres du premier trimestre manquent.
Avez-vous des nouvelles de ma demande ?
Ce client veut faire supprimer ses données.
Nous mettons fin à l'abonnement en janvier.
Je n'ai pas reçu la note de crédit.
Impossible de se connecter depuis ce matin.
Puis-je demander une démonstration du logiciel ?
Merci de nous envoyer un rappel.
L'employé ne peut pas encoder ses congés.
C'est la troisième fois ce mois-ci.
J'attends votre réponse.
Notre nouveau serveur est prêt.
Vous pouvez annuler l'ancienne facture.
L'écran reste noir après le démarrage.
Bonsoir, la panne est-elle résolue ?
Pouvez-vous confirmer le numéro de compte ?
La clé que vous avez envoyée n'est pas acceptée.
Nos bureaux sont fermés de lundi à mercredi.
Quelqu'un peut-il me rappeler ?
Elle demande si cela marche aussi sans internet.
Nous restons à votre disposition.
Le contrat est à renouveler avant la fin du mois.
""",
    "de": """\
Unsere Lizenz ist gestern abgelaufen, können Sie sie verlängern?
Bitte schicken Sie uns einen neuen Schlüssel.
Beim Öffnen des Programms erscheint ein Fehler.
Die Rechnung vom März stimmt nicht mit der Bestellung überein.
Können Sie mir das Angebot noch einmal senden?
Vielen Dank für die schnelle Antwort.
Wir haben die Zahlung heute ausgeführt.
Der Bericht wird nicht gedruckt.
Seit dem letzten Update startet das Programm nicht mehr.
Wann findet die nächste Schulung statt?
Ich bin bis Montag nicht im Büro.
Im Anhang finden Sie den unterschriebenen Vertrag.
Meine Kollegin hat keinen Zugriff auf das Modul.
Bitte ändern Sie die Umsatzsteuernummer auf der Rechnung.
Wie kann ich eine Sicherung der Daten machen?
Können wir das morgen kurz am Telefon besprechen?
Die Installation auf dem Server ist fehlgeschlagen.
In der Adresse unseres Kunden ist ein Fehler.
Wir möchten drei weitere Benutzer hinzufügen.
Das Passwort wurde gestern geändert.
Mit freundlichen Grüßen
Hallo, siehe die Nachricht unten.
Das ist in Ordnung, danke.
Er arbeitet nicht mehr bei uns.
Die Stempeluhr erfasst die Stunden doppelt.
Warum ist der Export leer?
Ich habe Ihre Frage an die Buchhaltung weitergegeben.
Welche Version sollen wir installieren?
Anbei unsere Bestellung für das nächste Jahr.
Was kostet ein Wartungsvertrag im Jahr?
Die Zahlen des ersten Quartals fehlen noch.
Gibt es schon Neues zu meiner Anfrage?
Dieser Kunde will seine Daten löschen lassen.
Wir kündigen das Abonnement zum Januar.
Ich habe die Gutschrift nicht erhalten.
Die Anmeldung funktioniert immer noch nicht.
Kann ich eine Vorführung der Software anfragen?
Könnten Sie uns eine Erinnerung schicken?
Der Mitarbeiter kann seinen Urlaub nicht eintragen.
Das ist schon das dritte Mal in diesem Monat.
Ich warte auf Ihre Antwort.
Unser neuer Server ist bereit.
Sie können die alte Rechnung stornieren.
Der Bildschirm bleibt nach dem Start schwarz.
Guten Tag, ist die Störung behoben?
Können Sie die Kontonummer bestätigen?
Der Schlüssel, den Sie geschickt haben, wird nicht angenommen.
Wir haben von Montag bis Mittwoch geschlossen.
Kann mich jemand zurückrufen?
Sie fragt, ob es auch ohne Internet geht.
Bei Fragen stehen wir Ihnen gerne zur Verfügung.
Leider hat sich der Termin verschoben.
""",
    "en": """\
Our licence expired yesterday, can you renew it?
Please send us a new key for the second computer.
I get an error when I open the program.
The invoice of March does not match our order.
Could you send me the quote again?
Thanks for the quick reply.
We made the payment today.
The report does not print.
Since the last update the program won't start.
When is the next training session?
I am out of the office until Monday.
Please find attached the signed contract.
My colleague has no access to the module.
Please change the VAT number on the invoice.
How can I make a backup of the data?
Can we discuss this tomorrow by phone?
The installation on the server has failed.
There is a mistake in the address of our customer.
We would like to add three users.
The password was changed yesterday.
Kind regards and thank you
Hi, see the message below.
That is fine, thanks a lot.
He does not work with us any more.
The time clock registers the hours twice.
Why is the export empty?
I have passed your question on to accounting.
Which version should we install?
Here is our order for next year.
What does a maintenance contract cost?
The figures of the first quarter are missing.
Is there any news about my request?
This customer wants his data deleted.
We will end the subscription in January.
I have not received the credit note.
It is still not possible to log in.
Can I ask for a demo of the package?
Could you send us a reminder?
The employee cannot enter his leave.
This is the third time this month.
I am waiting for your answer.
Our new server is ready for the move.
You may cancel the old invoice.
The screen stays black after starting up.
Hello, is the problem solved yet?
Can you confirm the account number?
The key that you sent is not accepted.
We are closed from Monday to Wednesday.
Can somebody call me back?
She asks if it also works without internet.
Do not hesitate to contact us with any questions.
Unfortunately the appointment has been moved.
""",
}


def test_short_sentences_of_four_languages_are_never_taken_for_another_and_rarely_for_none() -> None:
    wrong, none, total = [], [], 0
    for language, lines in SENTENCES.items():
        for line in lines.splitlines():
            total += 1
            found = guess(line)
            if found is None:
                none.append((language, line))
            elif found != language:
                wrong.append((language, found, line))
    assert total >= 200
    assert wrong == []
    assert len(none) <= total * 6 // 100, none


@pytest.mark.parametrize("language", SENTENCES)
def test_two_sentences_are_enough(language: str) -> None:
    lines = SENTENCES[language].splitlines()
    assert {guess(" ".join(pair)) for pair in zip(lines[::2], lines[1::2], strict=True)} == {language}


def test_other_languages_are_told_by_their_words_or_their_script() -> None:
    for language, text in {
        "es": "Hola, no puedo abrir el programa desde ayer. Gracias por su ayuda y un saludo.",
        "it": "Buongiorno, non riesco ad aprire il programma da ieri. Grazie e cordiali saluti.",
        "pt": "Olá, não consigo abrir o programa desde ontem. Obrigado pela sua ajuda.",
        "pl": "Dzień dobry, nie mogę otworzyć programu od wczoraj. Proszę o pomoc i pozdrawiam.",
        "sv": "Hej, jag kan inte öppna programmet och det är samma sak på den andra datorn.",
        "ja": "お世話になっております。ライセンスの更新をお願いします。",
        "zh": "您好，请问许可证什么时候到期？谢谢。",
        "ko": "안녕하세요, 라이선스 갱신을 부탁드립니다.",
        "ru": "Здравствуйте, мы не можем открыть программу со вчерашнего дня.",
        "uk": "Добрий день, ми не можемо відкрити програму з вчорашнього дня.",
        "el": "Καλημέρα, δεν μπορώ να ανοίξω το πρόγραμμα.",
        "ar": "مرحبا، لا أستطيع فتح البرنامج منذ أمس.",
        "he": "שלום, אני לא מצליח לפתוח את התוכנה.",
    }.items():
        assert guess(text) == language, language


def test_what_is_no_language_or_two_of_them_is_not_guessed() -> None:
    for text in (
        "",
        "1200 / 46084 / 12.5\n33 44 55",
        "AB12-CD34-EF56",
        "ok",
        "info@example.org",
        "def main(argv):\n    x = y[0]\n    print(x)\n    return None\n" * 5,
        "Wij kunnen het programma niet openen. Nous ne pouvons pas ouvrir le programme.",
    ):
        assert guess(text) is None, text


def test_own_text_comes_first_then_the_subject_then_what_is_quoted() -> None:
    dutch, french = SENTENCES["nl"], SENTENCES["fr"]
    assert language_of(dutch, french, french) == "nl"
    assert language_of("ok", dutch, french) == "nl"
    assert language_of("", "Fwd", french) == "fr"
    assert language_of("", "Fwd", "") is None


def test_a_message_knows_its_language() -> None:
    octets = f"Subject: x\nContent-Type: text/plain; charset=utf-8\n\n{SENTENCES['de']}".encode()
    assert parse(octets).language == "de"
