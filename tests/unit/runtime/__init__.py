"""The runtime of the functions: requests, events, the request log."""
