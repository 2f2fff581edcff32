"""Tests of chalicelib.domain.kubernetes."""
