"""One-hot: an attribute of texts becomes a feature for each of its values."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.results.clusters.features.feature import FURTHER
from rfm_spark.results.clusters.features.further import is_one_hot

MOST_VALUES = 20
"""Values of an attribute, beside an unknown one, beyond which it is no characteristic."""


def with_values(features: DataFrame, names: Sequence[str]) -> list[str]:
    """The features of a new model, with one for each value of every attribute that is one-hot.

    Args:
        features: `customer_features` of a day.
        names: as the configuration has them.

    Returns:
        The names, in their order, with those of values in the order of these, who is unknown first.

    Raises:
        UserError: if an attribute has more than MOST_VALUES values.
    """
    found: list[str] = []
    problems = []
    for name in names:
        if not is_one_hot(name):
            found.append(name)
            continue
        values = _values(features, name)
        found += values
        if len([one for one in values if one != f"{name}="]) > MOST_VALUES:
            problems.append(
                f"[clusters] features: {name}: the attribute has more than {MOST_VALUES} values: "
                "give fewer in [customers.columns.attributes], such as groups of them, or leave it "
                "out"
            )
    if problems:
        raise UserError(problems)
    return found


def _values(features: DataFrame, name: str) -> list[str]:
    """Keys of an attribute's values, sorted; of too many, one more than there may be."""
    keys = features.select(F.explode(F.map_keys(FURTHER)).alias("key"))
    of_it = keys.where(F.col("key").startswith(f"{name}=")).distinct().limit(MOST_VALUES + 2)
    return sorted(row["key"] for row in of_it.collect())
