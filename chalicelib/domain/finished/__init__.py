"""Finished Jobs: their retention, Receipts and announcements, and the report of a cleanup."""
