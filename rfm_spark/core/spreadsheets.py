"""Spreadsheets: texts that one would take for a formula, and run."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

_SIGNS = r"[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]"
"""How a formula begins; wide signs are taken for narrow ones in some languages.

Source: OWASP, CSV Injection.
"""

_BEGINNING = rf"^(\s*{_SIGNS}|[\t\r\n])"
_BEHIND_SEPARATOR = rf"([;\t]\s*)({_SIGNS})"
"""Where lists are separated by semicolons, a spreadsheet splits a text of a CSV at them too."""


def is_formula(text: Column) -> Column:
    """Whether a spreadsheet would take a text, or what follows a separator in it, for a formula."""
    return text.rlike(f"{_BEGINNING}|{_BEHIND_SEPARATOR}")


def as_plain_text(text: Column) -> Column:
    """The text, with an apostrophe before what a spreadsheet would take for a formula."""
    inside = F.regexp_replace(text, _BEHIND_SEPARATOR, "$1'$2")
    return F.when(text.rlike(_BEGINNING), F.concat(F.lit("'"), inside)).otherwise(inside)
