"""The Researcher REST API: GPU training Jobs on Amazon EKS over HTTPS, by S3 upload and on a schedule."""

__version__ = "0.1.0"
