"""What a platform engineer applies to a cluster: base/ once, and a Project's manifests for each Project."""
