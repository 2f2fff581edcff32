"""The Kubernetes objects that the API reads, reduced to the fields it needs, and the formats of those fields."""
