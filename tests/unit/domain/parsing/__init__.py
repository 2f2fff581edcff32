"""Tests of chalicelib.domain.parsing."""
