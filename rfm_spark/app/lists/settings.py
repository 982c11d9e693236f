"""Who may be contacted."""

from __future__ import annotations

from pydantic import Field

from rfm_spark.settings.section import Section


class Consent(Section):
    """Who may be contacted: all others are left out of lists and audiences."""

    where: str = Field(
        description="a condition on attributes that customers meet who have agreed, such as "
        "`email_consent == 'yes'`; who has no value has not. The newest day in the tables counts, "
        "whichever is listed"
    )
