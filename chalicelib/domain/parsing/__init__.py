"""Parsers for untrusted input: strict JSON and YAML, merge patches, and the messages for invalid fields."""
