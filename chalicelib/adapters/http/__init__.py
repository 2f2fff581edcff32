"""HTTP as every adapter uses it: connection pools, bounded bodies, and the names of connection failures."""
