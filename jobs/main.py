"""Every command of `rfm-spark` for spark-submit: main.py COMMAND, with the same arguments."""

from rfm_spark.cli import submitted

if __name__ == "__main__":
    submitted()
