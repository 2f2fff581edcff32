"""The rules of the API as pure functions: no I/O, no clock, no environment variables, no randomness.

Each package covers one step in the life of a request or a Job. The import-linter contract "Packages of the domain" in
pyproject.toml sets which package may import which.
"""
