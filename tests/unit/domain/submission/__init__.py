"""Tests of chalicelib.domain.submission."""
