"""Sealed records, keyring, recipients and the unlocked session; the only home of `cryptography`.

Works on octets and file objects it is handed; where files lie and how they become durable is `archiver.store`'s
business. The formats are prose in `docs/format.md`.
"""
