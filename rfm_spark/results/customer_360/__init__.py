"""Customer 360: everything known of a customer in one row."""
