"""What every section of the configuration is made of, and the types that sections share."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from rfm_spark.core.look_back import LookBack

_CENTURY = 36_525

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""A lower-case word: it names folders, columns and slices of tables."""

Days = Annotated[int, Field(gt=0, le=_CENTURY)]
WindowDays = Days | Literal["all"]


def look_back_of(window_days: int | Literal["all"]) -> LookBack:
    """A configured window: a number of days, or all history."""
    return LookBack(None if window_days == "all" else window_days)


def _known_zone(zone: str) -> str:
    if zone not in available_timezones():
        raise ValueError(f"'{zone}' is no time zone; give one such as 'Europe/London' or 'UTC'")
    return zone


TimeZone = Annotated[str, AfterValidator(_known_zone)]


def _each_once(values: list[Any]) -> list[Any]:
    twice = [value for at, value in enumerate(values) if value in values[:at]]
    if twice:
        raise ValueError(f"{twice[0]} is named twice: name each once")
    return values


Distinct = AfterValidator(_each_once)
"""Of a list."""


ONE, NAMED = "one section", "sections by name"
"""What errors name the two kinds of a section by that may be several, beside the keys that people
write: `[clusters]`, or `[clusters.<name>]` for each."""


class Section(BaseModel):
    """A table of the configuration file: nothing unknown, nothing converted, nothing changed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    def misfits(self) -> Iterator[str]:
        """What does not go together, though each key is right by itself."""
        yield from ()

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if problems := list(self.misfits()):
            raise ValueError(*problems)
        return self


def sections_kind(written: Any, section: type[Section], tables: Collection[str]) -> str:
    """ONE, or NAMED: by whether a table lies in the section that is not one of its own keys.

    Args:
        written: what stands under the section.
        section: what it is read as.
        tables: keys of the section that are tables themselves: no name is one of these.
    """
    return NAMED if _named(written, section, tables) else ONE


def not_mixed(
    written: Any, section: type[Section], tables: Collection[str], path: str, first: str
) -> Any:
    """What is written, unless keys of one section stand beside sections by name.

    Args:
        written: what stands under the section.
        section: what it is read as.
        tables: keys of the section that are tables themselves.
        path: where it stands, such as `clusters`.
        first: a name for what stands there.
    """
    if named := _named(written, section, tables):
        mixed = [name for name in written if name not in named]
        if mixed:
            raise ValueError(
                f"{', '.join(mixed)} beside [{path}.<name>]: where there are several by name, "
                f"every key is of one of them: write [{path}.{first}] above what stood under "
                f"[{path}]"
            )
    return written


def _named(written: Any, section: type[Section], tables: Collection[str]) -> list[str]:
    if not isinstance(written, dict):
        return []
    return [
        name
        for name, one in written.items()
        if name not in tables and isinstance(one, dict | section)
    ]
