"""Where tables and raw files live, and the one place that reads and writes them."""
