"""The floor: requests to the API server as they are, on one connection that stays open, and answers as bytes."""

from __future__ import annotations

import base64
import http.client
import os
import re
import ssl
from urllib.parse import urlsplit

_NEXT = re.compile(rb'"continue":"([^"]+)"')

CONNECTION = http.client.HTTPSConnection(
    urlsplit(os.environ["CLUSTER_ENDPOINT"]).netloc,
    context=ssl.create_default_context(cadata=base64.b64decode(os.environ["CLUSTER_CA"]).decode()),
)


def sent(method: str, target: str, headers: list[tuple[str, str]], body: str | None = None) -> tuple[int, bytes]:
    """Status and body of the answer."""
    CONNECTION.putrequest(method, target, skip_accept_encoding=True)
    for name, value in headers:
        CONNECTION.putheader(name, value)
    content = body.encode() if body else None
    if content:
        CONNECTION.putheader("Content-Length", str(len(content)))
    CONNECTION.endheaders(content)
    answer = CONNECTION.getresponse()
    return answer.status, answer.read()


def handle(requests: list[tuple[str, str, list[tuple[str, str]], str]]) -> int:
    """The last status of *requests*, one after the other."""
    return [sent(*request)[0] for request in requests][-1]


def walk(asked: dict[str, str]) -> int:
    """How many Jobs the list has, by pages of *limit* where there is one."""
    found, token = 0, ""
    while True:
        limit = f"?limit={asked['limit']}&continue={token}" if asked["limit"] else ""
        _, body = sent("GET", asked["path"] + limit, [("Accept", "application/json")])
        found += body.count(b'"restartPolicy"')
        rest = _NEXT.search(body, 0, 500)
        if rest is None:
            return found
        token = rest[1].decode()
