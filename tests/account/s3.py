"""S3 for uploads of the AWS CLI: buckets with objects, in one part or several."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from infra.local.wire import HttpResponse

if TYPE_CHECKING:
    from infra.local.wire import Headers

XML = [("Content-Type", "application/xml")]


class Buckets:
    """The objects by bucket and key, and the notification configurations by bucket.

    *headers* of the last upload of each object are kept, such as those of KMS.
    """

    def __init__(self, *buckets: str) -> None:
        self.objects: dict[str, bytes] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.notifications: dict[str, bytes] = {}
        self._buckets = set(buckets)
        self._parts: dict[str, dict[int, bytes]] = {}

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpResponse:
        """Return the response to one request in path style."""
        path, _, query_text = target.partition("?")
        key, query = unquote(path).removeprefix("/"), parse_qs(query_text, keep_blank_values=True)
        if method == "PUT" and "/" not in key and not query:
            self._buckets.add(key)
            return HttpResponse(200, [("Location", f"/{key}")])
        if key.partition("/")[0] not in self._buckets:
            return HttpResponse(404, XML, b"<Error><Code>NoSuchBucket</Code></Error>")
        sent = {name.lower(): value for name, value in headers}
        data = _decoded(body) if "aws-chunked" in sent.get("content-encoding", "") else body
        if method == "POST":
            return self._multipart(key, query, sent)
        if method == "PUT":
            return self._put(key, query, sent, data)
        if key not in self.objects:
            return HttpResponse(404, XML, b"" if method == "HEAD" else b"<Error><Code>NoSuchKey</Code></Error>")
        return HttpResponse(200, [("ETag", _etag(self.objects[key]))], b"" if method == "HEAD" else self.objects[key])

    def _put(self, key: str, query: dict[str, list[str]], headers: dict[str, str], data: bytes) -> HttpResponse:
        if "notification" in query:
            self.notifications[key] = data
        elif "partNumber" in query:
            self._parts[key][int(query["partNumber"][0])] = data
        else:
            self.objects[key], self.headers[key] = data, headers
        return HttpResponse(200, [("ETag", _etag(data))])

    def _multipart(self, key: str, query: dict[str, list[str]], headers: dict[str, str]) -> HttpResponse:
        if "uploads" in query:
            self._parts[key], self.headers[key] = {}, headers
            body = (
                f"<InitiateMultipartUploadResult><Key>{key}</Key><UploadId>1</UploadId></InitiateMultipartUploadResult>"
            )
        else:
            parts = self._parts.pop(key)
            self.objects[key] = b"".join(parts[number] for number in sorted(parts))
            body = f"<CompleteMultipartUploadResult><Key>{key}</Key></CompleteMultipartUploadResult>"
        return HttpResponse(200, XML, body.encode())


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _decoded(body: bytes) -> bytes:
    """Return the data of a body in AWS's chunked encoding."""
    data = b""
    while body:
        head, _, body = body.partition(b"\r\n")
        size = int(head.partition(b";")[0], 16)
        if size == 0:
            break
        data, body = data + body[:size], body[size + 2 :]
    return data
