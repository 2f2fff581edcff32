"""TODO infra/commands."""
