"""The floor: unmodified requests to the API server on one keep-alive connection, and undecoded responses."""

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


def send(method: str, target: str, headers: list[tuple[str, str]], body: str | None = None) -> tuple[int, bytes]:
    """Send a request, and return status and body of the response."""
    CONNECTION.putrequest(method, target, skip_accept_encoding=True)
    for name, value in headers:
        CONNECTION.putheader(name, value)
    content = body.encode() if body else None
    if content:
        CONNECTION.putheader("Content-Length", str(len(content)))
    CONNECTION.endheaders(content)
    response = CONNECTION.getresponse()
    return response.status, response.read()


def handle(requests: list[tuple[str, str, list[tuple[str, str]], str]]) -> int:
    """Send *requests* in sequence, and return the status of the last one."""
    return [send(*request)[0] for request in requests][-1]


def walk(request: dict[str, str]) -> int:
    """Return the number of Jobs in the list, read in pages of *limit* if it is set."""
    count, token = 0, ""
    while True:
        limit = f"?limit={request['limit']}&continue={token}" if request["limit"] else ""
        _, body = send("GET", request["path"] + limit, [("Accept", "application/json")])
        count += body.count(b'"restartPolicy"')
        match = _NEXT.search(body, 0, 500)
        if match is None:
            return count
        token = match[1].decode()
