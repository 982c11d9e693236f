"""The rules that a stored day was scored by, which the configuration may no longer have."""

from __future__ import annotations

import json

from pydantic import ValidationError

from rfm_spark.results.declaration import Made
from rfm_spark.results.rfm.settings import Profile


def profile_of(made: Made | None, name: str) -> Profile | None:
    """A profile as it was when a day was scored; None where no record tells, or none we can read.

    What a later release added has its default.
    """
    kept = made and made.settings.get("rfm", {}).get(name)
    if not kept:
        return None
    try:
        return Profile.model_validate_json(json.dumps(kept))
    except ValidationError:  # of a key that this release does not have
        return None
