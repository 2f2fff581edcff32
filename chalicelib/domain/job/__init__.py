"""The API's view of a Job: its status and reason, ETag, logs, events and GPU usage."""
