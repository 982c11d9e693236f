"""Ingest: from raw files to receipts, interactions and customers, each row accounted for."""
