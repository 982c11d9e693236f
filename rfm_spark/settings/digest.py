"""Digests of settings: equal settings, equal digests."""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from hashlib import sha256
from typing import Any

from pydantic import BaseModel


def settings_digest(section: BaseModel) -> str:
    """A short name for all that a section says: defaults, and the order of its tables, too."""
    return digest_of(section.model_dump(mode="json"), is_order_told=True)


def changes_digest(section: BaseModel, meaning: int, only: AbstractSet[str] | None = None) -> str:
    """A short name for what a section says that is not its default.

    A key that a later release adds does not change it as long as nobody sets that key: so what was
    read, or fitted, by an earlier release stays.

    Args:
        section: the settings.
        meaning: a number kept by hand, raised when the same settings come to mean something else.
        only: keys that matter; by default all.
    """
    keys = None if only is None else set(only)
    changed = section.model_dump(mode="json", include=keys, exclude_defaults=True)
    return digest_of({"meaning": meaning, "changes": changed})


def digest_of(content: Any, is_order_told: bool = False) -> str:
    """A short name for something that JSON can hold.

    Args:
        content: tables, lists, texts and numbers.
        is_order_told: whether another order of a table's keys is another content: the first
            profile, for one, is that of `customer_360`.
    """
    return sha256(json.dumps(content, sort_keys=not is_order_told).encode()).hexdigest()[:16]
