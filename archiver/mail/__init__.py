"""Octets of mail to values of `archiver.model`: the only home of mail-parser and of MIME.

Knows RFC 5322, MIME and what real mail makes of them. Knows nothing of where octets come from or where messages go.
Nothing here raises because of bad mail: what was wrong is in `Message.defects` (codes: `archiver.mail.defects`).
"""
