"""Messages handed over once more (port `Deliveries`), from what the archive has of them itself.

Knows those that could not be read when they came and open now: their keys, and the places where they were seen, are in
the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archiver.errors import IntegrityError
from archiver.model.delivery import Delivery, SealedRecord
from archiver.store.mending import Mending
from archiver.store.packs import PackVault


class HeldDeliveries:
    """Deliveries in memory, by name."""

    def __init__(self, deliveries: Mapping[str, Delivery]) -> None:
        self._deliveries = dict(deliveries)

    def waiting(self) -> Sequence[str]:
        """Return their names."""
        return sorted(self._deliveries)

    def open(self, name: str) -> Delivery:
        """Return one; raises FileNotFoundError when it is done."""
        if name not in self._deliveries:
            raise FileNotFoundError(name)
        return self._deliveries[name]

    def set_aside(self, name: str) -> None:
        """Leave one as it is: nothing on disk stands for it."""
        self.done(name)

    def done(self, name: str) -> None:
        """Forget one that was taken in."""
        self._deliveries.pop(name, None)


def redeliveries(mending: Mending, vault: PackVault) -> HeldDeliveries:
    """Return what could not be read when it came, and opens now: a delivery for each pack."""
    deliveries: dict[str, Delivery] = {}
    for pack, found in mending.unreadable().items():
        good = [(row, record) for row, record in found if _opens(vault, pack, record)]
        if good:
            arrivals = [arrival for row, _ in good for arrival in mending.arrivals_of(row)]
            deliveries[pack] = Delivery(pack, tuple(record for _, record in good), tuple(arrivals))
    return HeldDeliveries(deliveries)


def _opens(vault: PackVault, pack: str, record: SealedRecord) -> bool:
    try:
        vault.read(pack, record)
    except IntegrityError:
        return False
    return True
