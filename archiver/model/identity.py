"""Who we are: what makes a message incoming, outgoing or internal.

Knows domains and addresses as the configuration names them; which header fields are asked is decided in `core`.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct
from msgspec.structs import force_setattr

from archiver.model.address import EmailAddress

_REMEMBERED = 320
"""Characters of an address up to which the answer is remembered: longer ones are no addresses (RFC 5321 §4.5.3.1)."""


class Identity(Struct, frozen=True):
    """Our own domains and single addresses, kept in lower case.

    A domain stands for itself only: "example.be" does not own "shop.example.be". Written with a leading dot,
    ".example.be" owns every subdomain and not the domain itself. Internationalised domains are compared in their ASCII
    form (RFC 5891 §4.4), however either side writes them.
    """

    domains: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Normalise once, so that `owns` only compares."""
        force_setattr(self, "domains", tuple(_ascii_domain(d.strip().lower()) for d in self.domains))
        force_setattr(self, "addresses", tuple(_ascii_address(a.strip().lower()) for a in self.addresses))

    def __bool__(self) -> bool:
        """Whether anything is ours at all; without that, every direction would be "other"."""
        return bool(self.domains or self.addresses)

    def owns(self, address: EmailAddress) -> bool:
        """Tell whether an address is ours; a "+detail" in its local part (RFC 5233) does not change whose it is."""
        decide = _known_owns if len(address.addr_spec) <= _REMEMBERED else _owns
        return decide(self.domains, self.addresses, address.addr_spec)


def _owns(domains: tuple[str, ...], addresses: tuple[str, ...], addr_spec: str) -> bool:
    local, at, domain = _ascii_address(addr_spec.strip().lower()).rpartition("@")
    if not at:
        return False
    if domain in domains or f"{local}@{domain}" in addresses:
        return True
    if f"{local.partition('+')[0]}@{domain}" in addresses:
        return True
    return any(owned.startswith(".") and domain.endswith(owned) for owned in domains)


@lru_cache(maxsize=4096)
def _known_owns(domains: tuple[str, ...], addresses: tuple[str, ...], addr_spec: str) -> bool:
    """Decide it once for an address: the same few stand in most messages."""
    return _owns(domains, addresses, addr_spec)


def _ascii_address(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{_ascii_domain(domain)}" if at else address


def _ascii_domain(domain: str) -> str:
    """Give the A-label form; a domain that has none (too long, empty label) is kept as written, to compare at all."""
    if domain.isascii():
        return domain
    dot = "." if domain.startswith(".") else ""
    try:
        return dot + domain.removeprefix(".").encode("idna").decode("ascii")
    except UnicodeError:
        return domain
