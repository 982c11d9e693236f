"""Revenue bridge: where the change of revenue from one window to the next comes from."""
