"""Digests of settings: equal settings, equal digests."""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from hashlib import sha256
from typing import Any

from pydantic import BaseModel


def settings_digest(section: BaseModel) -> str:
    """A short name for all that a section says, its defaults included."""
    return digest_of(section.model_dump(mode="json"))


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


def digest_of(content: Any) -> str:
    """A short name for something that JSON can hold."""
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
