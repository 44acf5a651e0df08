"""Message ids made small: threads are found by a 64-bit hash of them.

Knows no threads. The hash only has to spread; whoever wants two messages in one thread can simply write References.
"""

from __future__ import annotations

from hashlib import blake2b


def message_id_hash(message_id: str) -> int:
    """Return 64 signed bits (what an SQLite INTEGER holds) of a message id without angle brackets, case kept."""
    digest = blake2b(message_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
