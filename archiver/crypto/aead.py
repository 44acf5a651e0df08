"""AES-256-GCM, loaded when the first thing is sealed or opened, and without the library's other ciphers.

What the library documents is an import of this very class beside one of modes, of ciphers that nobody should use any
more and of what describes them: half of what opening a message loads, and every search that shows a passage waits for
it. Where a release of the library keeps the class elsewhere, it comes from where it is documented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def gcm(key: bytes) -> AESGCM:
    """Return AES-256-GCM under a key of 32 octets."""
    try:
        from cryptography.hazmat.bindings._rust import openssl

        return openssl.aead.AESGCM(key)
    except (ImportError, AttributeError):
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(key)
