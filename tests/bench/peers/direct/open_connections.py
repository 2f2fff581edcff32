"""The floor of a first answer: the requests that it takes, on connections that are open before they are needed.

`ORIGINS` names the servers by their URLs, separated by spaces.
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
    """The highest status of *requests*, each with its server's URL, one after the other."""
    return max(sent(CONNECTIONS[url], *request) for url, request in requests)


def sent(
    connection: http.client.HTTPSConnection, method: str, target: str, headers: list[tuple[str, str]], body: str
) -> int:
    """The status of the answer, after all of it was read."""
    connection.putrequest(method, target, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    content = body.encode()
    if content:
        connection.putheader("Content-Length", str(len(content)))
    connection.endheaders(content or None)
    answer = connection.getresponse()
    answer.read()
    return answer.status
