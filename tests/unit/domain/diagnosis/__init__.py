"""Tests of chalicelib.domain.diagnosis."""
