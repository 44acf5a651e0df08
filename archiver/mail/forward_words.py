"""What mail programs write above a message within another, as pieces of regular expressions: data only."""

FORWARDED = (
    r"forwarded messages?|forwarded (?:by|mail|e-?mail)|begin (?:of )?forwarded message|message forwarded"
    r"|(?:begin )?(?:van )?doorgestuurde? (?:bericht|e-?mail|door)|doorgezonden (?:bericht|door)"
    r"|message (?:transféré|transmis|réexpédié|retransmis)|(?:transféré|réacheminé|transmis|réexpédié) par"
    r"|courriel transféré|e-?mail transféré|début du message (?:réexpédié|transféré|transmis)"
    r"|weitergeleitete (?:nachricht|mail|e-?mail)|weitergeleitet von"
    r"|(?:anfang|beginn) der weitergeleiteten (?:nachricht|e-?mail)"
    r"|mensaje reenviado|messaggio inoltrato|mensagem encaminhada|vidarebefordrat meddelande"
    r"|videresendt (?:meddelelse|melding)|välitetty viesti|wiadomość przekazana|пересылаемое сообщение|转发邮件"
)
"""Above a message that is forwarded."""

ORIGINAL = (
    r"original message|original appointment|originele? bericht|oorspronkelijke? (?:bericht|e-?mail)|origineel bericht"
    r"|message d['’]origine|message (?:original|initial)|courriel original"
    r"|ursprüngliche (?:nachricht|mail|e-mail)|ursprungliche nachricht|original-?nachricht|originalnachricht"
    r"|mensaje original|messaggio originale|mensagem original|originalmeddelande|oprindelig meddelelse"
    r"|alkuperäinen viesti|исходное сообщение|原始邮件"
)
"""Above one that may as well be answered."""
