"""A configuration proposed from files that nobody has described: sniffed, told, written as TOML."""
