"""MLlib's k-means on all customers, in the standard units of the stored model.

`with_mllib.py WAREHOUSE OUT DAY`: three fits, the best of which assigns everybody; prints the sum
of squared distances of each, and that of the stored model, all by the same numbers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import date

from pyspark.ml.clustering import KMeans, KMeansModel
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

import rfm_spark
from rfm_spark.results.clusters.standard_units import Scale

FITS = 3


def _cost(fitted: KMeansModel, standard: DataFrame, names: Sequence[str]) -> float:
    """Of the centres as they are: MLlib's `trainingCost` is of those before the last step."""
    squares = [
        sum((F.col(name) - F.lit(float(at))) ** 2 for name, at in zip(names, centre, strict=True))
        for centre in fitted.clusterCenters()
    ]
    return float(standard.agg(F.sum(F.least(*squares))).collect()[0][0])


def main(warehouse: str, out: str, day: str) -> None:
    """Fits, assigns and tells."""
    with rfm_spark.local_session() as spark:
        tables = rfm_spark.open_warehouse(spark, warehouse)
        [model] = tables.read("cluster_models", date.fromisoformat(day)).collect()
        scales = [Scale(**one.asDict()) for one in model["features"]]
        features = tables.read("customer_features", date.fromisoformat(day)).where(
            F.col("window") == model["window"]
        )
        standard = features.select(
            "customer_id", *[scale.standardised().alias(scale.feature) for scale in scales]
        )
        names = [scale.feature for scale in scales]
        rows = VectorAssembler(inputCols=names, outputCol="features").transform(standard).cache()
        customers = rows.count()
        fits = []
        for seed in range(1, FITS + 1):
            began = time.monotonic()
            fitted = KMeans(k=model["k"], seed=seed).fit(rows)
            cost = _cost(fitted, standard, names)
            fits.append((cost, seed, fitted))
            print(f"fit {seed}: cost {cost:,.3f} in {time.monotonic() - began:.1f} s")
        fits.sort(key=lambda fit: fit[:2])
        best = fits[0][2]
        best.transform(rows).select("customer_id", "prediction").write.parquet(f"{out}/clusters")
        told = model["cost"] / fits[0][0] - 1
        print(f"{customers:,} customers; stored model: cost {model['cost']:,.3f}, {told:+.3%}")


if __name__ == "__main__":
    main(*sys.argv[1:])
