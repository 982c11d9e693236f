"""`rfm-spark nightly` for spark-submit, with the same arguments."""

from rfm_spark.cli import submitted

if __name__ == "__main__":
    submitted("nightly")
