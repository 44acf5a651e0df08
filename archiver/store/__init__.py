"""What lies on disk: packs, pending keys, the page-encrypted databases, locks; the only home of apsw.

Knows files, SQL and the write order of docs/format.md. Knows nothing of IMAP, MIME or the query language.
"""
