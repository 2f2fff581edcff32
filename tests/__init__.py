"""What the API promises, each promise a test."""
