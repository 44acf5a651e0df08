"""Situations in which a colleague forwards with one of the many mail programs, each with a block of its own.

The blocks are those that the programs write, in the languages of the firm and of its neighbours.
"""

from __future__ import annotations

from html import escape
from types import MappingProxyType

from tests.labelled.letters import Letter
from tests.labelled.situations import SITUATIONS, Labelled, Scene, Situation, box, situation
from tests.labelled.world import OWN_DOMAIN

# {n} name, {a} address, {d} the address's domain, {o} our address, {s} subject, {b} body, {q} body with marks
BLOCKS = MappingProxyType(
    {
        "Outlook for iOS, Dutch": (
            "Neem jij dit?\n\nOutlook voor iOS downloaden<https://aka.example/o0ukef>\n________________________________\n"
            "Van: {n} <{a}>\nVerzonden: maandag 3 maart 2025 10:14:02\nAan: Info <{o}>\nOnderwerp: {s}\n\n{b}"
        ),
        "Outlook for Android, English": (
            "Get Outlook for Android<https://aka.example/AAb9ysg>\n________________________________\n"
            "From: {n} <{a}>\nSent: Monday, March 3, 2025 10:14:02 AM\nTo: {o} <{o}>\nCc: Baas <baas@gmail.com>\nSubject: {s}\n\n{b}"
        ),
        "Outlook with mailto twice": (
            "Zie hieronder.\n\nFrom: {n} <{a}<mailto:{a}>>\nSent: Monday, March 3, 2025 10:14\nTo: {o}<mailto:{o}>\nSubject: {s}\n\n{b}"
        ),
        "Outlook with the address alone": "Zie hieronder.\n\nVan: {a}\nVerzonden: maandag 3 maart 2025 10:14\nAan: {o}\nOnderwerp: {s}\n\n{b}",
        "Outlook with mailto alone": "Zie hieronder.\n\nVan: {n} [mailto:{a}] \nVerzonden: maandag 3 maart 2025 10:14\nAan: info\nCC: \nOnderwerp: {s}\nUrgentie: Hoog\n\n{b}",
        "Outlook on behalf of, Dutch": (
            "Graag opvolgen\n\nVan: Secretariaat [mailto:secretariaat@{d}] Namens {n}\nVerzonden: maandag 3 maart 2025 10:14\nAan: {o}\nOnderwerp: {s}\n\n{b}"
        ),
        "bold marks, Dutch": "Ter info.\n\n*Van:* {n} <{a}>\n*Verzonden:* maandag 3 maart 2025 10:14\n*Aan:* {o}\n*Onderwerp:* {s}\n\n{b}",
        "bold marks around all, German": "Zur Info.\n\n*Von: *{n} <{a}>\n*Gesendet: *Montag, 3. März 2025 10:14\n*An: *{o}\n*Betreff: *{s}\n\n{b}",
        "block wrapped over lines": (
            "Voor jou.\n\nVan: {n}\n <{a}>\nVerzonden: maandag 3 maart 2025 10:14\nAan: Info Zilverlinde\n <{o}>; Verkoop\n <sales@zilverlinde.example>\nOnderwerp: {s}\n\n{b}"
        ),
        "iPhone, German": (
            "Kannst du?\n\nVon meinem iPhone gesendet\n\nAnfang der weitergeleiteten Nachricht:\n\n> Von: {n} <{a}>\n"
            "> Datum: 3. März 2025 um 10:14:02 MEZ\n> An: {o}\n> Betreff: {s}\n> \n{q}"
        ),
        "iPhone, French": (
            "Envoyé de mon iPhone\n\nDébut du message transféré :\n\n> De: {n} <{a}>\n> Date: 3 mars 2025 à 10:14:02 UTC+1\n"
            "> À: {o}\n> Objet: {s}\n> \n{q}"
        ),
        "iPhone, Dutch": (
            "Verstuurd vanaf mijn iPhone\n\nBegin doorgestuurd bericht:\n\n> Van: {n} <{a}>\n> Datum: 3 maart 2025 om 10:14:02 CET\n"
            "> Aan: {o}\n> Onderwerp: Antw: {s}\n> \n> \ufeff{b}"
        ),
        "iPhone, quoted deeper": "Sent from my iPhone\n\n> Begin forwarded message:\n> \n> From: {n} <{a}>\n> Date: 3 March 2025 at 10:14:02 CET\n> To: {o}\n> Subject: {s}\n> \n{q}",
        "Lotus Notes, English": (
            "----- Forwarded by Wannes Dewilde/Zilverlinde on 03/03/2025 10:15 -----\n\nFrom:   {n} <{a}>\nTo:     {o}\nDate:   03/03/2025 10:14\nSubject:        {s}\n\n\n{b}"
        ),
        "Lotus Notes, quotes around the name": (
            '----- Forwarded by Wannes Dewilde/Zilverlinde on 03/03/2025 10:15 AM -----\n\n  From:       "{n}" <{a}>\n\n'
            "  To:         <{o}>\n\n  Date:       03/03/2025 10:14 AM\n\n  Subject:    {s}\n\n\n{b}"
        ),
        "Lotus Notes, German": (
            "----- Weitergeleitet von Wannes Dewilde/Zilverlinde am 03.03.2025 10:15 -----\n\nVon:    {n} <{a}>\nAn:     {o}\nDatum:  03.03.2025 10:14\nBetreff:        {s}\n\n{b}"
        ),
        "Yahoo": "   ----- Forwarded Message ----- From: {n} <{a}>To: {o} <{o}>Sent: Monday, March 3, 2025 at 10:14:02 AM GMT+1Subject: {s}\n {b}",
        "Yahoo, lines": '----- Forwarded Message -----\nFrom: {n} <{a}>\nTo: "{o}" <{o}>\nSent: Monday, March 3, 2025 at 10:14:02 AM GMT+1\nSubject: {s}\n\n{b}',
        "Yahoo, French": "----- Mail transféré -----\nDe : {n} <{a}>\nÀ : « {o} » <{o}>\nEnvoyé : lundi 3 mars 2025 à 10:14:02 UTC+1\nObjet : {s}\n\n{b}",
        "GMX and Web.de": '--\nGesendet mit der GMX Mail App\n\nGesendet: Montag, 03. März 2025 um 10:14 Uhr\nVon: "{n}" <{a}>\nAn: {o}\nBetreff: {s}\n\n{b}',
        "Roundcube, Dutch": "-------- Oorspronkelijke bericht --------\nOnderwerp: {s}\nDatum: 2025-03-03 10:14\nVan: {n} <{a}>\nNaar: {o}\n\n{b}",
        "Roundcube, German": "-------- Originalnachricht --------\nBetreff: {s}\nDatum: 03.03.2025 10:14\nVon: {n} <{a}>\nAn: {o}\n\n{b}",
        "Roundcube, French": "-------- Message original --------\nObjet: {s}\nDate: 2025-03-03 10:14\nDe: {n} <{a}>\nÀ: {o}\n\n{b}",
        "Roundcube, address alone": "\n\n-------- Original Message --------\nSubject: {s}\nDate: 2025-03-03 10:14\nFrom: {a}\nTo: {o}\n\n{b}",
        "Zimbra, French": '----- Mail transféré -----\nDe: "{n}" <{a}>\nÀ: "info" <{o}>\nEnvoyé: Lundi 3 Mars 2025 10:14:02\nObjet: {s}\n\n{b}',
        "Zimbra, original": '----- Mail original -----\nDe: "{n}" <{a}>\nÀ: "info" <{o}>\nEnvoyé: Lundi 3 Mars 2025 10:14:02\nObjet: {s}\n\n{b}',
        "mutt": (
            "----- Forwarded message from {n} <{a}> -----\n\nDate: Mon, 3 Mar 2025 10:14:02 +0100\nFrom: {n} <{a}>\nTo: {o}\nSubject: {s}\nUser-Agent: Mutt/2.2\n\n{b}\n\n----- End forwarded message -----"
        ),
        "Pine, headers with marks": "> ---------- Forwarded message ----------\n> Date: Mon, 3 Mar 2025 10:14:02 +0100\n> From: {n} <{a}>\n> To: {o}\n> Subject: {s}\n> \n{q}",
        "Gmail, Dutch": "---------- Doorgestuurd bericht ---------\nVan: {n} <{a}>\nDatum: ma 3 mrt 2025 om 10:14\nOnderwerp: {s}\nAan: <{o}>\n\n\n{b}",
        "Gmail, German": "---------- Weitergeleitete Nachricht ---------\nVon: *{n}* <{a}>\nDatum: Mo., 3. März 2025 um 10:14 Uhr\nBetreff: {s}\nAn: {o} <{o}>\n\n\n{b}",
        "Gmail, French": "---------- Message transféré ---------\nDe : {n} <{a}>\nDate : lun. 3 mars 2025 à 10:14\nObjet : {s}\nÀ : <{o}>\n\n\n{b}",
        "Gmail, Italian": "---------- Messaggio inoltrato ---------\nDa: {n} <{a}>\nData: lun 3 mar 2025 alle ore 10:14\nOggetto: {s}\nA: <{o}>\n\n\n{b}",
        "Outlook, Spanish": "FYI\n\nDe: {n} <{a}>\nEnviado el: lunes, 3 de marzo de 2025 10:14\nPara: {o}\nAsunto: {s}\n\n{b}",
        "Outlook, Italian": "FYI\n\nDa: {n} <{a}>\nInviato: lunedì 3 marzo 2025 10:14\nA: {o}\nOggetto: {s}\n\n{b}",
        "Outlook, Polish": "FYI\n\nOd: {n} <{a}>\nWysłane: poniedziałek, 3 marca 2025 10:14\nDo: {o}\nTemat: {s}\n\n{b}",
        "Outlook, Swedish": "FYI\n\nFrån: {n} <{a}>\nSkickat: den 3 mars 2025 10:14\nTill: {o}\nÄmne: {s}\n\n{b}",
        "Outlook, Portuguese": "FYI\n\nDe: {n} <{a}>\nEnviada: 3 de março de 2025 10:14\nPara: {o}\nAssunto: {s}\n\n{b}",
        "Outlook for Mac, French": "Pour info\n\nDe : {n} <{a}>\nDate : lundi, 3 mars 2025 à 10:14\nÀ : {o} <{o}>\nObjet : {s}\n\n{b}",
        "Outlook for Mac, Dutch": "Ter info\n\nVan: {n} <{a}>\nDatum: maandag 3 maart 2025 om 10:14\nAan: {o} <{o}>\nOnderwerp: {s}\n\n{b}",
        "Exchange ActiveSync, German": "-------- Ursprüngliche Nachricht --------\nVon: {n} <{a}>\nDatum: 03.03.25 10:14 (GMT+01:00)\nAn: {o}\nBetreff: {s}\n\n{b}",
        "Samsung, Dutch": "Verzonden vanaf mijn Galaxy\n\n\n-------- Oorspronkelijk bericht --------\nVan: {n} <{a}>\nDatum: 03-03-2025 10:14 (GMT+01:00)\nAan: {o}\nOnderwerp: {s}\n\n{b}",
        "Proton Mail": "------- Forwarded Message -------\nFrom: {n} <{a}>\nDate: On Monday, March 3rd, 2025 at 10:14\nSubject: {s}\nTo: {o} <{o}>\n\n\n> {b}",
        "spaces in front of the lines": "Voor jou\n\n   Van: {n} <{a}>\n   Verzonden: maandag 3 maart 2025 10:14\n   Aan: {o}\n   Onderwerp: {s}\n\n   {b}",
        "no-break spaces after the labels": "Pour info\n\nDe\u00a0: {n} <{a}>\nEnvoyé\u00a0: lundi 3 mars 2025 10:14\nÀ\u00a0: {o}\nObjet\u00a0: {s}\n\n{b}",
        "eM Client, Dutch": '------ Origineel bericht ------\nVan: "{n}" <{a}>\nAan: {o}\nVerzonden: 3-3-2025 10:14:02\nOnderwerp: {s}\n\n{b}',
        "Spark": "---------- Forwarded message ----------\nFrom: {n} <{a}>\nDate: 3 Mar 2025, 10:14 +0100\nTo: {o}\nSubject: {s}\n\n> {b}",
        "Evolution": "-------- Forwarded Message --------\nFrom: {n} <{a}>\nTo: {o}\nSubject: {s}\nDate: Mon, 03 Mar 2025 10:14:02 +0100\n\n{b}",
        "KMail, Dutch": "----------  Doorgestuurd bericht  ----------\n\nOnderwerp: {s}\nDatum: maandag 3 maart 2025, 10:14:02 CET\nVan: {n} <{a}>\nAan: {o}\n\n{b}\n-----------------------------------------",
        "The Bat": "This is a forwarded message\nFrom: {n} <{a}>\nTo: {o}\nDate: Monday, March 3, 2025, 10:14:02\nSubject: {s}\n\n===8<==============Original message text===============\n{b}",
        "Horde": "----- Forwarded message from {a} -----\n   Date: Mon, 03 Mar 2025 10:14:02 +0100\n   From: {n} <{a}>\n Subject: {s}\n     To: {o}\n\n{b}\n\n----- End forwarded message -----",
        "SquirrelMail": '---------------------------- Original Message ----------------------------\nSubject: {s}\nFrom:    "{n}" <{a}>\nDate:    Mon, March 3, 2025 10:14\nTo:      {o}\n--------------------------------------------------------------------------\n\n{b}',
        "Outlook, Danish": "FYI\n\nFra: {n} <{a}>\nSendt: 3. marts 2025 10:14\nTil: {o}\nEmne: {s}\n\n{b}",
        "Outlook, Czech": "FYI\n\nOd: {n} <{a}>\nOdesláno: pondělí 3. března 2025 10:14\nKomu: {o}\nPředmět: {s}\n\n{b}",
        "Gmail, Spanish": "---------- Forwarded message ---------\nDe: {n} <{a}>\nDate: lun, 3 mar 2025 a las 10:14\nSubject: {s}\nTo: <{o}>\n\n\n{b}",
        "Gmail, Polish": "---------- Forwarded message ---------\nOd: {n} <{a}>\nDate: pon., 3 mar 2025 o 10:14\nSubject: {s}\nTo: <{o}>\n\n\n{b}",
        "Outlook, Turkish": "FYI\n\nKimden: {n} <{a}>\nGönderildi: 3 Mart 2025 Pazartesi 10:14\nKime: {o}\nKonu: {s}\n\n{b}",
        "text of ours below": "---------- Forwarded message ---------\nFrom: {n} <{a}>\nDate: Mon, Mar 3, 2025 at 10:14\nSubject: {s}\nTo: <{o}>\n\n\n{b}\n\n\n-- \nWannes Dewilde\nZilverlinde\nBTW BE 0123.321.123\n",
    }
)  # fmt: skip

HTML_BLOCKS = MappingProxyType(
    {
        "Thunderbird's table": (
            '<html><body><p>Zie onder.</p><div class="moz-forward-container"><br><br>-------- Doorgestuurd bericht --------'
            '<table class="moz-email-headers-table" cellspacing="0" cellpadding="0" border="0"><tbody>'
            '<tr><th valign="BASELINE" align="RIGHT" nowrap="nowrap">Onderwerp: </th><td>{s}</td></tr>'
            '<tr><th valign="BASELINE" align="RIGHT">Datum: </th><td>Mon, 3 Mar 2025 10:14:02 +0100</td></tr>'
            '<tr><th valign="BASELINE" align="RIGHT">Van: </th><td>{n} <a class="moz-txt-link-rfc2396E" href="mailto:{a}">&lt;{a}&gt;</a></td></tr>'
            '<tr><th valign="BASELINE" align="RIGHT">Aan: </th><td>{o}</td></tr></tbody></table><br><br><p>{b}</p></div></body></html>'
        ),
        "Apple's quotation": (
            '<html><body>Neem jij?<br><div><br><blockquote type="cite"><div>Begin doorgestuurd bericht:</div><br class="Apple-interchange-newline">'
            '<div style="margin:0"><span style="color:black"><b>Van: </b></span><span>{n} &lt;<a href="mailto:{a}">{a}</a>&gt;<br></span></div>'
            '<div><span><b>Onderwerp: </b></span><span><b>{s}</b><br></span></div><div><span><b>Datum: </b></span><span>3 maart 2025 om 10:14:02 CET<br></span></div>'
            '<div><span><b>Aan: </b></span><span>{o}<br></span></div><br><div>{b}</div></blockquote></div></body></html>'
        ),
        "Outlook on the web": (
            '<html><body><div>Zie onder</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1">'
            '<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri"><b>Von:</b> {n} &lt;{a}&gt;<br><b>Gesendet:</b> Montag, 3. März 2025 10:14<br>'
            "<b>An:</b> {o} &lt;{o}&gt;<br><b>Betreff:</b> {s}</font><div>&nbsp;</div></div><div><p>{b}</p></div></body></html>"
        ),
        "Outlook's paragraphs": (
            "<html><body><p class=MsoNormal>Ter info<o:p></o:p></p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt'>"
            '<p class=MsoNormal><b><span lang=NL>Van:</span></b><span lang=NL> {n} &lt;<a href="mailto:{a}">{a}</a>&gt; <br>'
            "<b>Verzonden:</b> maandag 3 maart 2025 10:14<br><b>Aan:</b> {o}<br><b>Onderwerp:</b> {s}<o:p></o:p></span></p></div></div>"
            "<p class=MsoNormal>{b}</p></body></html>"
        ),
        "Yahoo's": (
            '<html><body><div class="ydpyahoo-style-wrap"><div>Zie onder</div><div class="ydp yahoo_quoted"><div>----- Forwarded Message -----</div>'
            "<div><b>From:</b> {n} &lt;{a}&gt;</div><div><b>To:</b> {o} &lt;{o}&gt;</div><div><b>Sent:</b> Monday, March 3, 2025 at 10:14:02 AM GMT+1</div>"
            "<div><b>Subject:</b> {s}</div><div><br></div><div>{b}</div></div></div></body></html>"
        ),
        "Web.de's quotation": (
            '<html><body><div>Bitte ansehen</div><div name="quote" style="border-left: 2px solid #C3D9E5;"><div style="margin:0 0 10px 0;">'
            '<b>Gesendet:</b>&nbsp;Montag, 03. M&auml;rz 2025 um 10:14 Uhr<br><b>Von:</b>&nbsp;&quot;{n}&quot; &lt;{a}&gt;<br><b>An:</b>&nbsp;{o}<br>'
            "<b>Betreff:</b>&nbsp;{s}</div><div>{b}</div></div></body></html>"
        ),
        "Notes' table": (
            "<html><body><font size=2>Zie onder</font><br><font size=1 color=#800080>----- Forwarded by Wannes Dewilde/Zilverlinde on 03/03/2025 10:15 -----</font><br><br>"
            "<table><tr><td><font size=1 color=#5f5f5f>From:</font><td><font size=1>{n} &lt;{a}&gt;</font><tr><td><font size=1 color=#5f5f5f>To:</font><td><font size=1>{o}</font>"
            "<tr><td><font size=1>Date:</font><td><font size=1>03/03/2025 10:14</font><tr><td><font size=1>Subject:</font><td><font size=1>{s}</font></table><hr><p>{b}</p></body></html>"
        ),
    }
)  # fmt: skip
_PREFIXES = ("Fwd: ", "FW: ", "WG: ", "TR: ", "Doorst: ")


def _plain(block: str) -> Situation:
    def write(scene: Scene) -> Labelled:
        a = scene.firm()
        text, subject = scene.writer.text(a.language, signed=a.person.name).rstrip(), scene.writer.subject(a.language)
        body = block.format(
            n=a.person.name, a=a.person.email, d=a.domain, o=f"info@{OWN_DOMAIN}", s=subject, b=text,
            q="\n".join("> " + line for line in text.splitlines()),
        )  # fmt: skip
        subject = scene.random.choice(_PREFIXES) + subject
        return scene.done(
            scene.letter(scene.colleague(), "nl", to=f"support@{OWN_DOMAIN}", subject=subject, body=body), a
        )

    return write


def _html(block: str) -> Situation:
    def write(scene: Scene) -> Labelled:
        a = scene.firm()
        subject = scene.writer.subject(a.language)
        text = "<br>".join(escape(line) for line in scene.writer.text(a.language).splitlines())
        html = block.format(
            n=escape(a.person.name), a=a.person.email, o=f"info@{OWN_DOMAIN}", s=escape(subject), b=text
        )
        letter = scene.letter(scene.colleague(), "nl", to=f"support@{OWN_DOMAIN}", subject="FW: " + subject, body="")
        letter.html = html
        return scene.done(letter, a)

    return write


def _register() -> None:
    for name, block in BLOCKS.items():
        SITUATIONS[f"own forward by program: {name}"] = _plain(block)
    for name, block in HTML_BLOCKS.items():
        SITUATIONS[f"own forward by program, HTML: {name}"] = _html(block)


_register()


@situation
def own_forward_of_a_conversation_that_we_answered_last(scene: Scene) -> Labelled:
    a = scene.firm()
    body = (
        f"Voor de volledigheid.\n\nVan: Wannes Dewilde <wannes@{OWN_DOMAIN}>\nVerzonden: dinsdag 4 maart 2025 9:00\nAan: {a.person.name} <{a.person.email}>\n"
        f"Onderwerp: RE: Vraag\n\nBeste,\n\nDat kan.\n\nVan: {a.person.name} <{a.person.email}>\nVerzonden: maandag 3 maart 2025 10:14\nAan: info@{OWN_DOMAIN}\n"
        f"Onderwerp: Vraag\n\n{scene.writer.text(a.language)}"
    )
    return scene.done(scene.letter(scene.colleague(), "nl", to=f"ines@{OWN_DOMAIN}", subject="FW: Vraag", body=body), a)


@situation
def own_forward_of_what_we_sent_to_a_contact(scene: Scene) -> Labelled:
    a = scene.firm()
    body = (
        f"Dit stuurde ik vorige week.\n\nVan: Wannes Dewilde <wannes@{OWN_DOMAIN}>\nVerzonden: dinsdag 4 maart 2025 9:00\nAan: {a.person.name} <{a.person.email}>\n"
        f"Onderwerp: Offerte\n\n{scene.writer.text(a.language)}"
    )
    return scene.done(
        scene.letter(scene.colleague(), "nl", to=f"ines@{OWN_DOMAIN}", subject="FW: Offerte", body=body), a
    )


@situation
def own_forward_of_what_we_sent_to_a_contact_as_attachment(scene: Scene) -> Labelled:
    a = scene.firm()
    inner = scene.writer.octets(scene.letter(f"Wannes Dewilde <wannes@{OWN_DOMAIN}>", a.language, to=box(a.person)))
    letter = scene.letter(f"Wannes Dewilde <wannes@{OWN_DOMAIN}>", "nl", to=f"ines@{OWN_DOMAIN}")
    letter.attached = (("message/rfc822", inner, "offerte.eml"),)
    return scene.done(letter, a)


@situation
def own_forward_attached_as_a_file_of_octets(scene: Scene) -> Labelled:
    a = scene.firm()
    inner = scene.writer.octets(scene.letter(box(a.person), a.language, to=f"wannes@{OWN_DOMAIN}"))
    letter = scene.letter(scene.colleague(), "nl", to=f"support@{OWN_DOMAIN}", body="Zie bijlage.\n")
    letter.attached = (("application/octet-stream", inner, "bericht.eml"),)
    return scene.done(letter, a)


@situation
def own_forward_of_an_attached_own_forward_of_an_attached_message(scene: Scene) -> Labelled:
    a = scene.firm()
    inner = scene.writer.octets(scene.letter(box(a.person), a.language, to=f"wannes@{OWN_DOMAIN}"))
    middle = scene.letter(f"ines@{OWN_DOMAIN}", "nl", to=f"wannes@{OWN_DOMAIN}")
    middle.attached = (("message/rfc822", inner, "bericht.eml"),)
    letter = scene.letter(f"wannes@{OWN_DOMAIN}", "nl", to=f"support@{OWN_DOMAIN}")
    letter.attached = (("message/rfc822", scene.writer.octets(middle), "FW.eml"),)
    return scene.done(letter, a)


@situation
def own_forward_of_a_contacts_forward_of_a_strangers_mail(scene: Scene) -> Labelled:
    a = scene.firm()
    name, address = scene.stranger()
    body = (
        f"Kijk jij?\n\nVan: {a.person.name} <{a.person.email}>\nVerzonden: maandag 3 maart 2025 10:14\nAan: info@{OWN_DOMAIN}\nOnderwerp: FW: Aanbod\n\n"
        f"Wat vinden jullie?\n\nVan: {name} <{address}>\nVerzonden: zondag 2 maart 2025 8:00\nAan: {a.person.email}\nOnderwerp: Aanbod\n\nBeste\n"
    )
    return scene.done(
        scene.letter(scene.colleague(), "nl", to=f"support@{OWN_DOMAIN}", subject="FW: FW: Aanbod", body=body), a
    )


@situation
def own_forward_to_a_supplier(scene: Scene) -> Labelled:
    a = scene.firm()
    body = (
        f"Hello, our customer reports this.\n\nFrom: {a.person.name} <{a.person.email}>\nSent: Monday, 3 March 2025 10:14\nTo: info@{OWN_DOMAIN}\n"
        f"Subject: Printing\n\n{scene.writer.text(a.language)}"
    )
    return scene.done(
        scene.letter(scene.colleague(), "en", to="help@toolmaker.test", subject="FW: Printing", body=body), a
    )


@situation
def own_forward_of_our_web_forms_mail(scene: Scene) -> Labelled:
    a = scene.firm()
    body = (
        f"-------- Doorgestuurd bericht --------\nOnderwerp: \tFormulier\nDatum: \tMon, 3 Mar 2025 10:14:02 +0100\nVan: \tWebsite <noreply@{OWN_DOMAIN}>\n"
        f"Antwoord-naar: \t{a.person.name} <{a.person.email}>\nAan: \tinfo@{OWN_DOMAIN}\n\n\n{scene.writer.text(a.language)}"
    )
    return scene.done(
        scene.letter(scene.colleague(), "nl", to=f"support@{OWN_DOMAIN}", subject="Fwd: Formulier", body=body), a
    )


@situation
def own_forward_of_our_web_forms_mail_as_attachment(scene: Scene) -> Labelled:
    a = scene.firm()
    inner = scene.writer.octets(
        scene.letter(
            f"Website <noreply@{OWN_DOMAIN}>", a.language, to=f"info@{OWN_DOMAIN}", reply_to=box(a.person)
        )
    )  # fmt: skip
    letter = scene.letter(scene.colleague(), "nl", to=f"support@{OWN_DOMAIN}")
    letter.attached = (("message/rfc822", inner, "formulier.eml"),)
    return scene.done(letter, a)


@situation
def own_forward_of_a_delivery_report_inline(scene: Scene) -> Labelled:
    a = scene.firm()
    body = (
        f"Komt terug...\n\nVan: Mail Delivery System <MAILER-DAEMON@mx.provider.example>\nVerzonden: maandag 3 maart 2025 10:14\nAan: wannes@{OWN_DOMAIN}\n"
        f"Onderwerp: Undelivered Mail Returned to Sender\n\nThis is the mail system at host mx.provider.example.\n\nI'm sorry to have to inform you that your message could not\n"
        f"be delivered to one or more recipients.\n\n<{a.person.email}>: host mx.{a.domain} said: 550 5.1.1 user unknown\n"
    )
    return scene.done(
        scene.letter(scene.colleague(), "nl", to=f"support@{OWN_DOMAIN}", subject="FW: Undelivered", body=body), a
    )


@situation
def colleague_resends_a_contacts_mail(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(box(a.person), a.language, to=f"wannes@{OWN_DOMAIN}")
    letter.extra = (
        ("Resent-From", f"Wannes Dewilde <wannes@{OWN_DOMAIN}>"), ("Resent-To", f"support@{OWN_DOMAIN}"),
        ("Resent-Date", "Mon, 3 Mar 2025 10:20:00 +0100"), ("Resent-Message-ID", scene.writer.new_id()),
    )  # fmt: skip
    return scene.done(letter, a)


@situation
def strangers_text_that_explains_header_lines(scene: Scene) -> Labelled:
    a = scene.firm()
    letter = scene.letter(scene.stranger_box(), "nl")
    letter.body += (
        "\nIn uw handleiding staat dat een veld Van: nodig is, dat Verzonden: leeg mag zijn\nen dat Aan: en Onderwerp: verplicht zijn. "
        f"Is {a.person.email} dan een geldig adres?\n"
    )
    return scene.done(letter, candidates=None)


@situation
def our_reply_to_a_stranger_over_outlook_blocks(scene: Scene) -> Labelled:
    name, address = scene.stranger()
    a = scene.firm()
    body = (
        f"Beste,\n\nDat kan.\n\nVan: {name} <{address}>\nVerzonden: maandag 3 maart 2025 10:14\nAan: info@{OWN_DOMAIN}\nOnderwerp: Vraag\n\nHallo\n\n"
        f"Van: {a.person.name} <{a.person.email}>\nVerzonden: zondag 2 maart 2025 8:00\nAan: {address}\nOnderwerp: Vraag\n\nDag\n"
    )
    return scene.done(
        scene.letter(scene.colleague(), "nl", to=address, subject="RE: Vraag", body=body), candidates=None
    )


@situation
def colleagues_note_that_only_names_an_address(scene: Scene) -> Labelled:
    letter: Letter = scene.letter(scene.colleague(), "nl", to=f"ines@{OWN_DOMAIN}")
    letter.body += "\nVan: Antwerpen naar Gent rijden we om 9 uur.\nAan: de ingang wacht iemand.\n"
    return scene.done(letter)
