"""Audiences: named sets of customers to write to, some held out, and what it brought."""
