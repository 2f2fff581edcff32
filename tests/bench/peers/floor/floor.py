"""The floor of a cold start: a function that does nothing."""

RESPONSE = {"statusCode": 200, "headers": {}, "body": "{}"}


def handle(event: object, context: object) -> object:
    """Return the same response to every event."""
    del event, context
    return RESPONSE
