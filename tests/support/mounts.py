"""A place on another file system than this machine's: Hadoop's own over local folders."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession


def mounted(spark: SparkSession, folder: Path) -> str:
    """A URI of viewfs, by which clusters join several HDFS, for a folder of this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"of-{abs(hash(folder))}"
    configuration = spark._jsc.hadoopConfiguration()
    configuration.set(f"fs.viewfs.mounttable.{name}.link./mount", f"file:{folder}")
    return f"viewfs://{name}/mount"
