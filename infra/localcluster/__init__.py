"""An in-memory Kubernetes API for development and tests: the part that Jobs need, with the behaviour of a real one."""
