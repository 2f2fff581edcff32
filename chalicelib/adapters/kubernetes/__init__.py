"""The Kubernetes API server of the EKS cluster: each request is sent as its caller, until the caller's deadline."""
