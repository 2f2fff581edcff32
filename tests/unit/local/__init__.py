"""The local cloud of `make run`."""
