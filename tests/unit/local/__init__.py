"""TODO tests/unit/local."""
