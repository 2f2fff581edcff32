"""The whole cloud on this machine, for development and tests. Everything listens on loopback only."""
