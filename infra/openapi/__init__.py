"""Generation of the OpenAPI document from the routes and their operations."""
