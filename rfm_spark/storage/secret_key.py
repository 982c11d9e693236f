"""The key of keyed hashes: a file that only its owner reads, and that Spark is never told."""

from __future__ import annotations

import hmac
import os
import re
import secrets
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
    try:
        # Never there with a wider mode, and never written twice.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return stored_key(file)
    except OSError as error:
        raise UserError(f"{file}: the key cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(secrets.token_hex(_BYTES) + "\n")
        opened.flush()
        os.fsync(descriptor)
    return stored_key(file)
