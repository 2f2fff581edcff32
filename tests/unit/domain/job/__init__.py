"""Tests of chalicelib.domain.job."""
