"""Attacks with hostile input: each promise is tested with a counted number of cases."""
