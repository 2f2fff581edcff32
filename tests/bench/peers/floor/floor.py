"""The floor of a cold start: a function that does nothing."""

ANSWER = {"statusCode": 200, "headers": {}, "body": "{}"}


def handle(event: object, context: object) -> object:
    """Answers the same to everything."""
    del event, context
    return ANSWER
