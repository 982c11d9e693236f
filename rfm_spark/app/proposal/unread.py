"""Unread columns: what sounds like a time or like money, and is in no form that can be read."""

from __future__ import annotations

from collections.abc import Iterator

from rfm_spark.app.proposal.choices import Facts
from rfm_spark.app.proposal.findings import FileGroup
from rfm_spark.app.proposal.names import CERTAIN, points


def unread_money(group: FileGroup, facts: Facts) -> Iterator[str]:
    """Names of columns that should be amounts, and of which too few values are numbers."""
    for name in group.sample.columns:
        if points("amount", name) >= CERTAIN and not (name in facts and facts[name].is_amount):
            yield name


def reasons(group: FileGroup, facts: Facts) -> str:
    """Why a file may tell less than it has; empty where nothing is to be said."""
    times = [
        name
        for name in group.sample.columns
        if points("time", name) >= CERTAIN and (name not in facts or facts[name].times is None)
    ]
    told = [
        f"{name} sounds like {what}, but too few of its values can be read as such"
        for names, what in ((times, "a time"), (unread_money(group, facts), "money"))
        for name in names
    ]
    return "; ".join(told)
