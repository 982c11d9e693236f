"""Rhythm: how regularly customers come, who has stayed away too long, what that costs."""
