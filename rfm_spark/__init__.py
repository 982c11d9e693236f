"""RFM, cohorts, clusters and one wide row per customer, from receipts, on Spark and Delta."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rfm_spark.app.api import WarehouseReader, open_warehouse, run_job
    from rfm_spark.app.loading import load_settings
    from rfm_spark.app.settings import Settings
    from rfm_spark.core.errors import RunFailure, UserError
    from rfm_spark.session import local_session

__version__ = "0.2.0"

__all__ = [
    "RunFailure",
    "Settings",
    "UserError",
    "WarehouseReader",
    "load_settings",
    "local_session",
    "open_warehouse",
    "run_job",
]

_MODULES = {
    "RunFailure": "core.errors",
    "Settings": "app.settings",
    "UserError": "core.errors",
    "WarehouseReader": "app.api",
    "load_settings": "app.loading",
    "local_session": "session",
    "open_warehouse": "app.api",
    "run_job": "app.api",
}


def __getattr__(name: str) -> Any:
    """A part of the API, loaded when it is first asked for: what needs Spark is slow to load."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
