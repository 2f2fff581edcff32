"""STS, EKS tokens, S3 and EventBridge."""
