"""Shared code of several suites: fakes, builders, scripted servers, polling."""
