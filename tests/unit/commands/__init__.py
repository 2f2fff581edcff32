"""TODO tests/unit/commands."""
