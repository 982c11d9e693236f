"""The report: what results tell of a day, as one HTML file that needs nothing else."""
