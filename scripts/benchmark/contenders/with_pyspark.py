"""The cases in plain PySpark, as public RFM code does: `with_pyspark.py CASE RECEIPTS OUT DAY`.

groupBy straight on receipts, `ntile` over all customers, k-means on all of them; the settings are
Spark's defaults, with the memory and cores that rfm-spark has.
"""

from __future__ import annotations

import sys

from pyspark.ml.clustering import KMeans
from pyspark.ml.feature import StandardScaler, VectorAssembler
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

VALUES = ["recency_days", "frequency", "monetary_cents"]


def one_version_each(spark: SparkSession, receipts: str) -> DataFrame:
    """Of all deliveries of a receipt the last."""
    rows = spark.read.parquet(receipts).where("time IS NOT NULL")
    newest = Window.partitionBy("receipt_id").orderBy(F.desc("delivered"))
    numbered = rows.withColumn("place", F.row_number().over(newest)).where("place = 1")
    return numbered.withColumn("day", F.to_date("time"))


def load(receipts: DataFrame, out: str) -> None:
    """Sums by customer and day."""
    days = receipts.groupBy("customer_id", "day").agg(
        F.count("*").alias("receipts"),
        F.count_if(F.col("amount") >= 0).alias("visits"),
        F.sum("items").alias("items"),
        (F.sum("amount") * 100).cast("bigint").alias("net_cents"),
    )
    days.orderBy("customer_id", "day").write.parquet(f"{out}/customer_days")


def rfm_values(receipts: DataFrame, last: str, days: int = 365) -> DataFrame:
    """Values over some days."""
    inside = (F.col("customer_id") != 0) & (F.datediff(F.lit(last), "day") < days)
    visit_day = F.when(F.col("amount") >= 0, F.col("day"))
    return (
        receipts.where(inside)
        .groupBy("customer_id")
        .agg(
            F.datediff(F.lit(last), F.max(visit_day)).alias("recency_days"),
            F.count(visit_day).alias("frequency"),
            (F.sum("amount") * 100).cast("bigint").alias("monetary_cents"),
        )
        .where("frequency > 0")
    )


def rfm(values: DataFrame, out: str, name: str = "rfm") -> None:
    """Quintile scores."""
    scored = values.withColumns(
        {
            "r_score": 6 - F.ntile(5).over(Window.orderBy("recency_days")),
            "f_score": F.ntile(5).over(Window.orderBy("frequency")),
            "m_score": F.ntile(5).over(Window.orderBy("monetary_cents")),
        }
    )
    scored.write.parquet(f"{out}/{name}")


def clusters(values: DataFrame, out: str) -> None:
    """k-means of six clusters on standardised values."""
    assembled = VectorAssembler(inputCols=VALUES, outputCol="raw").transform(values)
    scaler = StandardScaler(inputCol="raw", outputCol="features", withMean=True).fit(assembled)
    scaled = scaler.transform(assembled).select("customer_id", "features").cache()
    model = KMeans(k=6, seed=1).fit(scaled)
    model.transform(scaled).select("customer_id", "prediction").write.parquet(f"{out}/clusters")


def cohorts(receipts: DataFrame, out: str, last: str) -> None:
    """Monthly cohorts by first visit: who came, how often, and what they spent."""
    inside = (F.col("customer_id") != 0) & (F.col("amount") >= 0) & (F.col("day") <= last)
    visits = receipts.where(inside).withColumn("month", F.trunc("day", "month"))
    members = visits.groupBy("customer_id").agg(F.min("month").alias("cohort"))
    found = (
        visits.join(members, "customer_id")
        .groupBy("cohort", "month")
        .agg(
            F.count_distinct("customer_id").alias("active_customers"),
            F.count("*").alias("visits"),
            (F.sum("amount") * 100).cast("bigint").alias("revenue_cents"),
        )
    )
    found.orderBy("cohort", "month").write.parquet(f"{out}/cohorts")


def main(case: str, receipts: str, out: str, last: str) -> None:
    """Does one case."""
    spark = SparkSession.builder.appName("plain").getOrCreate()
    rows = one_version_each(spark, receipts)
    if case == "load":
        load(rows, out)
    elif case == "rfm":
        rfm(rfm_values(rows, last), out)
    elif case == "windows":
        for days in (90, 365, 730, 100_000):
            rfm(rfm_values(rows, last, days), out, f"rfm-{days}")
    elif case == "cohorts":
        cohorts(rows, out, last)
    else:
        clusters(rfm_values(rows, last), out)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
