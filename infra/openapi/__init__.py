"""TODO infra/openapi."""
