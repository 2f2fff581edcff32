"""What is explained: why a Job does not run or has failed, and what to do."""
