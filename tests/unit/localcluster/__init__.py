"""TODO tests/unit/localcluster."""
