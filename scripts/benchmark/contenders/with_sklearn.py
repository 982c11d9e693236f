"""scikit-learn's k-means on all customers, in the standard units of the stored model.

`with_sklearn.py PEER WAREHOUSE OUT DAY`: the best of three starts assigns everybody; prints its sum
of squared distances, and that of the stored model, by the same numbers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from deltalake import DeltaTable
from sklearn.cluster import KMeans, MiniBatchKMeans

PEERS: dict[str, Callable[..., KMeans | MiniBatchKMeans]] = {
    "sklearn-kmeans": KMeans,
    "sklearn-minibatch": MiniBatchKMeans,
}
STARTS = 3
"""As many as rfm-spark tries: by default scikit-learn tries one of its k-means++."""

TRANSFORMS: dict[str, Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]] = {
    "none": lambda values: values,
    "log1p": lambda values: np.sign(values) * np.log1p(np.abs(values)),
}


def _standard(scale: dict[str, Any], values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Values of a feature in standard deviations from the mean."""
    clipped = np.clip(TRANSFORMS[scale["transform"]](values), scale["low"], scale["high"])
    return (clipped - scale["mean"]) / scale["sd"]


def main(peer: str, warehouse: str, out: str, day: str) -> None:
    """Fits, assigns and tells."""
    as_of = ("as_of", "=", date.fromisoformat(day))
    models = DeltaTable(f"{warehouse}/cluster_models").to_pyarrow_table(filters=[as_of])
    [model] = models.to_pylist()
    scales = model["features"]
    rows = DeltaTable(f"{warehouse}/customer_features").to_pyarrow_table(
        columns=["customer_id", *(scale["feature"] for scale in scales)],
        filters=[as_of, ("window", "=", model["window"])],
    )
    points = np.column_stack([_standard(one, rows[one["feature"]].to_numpy()) for one in scales])
    began = time.monotonic()
    fitted = PEERS[peer](n_clusters=model["k"], n_init=STARTS, random_state=1).fit(points)
    seconds = time.monotonic() - began
    cost = -fitted.score(points)  # of the centres as they are
    labels = fitted.predict(points)
    pl.DataFrame({"customer_id": rows["customer_id"], "prediction": labels}).write_parquet(
        f"{out}/clusters.parquet"
    )
    print(f"{peer}, n_init={STARTS}: cost {cost:,.3f} in {seconds:.1f} s")
    told = model["cost"] / cost - 1
    print(f"{len(points):,} customers; stored model: cost {model['cost']:,.3f}, {told:+.3%}")


if __name__ == "__main__":
    main(*sys.argv[1:])
