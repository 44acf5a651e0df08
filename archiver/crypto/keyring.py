"""keyring.json: who can open the archive (docs/format.md §4).

A Keyring is immutable; every change gives another one, and making that durable is the store's business. Nothing of the
file is believed until a slot has opened, the commitment agrees and the MAC over the list of slots verifies. A slot is
chosen by name or by its check, never by trying which ciphertext opens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from archiver.crypto import jsonfile, recovery_code
from archiver.crypto.aead import gcm
from archiver.crypto.derive import Random, bind, equal, extract, u32
from archiver.crypto.epoch import SECRET_LENGTH, EpochSecret
from archiver.crypto.jsonfile import ArchiveIdHex, EpochNumber, JsonFile, Octets32
from archiver.crypto.kdf import DEFAULT_BOUNDS, KdfBounds, KdfParameters, check_passphrase
from archiver.crypto.machine import MachineKey
from archiver.crypto.slots import WHAT, Slot, SlotInfo, SlotKind, create_slot, open_slot, reseal
from archiver.errors import IntegrityError, UsageError, WrongKeyError

__all__ = ["Keyring", "SlotInfo", "create_keyring", "read_keyring"]

_MAX_SLOTS: Final = 256
_MAX_EARLIER: Final = 64
_CIPHER: Final = b"\x01"


class _Earlier(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The secret of an epoch before, sealed under the current one."""

    epoch: EpochNumber
    nonce: Annotated[bytes, msgspec.Meta(min_length=12, max_length=12)]
    sealed: Annotated[bytes, msgspec.Meta(min_length=SECRET_LENGTH + 16, max_length=SECRET_LENGTH + 16)]


class _KeyringJson(JsonFile, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: int = jsonfile.FORMAT
    archive: ArchiveIdHex
    epoch: EpochNumber
    commitment: Octets32
    slots: Annotated[tuple[Slot, ...], msgspec.Meta(min_length=1, max_length=_MAX_SLOTS)]
    earlier: Annotated[tuple[_Earlier, ...], msgspec.Meta(max_length=_MAX_EARLIER)] = ()
    mac: Octets32 = bytes(32)

    def computed_mac(self, secret: EpochSecret) -> bytes:
        """Compute the MAC that the file must bear."""
        return extract(secret.keyring_mac_key, bind(b"keyring.json") + jsonfile.body(self, without=("mac",)))


class Keyring(Struct, frozen=True):
    """The slots of one archive. Raises IntegrityError on use when anything was tampered with."""

    _file: _KeyringJson
    _bounds: KdfBounds

    @property
    def archive_id(self) -> bytes:
        """16 octets."""
        return bytes.fromhex(self._file.archive)

    @property
    def epoch(self) -> int:
        """The current epoch."""
        return self._file.epoch

    @property
    def slots(self) -> tuple[SlotInfo, ...]:
        """Names, kinds and ages, in the order of the file."""
        return tuple(SlotInfo(slot.name, slot.kind, slot.created) for slot in self._file.slots)

    @property
    def bounds(self) -> KdfBounds:
        """What the file was read with."""
        return self._bounds

    @property
    def fingerprint(self) -> bytes:
        """32 octets, the file's MAC: another one for any other content. Believed only after a slot has opened."""
        return self._file.mac

    @property
    def earlier_epochs(self) -> tuple[int, ...]:
        """Earlier epochs whose secrets are still kept, newest first."""
        return tuple(entry.epoch for entry in self._file.earlier)

    def to_bytes(self) -> bytes:
        """keyring.json."""
        return jsonfile.write(self._file)

    # --- opening ---

    def open_passphrase(self, passphrase: str, *, name: str | None = None) -> EpochSecret:
        """Open with a passphrase: the slot named, or else each passphrase slot in turn (about half a second each).

        Raises WrongKeyError when it fits none, UsageError when there is no passphrase slot of that name.
        """
        slots = [slot for slot in self._file.slots if slot.kind == "passphrase" and name in (None, slot.name)]
        if name is not None and not slots:
            raise UsageError(f"there is no passphrase named {name}", hint="`archiver key list` shows all keys")
        return self._open(slots, passphrase, "the passphrase does not open this archive", "type it again")

    def open_recovery(self, code: str) -> EpochSecret:
        """Open with a recovery code as typed; raises WrongKeyError, saying which group is mistyped where that shows."""
        symbols = recovery_code.read(code)
        slots = [slot for slot in self._file.slots if slot.kind == "recovery"]
        return self._open(
            slots, symbols, "the recovery code belongs to another archive, or was replaced", "look for a newer one"
        )

    def open_machine(self, key: MachineKey) -> EpochSecret:
        """Open with a machine key; raises WrongKeyError when its slot was removed or it is of another archive."""
        slots = [slot for slot in self._file.slots if slot.kind == "machine"]
        if key.archive_id != self.archive_id:
            raise WrongKeyError("the machine key belongs to another archive", hint="name the right one")
        return self._open(
            slots,
            key.secret,
            "the machine key does not open this archive",
            "it may have been removed: run `archiver unlock`, or make a new one with `archiver key add --machine`",
        )

    def open_exported(self, epoch: int, secret: bytes) -> EpochSecret:
        """Take a secret from the unlocked session; raises WrongKeyError when the keyring has moved on since."""
        if epoch == self.epoch and len(secret) == SECRET_LENGTH:
            opened = EpochSecret(secret, archive_id=self.archive_id, epoch=epoch)
            if equal(opened.commitment, self._file.commitment):
                self._verify(opened)
                return opened
        raise WrongKeyError("the unlocked session is of an earlier state of the keyring", hint="run `archiver unlock`")

    def _open(self, slots: Iterable[Slot], secret: str | bytes, message: str, hint: str) -> EpochSecret:
        for slot in slots:
            opened = open_slot(slot, secret, archive_id=self.archive_id, epoch=self.epoch)
            if opened is not None:
                self._verify(opened)
                return opened
        raise WrongKeyError(message, hint=hint)

    def _verify(self, secret: EpochSecret) -> None:
        committed = equal(secret.commitment, self._file.commitment)
        if not committed or not equal(self._file.computed_mac(secret), self._file.mac):
            raise IntegrityError(
                "keyring.json was changed by somebody who does not hold its key",
                what=WHAT,
                hint="restore it from the latest backup, and find out who changed it",
            )

    def earlier(self, secret: EpochSecret) -> tuple[EpochSecret, ...]:
        """Return the secrets of earlier epochs, newest first: pending files may still be sealed to them."""
        self._verify(secret)
        if not self._file.earlier:
            return ()  # nearly always, and a search must not load the cipher for it
        from cryptography.exceptions import InvalidTag

        found = []
        for entry in self._file.earlier:
            context = _earlier_context(secret, entry.epoch)
            try:
                octets = gcm(secret.earlier_key).decrypt(entry.nonce, entry.sealed, context)
            except InvalidTag as error:
                raise jsonfile.damaged(WHAT) from error
            found.append(EpochSecret(octets, archive_id=self.archive_id, epoch=entry.epoch))
        return tuple(found)

    # --- changing ---

    def add_passphrase(
        self, secret: EpochSecret, *, name: str, passphrase: str, kdf: KdfParameters, now: datetime, random: Random
    ) -> Keyring:
        """Return a keyring with one more passphrase; raises UsageError for a bad name or a short passphrase."""
        check_passphrase(passphrase)
        self._bounds.check(kdf, what=WHAT)
        return self._with(secret, name, "passphrase", passphrase, kdf, now, random)

    def add_recovery(
        self, secret: EpochSecret, *, now: datetime, random: Random, name: str = "recovery"
    ) -> tuple[Keyring, str]:
        """Return a keyring with one more recovery code, and the code."""
        code = recovery_code.generate(random)
        return self._with(secret, name, "recovery", recovery_code.read(code), None, now, random), code

    def add_machine(
        self, secret: EpochSecret, *, name: str, now: datetime, random: Random
    ) -> tuple[Keyring, MachineKey]:
        """Return a keyring with one more machine, and the key for its key file."""
        key = MachineKey(self.archive_id, random(32))
        return self._with(secret, name, "machine", key.secret, None, now, random), key

    def remove(self, secret: EpochSecret, name: str) -> Keyring:
        """Return a keyring without that slot.

        Raises UsageError when there is none of that name, or when fewer than two slots or no person's would be left.
        """
        self._verify(secret)
        kept = tuple(slot for slot in self._file.slots if slot.name != name)
        if len(kept) == len(self._file.slots):
            raise UsageError(f"there is no key named {name}", hint="`archiver key list` shows all keys")
        if len(kept) < 2:
            raise UsageError("the last two keys cannot be removed", hint="add another key first")
        if not any(slot.personal for slot in kept):
            raise UsageError(
                "the last passphrase or recovery code cannot be removed", hint="add another passphrase first"
            )
        return self._replaced(secret, slots=kept)

    def rotate(self, secret: EpochSecret, *, random: Random) -> tuple[Keyring, EpochSecret]:
        """Return a keyring of the next epoch, sealed to all slots, and its secret.

        The previous secrets stay readable through `earlier` until `forget_earlier`. Re-encrypting what the old keys
        sealed is the caller's business.
        """
        before = (secret, *self.earlier(secret))
        if len(before) > _MAX_EARLIER:
            raise UsageError(
                f"{_MAX_EARLIER} earlier epochs are still kept", hint="take in what is pending, so that they can go"
            )
        new = EpochSecret(random(SECRET_LENGTH), archive_id=self.archive_id, epoch=self.epoch + 1)
        earlier = []
        for old in before:
            nonce = random(12)
            sealed = gcm(new.earlier_key).encrypt(nonce, old.export(), _earlier_context(new, old.epoch))
            earlier.append(_Earlier(epoch=old.epoch, nonce=nonce, sealed=sealed))
        slots = tuple(reseal(slot, new) for slot in self._file.slots)
        bare = msgspec.structs.replace(
            self._file, epoch=new.epoch, commitment=new.commitment, slots=slots, earlier=tuple(earlier), checksum=""
        )
        return replace(self, _file=_signed(bare, new)), new

    def forget_earlier(self, secret: EpochSecret) -> Keyring:
        """Return a keyring without earlier secrets, once nothing is sealed to them any more."""
        self._verify(secret)
        return replace(self, _file=_signed(msgspec.structs.replace(self._file, earlier=()), secret))

    def _with(
        self,
        secret: EpochSecret,
        name: str,
        kind: SlotKind,
        slot_secret: str | bytes,
        kdf: KdfParameters | None,
        now: datetime,
        random: Random,
    ) -> Keyring:
        self._verify(secret)
        _check_name(name)
        if any(slot.name == name for slot in self._file.slots):
            raise UsageError(f"there is a key named {name} already", hint="choose another name, or remove it first")
        if len(self._file.slots) >= _MAX_SLOTS:
            raise UsageError(f"a keyring holds at most {_MAX_SLOTS} slots", hint="remove some first")
        slot = create_slot(secret, name=name, kind=kind, secret=slot_secret, kdf=kdf, now=now, random=random)
        return self._replaced(secret, slots=(*self._file.slots, slot))

    def _replaced(self, secret: EpochSecret, *, slots: tuple[Slot, ...]) -> Keyring:
        return replace(self, _file=_signed(msgspec.structs.replace(self._file, slots=slots), secret))


def create_keyring(
    *,
    archive_id: bytes,
    passphrase: str,
    kdf: KdfParameters,
    now: datetime,
    random: Random,
    bounds: KdfBounds = DEFAULT_BOUNDS,
    name: str = "owner",
) -> tuple[Keyring, EpochSecret, str]:
    """Make the keyring of a new archive with a passphrase slot and a recovery slot; the third value is the code.

    Raises UsageError for a bad name or a short passphrase.
    """
    check_passphrase(passphrase)
    _check_name(name)
    bounds.check(kdf, what=WHAT)
    secret = EpochSecret(random(SECRET_LENGTH), archive_id=archive_id, epoch=1)
    slot = create_slot(secret, name=name, kind="passphrase", secret=passphrase, kdf=kdf, now=now, random=random)
    bare = _KeyringJson(archive=archive_id.hex(), epoch=1, commitment=secret.commitment, slots=(slot,))
    keyring, code = Keyring(_signed(bare, secret), bounds).add_recovery(secret, now=now, random=random)
    return keyring, secret, code


def read_keyring(octets: bytes, *, archive_id: bytes, bounds: KdfBounds = DEFAULT_BOUNDS) -> Keyring:
    """Parse keyring.json and check every bound; nothing is authenticated yet.

    Raises IntegrityError when it is damaged, out of bounds or another archive's, FormatError for another release's.
    """
    file = jsonfile.read(octets, _KeyringJson, what=WHAT)
    if file.archive != archive_id.hex():
        raise IntegrityError("keyring.json belongs to another archive", what=WHAT, hint="restore it from a backup")
    if len({slot.name for slot in file.slots}) != len(file.slots):
        raise jsonfile.damaged(WHAT)
    for slot in file.slots:
        if (slot.kdf is None) != (slot.kind != "passphrase"):
            raise jsonfile.damaged(WHAT)
        if slot.kdf is not None:
            bounds.check(slot.kdf, what=WHAT)
    return Keyring(file, bounds)


def _signed(bare: _KeyringJson, secret: EpochSecret) -> _KeyringJson:
    return msgspec.structs.replace(bare, mac=bare.computed_mac(secret))


def _earlier_context(current: EpochSecret, epoch: int) -> bytes:
    return bind(b"archiver 1", _CIPHER, current.archive_id, b"earlier epoch", u32(epoch), u32(current.epoch))


def _check_name(name: str) -> None:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", name) is None:
        raise UsageError(
            "a key's name has 1 to 64 letters, digits, dots, dashes, underscores or @, a letter or digit first",
            hint="for instance: anna, or backup-host",
        )
