"""Consent: customers who may be contacted, by what is known of them now."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame

from rfm_spark.app.lists.days import customers_of_day, stored_day
from rfm_spark.app.lists.names import checked_condition, customer_names
from rfm_spark.app.settings import Settings
from rfm_spark.core.written_conditions import WrittenCondition
from rfm_spark.facts.identities import with_all_ids
from rfm_spark.facts.merging import merged_customers
from rfm_spark.run import Run


def consent_condition(run: Run) -> WrittenCondition | None:
    """What customers meet who have agreed; None where the configuration asks for no consent."""
    settings = run.settings
    if not isinstance(settings, Settings):
        raise TypeError("consent needs the application's settings")
    return None if settings.consent is None else WrittenCondition(settings.consent.where)


def with_consent(run: Run, customers: DataFrame, day: date | None) -> DataFrame:
    """Customers who have agreed, as the newest day in `customer_360` tells; no other row.

    Args:
        run: session, settings and warehouse.
        customers: one row per customer: `customer_id`.
        day: of which they are the rows of `customer_360`; None where they are others.
    """
    condition = consent_condition(run)
    if condition is None:
        return customers
    names, newest = customer_names(run.settings), stored_day(run, None)
    agreed = checked_condition(condition.text, names, "consent.where")
    if day == newest:
        return customers.where(agreed)
    ids = customers_of_day(run, newest).where(agreed).select("customer_id")
    merged = merged_customers(run)
    # Who was merged since has the consent of the customer that is left.
    known = ids if merged is None else with_all_ids(ids, merged)
    return customers.join(known, "customer_id", "left_semi")
