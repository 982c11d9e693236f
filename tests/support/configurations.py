"""A configuration that is right, for tests to change."""

BASE = """
[business]
time_zone = "Europe/Madrid"

[receipts]
path = "*.csv"
format = "csv"
grain = "line"

[receipts.columns]
receipt_id = "id"
customer_id = "customer"
time = "at"
quantity = "units"
unit_price = "price"
"""

OWN_DAYS = ("cohorts.rolling_days=[28]", "cohorts.brackets=[0, 30, 90]")
"""Periods from each customer's own first day, beside calendar ones."""
