"""The Lambda proxy integration of API Gateway: the event (payload version 1.0) in, the function's response out.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from infra.local.wire import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.local.wire import Headers

ACCOUNT = "123456789012"
REGION = "eu-west-1"
MAX_RESPONSE = 6 * 2**20
"""Lambda's limit for a response."""

REMAPPED = frozenset({
    "authorization", "connection", "content-md5", "date", "proxy-authenticate", "server", "www-authenticate",
})  # fmt: skip
"""Headers of a function's response that API Gateway sends as x-amzn-Remapped-<name>, so that no client acts on them:
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html"""

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True)
class ProxyRequest:
    """A request for which API Gateway has found the resource."""

    request_id: str
    stage: str
    resource: str
    path_parameters: dict[str, str]
    method: str
    target: str
    headers: Headers
    body: bytes
    epoch: float

    def event(self, binary_types: Sequence[str]) -> dict[str, Any]:
        """Return the event for the function; a body of one of *binary_types* is base64, any other is text."""
        path, _, query = self.target.partition("?")
        headers = _group_by_name(self.headers)
        parameters = _group_by_name(parse_qsl(query, keep_blank_values=True))
        binary = _is_binary(self._header("content-type"), binary_types)
        return {
            "resource": self.resource,
            "path": path,
            "httpMethod": self.method,
            "headers": _last_values(headers),
            "multiValueHeaders": headers or None,
            "queryStringParameters": _last_values(parameters),
            "multiValueQueryStringParameters": parameters or None,
            "pathParameters": self.path_parameters or None,
            "stageVariables": None,
            "requestContext": self._context(path),
            "body": _text(self.body, binary=binary),
            "isBase64Encoded": binary and bool(self.body),
        }

    def wants_binary(self, binary_types: Sequence[str]) -> bool:
        """Return whether a base64 response is decoded: API Gateway reads only the first type of the Accept header."""
        return _is_binary(self._header("accept").split(",")[0], binary_types)

    def _header(self, name: str) -> str:
        return next((value for key, value in reversed(self.headers) if key.lower() == name), "")

    def _context(self, path: str) -> dict[str, Any]:
        return {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": self._header("host"),
            "extendedRequestId": self.request_id,
            "httpMethod": self.method,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": self._header("user-agent") or None},
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": self.request_id,
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(self.epoch)),
            "requestTimeEpoch": int(self.epoch * 1000),
            "resourcePath": self.resource,
            "stage": self.stage,
        }


@dataclass(frozen=True)
class LambdaContext:
    """The second argument of a Lambda handler, as far as it can be provided locally."""

    function_name: str
    aws_request_id: str
    remaining_seconds: Callable[[], float]
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "512"

    @property
    def invoked_function_arn(self) -> str:
        """The ARN that the function has in the local account."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        """The name of the function's log group in CloudWatch."""
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is left before the timeout."""
        return max(0, int(self.remaining_seconds() * 1000))


class _ProxyResponse(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The response format of a function; API Gateway returns 502 for anything else."""

    status_code: int
    headers: dict[str, str | int | float | bool] | None = None
    multi_value_headers: dict[str, list[str | int | float | bool]] | None = None
    body: str | None = None
    is_base64_encoded: bool = False


def response_from(result: object, *, decode: bool) -> HttpResponse:
    """Convert the *result* of the function to an HTTP response; a base64 body is decoded only if *decode* is set.

    Raises: ValueError, TypeError, RecursionError: API Gateway would not accept the result.
    """
    serialized = json.dumps(result).encode()  # as the Lambda runtime does, which supports neither bytes nor dates
    if len(serialized) > MAX_RESPONSE:
        raise ValueError(f"The function's response is larger than {MAX_RESPONSE} bytes.")
    proxy = msgspec.json.decode(serialized, type=_ProxyResponse)
    if not 200 <= proxy.status_code <= 599:  # noqa: PLR2004 - the final HTTP statuses
        raise ValueError(f"{proxy.status_code} is not a final HTTP status.")
    body = proxy.body or ""
    content = base64.b64decode(body, validate=True) if decode and proxy.is_base64_encoded else body.encode()
    return HttpResponse(proxy.status_code, _headers_of(proxy), content)


def _headers_of(proxy: _ProxyResponse) -> Headers:
    multi_value = proxy.multi_value_headers or {}
    overridden = {name.lower() for name in multi_value}
    single = [(name, value) for name, value in (proxy.headers or {}).items() if name.lower() not in overridden]
    headers = [(name, _header_text(value)) for name, value in single]
    headers += [(name, _header_text(value)) for name, values in multi_value.items() for value in values]
    for name, value in headers:
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"The function's response has an invalid header: {name!r}.")
    return [(f"x-amzn-Remapped-{name}" if name.lower() in REMAPPED else name, value) for name, value in headers]


def _header_text(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(body: bytes, *, binary: bool) -> str | None:
    if not body:
        return None
    return base64.b64encode(body).decode() if binary else body.decode("utf-8", "replace")


def _is_binary(media_type: str, binary_types: Sequence[str]) -> bool:
    return "*/*" in binary_types or media_type.partition(";")[0].strip().lower() in binary_types


def _group_by_name(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = defaultdict(list)
    for name, value in pairs:
        grouped[name].append(value)
    return dict(grouped)


def _last_values(grouped: dict[str, list[str]]) -> dict[str, str] | None:
    return {name: values[-1] for name, values in grouped.items()} or None
