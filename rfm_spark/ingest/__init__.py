"""Ingest job: loads raw files into receipts, interactions and customers, or quarantine."""
