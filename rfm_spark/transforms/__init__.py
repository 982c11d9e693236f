"""Pure functions from DataFrame to DataFrame: no action, no I/O, no clock."""
