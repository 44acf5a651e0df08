"""Questions whose words stand in many messages, of which one or two are about it: the others only have them."""

from __future__ import annotations

from tests.judged.mail import Mail, Question
from tests.twins.office_files import docx, pdf, xlsx

_LIFT = "\n\n--\nLiften De Wachter - installatie, onderhoud en keuring van liften en roltrappen"
_PLOMBIER = "\n\n--\nEntreprise Noël : chauffage, sanitaire, détartrage de chaudières"
_NOTICE = (
    "\n\nThis message is confidential. If you are not the intended recipient, delete it and inform the sender. No "
    "liability is accepted for damage caused by a virus transmitted with it."
)
_HINWEIS = (
    "\n\nUnsere Datenschutzerklärung finden Sie auf der Website. Bitte denken Sie an die Umwelt, bevor Sie drucken."
)
_PRICES = xlsx(
    {
        "Prijzen": [
            [word, 10 + at]
            for at, word in enumerate(
                [
                    "terminal",
                    "badge",
                    "lezer",
                    "houder",
                    "kabel",
                    "adapter",
                    "voeding",
                    "scherm",
                    "batterij",
                    "antenne",
                    "sirene",
                    "magneetcontact",
                    "deurslot",
                    "drukknop",
                    "muurbeugel",
                    "handleiding",
                    "vingerafdruklezer",
                    "gezichtsherkenning",
                ]
            )
        ]
    }
)
_NL_SMALL = ("Ik bel u straks even.", "Bedankt voor de uitleg.", "Donderdag past ons goed.", "Zie hieronder.",
             "De sleutel ligt bij het onthaal.", "Ik heb het doorgegeven.", "Tot morgen.", "Dat klopt.", "Wij wachten nog even.",
             "Mijn collega neemt dat over.", "Alles is goed toegekomen.", "Graag uw akkoord.")  # fmt: skip
_FR_SMALL = ("Je vous rappelle.", "Merci pour l'explication.", "Jeudi nous convient.", "C'est noté.", "À demain.",
             "C'est exact.", "Nous attendons encore.", "Ma collègue reprend cela.", "Bien reçu.", "Votre accord, svp.", "Voir plus bas.")  # fmt: skip
_EN_SMALL = ("I will call you.", "Thanks for explaining.", "Thursday is fine.", "Noted.", "See you tomorrow.", "That is right.",
             "We are still waiting.", "A colleague takes over.", "All received.", "Please confirm.", "See below.")  # fmt: skip
_DE_SMALL = ("Ich rufe Sie an.", "Danke für die Erklärung.", "Donnerstag passt.", "Notiert.", "Bis morgen.", "Das stimmt.",
             "Wir warten noch.", "Eine Kollegin übernimmt.", "Alles erhalten.", "Bitte bestätigen.", "Siehe unten.")  # fmt: skip


def _days(year: int, count: int) -> list[str]:
    return [f"{year}-{1 + at % 12:02}-{3 + at:02}" for at in range(count)]


QUESTIONS = (
    # --- the words are in everybody's last lines ---
    Question("keuring lift", "signature", "nl",
        (Mail("Verslag", "De keuring van de lift in blok B is afgekeurd, de deuren sluiten te traag.", day="2023-03-03"),),
        tuple(Mail("Re: bezoek", text + _LIFT, sender="Stef De Wachter <stef@dewachter.example>", day=day)
              for text, day in zip(_NL_SMALL, _days(2024, 12), strict=True))),
    Question("détartrage", "signature", "fr",
        (Mail("Douche tiède", "Le détartrage de la chaudière du vestiaire est-il prévu cette année ?", day="2022-11-08"),),
        tuple(Mail("Re: visite", text + _PLOMBIER, sender="Luc Noël <luc@noel-chauffage.example>", day=day)
              for text, day in zip(_FR_SMALL, _days(2024, 11), strict=True))),
    Question("virus damage", "signature", "en",
        (Mail("Infected laptop", "A virus came in by a game. Is there damage to the time data?", day="2022-08-02"),),
        tuple(Mail("Re: call", text + _NOTICE, sender="Giles Ashdown <giles@ashdown-law.example>", day=day)
              for text, day in zip(_EN_SMALL, _days(2024, 11), strict=True))),
    Question("Datenschutzerklärung", "signature", "de",
        (Mail("Datenschutzerklärung", "Muss in der Datenschutzerklärung für Mitarbeiter die Zeiterfassung stehen?", day="2022-05-05"),),
        tuple(Mail("AW: Termin", text + _HINWEIS, sender="Rolf Amberger <rolf@amberger.example>", day=day)
              for text, day in zip(_DE_SMALL, _days(2024, 11), strict=True))),
    # --- a long list has everything ---
    Question("vingerafdruklezer", "long list", "nl",
        (Mail("Natte handen", "De vingerafdruklezer herkent onze slagers niet, hun handen zijn altijd nat.", day="2022-03-01"),),
        tuple(Mail(f"Prijslijst {2023 + at % 3}", "Hierbij onze nieuwe prijslijst.", ours=True, files=(("prijslijst.xlsx", _PRICES),), day=day)
              for at, day in enumerate(_days(2025, 10)))),
    Question("annual leave policy", "long list", "en",
        (Mail("Carry over", "Where is our annual leave policy kept in the program?", day="2022-10-10"),),
        tuple(Mail(f"Handbook, edition {at}", "The staff handbook.", files=(("handbook.docx", docx(
            ["Dress. Parking. Smoking. Annual events.", "Sick pay. When you leave the building, sign out.", "Expenses. The car policy. Theft."])),), day=day)
              for at, day in enumerate(_days(2025, 10), 1))),
    # --- everything repeats it, one message says it ---
    Question("sneeuw magazijn dak", "crowded thread", "nl",
        (Mail("Gesloten", "Door de sneeuw is het dak van het magazijn ingezakt. Kan iedereen thuis registreren?", day="2023-01-16", thread="s"),),
        tuple(Mail("Re: Gesloten", text, "Door de sneeuw is het dak van het magazijn ingezakt. Kan iedereen thuis registreren?",
                   day=day, ours=at % 2 == 0, thread="s")
              for at, (text, day) in enumerate(zip(_NL_SMALL, _days(2023, 12), strict=True)))),
    Question("grève transporteur", "crowded thread", "fr",
        (Mail("Livraison", "Une grève chez le transporteur retarde les badges.", day="2023-02-02", thread="g"),),
        tuple(Mail("Re: Livraison", text, "Une grève chez le transporteur retarde les badges.", day=day, thread="g")
              for text, day in zip(_FR_SMALL, _days(2023, 11), strict=True))),
    Question("Wasserrohr geplatzt", "crowded thread", "de",
        (Mail("Keller", "Ein Wasserrohr ist geplatzt, der Rechner im Keller ist nass.", day="2023-02-03", thread="w"),),
        tuple(Mail("AW: Keller", text, "Ein Wasserrohr ist geplatzt, der Rechner im Keller ist nass.", day=day, thread="w")
              for text, day in zip(_DE_SMALL, _days(2023, 11), strict=True))),
    # --- the newest of equals ---
    Question("wifi code gasten", "newest of equals", "nl",
        (Mail("Wifi", "De wifi code voor gasten is kaneel8.", ours=True, day="2025-10-02"),),
        tuple(Mail("Wifi", f"De wifi code voor gasten is {word}.", ours=True, day=day)
              for word, day in zip(("appel1", "peer2", "druif3", "kers4", "pruim5", "vijg6", "noot7"), _days(2022, 7), strict=True))),
    Question("support telephone number", "newest of equals", "en",
        (Mail("Contact", "Our support telephone number is 555 0187.", ours=True, day="2025-11-03"),),
        tuple(Mail("Contact", f"Our support telephone number is 555 01{at}0.", ours=True, day=day)
              for at, day in enumerate(_days(2022, 8)))),
    Question("tarif déplacement", "newest of equals", "fr",
        (Mail("Tarif", "Le tarif de déplacement est de 65 euros.", ours=True, day="2025-09-09"),),
        tuple(Mail("Tarif", f"Le tarif de déplacement est de {40 + 2 * at} euros.", ours=True, day=day)
              for at, day in enumerate(_days(2022, 8)))),
    # --- the form that was asked for before its forms, and its forms before what has it as a part ---
    Question("rooster", "exact first", "nl",
        (Mail("Vraag", "Waar vind ik het rooster?", day="2022-04-04"),),
        tuple(Mail("Lijst", text, day=day) for text, day in zip(
            ("De dienstroosters hangen uit.", "Uurroosters zijn verplicht.", "Het lesrooster volgt.", "De roosters van mei.",
             "Een nachtrooster is zwaar.", "Het uurrooster wijzigt.", "Zijn roosters openbaar?", "Het zaterdagrooster ontbreekt.",
             "Roosters drukt u af in kleur.", "Ons vakantierooster is klaar."), _days(2025, 10), strict=True))),
    Question("Anlage", "exact first", "de",
        (Mail("Frage", "Die Anlage ist laut.", day="2022-04-05"),),
        tuple(Mail("Liste", text, day=day) for text, day in zip(
            ("Die Alarmanlage ist aus.", "Anlagen sind selten.", "Eine Klimaanlage fehlt.", "Zwei Telefonanlagen kamen.",
             "Die Anlagen laufen.", "Unsere Schließanlage ist neu.", "Solaranlagen sind teuer.", "Der Anlagenbau ruht.",
             "Alle Anlagen melden sich.", "Die Sprechanlage rauscht."), _days(2025, 10), strict=True))),
    # --- side by side, not far apart ---
    Question("digital signature", "scattered", "en",
        (Mail("Signing", "Our director is abroad for a month and cannot come to the office to sign anything on paper. "
              "Do you accept a digital signature on the order form, or does it have to be the original with a stamp, sent by post "
              "as last year? We would like to have the terminals before the summer, when the new hall opens and fifty people start.", day="2022-07-07"),),
        tuple(Mail("Minutes", f"Digital display number {at} is ordered for the hall, it will be mounted near the stairs by the firm that "
              "did the lights, after which Grace puts the keys back. The lease waits for a signature of the owner.", day=day)
              for at, day in enumerate(_days(2025, 10)))),
    Question("sociale verkiezingen", "scattered", "nl",
        (Mail("Kiezerslijst", "Om de vier jaar moet dat, en dit jaar zijn wij weer aan de beurt met onze twee vestigingen. "
              "Voor de sociale verkiezingen hebben wij een kiezerslijst nodig, met naam, geboortedatum, afdeling en datum van "
              "indiensttreding van iedereen die drie maanden in dienst is, bedienden en arbeiders apart, en de uitzendkrachten erbij. "
              "De vakbond vroeg of die tegen het einde van de week klaar kan zijn, gedrukt en ook als bestand.", day="2023-11-11"),),
        tuple(Mail("Nieuws", f"Het sociale overleg duurt al {at + 2} weken en de sfeer is goed. In het dorp hangen overal affiches, want er "
              "zijn binnenkort verkiezingen en onze buurman staat op een lijst.", day=day)
              for at, day in enumerate(_days(2025, 10)))),
    # --- subject and text together, against a mention in passing ---
    Question("brandoefening", "subject first", "nl",
        (Mail("Brandoefening dinsdag", "Dinsdag is er een brandoefening. De aanwezigheidslijst komt uit Uurwijs.", day="2022-09-20"),),
        tuple(Mail("Weekplanning", f"Week {at + 1}: maandag levering, dinsdag brandoefening, woensdag inventaris, donderdag bezoek, vrijdag "
              "vroeger dicht. Vergeet de koffie niet, en zet de fietsen in het rek.", day=day)
              for at, day in enumerate(_days(2025, 11)))),
    Question("déménagement serveur", "subject first", "fr",
        (Mail("Déménagement du serveur", "Le déménagement du serveur se fera samedi. Qui coupe le courant ?", day="2022-09-21"),),
        tuple(Mail("Notes", f"Point {at + 1} : le déménagement de Paul, la peinture, les vélos, le serveur du restaurant qui a gagné le "
              "concours, les fleurs, et les places de parking.", day=day)
              for at, day in enumerate(_days(2025, 11)))),
    Question("facture acompte", "attachment", "fr",
        (Mail("Comme convenu", "Voir pièce jointe.", files=(("F-2023-77.pdf", pdf(["Facture d'acompte\nAcompte de 30 % sur le devis 41"])),), day="2023-06-06"),),
        tuple(Mail("Rappel", f"Un acompte de {at + 1}00 euros a été versé à l'hôtel ; pour le reste une note suivra.", day=day)
              for at, day in enumerate(_days(2025, 8)))),
)  # fmt: skip
