"""TODO tests/unit/openapi."""
