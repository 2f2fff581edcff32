"""The prose check: words that only the authors of the first version could read."""
