"""Tables of lifetime value: customers, classes of them, the models, and how they were checked."""

from __future__ import annotations

from pyspark.sql.types import BooleanType, DoubleType, IntegerType, LongType, StringType

from rfm_spark.core.columns import AS_OF, CUSTOMER_ID
from rfm_spark.core.table import Column, Table

VISITS, MONEY = "visits", "money"
"""The two models."""

MOST_REPEATS = 7
"""Customers with so many repeat visit days or more are one class."""

PROBABILITY_ALIVE = Column(
    "probability_alive",
    DoubleType(),
    "Probability that the customer will still come (BG/NBD); 1 with one visit day",
)
EXPECTED_VISITS = Column(
    "expected_visits", DoubleType(), "Expected days with a visit in the horizon after as_of"
)
EXPECTED_VALUE = Column(
    "expected_value_cents",
    DoubleType(),
    "Expected net amount in the horizon, not discounted; NULL where the model of money is refused",
)
VALUE_STANDARD_DEVIATION = Column(
    "value_standard_deviation_cents",
    DoubleType(),
    "How far the net amount will be from it, by chance; NULL where that is not finite",
)

_HORIZON = Column("horizon_days", IntegerType(), "Days after as_of that are looked ahead", True)

LIFETIME_VALUE = Table(
    name="lifetime_value",
    grain="one customer with a visit up to as_of; nobody where the model of visits is refused",
    columns=(
        AS_OF,
        CUSTOMER_ID,
        _HORIZON,
        Column("repeat_visit_days", LongType(), "Different days with a visit, less one", True),
        Column("first_to_last_days", IntegerType(), "Days from first to last visit day", True),
        Column("first_to_as_of_days", IntegerType(), "Days from first visit day to as_of", True),
        Column(
            "mean_visit_day_cents",
            DoubleType(),
            "Net amount up to as_of / days with a visit",
            required=True,
        ),
        PROBABILITY_ALIVE,
        EXPECTED_VISITS,
        EXPECTED_VALUE,
        VALUE_STANDARD_DEVIATION,
    ),
    key=("as_of", "customer_id"),
    partition_by=("as_of",),
    sort_by=("customer_id",),
)

LIFETIME_CLASSES = Table(
    name="lifetime_classes",
    grain="the customers with a visit up to as_of who came again equally often",
    columns=(
        AS_OF,
        Column(
            "repeat_visit_days",
            LongType(),
            f"Repeat visit days; {MOST_REPEATS} is this or more",
            required=True,
        ),
        Column("customers", LongType(), "How many", required=True),
        Column("customers_alive", DoubleType(), "Sum of their probability_alive", required=True),
        Column("expected_visits", DoubleType(), "Their sum", required=True),
        Column("expected_value_cents", DoubleType(), "Their sum; NULL where money is refused"),
        Column(
            "value_standard_deviation_cents",
            DoubleType(),
            "How far their net amount will be from it, by chance; NULL where that is not finite",
        ),
    ),
    key=("as_of", "repeat_visit_days"),
    partition_by=("as_of",),
)

LIFETIME_MODELS = Table(
    name="lifetime_models",
    grain="one of the two models on one day: visits (BG/NBD) or money (Gamma-Gamma)",
    columns=(
        AS_OF,
        Column("model", StringType(), "visits or money", required=True),
        Column("refused", StringType(), "Why it does not suit the data; NULL where it is fitted"),
        _HORIZON,
        Column("history_days", IntegerType(), "From the first visit of anybody to as_of", True),
        Column(
            "is_beyond_history",
            BooleanType(),
            "Whether the horizon is longer than the history the model was fitted on",
            required=True,
        ),
        Column("customers", LongType(), "It was, or was to be, fitted on", required=True),
        Column("cells", LongType(), "Cells of the histogram it was fitted on", required=True),
        Column(
            "cell_days",
            IntegerType(),
            "Width of a cell in days: 1 where no time is rounded; NULL of money",
        ),
        Column("log_likelihood", DoubleType(), "At its greatest; NULL where refused"),
        Column(
            "correlation",
            DoubleType(),
            "Of money: between repeat visit days and mean money; the model takes it for 0",
        ),
        Column("expected_total", DoubleType(), "Of all: visit days, or money in minor units"),
        Column(
            "expected_low",
            DoubleType(),
            "Lower end of its 95 % interval; NULL of money whose variance is not finite",
        ),
        Column("expected_high", DoubleType(), "Upper end of its 95 % interval; likewise"),
    ),
    key=("as_of", "model"),
    partition_by=("as_of",),
)

LIFETIME_PARAMETERS = Table(
    name="lifetime_parameters",
    grain="one parameter of a fitted model",
    columns=(
        AS_OF,
        Column("model", StringType(), "visits or money", required=True),
        Column(
            "parameter",
            StringType(),
            "visits: r, alpha (weeks), a, b; money: p, q, gamma (minor units)",
            required=True,
        ),
        Column("value", DoubleType(), "Of greatest likelihood", required=True),
        Column("standard_error", DoubleType(), "By the observed information", required=True),
        Column("low", DoubleType(), "Lower end of its 95 % interval", required=True),
        Column("high", DoubleType(), "Upper end of its 95 % interval", required=True),
    ),
    key=("as_of", "model", "parameter"),
    partition_by=("as_of",),
)

LIFETIME_CHECKS = Table(
    name="lifetime_checks",
    grain="the customers of a horizon before as_of who had come again equally often by then; none "
    "where the history before is too short for a model",
    columns=(
        AS_OF,
        Column("repeat_visit_days", LongType(), f"By then; {MOST_REPEATS} is this or more", True),
        _HORIZON,
        Column("customers", LongType(), "How many", required=True),
        Column(
            "expected_visits",
            DoubleType(),
            "Visit days up to as_of that a model fitted on the days before expects of them",
            required=True,
        ),
        Column("visits", LongType(), "Visit days that came", required=True),
    ),
    key=("as_of", "repeat_visit_days"),
    partition_by=("as_of",),
)


def class_name(repeat_visit_days: int) -> str:
    """A class of customers for a person.

    >>> class_name(2), class_name(7)
    ('2', '7 or more')
    """
    more = " or more" if repeat_visit_days == MOST_REPEATS else ""
    return f"{repeat_visit_days}{more}"
