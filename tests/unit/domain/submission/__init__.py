"""What is asked: a Job as it is submitted, cloned or retried, and what identifies the request."""
