"""What is uploaded: events of S3, submissions in files, and the status objects that answer them."""
