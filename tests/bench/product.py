"""Entry points of the product in a measured process: the handler of Lambda, and a reader of all pages of a list."""

from __future__ import annotations

import re
from typing import Any

from app import app

_NEXT = re.compile('"nextPageToken":"([^"]+)"')


def handle(event: dict[str, Any]) -> object:
    """Return the status of the response to *event*."""
    return app(event, None)["statusCode"]


def walk(event: dict[str, Any]) -> object:
    """Return the number of Jobs in the list that *event* requests, read in pages of 500."""
    count, token = 0, ""
    while True:
        parameters = {"limit": ["500"]} | ({"pageToken": [token]} if token else {})
        body = app(event | {"multiValueQueryStringParameters": parameters}, None)["body"]
        count += body.count('"links":')
        match = _NEXT.search(body, max(0, len(body) - 200))
        if match is None:
            return count
        token = match[1]
