"""A stored model as MLlib writes one, so that others load it without this project."""

from __future__ import annotations

import pyarrow as pa
from pyspark.ml import PipelineModel, Transformer
from pyspark.ml.clustering import KMeans, KMeansModel
from pyspark.ml.feature import SQLTransformer, VectorAssembler
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from rfm_spark.results.clusters.distances import Centres
from rfm_spark.results.clusters.features.feature import FURTHER
from rfm_spark.results.clusters.model import ClusterModel
from rfm_spark.results.clusters.ranks import rank_sql
from rfm_spark.results.clusters.standard_units import Scale

KMEANS, PIPELINE = "kmeans", "pipeline"
"""Folders: the centres alone, and all that leads from rows of `customer_features` to a cluster."""


def save_for_mllib(spark: SparkSession, model: ClusterModel, place: str) -> None:
    """Writes MLlib's own KMeansModel, and a PipelineModel that standardises, predicts and numbers.

    Args:
        spark: the session.
        model: the model.
        place: a folder that is empty or not there yet.
    """
    kmeans = _kmeans(spark, model.centres, f"{place}/{KMEANS}")
    names = [f"standard_{place}" for place in range(len(model.scales))]
    standard = ", ".join(
        f"{_standardised(scale)} AS {name}" for scale, name in zip(model.scales, names, strict=True)
    )
    numbers = ", ".join(f"{place}, {number}" for place, number in enumerate(model.numbers))
    stages: list[Transformer] = [
        SQLTransformer(statement=f"SELECT *, {standard} FROM __THIS__"),
        VectorAssembler(inputCols=names, outputCol="features"),
        kmeans,
        SQLTransformer(statement=f"SELECT *, map({numbers})[prediction] AS cluster FROM __THIS__"),
    ]
    PipelineModel(stages).save(f"{place}/{PIPELINE}")


def _kmeans(spark: SparkSession, centres: Centres, path: str) -> KMeansModel:
    """MLlib makes no model of given centres: one that it has written gets ours in its rows."""
    rows = pa.table(
        {
            "clusterIdx": pa.array(range(len(centres)), pa.int32()),
            "position": pa.array(centres.tolist(), pa.list_(pa.float64())),
        }
    )
    ours = spark.createDataFrame(rows).withColumn("features", array_to_vector(F.col("position")))
    fitted = KMeans(k=len(centres), maxIter=1, seed=1).fit(ours)
    fitted.save(path)
    _with_centres(ours, f"{path}/data")
    return KMeansModel.load(path)


def _with_centres(ours: DataFrame, path: str) -> None:
    columns = {"clusterIdx": "clusterIdx", "clusterCenter": "features"}
    rows = ours.select(*[F.col(own).alias(name) for name, own in columns.items()])
    rows.coalesce(1).write.mode("overwrite").parquet(path)


def _standardised(scale: Scale) -> str:
    """`Scale.standardised` as SQL text."""
    value = scale.feature
    if scale.missing is not None:
        value = f"coalesce({FURTHER}[{_literal(scale.feature)}], {scale.missing!r}D)"
    if scale.ranked is not None:
        value = rank_sql(value, scale.ranked)
    elif scale.transform != "none":
        value = f"signum({value}) * log1p(abs({value}))"
    low, high, mean, sd = (f"{one!r}D" for one in (scale.low, scale.high, scale.mean, scale.sd))
    return f"(greatest(least({value}, {high}), {low}) - ({mean})) / {sd}"


def _literal(text: str) -> str:
    """A text as SQL writes it; all but letters, digits and blanks by their numbers."""
    shown = (one if one.isalnum() or one == " " else f"\\U{ord(one):08x}" for one in text)
    return f"'{''.join(shown)}'"
