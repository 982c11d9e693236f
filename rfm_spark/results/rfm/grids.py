"""Grids that are shipped, for five scores: a new one is an entry here."""

from __future__ import annotations

from rfm_spark.results.rfm.segments import Grid, SegmentRule


def _scores(*scores: int) -> frozenset[int]:
    return frozenset(scores)


LIFECYCLE_11 = Grid((
    SegmentRule("Champions", "Reward them, ask for reviews, show new products first",
                _scores(5), _scores(4, 5)),
    SegmentRule("Loyal", "Offer a loyalty tier and higher-value products",
                _scores(3, 4), _scores(4, 5)),
    SegmentRule("Potential Loyalist", "Invite into the loyalty programme, recommend next products",
                _scores(4, 5), _scores(2, 3)),
    SegmentRule("New", "Welcome them, show what else there is, win the second visit early",
                _scores(5), _scores(1), first_visit="inside"),
    SegmentRule("Returned", "Welcome them back, find out what brought them, make it a habit",
                _scores(5), _scores(1), first_visit="before"),
    SegmentRule("Promising", "Give a small reason to come again soon",
                _scores(4), _scores(1)),
    SegmentRule("Need Attention", "Make a limited offer on what they bought before",
                _scores(3), _scores(3)),
    SegmentRule("About to Sleep", "Remind them of what they liked before they are gone",
                _scores(3), _scores(1, 2)),
    SegmentRule("At Risk", "Write personally, offer a reason to renew",
                _scores(1, 2), _scores(3, 4)),
    SegmentRule("Can't Lose", "Call or win back with the best offer: they came most often",
                _scores(1, 2), _scores(5)),
    SegmentRule("Hibernating", "Spend little: a cheap reminder or a clearance offer",
                _scores(1, 2), _scores(1, 2)),
))  # fmt: skip
"""Lifecycle stages over R and F, after the segment grid of the R package rfm."""

_KEEP_COMING = "Keep them coming: thank them, show what is new"

LIFECYCLE_5 = Grid((
    SegmentRule("New", "Welcome them, and give a reason for the second visit",
                _scores(4, 5), _scores(1), first_visit="inside"),
    SegmentRule("Active", _KEEP_COMING, _scores(4, 5), _scores(1), first_visit="before"),
    SegmentRule("Active", _KEEP_COMING, _scores(4, 5), _scores(2, 3, 4, 5)),
    SegmentRule("At Risk", "Remind them of what they usually buy, before the gap grows",
                _scores(3)),
    SegmentRule("Lapsed", "Make one good win-back offer, with a last day", _scores(2)),
    SegmentRule("Lost", "Ask once why they went, then spend nothing more", _scores(1)),
), lapsed="Gone")  # fmt: skip
"""Five stages over R and first visit; its Lapsed are still inside the window."""

_RENEW = "Write personally, with a reason to come back"

R_FM = Grid((
    SegmentRule("Champions", "Thank them, let them see new products first, ask for a review",
                _scores(4, 5), fm=(4, 5)),
    SegmentRule("Loyal Customers", "Give them a tier of their own, suggest better products",
                _scores(4, 5), fm=(3.5, 3.5)),
    SegmentRule("Loyal Customers", "Give them a tier of their own, suggest better products",
                _scores(3), fm=(3.5, 5)),
    SegmentRule("Potential Loyalist", "Offer membership, suggest what goes with their purchase",
                _scores(4, 5), fm=(1.5, 3)),
    SegmentRule("New Customers", "Help with the first purchase, invite to the next one",
                _scores(5), fm=(1, 1)),
    SegmentRule("Promising", "Make the shop known to them, try a small gift",
                _scores(4), fm=(1, 1)),
    SegmentRule("Need Attention", "Make an offer that ends soon, on what they bought before",
                _scores(3), fm=(2.5, 3)),
    SegmentRule("About to Sleep", "Remind them of products they looked at or liked",
                _scores(3), fm=(1, 2)),
    SegmentRule("At Risk", _RENEW, _scores(2), fm=(2.5, 5)),
    SegmentRule("At Risk", _RENEW, _scores(1), fm=(2.5, 3.5)),
    SegmentRule("Can't Lose Them", "Call them: what they spent is worth the best offer",
                _scores(1), fm=(4, 5)),
    SegmentRule("Hibernating", "Send something cheap now and then, such as a clearance",
                _scores(2), fm=(1, 2)),
    SegmentRule("Lost", "One last campaign, then leave them out", _scores(1), fm=(1, 2)),
))  # fmt: skip
"""R against FM = (F + M) / 2, as shop platforms draw it; docs/definitions.md has the source."""

DEFAULT_GRID = "lifecycle_11"

GRIDS = {DEFAULT_GRID: LIFECYCLE_11, "lifecycle_5": LIFECYCLE_5, "r_fm": R_FM}
"""By the name that the configuration uses."""
