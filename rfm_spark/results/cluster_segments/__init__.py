"""Clusters by segment and by cohort: how groups that were found lie among those by rules."""
