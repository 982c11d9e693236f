"""Ends of Spark's BIGINT, the type of all that is counted or added up."""

from __future__ import annotations

BIGINT_MIN, BIGINT_MAX = -(2**63), 2**63 - 1
