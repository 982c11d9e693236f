"""Spreadsheets: texts that one would take for a formula, and run."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

_FORMULA = r"^(\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|[\t\r\n])"
"""How one begins; wide signs are taken for narrow ones in some languages.

Source: OWASP, CSV Injection.
"""


def is_formula(text: Column) -> Column:
    """Whether a spreadsheet would take a text for a formula."""
    return text.rlike(_FORMULA)


def as_plain_text(text: Column) -> Column:
    """The text, with an apostrophe before what a spreadsheet would take for a formula."""
    return F.when(is_formula(text), F.concat(F.lit("'"), text)).otherwise(text)
