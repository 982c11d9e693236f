"""Backtest: what past scores were worth, by what customers did afterwards."""
