"""One module is one Lambda: its route, its facts for the OpenAPI document, its adapters, one use case; no rules."""
