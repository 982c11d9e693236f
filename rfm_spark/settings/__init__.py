"""Typed configuration of the shop and of what it delivers; results bring sections of their own."""
