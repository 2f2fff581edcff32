"""Hostile input, measured: what is attacked, with how many cases, and that nothing gives way."""
