"""Personas: what sets a cluster apart, in words."""

from __future__ import annotations

from collections.abc import Mapping

STANDS_OUT = 0.5
"""Standard deviations from the average from which a feature is worth a word."""

MOST_WORDS = 3

_WORDS = {
    "recency_days": ("recent", "long absent"),
    "frequency": ("rare visits", "frequent visits"),
    "monetary_cents": ("low spend", "high spend"),
    "tenure_days": ("newer customers", "long-standing customers"),
    "average_receipt_cents": ("small receipts", "large receipts"),
    "product_range": ("narrow range", "wide range"),
    "basket_size": ("small baskets", "large baskets"),
    "promotion_response": ("ignore promotions", "love promotions"),
    "visit_gap_days": ("short gaps", "long gaps"),
    "return_share": ("few returns", "many returns"),
    "touch_points": ("few touch points", "many touch points"),
}


def persona(centre: Mapping[str, float]) -> str:
    """The features that stand out most, such as `Frequent visits, high spend, recent`.

    Args:
        centre: feature to standard deviations from the average.
    """
    ranked = sorted(centre.items(), key=lambda item: (-abs(item[1]), item[0]))
    words = [_WORDS[name][at > 0] for name, at in ranked if abs(at) >= STANDS_OUT][:MOST_WORDS]
    if not words:
        return "Average in every way"
    return ", ".join(words).capitalize()


def unique_personas(centres: Mapping[int, Mapping[str, float]]) -> dict[int, str]:
    """A persona for every cluster; equal ones are told apart by the cluster's number."""
    plain = {number: persona(centre) for number, centre in centres.items()}
    names = list(plain.values())
    return {
        number: name if names.count(name) == 1 else f"{name} ({number})"
        for number, name in plain.items()
    }
