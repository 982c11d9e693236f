"""Stored models: rows of `cluster_models`, each with all that is needed to use it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from rfm_spark.core.day_version import DayVersion
from rfm_spark.core.drift import stability_index
from rfm_spark.core.errors import UserError
from rfm_spark.results.clusters.choice_of_k import Candidate
from rfm_spark.results.clusters.model import ClusterModel
from rfm_spark.results.clusters.standard_units import Scale
from rfm_spark.results.clusters.tables import CLUSTER_MODELS, TRAINED
from rfm_spark.run import Run

NO_CLUSTERS = 0
"""As `k` of a day on which all customers are alike: it has no version, which says that it has no
model."""
_MOST_NAMED = 5


@dataclass(frozen=True)
class StoredModel:
    """A model that was trained on some day.

    Attributes:
        columns: those of `cluster_models` that tell of the training: TRAINED.
        as_of: the day of the row that they are read from: trained on it, or kept on it.
        notes: of one that has just been trained, what is worth a look at its features.
        candidates: of the same, the numbers of clusters that were tried.
    """

    columns: Mapping[str, Any]
    as_of: date
    notes: Sequence[str] = ()
    candidates: Sequence[Candidate] = ()

    @property
    def version(self) -> DayVersion:
        """The day it was trained on, and which of that day it is."""
        return version_of(self.columns)

    @property
    def model(self) -> ClusterModel:
        """Centres, scales and cuts."""
        row = self.columns
        # A model of before there were further features, or ranks, has none of them.
        nothing = [None] * len(row["features"])
        missing, ranked = (row[name] or nothing for name in ("missing_values", "ranked_values"))
        return ClusterModel(
            scales=[
                Scale(**one, missing=value, ranked=values)
                for one, value, values in zip(row["features"], missing, ranked, strict=True)
            ],
            centres=np.array([one["position"] for one in row["centres"]], dtype=np.float64),
            numbers=[one["cluster"] for one in row["centres"]],
            outlier_distance=row["outlier_distance"],
            group_cuts=row["group_cuts"],
        )

    def drift(self, customers: Mapping[int, int]) -> float:
        """The population stability index of the shares of clusters against those at training.

        Args:
            customers: of another day, by the number of their cluster.
        """
        whole = sum(customers.values())
        today = [customers.get(number, 0) / whole for number in self.model.numbers]
        return stability_index(self.columns["shares"], today)


def stored_model(run: Run, name: str, version: DayVersion | None) -> StoredModel:
    """A model by its version, by default the newest.

    Raises:
        UserError: if it is not stored.
    """
    rows = run.warehouse.rows(CLUSTER_MODELS, {"model": name}, ["as_of", "version", "edition"])
    told = [row for row in rows if row["version"] is not None]
    days = [row for row in told if version in (None, version_of(row))]
    if not days:
        versions = sorted({version_of(row) for row in told})[-_MOST_NAMED:]
        known = ", ".join(map(str, versions)) or "none"
        raise UserError(
            f"clusters {name}, the model of {version or 'any day'}: no such model is stored; "
            f"stored: {known}"
        )
    return model_of_day(run, name, max(days, key=newest)["as_of"])


def model_of_day(run: Run, name: str, as_of: date) -> StoredModel:
    """The model of a day that is stored."""
    [row] = run.warehouse.rows(CLUSTER_MODELS, {"model": name, "as_of": as_of})
    return StoredModel({column: row[column] for column in TRAINED}, as_of)


def is_whole(run: Run, name: str, as_of: date) -> bool:
    """Whether all that is stored of a model on a day was made together.

    It is not where the day was never finished, or has begun to be made again and was not.
    """
    rows = run.warehouse.rows(CLUSTER_MODELS, {"model": name, "as_of": as_of}, ["is_whole"])
    return any(row["is_whole"] is not False for row in rows)


def has_none(run: Run, name: str, as_of: date) -> bool:
    """Whether a day has no clusters, as all its customers are alike."""
    rows = run.warehouse.rows(CLUSTER_MODELS, {"model": name, "as_of": as_of}, ["k"])
    return any(row["k"] == NO_CLUSTERS for row in rows)


def version_of(row: Mapping[str, Any]) -> DayVersion:
    """The version of a row of `cluster_models` that tells of its training."""
    return DayVersion.of_columns(row["version"], row["edition"])


def newest(row: Mapping[str, Any]) -> tuple[date, bool, int, date]:
    """Of the models of one day the one that was trained last is where the day itself has it."""
    version = version_of(row)
    return version.day, row["as_of"] == version.day, version.edition, row["as_of"]
