"""Features: what is known of each customer's habits, the input of clustering."""
