"""Cohorts by any origin: who stays, who comes back, what they spend."""
