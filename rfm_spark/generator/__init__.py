"""Made-up receipts of any size, the same from the same seed."""
