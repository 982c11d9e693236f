"""Facts: what was taken in, folded to additive sums of customers."""
