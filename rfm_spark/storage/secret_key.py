"""The key of keyed hashes: a file that only its owner reads, and that Spark is never told."""

from __future__ import annotations

import hmac
import os
import re
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rfm_spark.core.errors import UserError

_BYTES = 32
_BLOCK = 64
"""Bytes of a block of SHA-256."""

_CHECKED = b"the key of forgotten customers"


@dataclass(frozen=True, repr=False)
class SecretKey:
    """A key, whose bytes no message and no representation shows.

    Attributes:
        content: its 32 bytes.
    """

    content: bytes

    @cached_property
    def check(self) -> str:
        """What can be stored beside hashes to tell by which key they were made."""
        return hmac.digest(self.content, _CHECKED, "sha256").hex()

    @property
    def pads(self) -> tuple[bytes, bytes]:
        """What is hashed before the inner and the outer text (RFC 2104): HMAC in two hashes."""
        block = self.content.ljust(_BLOCK, b"\0")
        return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


def is_key_there(file: Path) -> bool:
    """Whether there is a file of that name.

    Raises:
        UserError: if it cannot be told.
    """
    try:
        return file.exists()
    except OSError as error:
        raise UserError(f"{file}: the key cannot be read: {error.strerror}") from None


def stored_key(file: Path) -> SecretKey:
    """The key in a file.

    Raises:
        UserError: if it cannot be read, is none, or others than its owner may read it.
    """
    try:
        with file.open(encoding="ascii") as opened:
            mode = os.fstat(opened.fileno()).st_mode & 0o777
            text = opened.read().strip()
    except FileNotFoundError:
        raise UserError(
            f"{file}: the key by which forgotten customers are known is not there: put it back "
            "(privacy.key_file), as without it they would be taken in again"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: the key cannot be read: {type(error).__name__}") from None
    if mode & 0o077:
        raise UserError(f"{file}: others may read the key (mode {mode:04o}): chmod 600 {file}")
    if not re.fullmatch(f"[0-9a-f]{{{2 * _BYTES}}}", text):
        raise UserError(f"{file}: holds no key: it must be {2 * _BYTES} hexadecimal digits")
    return SecretKey(bytes.fromhex(text))


def stored_or_new_key(file: Path) -> SecretKey:
    """The key in a file, which is made where there is none.

    Raises:
        UserError: if it can be neither read nor made.
    """
    if not is_key_there(file):
        try:
            _make(file)
        except OSError as error:
            raise UserError(f"{file}: the key cannot be written: {error.strerror}") from None
    return stored_key(file)


def _make(file: Path) -> None:
    """Puts a new key in a file, whole or not at all; one that is there by then stays.

    It has the name only when it is on the disk, so nobody who was forgotten is known by a key that
    is lost when the machine stops.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            opened.write(secrets.token_hex(_BYTES) + "\n")
            opened.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(name, file)
    finally:
        Path(name).unlink()
    _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
