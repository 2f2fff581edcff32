"""Tests of chalicelib.domain.manifest."""
