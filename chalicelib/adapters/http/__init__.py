"""HTTP as every adapter uses it: connection pools, kept connections, bounded bodies, and reasons of failures."""
