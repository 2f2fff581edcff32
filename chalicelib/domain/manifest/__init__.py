"""The manifests of the Kubernetes objects that the API creates for a submission."""
