"""What the MessagePack map of a customer holds; its field names are part of the format (docs/format.md, section 9).

Apart from the model, so that a name changed there changes nothing on disk. Only imported where a record is met.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class KeptContact(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A contact."""

    name: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    mobiles: tuple[str, ...] = ()


class KeptConsent(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A consent; instants are MessagePack timestamps, so their zone is not kept."""

    given_at: datetime
    given_by: str
    message: str | None = None
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None


class KeptCustomer(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A customer."""

    reference: str
    name: str
    address: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""
    vat: str | None = None
    domains: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    contacts: tuple[KeptContact, ...] = ()
    notes: str = ""
    consents: tuple[KeptConsent, ...] = ()
    former_references: tuple[str, ...] = ()
