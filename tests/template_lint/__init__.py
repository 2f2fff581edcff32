"""Checks of the packaged template by other tools: `make lint-template`."""
