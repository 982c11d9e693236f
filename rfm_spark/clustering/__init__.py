"""Clustering: features to standard units, k-means centres, assignments and personas."""
