"""Ours in a measured process: the handler that Lambda calls, and whoever follows the pages of a list to its end."""

from __future__ import annotations

import re
from typing import Any

from app import app

_NEXT = re.compile('"nextPageToken":"([^"]+)"')


def handle(event: dict[str, Any]) -> object:
    """The status of the answer to *event*."""
    return app(event, None)["statusCode"]


def walk(event: dict[str, Any]) -> object:
    """How many Jobs the list has that *event* asks for, 500 a page."""
    found, token = 0, ""
    while True:
        asked = {"limit": ["500"]} | ({"pageToken": [token]} if token else {})
        body = app(event | {"multiValueQueryStringParameters": asked}, None)["body"]
        found += body.count('"links":')
        rest = _NEXT.search(body, max(0, len(body) - 200))
        if rest is None:
            return found
        token = rest[1]
