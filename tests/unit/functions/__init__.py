"""The functions: each over HTTP, against the local cloud."""
