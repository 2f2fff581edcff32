"""The runtime under the functions: requests and responses, events, the request log. It knows no Job and no Project."""
