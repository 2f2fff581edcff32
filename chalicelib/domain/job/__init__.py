"""What is shown: the view of a Job, its status and reason, its logs and events."""
