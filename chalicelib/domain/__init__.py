"""Decisions: values in, values out. No I/O, no clock, no environment, no randomness.

Each package is one step in the life of a request or a Job; the contract "Packages of the domain" in pyproject.toml says
which may use which.
"""
