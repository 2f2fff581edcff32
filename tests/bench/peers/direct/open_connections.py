"""The floor of a first response: its requests, on connections that are already open.

`ORIGINS` lists the URLs of the servers, separated by spaces.
"""

from __future__ import annotations

import http.client
import os
import ssl
from urllib.parse import urlsplit

CONTEXT = ssl.create_default_context()
CONNECTIONS = {
    url: http.client.HTTPSConnection(urlsplit(url).netloc, context=CONTEXT) for url in os.environ["ORIGINS"].split()
}
for connection in CONNECTIONS.values():
    connection.connect()


def handle(requests: list[tuple[str, tuple[str, str, list[tuple[str, str]], str]]]) -> int:
    """Send *requests* in sequence, each to its server, and return the highest status."""
    return max(send(CONNECTIONS[url], *request) for url, request in requests)


def send(
    connection: http.client.HTTPSConnection, method: str, target: str, headers: list[tuple[str, str]], body: str
) -> int:
    """Send a request, read the whole response, and return its status."""
    connection.putrequest(method, target, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    content = body.encode()
    if content:
        connection.putheader("Content-Length", str(len(content)))
    connection.endheaders(content or None)
    response = connection.getresponse()
    response.read()
    return response.status
