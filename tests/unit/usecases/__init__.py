"""The use cases, on a cluster in memory."""
