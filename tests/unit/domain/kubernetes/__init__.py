"""What is read: Kubernetes objects, as far as the API needs them, and the formats of their fields."""
