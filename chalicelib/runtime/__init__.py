"""The runtime of the functions: HTTP requests and responses, events, and the request log. Independent of Jobs."""
