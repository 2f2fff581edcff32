"""HTTP as every adapter uses it."""
