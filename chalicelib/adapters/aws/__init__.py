"""AWS: STS and EKS tokens, S3 and EventBridge. Requests to STS are signed here; S3 and EventBridge need botocore."""
