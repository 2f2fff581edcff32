"""The endpoint of a kubelet that an API server uses: the logs of pods, over TLS."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl, urlsplit

from infra.local.http_server import HOST, Handler, LoopbackServer
from infra.local.wire import HttpResponse
from infra.localcluster import log_content
from infra.localcluster.certificates import server_identity
from tests.cluster.json_client import ErrorResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.wire import Headers
    from tests.cluster.json_client import Document, JsonClient

_LOGS = re.compile(r"/containerLogs/([^/]+)/([^/]+)/([^/]+)")


class Kubelet(Handler):
    """Serves the logs of the pods that *client* finds, inside the context."""

    def __init__(self, client: JsonClient) -> None:
        self._client = client

    def __enter__(self) -> Self:
        """Start listening."""
        self._server = LoopbackServer(self, context=server_identity().context)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._server.close()

    @property
    def status(self) -> Document:
        """The part of a node's status with the address of its kubelet."""
        port = urlsplit(self._server.url).port
        addresses = [{"type": "InternalIP", "address": HOST}]
        return {"addresses": addresses, "daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Return a container's log, or the reason why it has none; ConnectionResetError closes the connection."""
        del method, headers, body
        url = urlsplit(target)
        match = _LOGS.fullmatch(url.path)
        if match is None:
            return HttpResponse(404)
        namespace, name, container = match.groups()
        query = dict(parse_qsl(url.query))
        options = log_content.LogOptions.of(query)

        def read() -> tuple[Document, bytes]:
            pod = self._client.get(f"/api/v1/namespaces/{namespace}/pods/{name}")
            return pod, log_content.read_log(pod, container, options, datetime.now(UTC))

        try:
            log = read()[1]
        except log_content.NoLogError as error:
            return HttpResponse(400, [("Content-Type", "text/plain")], str(error).encode())
        except log_content.NodeUnreachableError:
            raise ConnectionResetError from None
        except ErrorResponse as error:
            return HttpResponse(error.status, [("Content-Type", "text/plain")], b"no such pod")
        stream = _until_gone(log_content.follow(read)) if query.get("follow") == "true" else None
        return HttpResponse(200, [("Content-Type", "text/plain")], log, stream)


def _until_gone(log: Iterator[bytes]) -> Iterator[bytes]:
    with suppress(log_content.NoLogError, log_content.NodeUnreachableError, ErrorResponse):
        yield from log
