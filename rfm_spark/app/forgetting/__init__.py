"""Forgetting: customers leave every table and its old versions, and are kept out from then on."""
