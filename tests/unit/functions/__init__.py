"""Tests of the functions: each over HTTP, against the local cloud."""
