"""The artifacts of a deployment: the template, and the zip that the functions run."""
