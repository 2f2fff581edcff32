"""TODO infra/localcluster."""
