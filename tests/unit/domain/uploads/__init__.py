"""Tests of chalicelib.domain.uploads."""
