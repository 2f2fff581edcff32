"""Submissions by S3 upload: S3 events, uploaded documents, and the precedence of status objects."""
