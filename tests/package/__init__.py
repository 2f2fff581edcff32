"""What would be deployed: the template, and the zip that the functions run."""
