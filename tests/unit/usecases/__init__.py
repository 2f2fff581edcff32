"""The product, on a cluster in memory."""
