"""Chance as a function: the same row number and seed give the same draw on any machine."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

_STEPS = 2**53


class Chance:
    """Independent draws for each value of a column.

    Args:
        of: what the draws belong to, such as a row's number.
        seed: another one gives other draws.
        topic: keeps draws apart that belong to the same value.
    """

    def __init__(self, of: Column, seed: int, topic: str) -> None:
        self._of, self._seed, self._topic = of, seed, topic

    def uniform(self, name: str) -> Column:
        """In [0, 1)."""
        bits = F.shiftrightunsigned(self._hash(name), 11)
        return bits.cast("double") * F.lit(1 / _STEPS)

    def normal(self, name: str) -> Column:
        """Mean 0 and deviation 1, within 3.5: the sum of four uniform draws of 16 bits each."""
        bits = self._hash(name)
        parts = [
            F.shiftrightunsigned(bits, shift).bitwiseAND(F.lit(0xFFFF)) for shift in (0, 16, 32, 48)
        ]
        mean, deviation = 4 * 0xFFFF / 2, (4 * (2**32 - 1) / 12) ** 0.5
        return (sum(parts[1:], parts[0]).cast("double") - F.lit(mean)) * F.lit(1 / deviation)

    def happens(self, name: str, share: float) -> Column:
        """True with this probability."""
        return self.uniform(name) < F.lit(share) if share else F.lit(False)

    def whole(self, name: str, bound: int) -> Column:
        """A whole number in [0, bound)."""
        return F.floor(self.uniform(name) * F.lit(float(bound)))

    def _hash(self, name: str) -> Column:
        return F.xxhash64(self._of, F.lit(self._seed), F.lit(f"{self._topic} {name}"))
