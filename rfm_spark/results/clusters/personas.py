"""Personas: what sets a cluster apart, in words."""

from __future__ import annotations

from collections.abc import Mapping

from rfm_spark.results.clusters.features.catalogue import BY_NAME

STANDS_OUT = 0.5
"""Standard deviations from the average from which a feature is worth a word."""

MOST_WORDS = 3


def persona(centre: Mapping[str, float]) -> str:
    """The features that stand out most, such as `Frequent visits, high spend, recent`.

    Args:
        centre: feature to standard deviations from the average.

    >>> persona({"frequency": 1.2, "monetary_cents": 0.9, "recency_days": -0.3})
    'Frequent visits, high spend'
    """
    ranked = sorted(centre.items(), key=lambda item: (-abs(item[1]), item[0]))
    words = [_words(name, at) for name, at in ranked if abs(at) >= STANDS_OUT][:MOST_WORDS]
    if not words:
        return "Average in every way"
    return ", ".join(words).capitalize()


def _words(name: str, at: float) -> str:
    feature = BY_NAME[name]
    return feature.high if at > 0 else feature.low


def unique_personas(centres: Mapping[int, Mapping[str, float]]) -> dict[int, str]:
    """A persona for every cluster; equal ones are told apart by the cluster's number."""
    plain = {number: persona(centre) for number, centre in centres.items()}
    names = list(plain.values())
    return {
        number: name if names.count(name) == 1 else f"{name} ({number})"
        for number, name in plain.items()
    }
