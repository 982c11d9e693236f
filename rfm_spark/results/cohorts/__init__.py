"""Cohorts by first visit: who stays, who comes back, what they spend."""
