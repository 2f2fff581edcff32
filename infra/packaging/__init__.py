"""TODO infra/packaging."""
