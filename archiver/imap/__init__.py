"""One account on one IMAP server, read-only; the only home of imapclient.

imapclient connects, verifies TLS and logs in; LIST, STATUS, EXAMINE and FETCH are read by a streaming reader of our
own, because routing by UID, flat memory and tolerance of what servers really send are the point (docs/architecture.md).
"""
