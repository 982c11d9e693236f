"""Typed configuration: read once, checked as a whole, with errors a person can act on."""

from __future__ import annotations

from rfm_spark.settings.loading import load_settings
from rfm_spark.settings.model import Settings

__all__ = ["Settings", "load_settings"]
