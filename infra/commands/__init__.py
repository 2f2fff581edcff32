"""Commands for operators, against `make run` or a deployed API."""
