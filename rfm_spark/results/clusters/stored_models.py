"""Stored models: rows of `cluster_models`, each with all that is needed to use it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from rfm_spark.core.drift import DRIFTED, is_due, stability_index
from rfm_spark.core.errors import UserError
from rfm_spark.results.clusters.choice_of_k import Candidate
from rfm_spark.results.clusters.features.further import configured, parts
from rfm_spark.results.clusters.features.names import lacking_input
from rfm_spark.results.clusters.model import ClusterModel
from rfm_spark.results.clusters.settings import Clusters
from rfm_spark.results.clusters.standard_units import Scale
from rfm_spark.results.clusters.tables import CLUSTER_MODELS, TRAINED
from rfm_spark.run import Run

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
    def version(self) -> date:
        """The day it was trained on."""
        day: date = self.columns["version"]
        return day

    @property
    def model(self) -> ClusterModel:
        """Centres, scales and cuts."""
        row = self.columns
        # A model of before there were further features has a column for each.
        missing = row["missing_values"] or [None] * len(row["features"])
        pairs = zip(row["features"], missing, strict=True)
        return ClusterModel(
            scales=[Scale(**one, missing=value) for one, value in pairs],
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


def stored_model(run: Run, name: str, version: date | None) -> StoredModel:
    """A model by the day it was trained on, by default the newest.

    Raises:
        UserError: if it is not stored.
    """
    rows = run.warehouse.rows(CLUSTER_MODELS, {"model": name}, ["as_of", "version"])
    told = [row for row in rows if row["version"] is not None]
    days = [row for row in told if version in (None, row["version"])]
    if not days:
        versions = sorted({row["version"] for row in told})[-_MOST_NAMED:]
        known = ", ".join(map(str, versions)) or "none"
        raise UserError(
            f"clusters {name}, the model of {version or 'any day'}: no such model is stored; "
            f"stored: {known}"
        )
    return _of_day(run, name, max(days, key=_newest)["as_of"])


def _of_day(run: Run, name: str, as_of: date) -> StoredModel:
    [row] = run.warehouse.rows(CLUSTER_MODELS, {"model": name, "as_of": as_of})
    return StoredModel({column: row[column] for column in TRAINED}, as_of)


class ModelHistory:
    """The models of one name, as they are stored when a day is made.

    Args:
        run: the run.
        name: of the model.
        as_of: the day that is made.
    """

    def __init__(self, run: Run, name: str, as_of: date) -> None:
        self._run, self._name, self._as_of = run, name, as_of
        if run.warehouse.is_there(CLUSTER_MODELS):
            run.version_read(CLUSTER_MODELS)
        columns = ["as_of", "version", "rules_digest", "last_number"]
        rows = run.warehouse.rows(CLUSTER_MODELS, {"model": name}, columns)
        # Releases before 0.2.0 kept no centres.
        self._rows = sorted(
            (row for row in rows if row["version"] is not None), key=lambda row: row["as_of"]
        )

    @property
    def last_number(self) -> int:
        """The highest number that a cluster of an earlier day has had; 0 without one."""
        before = [row["last_number"] for row in self._rows if row["as_of"] < self._as_of]
        return max(before, default=0)

    def before(self, rules: Clusters) -> StoredModel | None:
        """The model of the last stored day before this one, where today's features fit it."""
        days = [row["as_of"] for row in self._rows if row["as_of"] < self._as_of]
        if not days:
            return None
        stored = _of_day(self._run, self._name, days[-1])
        return None if any(self._misfits(stored, rules)) else stored

    def kept(self, rules: Clusters) -> StoredModel | None:
        """The model that is to be used again by the rules, drift apart; None for a new one.

        Raises:
            UserError: if the one that is pinned is not stored.
        """
        if rules.pinned is not None:
            return self._pinned(rules, date.fromisoformat(rules.pinned))
        if rules.refit == "always":
            return None
        days = [
            row
            for row in self._rows
            if row["version"] <= self._as_of and row["rules_digest"] == rules.trained_by
        ]
        if not days:
            return None
        stored = _of_day(self._run, self._name, max(days, key=_newest)["as_of"])
        # What no longer comes in is NULL for everybody: a model that needs it tells nothing.
        return None if any(self._misfits(stored, rules)) else stored

    def has_drifted(self, rules: Clusters, kept: StoredModel, index: float) -> bool:
        """Whether a kept model is to be trained again on this day."""
        if rules.pinned or rules.refit != "drift" or kept.version == self._as_of:
            return False
        looked_at = [row["as_of"] for row in self._rows if row["version"] == kept.version]
        later = [day for day in looked_at if day != kept.version]
        return index > DRIFTED and is_due(self._as_of, kept.version, later, rules.refit_on)

    def _pinned(self, rules: Clusters, version: date) -> StoredModel:
        stored = stored_model(self._run, self._name, version)
        if problems := list(self._misfits(stored, rules)):
            raise UserError(f"clusters {self._name}, the model of {version}: {', '.join(problems)}")
        return stored

    def _misfits(self, stored: StoredModel, rules: Clusters) -> Iterator[str]:
        """Why a model does not fit the features of the day."""
        window = stored.columns["window"]
        if window != rules.look_back.label:
            yield f"it looks at {window} days, and window_days is {rules.look_back.label}"
        names = dict.fromkeys(configured(one["feature"]) for one in stored.columns["features"])
        for name in names:
            if (setting := lacking_input(name, self._run.settings)) is not None:
                yield f"{name} needs {setting}"
            # Of further features `customer_features` has those that are named.
            elif parts(name) is not None and name not in (rules.features or ()):
                yield f"it looks at {name}, which `features` does not name"


def _newest(row: Mapping[str, Any]) -> tuple[date, bool, date]:
    """Of one version the row of the day it was trained on: later ones may have kept another."""
    return row["version"], row["as_of"] == row["version"], row["as_of"]
