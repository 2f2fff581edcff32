"""A Kubernetes API in memory: what Jobs need of it, for development and tests. What it does, a real one does too."""
