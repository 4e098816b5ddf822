"""Encrypted archives, in the format of age (age-encryption.org), which the age command reads and writes too."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from mlperf_logging.errors import ArchiveError, UsageError
from mlperf_logging.installation import explain_missing

ENCRYPTED_SUFFIX = ".age"

_HEAD = b"age-encryption.org/"


def is_encrypted(content: bytes) -> bool:
    """Whether bytes begin as an encrypted archive does."""
    return content.startswith(_HEAD)


def encrypt_archive(
    content: bytes, *, passphrase: str | None = None, recipients: Sequence[str] = ()
) -> bytes:
    """Encrypt an archive.

    Args:
        content: the archive's bytes.
        passphrase: opens it again.
        recipients: public keys (age1…, or ssh-…), any of whose private keys opens it, in place of a passphrase.

    Raises:
        UsageError: neither or both are given, a key is invalid, or the library is not installed.
    """
    pyrage = _load_library()
    if bool(recipients) == (passphrase is not None):
        raise UsageError("encrypting takes a passphrase or the public keys of recipients, and not both")
    if passphrase is not None:
        return bytes(pyrage.passphrase.encrypt(content, passphrase))
    return bytes(pyrage.encrypt(content, [_read_recipient(pyrage, key) for key in recipients]))


def decrypt_archive(
    content: bytes, *, passphrase: str | None = None, identities: Sequence[str] = ()
) -> bytes:
    """Decrypt an archive with the passphrase or a private key (AGE-SECRET-KEY-…, or an SSH key) that it was made for.

    Raises:
        ArchiveError: neither of them opens it, or it is damaged.
        UsageError: a key is invalid, or the library is not installed.
    """
    pyrage = _load_library()
    try:
        if passphrase is not None:
            return bytes(pyrage.passphrase.decrypt(content, passphrase))
        return bytes(pyrage.decrypt(content, [_read_identity(pyrage, key) for key in identities]))
    except pyrage.DecryptError as error:
        raise ArchiveError(f"the archive cannot be decrypted: {error}") from None


def _load_library() -> ModuleType:
    try:
        import pyrage
    except ImportError:
        raise UsageError(explain_missing("encrypting", ["pyrage"], "submission")) from None
    library: ModuleType = pyrage
    return library


def _read_recipient(pyrage: ModuleType, key: str) -> object:
    kind = pyrage.ssh if key.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(key)
    except pyrage.RecipientError as error:
        raise UsageError(f"{key[:40]!r} is not a public key: {error}") from None


def _read_identity(pyrage: ModuleType, key: str) -> object:
    try:
        if key.startswith("AGE-SECRET-KEY-"):
            return pyrage.x25519.Identity.from_str(key)
        return pyrage.ssh.Identity.from_buffer(key.encode())
    except pyrage.IdentityError as error:
        raise UsageError(f"the identity file does not contain a private key: {error}") from None
