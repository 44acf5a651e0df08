"""Messages that could not be read when they came, handed over once more (port `Deliveries`).

Made of what the catalogue has of them: their keys, and the places where they were seen. Only those that open now.
"""

from __future__ import annotations

from collections.abc import Sequence

from archiver.errors import IntegrityError
from archiver.model.delivery import Delivery, SealedRecord
from archiver.store.mending import Mending
from archiver.store.packs import PackVault


class Redeliveries:
    """A delivery for each pack that holds such messages; they are looked at once, when this is made."""

    def __init__(self, mending: Mending, vault: PackVault) -> None:
        self._deliveries: dict[str, Delivery] = {}
        for pack, found in mending.unreadable().items():
            good = [(row, record) for row, record in found if _opens(vault, pack, record)]
            if good:
                arrivals = [arrival for row, _ in good for arrival in mending.arrivals_of(row)]
                self._deliveries[pack] = Delivery(pack, tuple(record for _, record in good), tuple(arrivals))

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


def _opens(vault: PackVault, pack: str, record: SealedRecord) -> bool:
    try:
        vault.read(pack, record)
    except IntegrityError:
        return False
    return True
