"""Clusters shown, and stored models found: what is read of them without Spark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from rfm_spark.core.day_version import DayVersion
from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.results.cluster_segments.panels import segments_of_clusters
from rfm_spark.results.clusters.mllib_model import save_for_mllib
from rfm_spark.results.clusters.panels import model_panels, representative_panel
from rfm_spark.results.clusters.settings import Clusters, models_of
from rfm_spark.results.clusters.stored_models import StoredModel, stored_model
from rfm_spark.results.clusters.tables import CLUSTER_MODELS, CLUSTERS
from rfm_spark.results.registry import BY_COMMAND
from rfm_spark.run import Run
from rfm_spark.settings.shop import ShopSettings
from rfm_spark.storage.folders import folder
from rfm_spark.storage.locations import location

_FEW = 5
"""Days of a model shown."""


def shown_clusters(run: Run, model: str | None, as_of: date | None) -> Iterator[Panel]:
    """The clusters of a stored day on one screen: tiers, gaps, moves, whom they hold, models.

    Args:
        run: the run.
        model: the only one to show; by default all.
        as_of: a day that is stored; by default the newest of each model.

    Raises:
        UserError: if there is no such model, or the day is not stored.
    """
    names = (
        [chosen_model(run.settings, model)] if model is not None else list(_models(run.settings))
    )
    for name in names:
        days = _stored_days(run, name)
        shown = days[-1]["as_of"] if as_of is None else as_of
        if all(row["as_of"] != shown for row in days):
            near = sorted(days, key=lambda row: abs(row["as_of"] - shown))[:3]
            told = ", ".join(sorted(str(row["as_of"]) for row in near))
            raise UserError(
                f"--as-of {shown}: no clusters of {name} are stored of that day (near it: {told}): "
                f"run `rfm-spark clusters --as-of {shown}` first"
            )
        yield Panel(f"{name} as of {shown}")
        yield from model_panels(run, name, shown, is_named=len(names) > 1)
        yield from segments_of_clusters(run, name, shown)
        yield representative_panel(run, name, shown)
        yield _days_panel(name, days)


def pinned_to(run: Run, model: str | None, version: str | None) -> str:
    """The override that pins a model to a stored one: `clusters.pinned="2026-01-31"`.

    Args:
        run: the run.
        model: which; it can be left out where there is one.
        version: of the stored model; by default the newest.

    Raises:
        UserError: if there is no such model, or nothing of it is stored.
    """
    name = chosen_model(run.settings, model)
    found = stored_model(run, name, _version(version)).version
    is_plain = isinstance(BY_COMMAND["clusters"].rules(run.settings), Clusters)
    return f'clusters.{"" if is_plain else f"{name}."}pinned="{found}"'


def export_model(run: Run, model: str | None, version: str | None, place: str) -> StoredModel:
    """Writes a stored model as MLlib does.

    Args:
        run: the run.
        model: which; it can be left out where there is one.
        version: of the stored model; by default the newest.
        place: a folder or URI, empty or not there yet.

    Raises:
        UserError: if nothing of the model is stored, or the folder holds something.
    """
    name = chosen_model(run.settings, model)
    stored = stored_model(run, name, _version(version))
    folder_at = location(run.sessions, place)
    if folder(run.sessions, folder_at).names():
        raise UserError(f"--out {place}: is not empty: name a folder that is not there yet")
    save_for_mllib(run.spark, stored.model, folder_at)
    return stored


def _version(text: str | None) -> DayVersion | None:
    """The version that a person gave with `--version`.

    Raises:
        UserError: if it is none.
    """
    try:
        return None if text is None else DayVersion.parsed(text)
    except ValueError as error:
        raise UserError(f"--version {text}: {error}") from error


def chosen_model(settings: ShopSettings, name: str | None) -> str:
    """The model asked for; without a name the only one.

    Raises:
        UserError: if there is no such model, or several and none is named.
    """
    known = list(_models(settings))
    if name is None and len(known) > 1:
        raise UserError(f"there are several models: name one of {', '.join(known)} with --model")
    if name is not None and name not in known:
        raise UserError(f"--model {name}: there is no such model; {did_you_mean(name, known)}")
    return name or known[0]


def _models(settings: ShopSettings) -> Mapping[str, Clusters]:
    return models_of(BY_COMMAND["clusters"].rules(settings))


def _stored_days(run: Run, name: str) -> list[dict[str, Any]]:
    """Whole days of a model that tell of its training and have clusters, the oldest first.

    Of days that maintenance has dropped the models alone are left.

    Raises:
        UserError: if there is none.
    """
    columns = [
        "as_of",
        "version",
        "edition",
        "customers",
        "variance_explained",
        "drift",
        "is_whole",
    ]
    rows = run.warehouse.rows(CLUSTER_MODELS, {"model": name}, columns)
    whole = [row for row in rows if row["version"] is not None and row["is_whole"] is not False]
    clusters = run.warehouse.rows(CLUSTERS, {"model": name}, ["as_of"])
    with_clusters = {row["as_of"] for row in clusters}
    found = [row for row in whole if row["as_of"] in with_clusters]
    if not found:
        raise UserError(
            f"{run.warehouse.path(CLUSTERS)}: has no clusters of {name}: run `rfm-spark clusters` "
            "first"
        )
    return sorted(found, key=lambda row: row["as_of"])


def _days_panel(name: str, days: list[dict[str, Any]]) -> Panel:
    shown = days[-_FEW:]
    note = f", the last {len(shown)} of {len(days)} days" if len(shown) < len(days) else ""
    columns = (
        PanelColumn("day"),
        PanelColumn("model of"),
        PanelColumn("customers", is_number=True),
        PanelColumn("explained", is_number=True),
        PanelColumn("drift", is_number=True),
    )
    rows = [
        (
            str(row["as_of"]),
            str(DayVersion.of_columns(row["version"], row["edition"])),
            f"{row['customers']:,}",
            percent(row["variance_explained"]),
            "" if row["drift"] is None else f"{row['drift']:.3f}",
        )
        for row in reversed(shown)
    ]
    return Panel(f"Models of {name}", note, columns, rows)
