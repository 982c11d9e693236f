"""Market: how many receipts, customers and days to make up, and how they behave."""

from __future__ import annotations

from datetime import date, timedelta
from math import gcd
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]

WEEK = (0.9, 0.85, 0.9, 1.0, 1.3, 1.5, 0.55)
"""Receipts of a Monday, ..., Sunday, relative to the mean."""

LOWEST_SEASON, DECEMBER = 0.9, 1.45
GROWTH = 0.05
"""A year, in receipts a day."""


class Market(BaseModel):
    """What is made up; every row is a function of its number and the seed.

    Attributes:
        receipts: purchases and returns, without repeated deliveries of them.
        customers: who can buy; not all do in a short history.
        days: of the history.
        first_day: of the history.
        seed: another one gives other rows.
        guest_share: of receipts, all under one id.
        largest_customer_receipts: receipts of one real customer, above what chance gives.
        return_share: of receipts.
        late_share: of receipts: delivered 1 to 30 days late.
        duplicate_share: of receipts: delivered a second time, a day later.
        correction_share: of receipts: delivered again with another amount or day, days later.
        broken_share: of receipts: without a time.
        concentration: 1 is equal customers; at 3, a hundredth of them makes a fifth of receipts.
        lines_per_receipt: mean; 0 makes whole receipts, without lines.
        interactions_per_receipt: clicks and visits beside the receipts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    receipts: int = Field(gt=0)
    customers: int = Field(gt=1, lt=2**31)
    days: int = Field(gt=0, le=36_525)
    first_day: date = date(2022, 1, 1)
    seed: int = 0
    guest_share: Share = 0.1
    largest_customer_receipts: int = Field(default=0, ge=0)
    return_share: Share = 0.03
    late_share: Share = 0.005
    duplicate_share: Share = 0.002
    correction_share: Share = 0.001
    broken_share: Share = 0.0002
    concentration: float = Field(default=3.0, ge=1, le=10)
    lines_per_receipt: float = Field(default=0, ge=0, le=50)
    interactions_per_receipt: float = Field(default=0, ge=0, le=100)

    @model_validator(mode="after")
    def _shares_fit(self) -> Market:
        if self.guest_share + self.largest_customer_receipts / self.receipts > 1:
            raise ValueError("guest_share and largest_customer_receipts leave no receipt to others")
        if self.first_day > date.max - timedelta(days=self.days):
            raise ValueError("first_day and days reach beyond the calendar")
        return self

    @property
    def last_day(self) -> date:
        """Of the history."""
        return self.first_day + timedelta(days=self.days - 1)

    @property
    def stride(self) -> int:
        """Coprime to the customers: number x stride mod customers gives each an id of its own."""
        stride = int(self.customers * 0.6180339887) | 1
        while gcd(stride, self.customers) != 1:
            stride += 2
        return stride

    def day_starts(self) -> NDArray[np.int64]:
        """Number of the first receipt of each day, and past the last: receipts are made in order.

        Returns:
            `days` + 1 numbers.
        """
        days = [self.first_day + timedelta(days=place) for place in range(self.days)]
        week = np.array([WEEK[day.weekday()] for day in days])
        in_year = np.array([day.timetuple().tm_yday for day in days]) / 366
        season = LOWEST_SEASON + (DECEMBER - LOWEST_SEASON) * in_year**8
        growth = (1 + GROWTH) ** (np.arange(self.days) / 365.25)
        until = np.concatenate([[0.0], np.cumsum(week * season * growth)])
        starts: NDArray[np.int64] = np.round(until / until[-1] * self.receipts).astype(np.int64)
        return starts
