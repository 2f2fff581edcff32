"""HTTP in and out: an API Gateway event becomes a typed call, its outcome an answer, every error problem+json."""

from __future__ import annotations

import time
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from chalice.app import Response as ChaliceResponse

from chalicelib.deadline import Deadline
from chalicelib.domain.access_token import unauthenticated
from chalicelib.domain.errors import (
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
from chalicelib.settings import SettingError, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chalice.app import Blueprint
    from chalice.app import Request as ChaliceRequest

    from chalicelib.domain.caller import Caller
    from chalicelib.runtime.operation import Operation

Parsed = TypeVar("Parsed")
View = "Callable[..., ChaliceResponse]"

MAX_BODY = 65536
"""Bytes; a Job is an object in etcd, which takes 1.5 MB, and the submission's own limits end well below."""
LATEST_SECONDS = 27.0
"""For an answer, however long it was asked to wait: Lambda ends a function after 28 s, API Gateway after 29."""
ANY_TYPE = {"content_types": ["*/*"]}
"""For routes: Chalice would check the type of GETs too, and answer in its own words; `Call.document` checks bodies."""

_JSON = "application/json"
_PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Response(msgspec.Struct, frozen=True):
    """What a function answers: *body* is encoded as JSON, or is text of another *content_type*."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = {}
    content_type: str = _JSON


class Request:
    """One request: who asks, until when, and what; *notes* go into its log line."""

    def __init__(self, request: ChaliceRequest) -> None:
        self._request = request
        self._event = request.to_original_event()
        self.started = time.monotonic()
        self.request_id = str(self._event["requestContext"]["requestId"])
        self.path = str(self._event["requestContext"]["path"])
        self.caller: Caller | None = None
        self.attempts: list[float] = []
        self.notes: dict[str, object] = {}

    @cached_property
    def deadline(self) -> Deadline:
        """When the answer is due."""
        return Deadline(self.started + settings().deadline_seconds, self.request_id, self.attempts)

    def extend_deadline(self, seconds: float) -> Deadline:
        """When *seconds* are over that the caller asks to wait; the answer is due so much later, within reason."""
        self.deadline = self.deadline.moved(min(self.deadline.at + seconds, self.started + LATEST_SECONDS))
        return self.deadline.moved(min(self.started + seconds, self.deadline.at))

    def require_caller(self) -> Caller:
        """The caller, in functions that require one."""
        if self.caller is None:
            raise unauthenticated("is missing")
        return self.caller

    def headers(self, name: str) -> list[str]:
        """Every value of the header *name*."""
        given = self._event.get("multiValueHeaders") or {}
        return [str(value) for key, values in given.items() if key.lower() == name.lower() for value in values]

    def header(self, name: str) -> str | None:
        """The value of the header *name*, or None; MalformedRequest when it stands twice."""
        values = self.headers(name)
        if len(values) > 1:
            raise MalformedRequest(
                "The header was sent more than once.", (FieldError("/" + name, "must be sent once"),)
            )
        return values[0] if values else None

    def query(self, kind: type[Parsed]) -> Parsed:
        """The query parameters as *kind*, a msgspec Struct; MalformedRequest names what is wrong."""
        return strict_json.query_parameters(self._event.get("multiValueQueryStringParameters") or {}, kind)

    def document(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The body, which is strict JSON of bounded size."""
        content_type = (self.header("Content-Type") or "").partition(";")[0].strip().lower()
        if content_type != _JSON:
            raise UnsupportedMediaType("Send the body as JSON, with the header Content-Type: application/json")
        try:
            body = self._request.raw_body or b""
        except ValueError as error:
            raise MalformedRequest("The body is not text in UTF-8.") from error
        if isinstance(body, str):
            body = body.encode()
        if len(body) > MAX_BODY:
            raise BodyTooLarge(f"A body has at most {MAX_BODY} bytes. Put large inputs into a volume or an image.")
        return strict_json.json_document(body)


class _NoQuery(msgspec.Struct, forbid_unknown_fields=True):
    """A function without parameters takes none."""


def endpoint(
    routes: Blueprint, operation: Operation, authenticate: Callable[[Sequence[str], Deadline], Caller] | None = None
) -> Callable[[Callable[..., Response]], Callable[..., ChaliceResponse]]:
    """Makes a Chalice view of a function `(call, **path) -> Answer`. Without *authenticate* anybody may ask."""

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
            except Exception as error:  # noqa: BLE001 - the one place that catches everything
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
    if error.status == Unauthenticated.status:
        headers["WWW-Authenticate"] = 'Bearer realm="researcher"'
    return Response(error.problem(request.request_id), error.status, headers, "application/problem+json")


def _internal_error(error: Exception, request: Request) -> Response:
    request.notes["error"] = str(error) if isinstance(error, SettingError) else request_log.code_locations(error)
    return _problem(InternalError("Internal error. Report the request id to the operators of this API."), request)


def _response(response: Response, request: Request) -> ChaliceResponse:
    headers: dict[str, str | list[str]] = {
        **_PRIVATE,
        "X-Request-Id": request.request_id,
        **response.headers,
        "Content-Type": response.content_type,
    }
    text = response.body if isinstance(response.body, str) else msgspec.json.encode(response.body).decode()
    return ChaliceResponse(body="" if response.body is None else text, status_code=response.status, headers=headers)


def _log(function: str, path: Mapping[str, str], request: Request, response: Response) -> None:
    request_log.write_request(
        function,
        request=request.request_id,
        subject=request.caller.subject if request.caller else None,
        status=response.status,
        milliseconds=(time.monotonic() - request.started) * 1000,
        attempts=request.attempts,
        **{**path, **request.notes},
    )
