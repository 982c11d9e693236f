"""Personas: what sets a cluster apart, in words."""

from __future__ import annotations

from collections.abc import Mapping

from rfm_spark.results.clusters.features.names import feature

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
    words = [_words(name, centre[name]) for name in _outstanding(centre)]
    if not words:
        return "Average in every way"
    told = ", ".join(words)
    return told[0].upper() + told[1:]


def description(
    centre: Mapping[str, float], means: Mapping[str, float], of_all: Mapping[str, float]
) -> str:
    """The same features with their numbers: mean, mean of all, and the effect size.

    Args:
        centre: feature to standard deviations from the average, transformed and winsorised: the
            effect size.
        means: of the cluster, in the feature's own unit.
        of_all: the same of all customers.

    >>> description({"frequency": 1.9}, {"frequency": 24.13}, {"frequency": 8.2})
    'frequency 24.1 against 8.2 (+1.9)'
    """
    return "; ".join(
        f"{name} {_shown(means[name])} against {_shown(of_all[name])} ({centre[name]:+.1f})"
        for name in _outstanding(centre)
    )


def _outstanding(centre: Mapping[str, float]) -> list[str]:
    """Features that stand out, the most outstanding first."""
    ranked = sorted(centre.items(), key=lambda item: (-abs(item[1]), item[0]))
    return [name for name, at in ranked if abs(at) >= STANDS_OUT][:MOST_WORDS]


def _shown(number: float) -> str:
    """With three digits that count, at least."""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def _words(name: str, at: float) -> str:
    found = feature(name)
    return found.high if at > 0 else found.low


def unique_personas(centres: Mapping[int, Mapping[str, float]]) -> dict[int, str]:
    """A persona for every cluster; equal ones are told apart by the cluster's number."""
    plain = {number: persona(centre) for number, centre in centres.items()}
    names = list(plain.values())
    return {
        number: name if names.count(name) == 1 else f"{name} ({number})"
        for number, name in plain.items()
    }
