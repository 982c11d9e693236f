"""History: which stored models a day is made by, and what its clusters are called after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from pyspark.sql import functions as F

from rfm_spark.core.day_version import DayVersion
from rfm_spark.core.drift import DRIFTED, is_due
from rfm_spark.core.errors import UserError
from rfm_spark.results.clusters.features.further import configured, parts
from rfm_spark.results.clusters.features.names import lacking_input
from rfm_spark.results.clusters.settings import Clusters
from rfm_spark.results.clusters.stored_models import (
    StoredModel,
    model_of_day,
    newest,
    stored_model,
    version_of,
)
from rfm_spark.results.clusters.tables import CLUSTER_MODELS
from rfm_spark.run import Run
from rfm_spark.storage.warehouse import as_of_slice


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
        columns = ["as_of", "version", "edition", "rules_digest", "last_number", "is_whole"]
        rows = run.warehouse.rows(CLUSTER_MODELS, {"model": name}, columns)
        self._days_stored = {row["as_of"] for row in rows}
        # Releases before 0.2.0 kept no centres, and a day without clusters has none.
        self._rows = sorted(
            (row for row in rows if row["version"] is not None), key=lambda row: row["as_of"]
        )

    @property
    def last_number(self) -> int:
        """The highest number that a cluster of any day has had; 0 where no other day is stored.

        Of later days too, and of this one, where it is made again: a number that was told of one
        cluster is not given to another.
        """
        if all(row["as_of"] == self._as_of for row in self._rows):
            return 0
        highest: int = max(row["last_number"] for row in self._rows)
        return highest

    def before(self, rules: Clusters) -> StoredModel | None:
        """The model of the last whole day before this one, where today's features fit it."""
        return self._fitting(self._days(lambda day: day < self._as_of)[-1:], rules)

    def known(self, rules: Clusters, before: StoredModel | None) -> list[StoredModel]:
        """Models whose clusters' numbers a new one keeps, the first to be asked first.

        That of the day before; that which was made of this day; and, where days are made out of
        their order, that of the day after.

        Args:
            rules: of the model.
            before: that of the day before.
        """
        if self.last_number == 0:
            return []
        own = [row["as_of"] for row in self._rows if row["as_of"] == self._as_of]
        after = self._days(lambda day: day > self._as_of)[:1]
        found = (before, self._fitting(own, rules), self._fitting(after, rules))
        return [one for one in found if one is not None]

    def _days(self, is_one: Callable[[date], bool]) -> list[date]:
        """Days that are whole, the oldest first."""
        whole = (row["as_of"] for row in self._rows if row["is_whole"] is not False)
        return [day for day in whole if is_one(day)]

    def _fitting(self, days: Sequence[date], rules: Clusters) -> StoredModel | None:
        """The model of the one day, where today's features fit it."""
        if not days:
            return None
        stored = model_of_day(self._run, self._name, days[0])
        return None if any(self._misfits(stored, rules)) else stored

    def placed(self, new: StoredModel) -> StoredModel:
        """A model that was trained on this day, with its edition.

        It takes the place of the one that was trained on the day before it, unless other days use
        that one: then it is another edition, so that each version is of one model.
        """
        used = {
            version_of(row).edition: row["as_of"]
            for row in self._rows
            if row["version"] == self._as_of != row["as_of"]
        }
        same = [
            edition
            for edition, day in used.items()
            if _content(model_of_day(self._run, self._name, day)) == _content(new)
        ]
        version = DayVersion(self._as_of, *(same[:1] or [1 + max(used, default=0)]))
        return replace(new, columns={**new.columns, "edition": version.stored_edition})

    def begin_again(self) -> None:
        """Notes of a day that is stored that it is being made again: it is not whole until then."""
        if self._as_of in self._days_stored:
            of_day = {"model": self._name, "as_of": self._as_of}
            [row] = self._run.warehouse.rows(CLUSTER_MODELS, of_day)
            own = (F.col("model") == self._name) & as_of_slice(self._as_of)
            self._run.replace_by(CLUSTER_MODELS, [{**row, "is_whole": False}], own)

    def kept(self, rules: Clusters) -> StoredModel | None:
        """The model that is to be used again by the rules, drift apart; None for a new one.

        Raises:
            UserError: if the one that is pinned is not stored.
        """
        if rules.pinned is not None:
            return self._pinned(rules, DayVersion.parsed(rules.pinned))
        if rules.refit == "always":
            return None
        days = [
            row
            for row in self._rows
            if row["version"] <= self._as_of and row["rules_digest"] == rules.trained_by
        ]
        if not days:
            return None
        stored = model_of_day(self._run, self._name, max(days, key=newest)["as_of"])
        # What no longer comes in is NULL for everybody: a model that needs it tells nothing.
        return None if any(self._misfits(stored, rules)) else stored

    def has_drifted(self, rules: Clusters, kept: StoredModel, index: float) -> bool:
        """Whether a kept model is to be trained again on this day."""
        trained_on = kept.version.day
        if rules.pinned or rules.refit != "drift" or trained_on == self._as_of:
            return False
        looked_at = [row["as_of"] for row in self._rows if version_of(row) == kept.version]
        later = [day for day in looked_at if day != trained_on]
        return index > DRIFTED and is_due(self._as_of, trained_on, later, rules.refit_on)

    def _pinned(self, rules: Clusters, version: DayVersion) -> StoredModel:
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


def _content(stored: StoredModel) -> dict[str, Any]:
    """What makes a model another one."""
    also = ("edition", "last_number")
    return {name: value for name, value in stored.columns.items() if name not in also}
