"""Lists: who meets a condition, with chosen columns, for those who write to customers."""
