"""All customers at once, as the rules of linking ask for them: whose is this address, this domain, this number.

Built from the records in one pass and never changed; whoever changes a record builds a new one. Knows which addresses
are ours and which domains belong to nobody in particular, so that a record that carries one of them by mistake does no
harm. Deliberately decides nothing about a message: that is `archiver.core.linking.rules`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

from archiver.core.linking.domains import ascii_domain, is_public_suffix, is_shared, parents, registrable
from archiver.core.linking.mentions import CodeBook, licence_code, reference_code
from archiver.model.address import EmailAddress
from archiver.model.customer import CustomerRecord
from archiver.model.identity import Identity

RULES_VERSION = 1
"""Raised whenever the rules, or the lists they read, come to other links for the same mail and the same customers."""

MAX_ADDRESS = 998
"""Characters beyond which an addr-spec is none (RFC 5322 section 2.1.1: no line is longer)."""

_REMEMBERED = 65536
"""Addresses and domains whose answer is kept: the same come again and again, and hostile mail holds any number."""

_NOBODY: frozenset[int] = frozenset()


def exact_address(addr_spec: str) -> str:
    """Return an addr-spec for exact comparison: lower case, its domain in A-labels, needless quotes gone."""
    text = addr_spec.strip().lower()
    local, at, domain = text.rpartition("@")
    if not at or len(text) > MAX_ADDRESS:
        return text
    if len(local) > 2 and local[0] == '"' == local[-1]:
        inner = local[1:-1]
        # RFC 5321 section 4.1.2: a quoted string that could stand without quotes means the same without them.
        if not any(c in inner for c in ' "\\(),:;<>@[]'):
            local = inner
    return f"{local}@{ascii_domain(domain)}"


@lru_cache(maxsize=16384)
def address_key(addr_spec: str) -> str:
    """Return what all spellings of one mailbox share: no "+detail" (RFC 5233), and Gmail's dots and two names as one.

    Text without an "@" is returned in lower case; it fits nobody.
    """
    return _key_of(exact_address(addr_spec))


def _key_of(exact: str) -> str:
    local, at, domain = exact.rpartition("@")
    if not at:
        return exact
    local = _without_detail(local)
    if domain in {"gmail.com", "googlemail.com"}:
        domain, local = "gmail.com", local.replace(".", "") or local
    return f"{local}@{domain}"


def canonical_number(vat: str) -> str:
    """Return a canonical VAT number as the directory compares it: Greece is EL (its prefix) however it was written."""
    number = vat.strip().upper()
    return f"EL{number[2:]}" if number.startswith("GR") else number


class Known(NamedTuple):
    """What the directory makes of one address: ours, or whose contact, or else in whose domain."""

    ours: bool
    contacts: frozenset[int] = _NOBODY
    domain: str = ""
    owners: frozenset[int] = _NOBODY


class Directory:
    """The customers by everything that identifies them. Ids returned are always of customers that were not merged away.

    `shared_domains` are the configuration's own, beside those that `archiver.core.linking.domains` knows.
    """

    def __init__(
        self, records: Iterable[CustomerRecord], *, identity: Identity, shared_domains: Iterable[str] = ()
    ) -> None:
        self._records: Mapping[int, CustomerRecord] = {record.id: record for record in records}
        self._identity = identity
        self._own = frozenset(domain.removeprefix(".") for domain in identity.domains)
        self._shared = frozenset(ascii_domain(domain) for domain in shared_domains)
        self._standing = sum(record.merged_into is None for record in self._records.values())
        exact: dict[str, set[int]] = {}
        plain: dict[str, set[int]] = {}
        keys: dict[str, set[int]] = {}
        domains: dict[str, set[int]] = {}
        vats: dict[str, set[int]] = {}
        licences: dict[str, set[int]] = {}
        references: dict[str, set[int]] = {}
        for record in self._records.values():
            customer, survivor = record.customer, self.surviving(record.id)
            if survivor is None:
                continue
            if customer.vat:  # that of a merged record too: its survivor can hold one only
                vats.setdefault(canonical_number(customer.vat), set()).add(survivor)
            if record.merged_into is not None:
                continue
            for email in customer.emails:
                address = exact_address(email)
                key = _key_of(address)
                exact.setdefault(address, set()).add(survivor)
                keys.setdefault(key, set()).add(survivor)
                if "+" not in address or not _has_detail(address):
                    plain.setdefault(key, set()).add(survivor)
            for domain in customer.domains:
                domains.setdefault(ascii_domain(domain), set()).add(survivor)
            for licence in customer.licences:
                if code := licence_code(licence):
                    licences.setdefault(code, set()).add(survivor)
            for reference in (customer.reference, *customer.former_references):
                if code := reference_code(reference):
                    references.setdefault(code, set()).add(survivor)
        self._exact, self._plain, self._keys = _frozen(exact), _frozen(plain), _frozen(keys)
        self._domains, self._vats = _frozen(domains), _frozen(vats)
        self._licences, self._references = _frozen(licences), _frozen(references)
        self._found_domains: dict[str, tuple[str, frozenset[int]] | None] = {}
        self._known: dict[str, Known] = {}

    def __len__(self) -> int:
        """Count the customers, without those that were merged into others."""
        return self._standing

    def owns(self, addr_spec: str) -> bool:
        """Tell whether an address is ours: as the configuration says, and everything below a domain of ours."""
        if self._identity.owns(EmailAddress("", addr_spec)):
            return True
        _, at, domain = addr_spec.rpartition("@")
        return bool(at) and self.owns_domain(domain, below=True)

    def owns_domain(self, domain: str, *, below: bool = False) -> bool:
        """Tell whether a domain is one of ours, or lies below one; with `below`, only whether it lies below."""
        if not self._own:
            return False
        above = parents(ascii_domain(domain))
        return not self._own.isdisjoint(above[1:] if below else above)

    def known(self, addr_spec: str) -> Known:
        """Return what an address is; the owners of its domain are looked for only when it is nobody's contact."""
        try:
            return self._known[addr_spec]
        except KeyError:
            pass
        known = self._know(addr_spec)
        if len(self._known) < _REMEMBERED:
            self._known[addr_spec] = known
        return known

    def by_address(self, addr_spec: str) -> frozenset[int]:
        """Return whose contact this is: by the whole address, else by the mailbox that it is a spelling of."""
        if "@" not in addr_spec or len(addr_spec) > MAX_ADDRESS:
            return _NOBODY
        exact = self._exact.get(exact_address(addr_spec))
        if exact is not None:
            return exact
        key = address_key(addr_spec)
        return self._plain.get(key) or self._keys.get(key, _NOBODY)

    def by_domain(self, domain: str) -> frozenset[int]:
        """Return whose domain this is, or lies below; nobody for providers, public suffixes and domains of ours."""
        found = self.domain_of(domain)
        return found[1] if found is not None else _NOBODY

    def domain_of(self, domain: str) -> tuple[str, frozenset[int]] | None:
        """Return the longest domain of a customer that this one is or lies below, and whose it is."""
        domain = ascii_domain(domain)
        try:
            return self._found_domains[domain]
        except KeyError:
            pass
        found = self._find_domain(domain)
        if len(self._found_domains) < _REMEMBERED:
            self._found_domains[domain] = found
        return found

    def carriers(self, domain: str) -> frozenset[int]:
        """Return the customers whose record carries this domain or one above it, also where that counts for nothing."""
        above = parents(ascii_domain(domain))
        return frozenset(customer for parent in above for customer in self._domains.get(parent, ()))

    def refusal(self, domain: str) -> str:
        """Return why a domain can be nobody's: "own-address", "shared-domain", "public-suffix"; else nothing."""
        if self.owns_domain(domain):
            return "own-address"
        if is_shared(domain, self._shared):
            return "shared-domain"
        return "public-suffix" if is_public_suffix(domain) else ""

    def by_vat(self, vat: str) -> frozenset[int]:
        """Return whose canonical VAT number this is."""
        return self._vats.get(canonical_number(vat), _NOBODY)

    def by_code(self, code: str) -> frozenset[int]:
        """Return whose licence or reference number this is, written as `archiver.core.linking.mentions` does."""
        return self.by_licence(code) | self.by_reference(code)

    def by_licence(self, code: str) -> frozenset[int]:
        """Return who holds this licence."""
        return self._licences.get(code, _NOBODY)

    def by_reference(self, code: str) -> frozenset[int]:
        """Return whose number with us this is, or was before a merge."""
        return self._references.get(code, _NOBODY)

    def surviving(self, customer: int) -> int | None:
        """Follow merges to the customer that stands; None for an id that no record has."""
        seen: set[int] = set()
        while customer not in seen:
            seen.add(customer)
            record = self._records.get(customer)
            if record is None:
                return None
            if record.merged_into is None:
                return customer
            customer = record.merged_into
        return None

    def record(self, customer: int) -> CustomerRecord | None:
        """Return the record with this id, merged or not."""
        return self._records.get(customer)

    def surviving_domains(self) -> Sequence[tuple[str, frozenset[int]]]:
        """Return every domain of a customer with whose it is, in order; look-alikes are measured against them."""
        return sorted(self._domains.items())

    @cached_property
    def code_book(self) -> CodeBook:
        """What looks for the licence and reference numbers of all customers in a message."""
        return CodeBook((*self._licences, *self._references))

    @property
    def identity(self) -> Identity:
        """Who we are."""
        return self._identity

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all that decides links apart from the records: who we are, shared domains, the rules' version."""
        parts = (sorted(self._identity.domains), sorted(self._identity.addresses), sorted(self._shared), RULES_VERSION)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def _know(self, addr_spec: str) -> Known:
        local, _, domain = addr_spec.strip().rpartition("@")
        if not local or len(addr_spec) > MAX_ADDRESS:
            return Known(ours=False)
        if self.owns(addr_spec):
            return Known(ours=True)
        contacts = self.by_address(addr_spec)
        if contacts:
            return Known(ours=False, contacts=contacts)
        found = self.domain_of(domain)
        return Known(ours=False) if found is None else Known(ours=False, domain=found[0], owners=found[1])

    def _find_domain(self, domain: str) -> tuple[str, frozenset[int]] | None:
        # The public suffix list is slow to load: it is asked only where a customer's domain fits already.
        for parent in parents(domain):
            customers = self._domains.get(parent)
            if customers is None:
                continue
            registered = registrable(domain)
            if registered is None or len(parent) < len(registered):
                return None
            if self.owns_domain(domain) or is_shared(domain, self._shared):
                return None
            return parent, customers
        return None


def _without_detail(local: str) -> str:
    return local.partition("+")[0] or local


def _has_detail(address: str) -> bool:
    local = address.rpartition("@")[0]
    return _without_detail(local) != local


def _frozen(sets: Mapping[str, set[int]]) -> dict[str, frozenset[int]]:
    return {key: frozenset(customers) for key, customers in sets.items()}
