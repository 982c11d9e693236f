"""What an audience is."""

from __future__ import annotations

from pydantic import Field

from rfm_spark.settings.section import Section


class Audience(Section):
    """Customers to write to, and how many of them are held out to see what it brings."""

    where: str = Field(
        description="a condition on columns of customer_360 and attributes, such as "
        "`segment == 'At Risk' and email is not None`"
    )
    limit: int | None = Field(default=None, ge=1, description="most customers, holdout included")
    order: str | None = Field(
        default=None,
        description="a column: who comes first where `limit` leaves some out; the highest, or the "
        "lowest with a minus before it: `-recency_days`; without one, by hash",
    )
    holdout: float = Field(
        default=0.0, ge=0, le=0.9, description="share that is not written to, to compare with"
    )
    exclude: list[str] = Field(
        default=[], description="files of customers who are left out, an id on each line"
    )
    needs_consent: bool = Field(
        default=True,
        description="false where customers need not have agreed (`[consent]`), as for news of an "
        "order of theirs",
    )
    columns: list[str] = Field(
        default=[], description="columns of customer_360 and attributes that are kept of each"
    )
