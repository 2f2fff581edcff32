"""Benchmarks. They are started manually and print their results; they fail for no result, since machines differ."""
