"""The peers: services with the same functionality in a common style, with pinned packages."""
