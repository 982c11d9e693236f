"""The whole configuration: the shop's sections and those that results bring."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field, create_model, model_validator

from rfm_spark.app.audiences.definition import audience_problems
from rfm_spark.app.audiences.settings import Audience
from rfm_spark.app.lists.names import customer_names
from rfm_spark.app.lists.settings import Consent
from rfm_spark.core.written_conditions import WrittenCondition
from rfm_spark.results.registry import RESULTS, use_misfits
from rfm_spark.settings.section import Name, Section
from rfm_spark.settings.shop import ShopSettings


class Metastore(Section):
    """Where the tables are registered by name."""

    database: Name = Field(description="made if it is not there")


class Report(Section):
    """What the report tells."""

    minimum_customers: int = Field(
        default=5, ge=1, le=1000, description="money of fewer customers is not shown"
    )


class Settings(ShopSettings):
    """The whole configuration of one warehouse; SETTINGS_MODEL has the sections of results too."""

    metastore: Metastore | None = None
    report: Report = Report()
    consent: Consent | None = None
    audiences: dict[Name, Audience] = Field(
        default_factory=dict, description="customers to write to, by name"
    )

    @model_validator(mode="before")
    @classmethod
    def _with_implied_sections(cls, written: Any) -> Any:
        if not isinstance(written, dict):
            return written
        implied = {
            result.section.name: result.section.implied(written)
            for result in RESULTS
            if result.section is not None and result.section.implied is not None
        }
        return implied | written

    def misfits(self) -> Iterator[str]:
        """Of the shop, and between the section of a result and the shop."""
        yield from super().misfits()
        for result in RESULTS:
            if result.is_made_for(self):
                if result.misfits is not None:
                    yield from result.misfits(result.rules(self), self)
                yield from use_misfits(result, self)
        if self.consent is not None:
            for problem in WrittenCondition(self.consent.where).problems(customer_names(self)):
                yield f"consent.where: {problem}"
        for name, audience in self.audiences.items():
            yield from audience_problems(name, audience, self)


_SECTIONS: dict[str, Any] = {
    result.section.name: (result.section.type, result.section.default)
    for result in RESULTS
    if result.section is not None
}
SETTINGS_MODEL = create_model("Settings", __base__=Settings, **_SECTIONS)
"""What a configuration file is read as."""
