"""Tests of chalicelib.domain.finished."""
