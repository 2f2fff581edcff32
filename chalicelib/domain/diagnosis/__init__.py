"""The diagnosis of a Job: why it does not run or has failed, and what to do."""
