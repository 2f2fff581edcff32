"""The Kubernetes API server of the EKS cluster: each request impersonates the caller and ends by the deadline."""
