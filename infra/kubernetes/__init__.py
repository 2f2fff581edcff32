"""The manifests that platform engineers apply: base/ once per cluster, and those of each Project."""
