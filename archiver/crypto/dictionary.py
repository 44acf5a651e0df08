"""The preset dictionary of a sealed record's zlib stream (RFC 1950 §2.2, FDICT; docs/format.md §6).

Structure that most mail repeats and that a stream of one message cannot learn: names of header fields, MIME and HTML
scaffolding, what mail programs put above a quotation, frequent words of the four languages. Written by hand: a trained
dictionary holds what real people wrote, and could never be erased. What is most frequent comes last, where a match
costs least. It belongs to format 1: changing one octet makes every record unreadable that was sealed with it.
"""

from __future__ import annotations

from typing import Final

# fmt: off
DICTIONARY: Final = (
    b' voor niet maar deze onze worden wordt kunnen moeten hebben heeft graag alvast bedankt vriendelijke '
    b'groeten bijlage factuur licentie klant gegevens nieuwe vraag probleem en een het de van dat die met '
    b'zijn is op te aan om er als dan nog ook wel naar bij uit pour nous vous votre dans avec cette sont '
    b'mais plus bien merci bonjour cordialement les des une est que qui pas sur au par und der die das '
    b'nicht ist mit Sie wir haben werden eine einen auch auf bitte vielen Dank  would could should '
    b'because there their about which other people information please thanks regards attached message '
    b'company number question problem following available however between through before after first '
    b'where think really something going work need know time want like just also only than then them '
    b'these those here been have with this that from your will what when they were some more into make '
    b'does very much good well best used using version file system program http://www. https://www. .com/ '
    b'.org/ the and for you are not but can our out has was all any may one how get new see use to of in '
    b'is it on be as at or an by we if so do no up my me us \n\n\t  \r\n\r\n--\r\nX-Spam-Status: No, score=\r\n'
    b'X-Spam-Level: \r\nX-Spam-Checker-Version: SpamAssassin \r\nX-MS-Exchange-Organization-\r\n'
    b'X-Originating-IP: [\r\nX-MIMETrack: \r\n'
    b'Authentication-Results: mx.; dkim=pass header.i=@; spf=pass smtp.mailfrom=; dmarc=pass '
    b'header.from=\r\nDKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; q=dns/txt; d=; s=; t=; '
    b'h=from:to:subject:date:message-id:mime-version:content-type:content-transfer-encoding:in-reply-to:re'
    b'ferences; bh=; b=\r\nARC-Seal: i=1; a=rsa-sha256; cv=none; ARC-Message-Signature: '
    b'ARC-Authentication-Results: \r\nList-Unsubscribe: <mailto:\r\nList-Id: <\r\nList-Post: <mailto:\r\n'
    b'List-Help: <mailto:?subject=help>\r\nList-Subscribe: <http://\r\nList-Archive: <https://\r\n'
    b'Precedence: list\r\nErrors-To: \r\nSender: \r\nX-BeenThere: \r\nX-Mailman-Version: 2.1.\r\nDelivered-To: \r\n'
    b'X-Original-To: \r\nReturn-Path: <\r\n'
    b'<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"><style '
    b'type="text/css"></style></head><body bgcolor="#FFFFFF" text="#000000"><table width="100%" '
    b'border="0" cellspacing="0" cellpadding="0"><tr><td align="left" valign="top"><font face="Arial" '
    b'size="2"><span style="font-family:Arial,sans-serif;font-size:10pt;color:#000000"><p '
    b'class=3D"MsoNormal"><o:p>&nbsp;</o:p></p><div><br></div><a '
    b'href="http://www.</a></td></tr></table></blockquote></body></html>\r\n-----BEGIN PGP SIGNATURE-----\r\n'
    b'Version: GnuPG v\r\n-----END PGP SIGNATURE-----\r\nBegin forwarded message:\r\n'
    b'-----Original Message-----\r\nFrom: \r\nSent: \r\nTo: \r\nCc: \r\nSubject: \r\n\r\n'
    b'On Mon, Tue, Wed, Thu, Fri, Sat, Sun, at  wrote:\r\n> \r\n> > \r\n'
    b'>> Op schreef Le a \xc3\xa9crit\xc2\xa0: Am schrieb Met vriendelijke groeten, Cordialement, Mit freundlichen '
    b'Gr\xc3\xbc\xc3\x9fen Best regards, Kind regards, Thanks, Dear Geachte Bonjour, \r\n'
    b'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec 200 201 202 +0000 (UTC) +0100 (CET) +0200 (CEST) '
    b'-0500 (EST) -0700 (PDT) -0800 (PST)\r\nX-Mailer: Microsoft Outlook Express \r\n'
    b'X-MimeOLE: Produced By Microsoft MimeOLE V6.00.\r\nX-MSMail-Priority: Normal\r\nX-Priority: 3 (Normal)\r\n'
    b'Importance: normal\r\nThread-Topic: \r\nThread-Index: \r\nAccept-Language: en-US, nl-BE, fr-BE\r\n'
    b'Content-Language: en-US\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:) Gecko/20100101 '
    b'Thunderbird/\r\nX-To: \r\nX-cc: \r\nX-bcc: \r\nX-From: \r\nX-Folder: \r\nX-Origin: \r\nX-FileName: \r\n'
    b'Content-Disposition: attachment; filename="\r\nContent-Disposition: inline\r\nContent-ID: <\r\n'
    b'Content-Description: \r\nContent-Type: application/octet-stream; name="\r\n'
    b'Content-Type: application/pdf; name="\r\nContent-Type: image/png; name="\r\n'
    b'Content-Type: image/jpeg; name="\r\nContent-Type: text/html; charset="utf-8"\r\n'
    b'Content-Transfer-Encoding: quoted-printable\r\nContent-Transfer-Encoding: base64\r\n'
    b'Content-Type: multipart/alternative; boundary="----=_NextPart_000_\r\n'
    b'Content-Type: multipart/mixed; boundary="\r\nContent-Type: multipart/related; boundary="\r\n'
    b'This is a multi-part message in MIME format.\r\n'
    b'Received: from  (EHLO ) ([]) by  with HTTP; Received: from mail. (localhost [127.0.0.1]) by  '
    b'(Postfix) with ESMTP id  for <>; Mon, \r\n\tby  (8.12./8.12.) with ESMTPS id \r\n'
    b'\t(using TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits))\r\n'
    b'\t(No client certificate requested)\r\n'
    b'\t(envelope-from <>) with Microsoft SMTP Server (version=TLS1_2, '
    b'cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.\r\n via Frontend Transport; \r\nReply-To: \r\n'
    b'In-Reply-To: <\r\nReferences: <\r\nCc: \r\nMIME-Version: 1.0\r\nMime-Version: 1.0\r\n'
    b'Content-Type: text/plain; charset="us-ascii"\r\n'
    b'Content-Type: text/plain; charset=UTF-8; format=flowed\r\n'
    b'Content-Type: text/plain; charset="iso-8859-1"\r\nContent-Transfer-Encoding: 7bit\r\n'
    b'Content-Transfer-Encoding: 8bit\r\nSubject: Re: Fwd: RE: FW: =?utf-8?Q?=?= =?UTF-8?B?\r\nMessage-ID: <\r\n'
    b'Message-Id: <.JavaMail.@mail.gmail.com>\r\nDate: Mon, \r\nFrom: "\r\nTo: "\r\n'
)
# fmt: on
