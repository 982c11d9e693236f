"""What does not fit between the configuration and the input."""
