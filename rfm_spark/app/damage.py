"""What disks do to a warehouse: what is damaged comes back so or so, and a full one is told."""

from __future__ import annotations

from rfm_spark.app.tables import ALL_TABLES, RESULT_TABLES, RUNS
from rfm_spark.facts.tables import FACT_TABLES
from rfm_spark.ingest.tables import INGEST_TABLES
from rfm_spark.run import Run
from rfm_spark.storage.damage import Damage, damage_in
from rfm_spark.storage.spark_errors import disk_problem

_NAMES = [table.name for table in ALL_TABLES]
_MADE_AGAIN = {
    **{one.name: "the folders of all facts: the next run makes them again" for one in FACT_TABLES},
    **{
        one.name: "the folder of this table: it is made again for a day that is asked for"
        for one in RESULT_TABLES
        if not one.keeps_decisions
    },
}
"""How tables that are made of others come back."""


def told(error: Exception) -> str | None:
    """A line about a disk and what to do; None of an error that tells of something else."""
    if problem := disk_problem(error):
        return (
            f"{problem}, of the warehouse or of Spark's own files (SPARK_LOCAL_DIRS): mend it and "
            "run the same again; tables are as the last finished step left them"
        )
    damage = error if isinstance(error, Damage) else damage_in(error, _NAMES)
    if damage is None:
        return None
    if how := _MADE_AGAIN.get(damage.table):
        todo = f"move away {how}"
    else:
        todo = f"restore the warehouse from a copy: {damage.table} is made of no other table"
    return f"{damage}; {todo} (docs/operations.md, A damaged warehouse)"


def require_whole(run: Run) -> None:
    """Makes sure, before anything is written, that no table has lost what earlier runs left there.

    Every log is looked at. One that lost its newest commits, with all that tells of them, is that
    of an earlier version: tables of what was delivered are compared with what `runs` knows of them.

    Raises:
        Damage: naming the table.
    """
    for table in ALL_TABLES:
        run.warehouse.is_there(table)
    left: dict[str, int] = {}
    for row in run.warehouse.rows(RUNS, columns=["written_versions"]):
        for name, version in row["written_versions"].items():
            left[name] = max(version, left.get(name, version))
    for table in INGEST_TABLES:
        if table.name not in left:
            continue
        is_there = run.warehouse.is_there(table)
        version = run.warehouse.version(table) if is_there else None
        if version is None or version < left[table.name]:
            found = "is gone" if version is None else f"ends with version {version}"
            raise Damage(
                table.name,
                run.warehouse.path(table),
                f"the table {found}, and a run has left version {left[table.name]}",
            )
