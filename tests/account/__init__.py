"""A model of an AWS account on loopback, for the real AWS CLI: what the deployment guide needs, and nothing else."""
