"""How sure intervals are, everywhere: 95 %."""

from __future__ import annotations

from statistics import NormalDist

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
"""So many standard deviations to either side of its mean hold it of a normal distribution."""
