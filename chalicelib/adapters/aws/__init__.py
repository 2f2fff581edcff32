"""AWS: STS and EKS tokens, S3 and EventBridge. Requests are signed here; botocore is loaded by those that need it."""
