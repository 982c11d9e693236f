"""Identity: clusters of a new model keep the numbers of those of the one before that they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

SAME = 0.5
"""Jaccard overlap from which a cluster is the same one."""


def kept_numbers(
    known: Iterable[Mapping[tuple[int, int], int]], order: Sequence[int], last_number: int
) -> dict[int, int]:
    """The number of every new cluster: that of the old one it is, or one that none has had.

    Several old models are asked in turn, each for the clusters that those before did not know.

    The overlap of two clusters is |both| / |either| (Jaccard), over the same customers of one day,
    each assigned by both models. Two clusters that share at least half of all who are in either
    share at least half of each, so that no other cluster can be one's match, but for exact halves:
    of these the lower number is taken. An assignment that made the sum of all overlaps the greatest
    (Hungarian) could give such a pair up for two that share little; here it never is.

    Args:
        known: of each old model customers by their old and their new cluster; no further one is
            asked for once every cluster has its number.
        order: all new clusters; those that are no old one are numbered in this order.
        last_number: the highest number that any cluster of the model has had.

    Returns:
        New cluster to number.

    >>> kept_numbers([{(1, 2): 80, (1, 1): 20, (2, 1): 60, (2, 3): 40}], [1, 2, 3], 7)
    {2: 1, 1: 2, 3: 8}
    """
    numbers: dict[int, int] = {}
    for shared in known:
        for before, after in _same(shared):
            if after not in numbers and before not in numbers.values():
                numbers[after] = before
        if len(numbers) == len(order):
            break
    others = [after for after in order if after not in numbers]
    return numbers | {after: last_number + 1 + place for place, after in enumerate(others)}


def _same(shared: Mapping[tuple[int, int], int]) -> list[tuple[int, int]]:
    """Old and new clusters that are the same, those with the greatest overlap first."""
    old, new = _sums(shared, 0), _sums(shared, 1)
    pairs = sorted(
        (-both / (old[before] + new[after] - both), before, after)
        for (before, after), both in shared.items()
    )
    return [(before, after) for overlap, before, after in pairs if -overlap >= SAME]


def _sums(shared: Mapping[tuple[int, int], int], side: int) -> Mapping[int, int]:
    sums: defaultdict[int, int] = defaultdict(int)
    for pair, customers in shared.items():
        sums[pair[side]] += customers
    return sums
