"""Clients in several languages that are generated from the OpenAPI document, and run against the API."""
