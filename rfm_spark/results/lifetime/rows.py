"""Rows that tell of both models: what they are, what they expect of all, how one of then did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rfm_spark.core.confidence import Z
from rfm_spark.results.lifetime.cells import CheckedCells
from rfm_spark.results.lifetime.fitting import (
    Counted,
    Models,
    expected_visits,
    relative_error_of_money,
)
from rfm_spark.results.lifetime.maximum_likelihood import NotFitted, added_up
from rfm_spark.results.lifetime.suitability import correlation_of_money, why_no_visits
from rfm_spark.results.lifetime.tables import MONEY, MOST_REPEATS, VISITS
from rfm_spark.results.lifetime.visits_model import fitted_visits

Row = dict[str, Any]


def model_rows(
    counted: Counted, models: Models, horizon_days: int, classes: Sequence[Mapping[str, Any]]
) -> list[Row]:
    """Rows of `lifetime_models`, but for their day.

    Args:
        counted: what they were fitted on.
        models: both.
        horizon_days: days that they look ahead.
        classes: rows of `lifetime_classes`, which add up what is expected.
    """
    same = {
        "horizon_days": horizon_days,
        "history_days": counted.extent.history_days,
        "is_beyond_history": horizon_days > counted.extent.history_days,
    }
    rows = [_row_of_visits(counted, models, classes), _row_of_money(counted, models, classes)]
    return [{**same, **row, "refused": models.refused.get(row["model"])} for row in rows]


def _row_of_visits(counted: Counted, models: Models, classes: Sequence[Mapping[str, Any]]) -> Row:
    row: Row = {
        "model": VISITS,
        "customers": int(counted.cells.total),
        "cells": len(counted.cells.age),
        "cell_days": counted.extent.cells.days,
    }
    if models.visits is not None:
        total = sum(one["expected_visits"] for one in classes)
        row["log_likelihood"] = models.visits.fit.log_likelihood
        row |= _total(total, models.visits.relative_error, models.visits.relative_chance)
    return row


def _row_of_money(counted: Counted, models: Models, classes: Sequence[Mapping[str, Any]]) -> Row:
    row: Row = {
        "model": MONEY,
        "customers": int(counted.spent.total),
        "cells": len(counted.spent.mean),
        "correlation": correlation_of_money(counted.spent),
    }
    if models.visits is not None and models.money is not None:
        total = sum(one["expected_value_cents"] for one in classes)
        errors = models.visits.relative_error, relative_error_of_money(models.money)
        by_chance = [one["value_standard_deviation_cents"] for one in classes]
        row["log_likelihood"] = models.money.log_likelihood
        if None in by_chance:
            row["expected_total"] = total
        else:
            row |= _total(total, *errors, float(np.linalg.norm(by_chance)) / total)
    return row


def _total(total: float, *relative_errors: float) -> Row:
    low, high = interval_around(total, float(np.linalg.norm(relative_errors)))
    return {"expected_total": total, "expected_low": low, "expected_high": high}


def interval_around(total: float, relative_error: float) -> tuple[float, float]:
    """95 %, by the normal distribution; not below 0."""
    reach = Z * relative_error * total
    return max(total - reach, 0.0), total + reach


def parameter_rows(models: Models) -> Iterator[Row]:
    """Rows of `lifetime_parameters`, but for their day."""
    fits = {VISITS: None if models.visits is None else models.visits.fit, MONEY: models.money}
    for model, fit in fits.items():
        if fit is None:
            continue
        for name, value in fit.values.items():
            low, high = fit.interval(name)
            yield {
                "model": model,
                "parameter": name,
                "value": value,
                "standard_error": fit.standard_error(name),
                "low": low,
                "high": high,
            }


def check_rows(before: CheckedCells, history_days: int, weeks: float) -> list[Row]:
    """Rows of `lifetime_checks`, but for day and horizon: expected of a model of then, and seen.

    Args:
        before: customers as of a horizon ago, and their visits since.
        history_days: from the first visit of anybody to that day.
        weeks: of the horizon.

    Returns:
        One for each class; none where the model would have been refused on that day.
    """
    cells = before.cells
    if why_no_visits(cells, history_days):
        return []
    try:
        expected = expected_visits(fitted_visits(cells).values, cells, weeks)
    except NotFitted:
        return []
    classes = np.minimum(np.floor(cells.repeats), MOST_REPEATS)
    return [
        {
            "repeat_visit_days": int(repeats),
            "customers": int(cells.customers[own].sum()),
            "expected_visits": added_up(cells.customers[own], expected[own]),
            "visits": int(before.visits[own].sum()),
        }
        for repeats in np.unique(classes)
        for own in [classes == repeats]
    ]
