"""Submissions: their fields and validation, clones and retries, and the idempotency of requests."""
