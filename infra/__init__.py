"""What builds, packages and deploys the product, and runs its cloud on this machine. Never part of a Lambda."""
