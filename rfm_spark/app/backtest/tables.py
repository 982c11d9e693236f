"""Tables of backtests."""

from __future__ import annotations

from pyspark.sql.types import DateType, DoubleType, IntegerType, LongType, StringType

from rfm_spark.core.table import Column, Table

_AS_OF = Column(
    "as_of", DateType(), "The day that was scored; outcomes are of the days after", True
)
_DAYS = Column("days", IntegerType(), "How many days after as_of customers are watched", True)
_PROFILE = Column(
    "profile",
    StringType(),
    "Name of the set of RFM rules; `purchase by natural` where --method tries other boundaries",
    required=True,
)
_CUSTOMERS = Column("customers", LongType(), "Customers scored", required=True)
_RESPONDERS = Column(
    "responders",
    LongType(),
    "Of these, with a visit in these days; without [receipts], with an interaction that the "
    "profile counts",
    required=True,
)
_RANKING = Column(
    "ranking",
    StringType(),
    "What customers are ordered by: score (rfm_total), recency, logistic (a regression on recency, "
    "frequency and value), or chance (the scores shuffled)",
    required=True,
)

BACKTEST = Table(
    name="backtest",
    grain="one group of customers as of one day, and what they did in the days after",
    columns=(
        _AS_OF,
        _DAYS,
        Column(
            "profile",
            StringType(),
            "Name of the set of RFM rules, with ` by METHOD` where other boundaries were tried; of "
            "clusters and tiers, of the clusters' model",
            required=True,
        ),
        Column(
            "breakdown",
            StringType(),
            "all, segment, cell, decile (of rfm_total, 1 the best), cluster or tier",
            required=True,
        ),
        Column("value", StringType(), "The group; all of the breakdown all", required=True),
        _CUSTOMERS,
        _RESPONDERS,
        Column("response_rate", DoubleType(), "responders / customers", required=True),
        Column("lift", DoubleType(), "response_rate / that of all; NULL where nobody came"),
        Column("revenue_cents", LongType(), "Their net amount in these days", required=True),
        Column("revenue_per_customer_cents", DoubleType(), "revenue_cents / customers", True),
    ),
    key=("as_of", "days", "profile", "breakdown", "value"),
)

BACKTEST_RANKINGS = Table(
    name="backtest_rankings",
    grain="one way to order the customers of one profile as of one day",
    columns=(
        _AS_OF,
        _DAYS,
        _PROFILE,
        _RANKING,
        _CUSTOMERS,
        _RESPONDERS,
        Column(
            "gini",
            DoubleType(),
            "1 where all responders come first, 0 where the order tells nothing; of chance the "
            "mean of 200 shuffles; NULL where nobody came, or everybody did",
        ),
        Column("gini_low", DoubleType(), "Lower end at 95 %, of 200 draws or shuffles"),
        Column("gini_high", DoubleType(), "Its upper end"),
    ),
    key=("as_of", "days", "profile", "ranking"),
)

BACKTEST_GAINS = Table(
    name="backtest_gains",
    grain="one share of the customers of one profile as of one day, the best of one order",
    columns=(
        _AS_OF,
        _DAYS,
        _PROFILE,
        _RANKING,
        Column("customer_percent", IntegerType(), "Percent of the customers, the best first", True),
        Column(
            "responder_share",
            DoubleType(),
            "Share of all responders among them; of chance what any order comes to on average",
            required=True,
        ),
        Column("responder_share_low", DoubleType(), "Of chance: lower end of 95 % of 200 shuffles"),
        Column("responder_share_high", DoubleType(), "Its upper end"),
    ),
    key=("as_of", "days", "profile", "ranking", "customer_percent"),
)

BACKTEST_TABLES = (BACKTEST, BACKTEST_RANKINGS, BACKTEST_GAINS)
