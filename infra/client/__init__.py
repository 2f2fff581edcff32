"""The generated part of the Python client: its models, from the OpenAPI document."""
