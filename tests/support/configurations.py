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
