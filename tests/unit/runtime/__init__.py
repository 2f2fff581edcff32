"""The runtime under the functions: requests, events, the request log."""
