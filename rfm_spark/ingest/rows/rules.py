"""Validation rules: Column predicates that are true for an invalid row, and rejection reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StringType

_WHITESPACE = " \t\r\n"
_FIRST_VISIBLE = "!"

SEPARATOR = "\x1f"
"""Separator of rule names in `reasons`: a character that no rule or column name contains."""

ROW_MALFORMED = "row_malformed"
"""Reason of a row that is not in the format of its file: values may be in wrong columns."""

EQUAL_LINE = "equal_line_dropped"
"""Reason of a row that is kept out because an equal one of its delivery counts."""

OLDER_VERSION = "older_version_dropped"
"""Reason of a whole receipt that is kept out because its delivery has a newer version of it."""

DROPPED = (EQUAL_LINE, OLDER_VERSION)
"""Reasons of rows that are not wrong: another row of their delivery is there for them."""

REJECTED_BY_ANOTHER = "another_line_of_the_receipt_rejected"
"""Reason of a row that is right itself, and belongs to a receipt with one that is not."""

TIME_MISSING = "time_missing"
"""Reason of a whole receipt without a time, and of the lines of a receipt of which none has one."""

TIME_UNREADABLE = "time_unreadable"
"""Reason of a row whose time is none."""

REPEATED_ID = "receipt_id_repeated"
"""Reason of whole receipts that have one id in one delivery, and differ."""


def rejection_reasons(rules: Mapping[str, Column], *inherited: Column) -> Column:
    """Names of all rules that a row breaks, joined by `SEPARATOR`; empty for a valid row.

    Text, because building arrays of every row took longer than reading the rows.

    Args:
        rules: rule name to a Column that is true for an invalid row.
        inherited: Columns of earlier rejection reasons, joined in the same way.

    Returns:
        A STRING Column, never NULL.
    """
    broken_rules = [F.when(is_broken, F.lit(name)) for name, is_broken in rules.items()]
    earlier_reasons = [F.nullif(reason, F.lit("")) for reason in inherited]
    return F.concat_ws(SEPARATOR, *broken_rules, *earlier_reasons)


def is_invalid() -> Column:
    """True for a row with at least one rejection reason."""
    return F.col("reasons") != ""


def trimmed(text: Column) -> Column:
    """Text without surrounding whitespace; trims only text that has some, which is faster."""
    last_character = F.right(text, F.lit(1))
    is_trimmed = (text >= F.lit(_FIRST_VISIBLE)) & (last_character >= F.lit(_FIRST_VISIBLE))
    return F.when(is_trimmed, text).otherwise(F.btrim(text, F.lit(_WHITESPACE)))


def is_blank(text: Column) -> Column:
    """True for text that is empty or only whitespace."""
    return trimmed(text) == ""


def is_missing(value: Column, data_type: DataType) -> Column:
    """True for a value that was not delivered: NULL or, in a text column, blank."""
    return value.isNull() | is_blank(value) if isinstance(data_type, StringType) else value.isNull()


def is_unreadable(value: Column, data_type: DataType, parsed: Column) -> Column:
    """True for a value that was delivered but could not be parsed as the expected type."""
    return ~is_missing(value, data_type) & parsed.isNull()


@dataclass(frozen=True)
class AllowedDays:
    """Business days on which something can have happened.

    Attributes:
        earliest: the first one, as configured.
        latest: the last one, as configured.
        not_future: the last one that today's clock allows.
    """

    earliest: date
    latest: date
    not_future: date

    @property
    def last(self) -> date:
        """The last one that is no error."""
        return min(self.latest, self.not_future)

    def rules(self, *days: Column) -> dict[str, Column]:
        """Rule name to a Column that is true where one of some days, NULL or not, breaks it."""
        outside = [(day < F.lit(self.earliest)) | (day > F.lit(self.latest)) for day in days]
        future = [(day > F.lit(self.not_future)) & (day <= F.lit(self.latest)) for day in days]
        return {"date_out_of_range": _any(outside), "date_in_future": _any(future)}


def _any(conditions: Sequence[Column]) -> Column:
    if len(conditions) == 1:
        return conditions[0]
    return reduce(or_, [F.coalesce(condition, F.lit(False)) for condition in conditions])
