"""HTTP: an API Gateway event becomes a Request, a function returns a Response, and every error is problem+json."""

from __future__ import annotations

import time
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from chalice.app import Response as ChaliceResponse

from chalicelib.deadline import Deadline
from chalicelib.domain.access_token import unauthenticated
from chalicelib.domain.errors import (
    REPORT_TO_OPERATORS,
    BodyTooLarge,
    FieldError,
    InternalError,
    MalformedRequest,
    ResearcherError,
    Unauthenticated,
    UnsupportedMediaType,
)
from chalicelib.domain.parsing import strict_json
from chalicelib.runtime import request_log
from chalicelib.runtime.operation import JSON
from chalicelib.runtime.urls import docs_url
from chalicelib.settings import SettingError, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chalice.app import Blueprint
    from chalice.app import Request as ChaliceRequest

    from chalicelib.domain.caller import Caller
    from chalicelib.runtime.operation import Operation

Parsed = TypeVar("Parsed", bound=msgspec.Struct)
View = "Callable[..., ChaliceResponse]"

MAX_BODY = 65536
"""Bytes. etcd's limit for an object, a Job too, is 1.5 MB; the limits of a submission's fields stay well below."""
LATEST_SECONDS = 27.0
"""The latest time for a response, however long the caller asks to wait: Lambda's time-out is 28 s, API Gateway's 29."""
ANY_TYPE = {"content_types": ["*/*"]}
"""For routes: Chalice would check the Content-Type of a GET, too. `Request.document` checks it if there is a body."""

_PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Response(msgspec.Struct, frozen=True):
    """The response of a function: *body* is encoded as JSON, unless it is a string or bytes."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = {}
    content_type: str = JSON


class Request:
    """One request: its caller, deadline, headers, query and body. *notes* are added to the log line."""

    def __init__(self, request: ChaliceRequest) -> None:
        self._request = request
        self._event = request.to_original_event()
        self.started = time.monotonic()
        # `chalice local` sends no request id, and one value of each header.
        context: Any = request.lambda_context
        self.request_id = str(self._event["requestContext"].get("requestId") or context.aws_request_id)
        self.path = str(self._event["requestContext"]["path"])
        self.domain = str(self._event["requestContext"].get("domainName", ""))
        self.docs_url = docs_url(self.domain, self.path)
        self.caller: Caller | None = None
        self.attempts: list[float] = []
        self.notes: dict[str, object] = {}

    @cached_property
    def deadline(self) -> Deadline:
        """The time by which the response is due."""
        return Deadline(self.started + settings().deadline_seconds, self.request_id, self.attempts)

    def extend_deadline(self, seconds: float) -> Deadline:
        """Extend the deadline by *seconds* that the caller asks to wait, up to LATEST_SECONDS; return when they end."""
        self.deadline = self.deadline.moved(min(self.deadline.at + seconds, self.started + LATEST_SECONDS))
        return self.deadline.moved(min(self.started + seconds, self.deadline.at))

    def require_caller(self) -> Caller:
        """Return the caller; Unauthenticated if the function does not authenticate."""
        if self.caller is None:
            raise unauthenticated("is missing", was_sent=False)
        return self.caller

    def headers(self, name: str) -> list[str]:
        """Return all values of the header *name*."""
        headers = self._event.get("multiValueHeaders")
        if headers is None:
            headers = {key: [value] for key, value in (self._event.get("headers") or {}).items()}
        return [str(value) for key, values in headers.items() if key.lower() == name.lower() for value in values]

    def header(self, name: str) -> str | None:
        """Return the value of the header *name*, or None; MalformedRequest if it was sent more than once."""
        values = self.headers(name)
        if len(values) > 1:
            raise MalformedRequest(
                "The header was sent more than once.", (FieldError("/" + name, "must be sent once"),)
            )
        return values[0] if values else None

    def query(self, kind: type[Parsed]) -> Parsed:
        """Return the query parameters as *kind*, a msgspec Struct; MalformedRequest if they are invalid."""
        return strict_json.query_parameters(self._event.get("multiValueQueryStringParameters") or {}, kind)

    def document(self, types: Sequence[str] = (JSON,), *, literals: bool = False) -> Any:  # noqa: ANN401 - any JSON
        """Return the body in one of these media *types*, parsed as strict JSON of at most MAX_BODY bytes.

        With *literals*, numbers are those of `parsing.literals`, which keep how they are written.
        """
        content_type = (self.header("Content-Type") or "").partition(";")[0].strip().lower()
        if content_type not in types:
            raise UnsupportedMediaType(f"Send the body as JSON, with the header Content-Type: {' or '.join(types)}.")
        try:
            body = self._request.raw_body or b""
        except ValueError as error:
            raise MalformedRequest("The body is not valid UTF-8.") from error
        if isinstance(body, str):
            body = body.encode()
        if len(body) > MAX_BODY:
            raise BodyTooLarge(f"The body must be at most {MAX_BODY} bytes. Put large inputs in a volume or an image.")
        return strict_json.json_document(body, literals=literals)


class _NoQuery(msgspec.Struct, forbid_unknown_fields=True):
    """The query of an operation without parameters."""


def endpoint(
    routes: Blueprint, operation: Operation, authenticate: Callable[[Sequence[str], Deadline], Caller] | None = None
) -> Callable[[Callable[..., Response]], Callable[..., ChaliceResponse]]:
    """Turn a function `(request, **path) -> Response` into a Chalice view; without *authenticate* it needs no token."""

    def decorate(function: Callable[..., Response]) -> Callable[..., ChaliceResponse]:
        @wraps(function)
        def view(**path: str) -> ChaliceResponse:
            request = Request(routes.current_request)
            try:
                if authenticate:
                    request.caller = authenticate(request.headers("Authorization"), request.deadline)
                if operation.query is None:
                    request.query(_NoQuery)
                response = function(request, **path)
            except ResearcherError as error:
                response = _problem(error, request)
            except Exception as error:  # noqa: BLE001 - the outermost handler: any error becomes a 500
                response = _internal_error(error, request)
            _log(function.__module__.rpartition(".")[2], path, request, response)
            return _response(response, request)

        view.operation = operation  # type: ignore[attr-defined] # infra/openapi/document.py reads both
        view.authenticated = authenticate is not None  # type: ignore[attr-defined]
        return view

    return decorate


def _problem(error: ResearcherError, request: Request) -> Response:
    request.notes |= {"code": error.code, "why": error.why}
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = error.challenge
    return Response(
        error.problem(request.request_id, request.docs_url), error.status, headers, "application/problem+json"
    )


def _internal_error(error: Exception, request: Request) -> Response:
    request.notes["error"] = str(error) if isinstance(error, SettingError) else request_log.code_locations(error)
    return _problem(InternalError(f"Internal error. {REPORT_TO_OPERATORS}"), request)


def _response(response: Response, request: Request) -> ChaliceResponse:
    headers: dict[str, str | list[str]] = {
        **_PRIVATE,
        "X-Request-Id": request.request_id,
        **response.headers,
        "Content-Type": response.content_type,
    }
    body = response.body
    if not isinstance(body, str | bytes):
        body = "" if body is None else msgspec.json.encode(body).decode()
    return ChaliceResponse(body=body, status_code=response.status, headers=headers)


def _ignored(caller: Caller | None) -> dict[str, object]:
    return {"ignoredGroups": caller.ignored_groups} if caller and caller.ignored_groups else {}


def _log(function: str, path: Mapping[str, str], request: Request, response: Response) -> None:
    request_log.write_request(
        function,
        request=request.request_id,
        subject=request.caller.subject if request.caller else None,
        status=response.status,
        milliseconds=(time.monotonic() - request.started) * 1000,
        attempts=request.attempts,
        **{**path, **_ignored(request.caller), **request.notes},
    )
