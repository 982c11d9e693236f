"""One customer's history from rfm-spark's facts, without Spark: `with_delta.py FACTS CUSTOMER`."""

from __future__ import annotations

import sys

import deltalake
import pyarrow.compute as pc


def main(facts: str, customer: str) -> None:
    """Prints how many days there are."""
    of_customer = pc.field("customer_id") == customer
    table = deltalake.DeltaTable(facts).to_pyarrow_dataset().to_table(filter=of_customer)
    print(table.num_rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
