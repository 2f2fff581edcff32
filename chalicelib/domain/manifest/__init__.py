"""What is sent: the Kubernetes objects that are rendered of a submission."""
