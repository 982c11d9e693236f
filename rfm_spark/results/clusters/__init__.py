"""Clusters of customers with similar habits."""
