"""HTTP for all adapters."""
