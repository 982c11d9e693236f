"""The command `rfm-spark`: runs the command line, or says what it lacks to do so."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command of the process; without a Spark to run on, one line and exit code 2."""
    try:
        from rfm_spark.cli import main as run
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("pyspark", "py4j", "delta"):
            raise
        sys.stderr.write(
            f"rfm-spark: this Python has no {missing}: install 'rfm-spark[local]' for a Spark of "
            "its own, or submit jobs/ to a cluster, which brings one\n"
        )
        sys.exit(2)
    run()


if __name__ == "__main__":
    main()
